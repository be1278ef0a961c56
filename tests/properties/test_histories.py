"""Random histories of several people, on real Git with real signatures, through the real line.

Every commit writes a number that nobody wrote before, so what the Manager holds in the end tells
whose word it was.
"""

import itertools
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiops.errors import SourceError
from tests.histories import CEM, LIMITS, ORDERS, REFUNDS, SELIN, Tale, approves, proxy
from tests.people import Person
from tests.shop import DENIZ, MERT

PEOPLE = {"mert": MERT, "deniz": DENIZ, "selin": SELIN, "cem": CEM}
PATHS = (ORDERS, REFUNDS, LIMITS)
MAY = {"payments": {"mert", "selin"}, "cards": {"deniz", "selin"}}
QUICK = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

people = st.sampled_from(sorted(PEOPLE))
paths = st.sampled_from(PATHS)
few = st.sampled_from(["mert", "cem"])
"""One who may and one who may not: few enough that their commits get in each other's way."""

often = st.sampled_from([ORDERS, ORDERS, LIMITS])
edits = st.tuples(st.just("edit"), few, often, st.sampled_from(["main", "topic"]))
others = ("undo", "merge", "evil", "evil", "approve", "sync")
turns = st.tuples(st.sampled_from(others), few, often, st.just("main"))
steps = st.lists(st.one_of(edits, turns), min_size=3, max_size=9)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Tale:
    """The bank, with all three proxies applied."""
    return Tale(tmp_path_factory.mktemp("bank"), {REFUNDS: proxy(REFUNDS)})


@contextmanager
def fresh(template: Tale) -> Iterator[Tale]:
    """A copy of the bank, to write a history on."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(template.folder, folder, dirs_exist_ok=True)
        tale = template.copied(Path(folder))
        tale.branch("topic")
        yield tale


def name_of(path: str) -> str:
    return path.removesuffix(".yaml")


def may(who: str, path: str) -> bool:
    return who in MAY[path.partition("/")[0]]


class Chronicle:
    """Plays steps, and notes which numbers were rightfully anybody's word."""

    def __init__(self, tale: Tale) -> None:
        self.tale = tale
        self.rightful: dict[str, set[int]] = {path: {60} for path in PATHS}
        self._numbers = itertools.count(61)

    def play(self, step: tuple[str, str, str, str]) -> None:
        what, who, path, branch = step
        play: Callable[[str, str, str], None] = getattr(self, f"_{what}")
        play(who, path, branch)

    def _edit(self, who: str, path: str, branch: str) -> None:
        self.tale.commit(PEOPLE[who], {path: self._new(who, path)}, branch=branch)

    def _undo(self, who: str, path: str, branch: str) -> None:
        self.tale.commit(PEOPLE[who], {path: proxy(path, 60)}, "Undo", branch=branch)

    def _approve(self, who: str, path: str, branch: str) -> None:
        word = approves(f"ApiProxy/{name_of(path)}")
        self.tale.commit(PEOPLE[who], {}, word, branch=branch)
        if may(who, path):
            self.rightful[path].add(self.at_head()[path])

    def _merge(self, who: str, path: str, branch: str) -> None:
        self._join(PEOPLE[who], {})

    def _evil(self, who: str, path: str, branch: str) -> None:
        self._join(PEOPLE[who], {path: self._new(who, path)})

    def _sync(self, who: str, path: str, branch: str) -> None:
        assert self.tale.sync().code in (0, 4)
        self.check()

    def _join(self, who: Person, files: dict[str, str]) -> None:
        """Merge the topic; where both sides changed the same, main's side is kept."""
        try:
            self.tale.story.merge(who, "topic", files=files)
        except SourceError:
            git = self.tale.story.open()
            tips = [git.resolve(name).commit for name in ("main", "topic")]
            self.tale.commit(who, files, "Merge, ours", parents=tips)

    def _new(self, who: str, path: str) -> str:
        number = next(self._numbers)
        if may(who, path):
            self.rightful[path].add(number)
        return proxy(path, number)

    def at_head(self) -> dict[str, int]:
        git = self.tale.story.open()
        files = git.snapshot(git.resolve("main"))
        texts = {path: files.read(files.files[path].blob).decode() for path in PATHS}
        return {p: int(re.findall(r"readTimeout: (\d+)", t)[0]) for p, t in texts.items()}

    def check(self) -> None:
        live = self.tale.live()
        for path in PATHS:
            assert live[name_of(path)] in self.rightful[path], path


@given(steps=steps)
@settings(QUICK, max_examples=40)
def test_no_unauthorised_content_is_ever_applied(
    template: Tale, steps: list[tuple[str, str, str, str]]
) -> None:
    with fresh(template) as tale:
        chronicle = Chronicle(tale)
        for step in steps:
            chronicle.play(step)
        assert tale.sync().code in (0, 4)
        chronicle.check()
        assert 0 == tale.run("audit", "verify").code


@given(
    edits=st.lists(st.tuples(people, paths), min_size=1, max_size=8),
    stops=st.sets(st.integers(0, 7)),
)
@QUICK
def test_an_authorised_linear_history_is_never_blocked(
    template: Tale, edits: list[tuple[str, str]], stops: set[int]
) -> None:
    with fresh(template) as tale:
        chronicle = Chronicle(tale)
        for number, (who, path) in enumerate(edits):
            if may(who, path):
                chronicle.play(("edit", who, path, "main"))
            if number in stops:
                assert 0 == tale.sync().code
        assert 0 == tale.sync().code
        assert chronicle.at_head() == {path: tale.live()[name_of(path)] for path in PATHS}


@given(makers=st.tuples(people, people, people), order=st.permutations(range(3)))
@QUICK
def test_verdicts_do_not_depend_on_the_order_of_independent_commits(
    template: Tale, makers: tuple[str, str, str], order: list[int]
) -> None:
    with fresh(template) as tale:
        for index in order:
            path = PATHS[index]
            tale.commit(PEOPLE[makers[index]], {path: proxy(path, 90)})
        verdicts = tale.plan()
        for who, path in zip(makers, PATHS, strict=True):
            judged = verdicts[f"update ApiProxy/{name_of(path)}"]
            assert (may(who, path), (who,)) == (judged.allowed, judged.principals)


@given(makers=st.tuples(people, people), merger=people, swapped=st.booleans())
@QUICK
def test_verdicts_do_not_depend_on_the_order_of_a_merges_parents(
    template: Tale, makers: tuple[str, str], merger: str, swapped: bool
) -> None:
    with fresh(template) as tale:
        files = {path: proxy(path, 90) for path in (ORDERS, LIMITS)}
        sides = [
            tale.commit(PEOPLE[who], {path: files[path]}, branch=branch)
            for who, path, branch in zip(makers, files, ("main", "topic"), strict=True)
        ]
        parents = sides[::-1] if swapped else sides
        tale.commit(PEOPLE[merger], files, "Merge", parents=parents)
        verdicts = tale.plan()
        for who, path in zip(makers, files, strict=True):
            judged = verdicts[f"update ApiProxy/{name_of(path)}"]
            assert (may(who, path), (who,)) == (judged.allowed, judged.principals)
