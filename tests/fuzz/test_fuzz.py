"""A bounded number of runs of every fuzz target; `make fuzz` runs them for longer."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
RUNS = 8000


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="atheris is not made for this Python yet")
@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_our_own_errors_comes_of_what_strangers_send(name: str, tmp_path: Path) -> None:
    flags = (f"-runs={RUNS}", "-seed=1", f"-artifact_prefix={tmp_path}/")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"Done {RUNS} runs" in done.stderr


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_answered(name: str) -> None:
    target = TARGETS[name]

    for seed in target.seeds:
        target.check(seed)
        target.check(target.wrap(target.unwrap(seed)))
