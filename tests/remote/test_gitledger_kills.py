"""A runner with its ledger in a Git ref is killed at every write and at every push. Another runner,
which has the ref and nothing else, ends what it began, and the log knows of everything.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apiops.age import identities
from apiops.errors import ManagerUnavailable
from apiops.git import ledgerref
from apiops.manager import embedded, gitbook
from apiops.model.audit import AuditQuery
from apiops.model.resource import Resource
from apiops.remote.answer import Answer
from apiops.remote.client import Reach
from apiops.remote.vendor.api import Api
from apiops.remote.vendor.manager import VendorManager
from apiops.wiring import gitledger
from tests.managers import Clock
from tests.people import GitStory, person, signing_key
from tests.remote import test_faults as faults
from tests.remote.gateway import Gateway, done, left, told
from tests.remote.test_faults import Killed, Mortal

Goal = Callable[[Gateway], list[Resource]]

REF = "refs/apiops/production"
RUNNER = signing_key("runner")
IDENTITY, RECIPIENT = identities.generate()
KEYS = identities.Identities(tuple(identities.read_keys(IDENTITY.encode(), "test")))


class Runner:
    """What one runner does to the ref, until it dies."""

    def __init__(self, ref: gitledger.Sealed, pushes: int, *, sends_last: bool) -> None:
        self._ref = ref
        self.pushes = pushes
        self._sends_last = sends_last
        self.dead = False

    def keep(self, content: bytes, message: str) -> None:
        if self.dead:
            raise Killed
        self.pushes -= 1
        self.dead = self.pushes < 0
        if not self.dead or self._sends_last:
            self._ref.keep(content, message)
        if self.dead:
            raise Killed


class GitGateway(Gateway):
    """A gateway whose ledger is in a ref; each runner takes it out anew."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock, self._folder = Clock(), folder
        story = GitStory(folder / "repo")
        story.commit(person("ayse"), {"README": "a"})
        self._ref = story.path
        self._sealed().keep(Path(self.ledger[0].removeprefix("sqlite:///")).read_bytes(), "Begin")

    def _sealed(self) -> gitledger.Sealed:
        access = ledgerref.Access(key=RUNNER, trusted=frozenset({RUNNER.fingerprint}))
        return gitledger.Sealed(ledgerref.open(self._ref, REF, access), REF, (RECIPIENT,))

    def runner(self, pushes: int = 10**6, *, sends_last: bool = False) -> Runner:
        """A runner, minutes after the last one."""
        self.book.close()
        self.clock.at += timedelta(minutes=10)
        ref = self._sealed()
        content = ref.content(KEYS)
        assert content is not None
        file = self._folder / "taken-out.db"
        file.touch(mode=0o600)
        file.write_bytes(content)
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        opened = embedded.open_manager(
            f"sqlite:///{file}", key_file=self.ledger[1], clock=self.clock
        )
        one = Runner(ref, pushes, sends_last=sends_last)
        self.book = gitbook.face(opened, one.keep)
        return one

    def killed(self, runner: Runner, goal: Goal, lives: int = 10**6) -> bool:
        """Whether the run came to its end; otherwise it died after its so-manieth write."""
        reach = Reach(self.standin.url, pause=0.001)
        with Doomed(reach, self.token, lives=lives, sends_last=True) as client:
            client.runner = runner
            try:
                self.apply(goal(self), VendorManager(Api(client), self.book))
            except Killed:
                return False
            return True


class Doomed(Mortal):
    """When it dies the runner is dead: what Python still does after the exception is not done."""

    runner: Runner

    def call(self, method: str, path: str, **more: Any) -> Answer:
        try:
            return super().call(method, path, **more)
        except Killed:
            self.runner.dead = True
            raise


def recovers(gateway: GitGateway, goal: Goal, wished: Any, what: str) -> None:
    """Another runner ends it: all is as wished, and the log has what happened to everything."""
    gateway.runner()
    outcomes = gateway.apply(goal(gateway))
    assert done(outcomes), f"{what}: {told(outcomes)}"
    gateway.runner()
    assert "" == left(gateway.plan(goal(gateway))), what
    assert wished == faults.holds(gateway), what
    assert gateway.book.verify().first_bad is None
    told_of = {str(one.resource) for one in gateway.book.entries(AuditQuery(limit=0))}
    assert {str(one.id) for one in goal(gateway)} <= told_of, what


@pytest.fixture
def there_and_back(tmp_path: Path) -> Iterator[tuple[GitGateway, dict[Goal, Any]]]:
    """A gateway, and what undisturbed runs leave of two states; it is in the first of them."""
    with GitGateway(tmp_path) as gateway:
        gateway.runner()
        faults.prepare(gateway)
        wished = {}
        for goal in (faults.after, faults.before):
            gateway.runner()
            assert done(gateway.apply(goal(gateway)))
            wished[goal] = faults.holds(gateway)
        yield gateway, wished


@pytest.mark.slow
def test_killed_before_or_after_every_push(there_and_back: Any) -> None:
    gateway, wished = there_and_back
    goals, survived, at = itertools.cycle(wished), 0, 0
    while survived < len(wished):
        goal = next(goals)
        runner = gateway.runner(at, sends_last=at % 4 < 2)
        survived += gateway.killed(runner, goal)
        recovers(gateway, goal, wished[goal], f"push {at}")
        at += 1
    assert at > 8


@pytest.mark.slow
def test_killed_after_a_write(there_and_back: Any) -> None:
    gateway, wished = there_and_back
    for at in (1, 12):
        for goal in wished:
            assert not gateway.killed(gateway.runner(), goal, at)
            recovers(gateway, goal, wished[goal], f"write {at}")


def test_a_lease_in_the_ref_holds_until_it_ends(tmp_path: Path) -> None:
    with GitGateway(tmp_path) as gateway:
        assert not gateway.killed(gateway.runner(), faults.before, 0)
        gateway.runner()
        gateway.clock.at -= timedelta(minutes=9)
        with pytest.raises(ManagerUnavailable, match="holds the lease"):
            gateway.apply(faults.after(gateway))
