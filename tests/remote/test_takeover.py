"""Runs that die, and runs that find the lease taken: processes of their own, killed for good.

`later` is what another machine's clock shows more than ours, so a lease can be outlived.
"""

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests import process
from tests.dying import Ended, Mortals
from tests.remote.bank import VendorShop, manifest, the_vendor_bank
from tests.remote.meddler import HELD, Meddler
from tests.shop import MERT

NAMES = ("aa", "bb", "cc", "dd")


def a_group(name: str, address: str) -> dict[str, str]:
    text = manifest("IpGroup", name, f"spec:\n  ipList: [{address}]\n")
    return {f"payments/{name}.yaml": text}


class Bank:
    """A bank whose Manager is reached through a meddler, with four groups to be made."""

    def __init__(self, shop: VendorShop, meddler: Meddler, mortals: Mortals) -> None:
        self.shop = shop
        self.meddler = meddler
        self._mortals = mortals
        settings = {"apiops.toml": shop.settings(meddler.url)}
        shop.begin({**the_vendor_bank(), **settings})
        for name in NAMES:
            shop.commit(MERT, a_group(name, "10.0.0.1"))

    @contextmanager
    def caught(self, *arguments: str, at: int = 1) -> Iterator[subprocess.Popen[str]]:
        """An apply that waits for the answer to a write which was carried out."""
        self.meddler.spoil(HELD, at)
        running = subprocess.Popen(
            process.command("apply", "--yes", "--parallel", "1", *arguments),
            cwd=self.shop.repository,
            env=process.environment(**self.shop.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert self.meddler.arrived.wait(process.PATIENCE)
            yield running
        finally:
            self.meddler.let_go.set()
            running.kill()
            running.communicate()

    def run(self, *arguments: str, later: timedelta = timedelta()) -> Ended:
        shop = self.shop
        return self._mortals.run(
            *arguments, cwd=shop.repository, variables=shop.variables, later=later
        )

    def fence(self) -> int:
        with closing(sqlite3.connect(self.shop.folder / "dev.db")) as ledger:
            (fence,) = ledger.execute("SELECT max(fence) FROM lease").fetchone()
            return int(fence)

    def groups(self) -> dict[str, str]:
        rows = self.shop.world.projects["payments"].ip_groups
        return {name: rows[name]["ipList"][0] for name in NAMES if name in rows}

    def settled(self, later: timedelta = timedelta()) -> bool:
        """Nothing to do, and the log is whole."""
        plan = self.run("plan", "--detailed-exitcode", later=later)
        return plan.code == 0 and self.run("audit", "verify").code == 0


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with Mortals() as server:
        yield server


@pytest.fixture
def bank(tmp_path: Path, mortals: Mortals) -> Iterator[Bank]:
    with VendorShop(tmp_path) as shop, Meddler(shop.standin.port) as meddler:
        yield Bank(shop, meddler, mortals)


def test_who_waits_for_the_lease_of_a_killed_run_takes_over_and_ends_its_work(bank: Bank) -> None:
    soon, late = timedelta(minutes=4), timedelta(minutes=6)
    with bank.caught() as holder:
        first = bank.fence()
        waiting = bank.run("apply", "--yes")
        assert (7, True) == (waiting.code, "AO718" in waiting.err)
        holder.send_signal(signal.SIGKILL)
        assert -signal.SIGKILL == holder.wait(process.PATIENCE)
        waiting = bank.run("apply", "--yes", later=soon)
        assert (7, True) == (waiting.code, "AO718" in waiting.err)
        bank.shop.world.requests.clear()

        done = bank.run("apply", "--yes", later=late)

    assert 0 == done.code, done.err
    assert first < bank.fence()
    assert dict.fromkeys(NAMES, "10.0.0.1") == bank.groups()
    assert len(NAMES) > len([1 for method, _ in bank.shop.world.requests if method == "POST"])
    assert bank.settled(late)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_run_whose_lease_was_taken_by_a_clock_ahead_sends_nothing_more(
    bank: Bank, at: int
) -> None:
    """The other machine thinks that the lease is over. What it wrote stays."""
    ahead = timedelta(hours=5)
    with bank.caught("--ref", bank.shop.story.open().resolve("HEAD").commit, at=at) as holder:
        for name in NAMES:
            bank.shop.commit(MERT, a_group(name, "10.0.0.2"))
        other = bank.run("apply", "--yes", later=ahead)
        assert 0 == other.code, other.err
        bank.shop.world.requests.clear()
        bank.meddler.let_go.set()
        told, _ = holder.communicate(timeout=process.PATIENCE)

    assert 0 != holder.returncode, told
    assert "AO719" in told
    assert {"GET"} >= {method for method, _ in bank.shop.world.requests}
    assert dict.fromkeys(NAMES, "10.0.0.2") == bank.groups()
    assert bank.settled()


def test_a_lease_of_a_clock_ahead_says_that_the_clocks_differ(bank: Bank) -> None:
    """A killed run's lease would hold for hours; who waits is told why."""
    with bank.caught() as holder:
        holder.kill()
        holder.wait(process.PATIENCE)
        waiting = bank.run("apply", "--yes", later=timedelta(hours=-5))

        assert (7, True) == (waiting.code, "AO718" in waiting.err)
        assert "5 hours" in waiting.err
        done = bank.run("apply", "--yes", later=timedelta(minutes=6))

    assert 0 == done.code, done.err
    assert bank.settled(timedelta(minutes=6))


def test_a_token_revoked_in_the_middle_and_a_new_one_for_the_next_run(bank: Bank) -> None:
    world, old = bank.shop.world, bank.shop.standin.token
    with bank.caught() as holder:
        robot = world.users.pop(old)
        bank.meddler.let_go.set()
        told, _ = holder.communicate(timeout=process.PATIENCE)
    assert 0 != holder.returncode, told
    assert "AO761" in told
    assert len(NAMES) > len(bank.groups())

    again = bank.run("apply", "--yes")
    assert 0 != again.code
    assert "AO761" in again.err
    world.users["another-token"] = robot
    bank.shop.variables["APIOPS_TOKEN"] = "another-token"
    done = bank.run("apply", "--yes")

    assert 0 == done.code, done.err
    assert dict.fromkeys(NAMES, "10.0.0.1") == bank.groups()
    assert bank.settled()
