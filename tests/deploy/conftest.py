"""The offline bundle, made once for all who ask for it."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`dist/bundle`, by `make bundle`: one of the processes makes it, the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = shared / "bundle.made"
        if not made.exists():
            subprocess.run(["make", "-s", "bundle"], cwd=ROOT, check=True)
            made.touch()
    return ROOT / "dist/bundle"
