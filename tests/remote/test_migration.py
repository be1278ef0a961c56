"""The page on leaving curl and Jenkins, as it stands: the step before, and the way from there."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.bank import DOCUMENT, VendorShop, the_vendor_bank
from tests.shop import MERT

PAGE = (
    Path(__file__).parents[2] / "docs" / "how-to" / "migrate-from-curl-and-jenkins.md"
).read_text(encoding="utf-8")
SERVICE = "https://orders.example"


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[VendorShop]:
    """People and project are described, and nothing else is there."""
    files = {
        name: text
        for name, text in the_vendor_bank().items()
        if name.startswith("system/") or name in ("payments/project.yaml", "payments/mert.yaml")
    }
    files["system/production.yaml"] = files["system/dev.yaml"].replace("dev", "production")
    with VendorShop(tmp_path) as shop:
        shop.world.add_environment("production")
        shop.world.documents[f"{SERVICE}/openapi.json"] = DOCUMENT
        shop.begin(files)
        yield shop


def pipeline(shop: VendorShop) -> None:
    """The step of the old pipeline."""
    found = re.search(r"## Before.*?```sh\n(.*?)```", PAGE, re.DOTALL)
    assert found
    values = {"MANAGER": shop.standin.url, "TOKEN": shop.standin.token, "SERVICE": SERVICE}
    script = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    done = subprocess.run(
        ["bash", "-eu", "-c", script + found[1]],
        cwd=shop.repository.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    assert "FAILURE" not in done.stdout


def the_export() -> list[str]:
    """The command of the second step."""
    found = re.search(r"`apiops (export [^`]*)`", PAGE)
    assert found
    return found[1].split()


def test_from_the_pipeline_to_a_plan_with_nothing_to_do(bank: VendorShop) -> None:
    pipeline(bank)
    pipeline(bank)
    assert ["orders"] == [*bank.world.projects["payments"].proxies]

    exported = bank.run(*the_export())
    assert 0 == exported.code, exported.err
    assert "hole" in exported.err
    found = {
        str(file.relative_to(bank.repository)): file.read_text()
        for file in bank.repository.rglob("*.yaml")
        if "kind: ApiProxy" in file.read_text()
    }
    (manifest,) = found
    document = str(Path(manifest).parent / "orders.openapi.yaml")
    bank.commit(MERT, {**found, document: DOCUMENT}, "Adopt what the pipeline made")

    planned = bank.run("plan", "-o", "json").json["plan"]["changes"]
    assert all(change["adopts"] for change in planned if change["action"] == "update")
    assert 0 == bank.run("apply", "--yes").code
    assert [] == bank.run("plan", "-o", "json").json["plan"]["changes"]
