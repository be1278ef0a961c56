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


PEOPLE = {
    name: text
    for name, text in the_vendor_bank().items()
    if name.startswith("system/") or name in ("payments/project.yaml", "payments/mert.yaml")
}


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[VendorShop]:
    """People and project are described, and nothing else is there."""
    files = PEOPLE | {
        "system/production.yaml": PEOPLE["system/dev.yaml"].replace("dev", "production")
    }
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


def exports() -> dict[str, list[str]]:
    """The commands of the steps, by the kind that they write."""
    commands = (found.split() for found in re.findall(r"`apiops\s+(export [^`]*)`", PAGE))
    return {command[command.index("--kind") + 1]: command for command in commands}


def blocks() -> dict[str, str]:
    """What stands under After, by the file that its first line names."""
    after = PAGE.partition("## After")[2].partition("## What changes")[0]
    found = re.findall(r"```(?:yaml|toml)\n(# ([^\s:]+).*?)```", after, re.DOTALL)
    return {name: text for text, name in found}


def test_from_the_pipeline_to_a_plan_with_nothing_to_do(bank: VendorShop) -> None:
    pipeline(bank)
    pipeline(bank)
    assert ["orders"] == [*bank.world.projects["payments"].proxies]

    exported = bank.run(*exports()["ApiProxy"])
    assert "1 resource exported." in exported.err
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


@pytest.mark.parametrize(
    ("kind", "described"), [("Environment", ["dev", "production"]), ("Project", ["payments"])]
)
def test_what_a_proxy_stands_in_is_exported_too(
    bank: VendorShop, kind: str, described: list[str]
) -> None:
    exported = bank.run(*exports()[kind])

    assert 0 == exported.code, exported.err
    new = [Path(line.strip()) for line in exported.out.splitlines()]
    assert [f"kind: {kind}"] * len(described) == [
        next(line for line in (bank.repository / one).read_text().splitlines() if "kind:" in line)
        for one in new
    ]
    names = [re.search(r"name: (\S+)", (bank.repository / one).read_text()) for one in new]
    assert described == [found[1] for found in names if found]


def test_what_stands_under_after_is_applied_as_it_stands(tmp_path: Path) -> None:
    described = blocks()
    with VendorShop(tmp_path) as shop:
        shop.world.add_environment("production")
        described["apiops.toml"] = (
            "".join(
                f"{line}\n"
                for line in described["apiops.toml"].splitlines()
                if not line.startswith(("manager", "ledger", "key-file", "token-file"))
            )
            + f'manager = "{shop.standin.url}"\nledger = "sqlite:///../dev.db"\n'
        )
        described["projects/payments/proxies/orders.openapi.yaml"] = DOCUMENT
        production = PEOPLE["system/dev.yaml"].replace("dev", "production")
        shop.begin({**PEOPLE, "system/dev.yaml": production, **described})

        planned = shop.run("plan", "--target", "production", "-o", "json").json
        assert [] == planned["plan"]["changes"]
        (proxy,) = shop.world.projects["payments"].proxies.values()
        assert ["production"] == [*proxy.deployed]
        assert "https://orders.bank.example" in str(proxy.routing)
