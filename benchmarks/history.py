"""What judging a long range costs, beside the bare deltas of that range.

    python benchmarks/history.py [--resources 10000] [--commits 1000] [--projects 40]

The floor is pygit2 alone, its tree cache raised, diffing each commit's tree with its parent's.
Ours is everything that a plan does once it has read the head and compared it: walk, verify every
signature, read every changed document for the target, charge, judge. The goal is a ratio of 2.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pygit2

from apiops.access import grants, judge
from apiops.git import repository
from apiops.git.signing import SigningKey
from apiops.model.access import Trust, Verdicts
from apiops.model.plan import Action, Change, Plan
from apiops.model.resource import ResourceId, Target
from apiops.model.revision import Revision
from apiops.reconcile import history
from apiops.spec.documents import Documents
from apiops.spec.load import load
from apiops.spec.views import Reader
from benchmarks import bank

TARGET = Target("dev", "dev")
RUNS = 5


def floor(path: Path, commits: tuple[str, ...]) -> int:
    """The bare deltas."""
    git = pygit2.Repository(str(path))
    found = 0
    for id in commits:
        commit = git[id].peel(pygit2.Commit)
        found += len(list(commit.parents[0].tree.diff_to_tree(commit.tree).deltas))
    return found


class Ours:
    """The plan of everything between the base and the head, to be judged again and again."""

    def __init__(self, made: bank.Bank, key: SigningKey) -> None:
        self._path = made.path
        git = repository.open(made.path)
        self._head = git.resolve("main")
        before = load(git.snapshot(git.resolve(made.base)), TARGET).desired.resources
        was = {one.id: one.content for one in before}
        after = load(git.snapshot(self._head), TARGET).desired.resources
        changed = [one.id for one in after if was[one.id] != one.content]
        self._base = dict.fromkeys((id.unit for id in changed), made.base)
        self._plan = _plan(self._head, self._base, changed)
        mert = {
            "email": "mert@bank.example",
            "keys": [{"key": key.public_line()}],
            "systemRoles": ["sysProjectManager"],
        }
        self._grants = grants.build([(ResourceId("User", None, "mert"), mert)])

    def read(self) -> Documents:
        """What a plan has in its hands when it begins to judge: the head, nothing older."""
        documents = Documents()
        load(repository.open(self._path).snapshot(self._head), TARGET, documents)
        return documents

    def judge(self, documents: Documents) -> Verdicts:
        """The verdicts, from a repository that was just opened."""
        git = repository.open(self._path)
        units, reader = self._plan.units, Reader(TARGET, documents)
        past = history.collect(git, TARGET, self._head, self._base, units, None, reader)
        now = datetime.now(UTC)
        return judge.judge(self._plan, past, self._grants, Trust.SIGNED, None, at=now)


def _plan(head: Revision, base: dict[str, str], changed: list[ResourceId]) -> Plan:
    changes = tuple(Change(Action.UPDATE, id) for id in changed)
    return Plan("bank", "dev", "dev", head, base, "lineage", "permissions", "bench", changes)


def once(work: Callable[..., object], *given: object) -> float:
    """How much processor time it takes, in seconds: neighbours on the machine do not count."""
    gc.collect()
    gc.disable()  # as the command line runs it: nearly all that is read is kept until the end
    begun = time.process_time()
    work(*given)
    taken = time.process_time() - begun
    gc.enable()
    return taken


def main() -> None:
    """Build the bank, measure both, print both and the ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--resources", type=int, default=10_000)
    arguments.add_argument("--commits", type=int, default=1_000)
    arguments.add_argument("--projects", type=int, default=40)
    sizes = vars(arguments.parse_args())
    key = SigningKey.generate()
    with tempfile.TemporaryDirectory() as folder:
        made = bank.build(Path(folder, "bank.git"), key, **sizes)
        ours = Ours(made, key)
        verdicts = ours.judge(ours.read())
        assert verdicts.judgements
        assert not verdicts.denied
        # In turns, so that a busy moment of the machine does not speak for one side only.
        times = [
            (once(floor, made.path, made.commits), once(ours.judge, ours.read()))
            for _ in range(RUNS)
        ]
    deltas, judged = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{sizes['commits']} commits over {sizes['resources']} resources, median of {RUNS}")
    print(f"bare deltas, pygit2   {deltas * 1000:8.0f} ms")
    print(f"judged                {judged * 1000:8.0f} ms")
    print(f"ratio                 {judged / deltas:8.2f}      (goal: at most 2)")


if __name__ == "__main__":
    main()
