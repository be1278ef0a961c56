"""What a plan costs, counted and not timed: calls, statements and files, at two sizes."""

import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest

from apiops.git import repository
from apiops.git.signing import SigningKey
from apiops.model.resource import Target
from apiops.spec import load, views
from apiops.spec.documents import Documents
from benchmarks import bank
from tests.shop import Done, run

SMALL, LARGE = 100, 1_000
CREDENTIALS = SMALL // 20
"""Files whose numbers are looked at once more: sops may read them in another way."""

SHARE = 0.05
FEW = 30
"""So many statements are enough to read the whole state, however much there is."""

SLACK = 1.05
"""How much more than in step with the size the counted work may grow."""

DEV = Target("dev", "dev")


class Town:
    """A bank of some size, and the command line on it."""

    def __init__(self, folder: Path, resources: int) -> None:
        folder.mkdir()
        key, identity = SigningKey.generate(), pyrage.x25519.Identity.generate()
        (folder / "mert.pub").write_text(key.public_line("mert") + "\n")
        self.bank = bank.Mixed(folder / "bank.git", key, str(identity.to_public()), resources)
        self._folder = folder
        self._variables = {"SOPS_AGE_KEY": str(identity), "XDG_CACHE_HOME": str(folder / "cache")}
        settings = '[targets.dev]\nmanager = "sqlite:///manager.db"\n'
        (folder / "bank.git" / "apiops.toml").write_text(settings)
        made = self.run("manager", "init", "--admin", "mert", "--admin-key", folder / "mert.pub")
        assert 0 == made.code, made.err

    def run(self, *words: str | Path) -> Done:
        return run(*words, cwd=self._folder / "bank.git", **self._variables)

    def first(self, verb: str, *flags: str) -> None:
        begun = ("--introduction", self.bank.base, "--approver", "mert")
        done = self.run(verb, "--ref", self.bank.base, *begun, *flags)
        assert 0 == done.code, done.err


@pytest.fixture
def town(tmp_path: Path) -> Callable[[int], Town]:
    return lambda size: Town(tmp_path / str(size), size)


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called, Python's and C's."""
    seen: Counter[str] = Counter()

    def note(_frame: Any, event: str, _argument: Any) -> None:
        seen[event] += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen["call"] + seen["c_call"]


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that reach SQLite meanwhile, those of its triggers left out."""
    asked: list[str] = []
    connect = sqlite3.connect

    def watched(*given: Any, **more: Any) -> sqlite3.Connection:
        opened = connect(*given, **more)
        opened.set_trace_callback(lambda one: None if one.startswith("--") else asked.append(one))
        return opened

    with monkeypatch.context() as patch:  # what reaches the driver can be seen nowhere else
        patch.setattr(sqlite3, "connect", watched)
        yield asked


@pytest.mark.slow
def test_the_work_of_a_first_plan_grows_no_faster_than_what_there_is_to_plan(
    town: Callable[[int], Town],
) -> None:
    towns = {size: town(size) for size in (SMALL, LARGE)}
    towns[SMALL].first("plan")  # what is imported, compiled and remembered once
    work = {size: calls(lambda one=one: one.first("plan")) for size, one in towns.items()}
    assert LARGE / SMALL * SLACK >= work[LARGE] / work[SMALL]


def test_a_plan_asks_the_database_as_often_whatever_it_holds(
    town: Callable[[int], Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    for size in (SMALL, LARGE):
        here = town(size)
        here.first("apply", "--yes")
        with statements(monkeypatch) as seen:
            assert 0 == here.run("plan", "--ref", here.bank.base).code
        asked[size] = len([one for one in seen if "SELECT" in one])
    assert asked[SMALL] == asked[LARGE]
    assert FEW >= asked[LARGE]


def test_each_file_is_read_once_and_of_a_neighbouring_commit_only_what_changed(
    tmp_path: Path,
) -> None:
    key, identity = SigningKey.generate(), pyrage.x25519.Identity.generate()
    made = bank.Mixed(tmp_path / "bank.git", key, str(identity.to_public()), SMALL)
    made.change(SHARE)
    git = repository.open(made.path)
    read: Counter[str] = Counter()

    def counted(blob: str) -> bytes:
        read[blob] += 1
        return before.read(blob)

    before, after = (git.snapshot(git.resolve(ref)) for ref in (made.base, "main"))
    ids = [{file.blob for file in one.files.values()} for one in (before, after)]
    documents = Documents()
    load.load(replace(before, read=counted), DEV, documents)
    assert (ids[0], CREDENTIALS) == (set(read), read.total() - len(read))  # those once more

    read.clear()
    reader = views.Reader(DEV, documents)
    whole = reader.read(replace(before, read=counted))
    assert Counter() == read
    reader.read(replace(after, read=counted), whole)
    assert ids[1] - ids[0] == set(read)
    assert SHARE * SMALL == len(read)
