"""A ledger in a Git ref: for runners that have a clone and no database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from apiops.errors import Conflict
from apiops.git import author, ledgerref
from tests.people import GitStory
from tests.remote.bank import PROXY, VendorShop, manifest
from tests.shop import MERT, run

SETTINGS = """
[targets.dev]
manager = "%s"
ledger = "git:origin"
key-file = "../ledger.key"
"""
REF = "refs/apiops/dev"


class GitShop(VendorShop):
    """A bank whose runners share nothing but a bare repository and a key."""

    def __init__(self, folder: Path, *quirks: str) -> None:
        super().__init__(folder, *quirks)
        self.bare = folder / "bare.git"
        author.init(self.bare, bare=True)
        pygit2.Repository(str(self.repository)).remotes.create("origin", str(self.bare))

    def settings(self, url: str) -> str:
        return SETTINGS % url

    def ledger(self) -> list[str]:
        """The messages of the ledger's commits, newest first."""
        repository = pygit2.Repository(str(self.bare))
        tip = repository.references[REF].target
        return [commit.message for commit in repository.walk(tip)]

    def another_runner(self) -> Path:
        """A second clone, as it was some time ago."""
        other = self.folder / "other"
        shutil.copytree(self.repository, other)
        return other


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[GitShop]:
    with GitShop(tmp_path) as shop:
        shop.begin()
        shop.world.requests.clear()
        yield shop


def a_change(bank: GitShop) -> None:
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    bank.commit(MERT, {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)})


def test_after_a_first_apply_any_runner_plans_to_nothing(bank: GitShop) -> None:
    other = bank.another_runner()
    pygit2.Repository(str(other)).references.delete(REF)

    for folder in (bank.repository, other):
        planned = run("plan", "-o", "json", cwd=folder, **bank.variables)
        assert [] == planned.json["plan"]["changes"], planned.err


def test_the_ledger_says_what_is_intended_before_it_happens(bank: GitShop) -> None:
    a_change(bank)
    assert 0 == bank.run("apply", "--yes").code

    give_back, intend, hold = bank.ledger()[:3]
    assert give_back.startswith("Give back the lease")
    assert "Intend 2 changes of payments" == intend
    assert hold.startswith("Hold the lease")


def test_a_plan_and_a_look_at_the_log_write_nothing(bank: GitShop) -> None:
    before = bank.ledger()

    bank.run("plan")
    assert 0 == bank.run("audit", "verify").code
    assert before == bank.ledger()


def test_what_one_runner_began_another_ends(bank: GitShop) -> None:
    a_change(bank)
    other = bank.another_runner()
    bank.world.expires_after = 1
    assert 8 == bank.run("apply", "--yes").code
    bank.world.expires_after = None
    bank.world.users[bank.standin.token].expired = False

    assert 0 == run("apply", "--yes", cwd=other, **bank.variables).code
    planned = bank.run("plan", "-o", "json")
    assert [] == planned.json["plan"]["changes"]


def test_a_ledger_that_is_not_there_is_told(tmp_path: Path) -> None:
    with GitShop(tmp_path) as shop:
        shop.commit(MERT, {"apiops.toml": shop.settings(shop.standin.url)})

        assert "AO708" in shop.run("plan").err


def test_a_second_ledger_is_not_made(bank: GitShop) -> None:
    assert "AO717" in bank.manager().err


@pytest.mark.parametrize("remote", ["", "origin"])
def test_of_two_who_began_from_the_same_state_one_is_refused(tmp_path: Path, remote: str) -> None:
    story = GitStory(tmp_path / "repo")
    story.commit(MERT, {"README": "a"})
    author.init(tmp_path / "bare.git", bare=True)
    pygit2.Repository(str(story.path)).remotes.create("origin", str(tmp_path / "bare.git"))
    first = ledgerref.open(story.path, REF, name=remote)
    second = ledgerref.open(story.path, REF, name=remote)

    first.keep(b"one", "first")
    with pytest.raises(Conflict, match="has moved"):
        second.keep(b"two", "second")

    assert b"one" == ledgerref.open(story.path, REF, name=remote).content()
    first.keep(b"three", "again")
    second.refresh()
    assert b"three" == second.content()
