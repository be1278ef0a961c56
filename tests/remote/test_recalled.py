"""A plan with nothing to do against a vendor's Manager is said again while that one shows the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apiops.manager import embedded
from apiops.manager.book import SqlBook
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from apiops.ports import Batch, Write
from tests import managers
from tests.remote.bank import PROXY, VendorShop, manifest
from tests.shop import MERT, Done
from tests.standin import Standin


@pytest.fixture(params=["", "policies-nameless"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VendorShop]:
    with VendorShop(tmp_path, *filter(None, [request.param])) as shop:
        shop.variables |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CI": "true"}
        shop.begin()
        assert "No changes." in shop.run("plan").out
        shop.world.requests.clear()
        yield shop


def recalled(done: Done) -> bool:
    """Whether no line was walked: a walk shows CI its progress on stderr."""
    assert 0 == done.code, done.err
    return "reading" not in done.err


def test_it_is_said_again_for_the_requests_of_one_reading(bank: VendorShop) -> None:
    said = bank.run("plan")
    asked = sorted(bank.world.requests)
    assert recalled(said)
    assert "No changes." in said.out
    assert {"GET"} == {method for method, _ in asked}

    bank.world.requests.clear()
    whole = bank.run("plan", "--pull-request", "7")
    assert not recalled(whole)
    assert (said.out, asked) == (whole.out, sorted(bank.world.requests))


def test_an_edit_in_the_console_is_seen(bank: VendorShop) -> None:
    bank.world.projects["payments"].ip_groups["offices"]["ipList"] = ["203.0.113.0/24"]
    done = bank.run("plan")
    assert not recalled(done)
    assert "offices" in done.out


def test_a_commit_and_a_setting_are_seen(bank: VendorShop) -> None:
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    bank.commit(MERT, {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)})
    bank.world.requests.clear()
    done = bank.run("plan")
    assert not recalled(done)
    assert "60 → 30" in done.out
    assert 1 == sum(path == "/apiops/projects/" for _, path in bank.world.requests)


def test_what_a_killed_run_began_is_seen(bank: VendorShop) -> None:
    """Its journal is in the ledger, and what it wrote may be where the Manager shows nothing."""
    url, key = f"sqlite:///{bank.folder}/dev.db", bank.folder / "dev.db.key"
    opened = embedded.open_manager(url, key_file=key)
    id = ResourceId("ApiProxy", "payments", "orders")
    lineage = bank.story.open().lineage
    write = Write(Change(Action.UPDATE, id), None, ("mert",), managers.a_context())
    batch = Batch(lineage, "dev", "payments", None, None, (write,), managers.a_context(), 0)
    SqlBook(*opened.parts).intend(batch, [(write, "PATCH")])
    opened.close()

    done = bank.run("plan")
    assert not recalled(done)
    assert "orders" in done.out


def test_a_token_that_does_not_count_says_so(bank: VendorShop) -> None:
    bank.variables["APIOPS_TOKEN"] = "another"
    assert "AO761" in bank.run("plan").err


def test_a_manager_that_is_away_says_so(bank: VendorShop) -> None:
    bank.standin.__exit__(None, None, None)
    assert "AO742" in bank.run("plan").err
    bank.standin = Standin().__enter__()  # for the fixture to end
