"""The judge against the rules of ADR 0006 written down a second time, as plainly as possible.

One resource, two contents beside the applied one, somebody who may and somebody who may not: so few
that commits get in each other's way all the time. The oracle asks, from the head down to what was
applied, which commits are guilty of the content; it shares no code with the judge.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.permissions import ORDERS, Story, member, snapshot

APPLIED = "o-1"
CONTENTS = (APPLIED, "x", "y", None)
MAY = {"bob", "alice"}

people = st.sampled_from(["bob", "mallory", "bob", "mallory", ""])
contents = st.sampled_from(CONTENTS)
words = st.sampled_from(["", "", "", f"apiops-approve: {ORDERS}"])


@dataclass(frozen=True)
class Step:
    """Where a commit stands (how many back; nowhere: a root), who made it, what it leaves (or
    leaves unreadable), what it says.
    """

    back: tuple[int, ...]
    by: str
    content: str | None
    keeps: bool
    word: str
    broken: bool


steps = st.lists(
    st.builds(
        Step,
        back=st.one_of(
            st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True).map(tuple),
            st.sampled_from([(1,), (1, 2), (1, 3), ()]),
        ),
        by=people,
        content=contents,
        keeps=st.booleans(),
        word=words,
        broken=st.sampled_from([False] * 7 + [True]),
    ),
    min_size=1,
    max_size=10,
)


def tell(steps: list[Step]) -> Story:
    """The history: a parent too far back is the applied commit, one that keeps takes a side's."""
    story = Story().commit("old", "alice", {ORDERS: "x"}).commit("A", "alice", {ORDERS: APPLIED})
    names = ["old", "A"]
    for number, step in enumerate(steps):
        parents = tuple(dict.fromkeys(names[max(-back, -len(names))] for back in step.back))
        name = f"c{number}"
        if len(parents) < 2:
            on = parents[0] if parents else ""
            edits = {} if step.keeps else {ORDERS: None if step.broken else step.content}
            broken = {"payments": "AO101"} if step.broken and not step.keeps else {}
            story.commit(name, step.by, edits, on=on, message=step.word, broken=broken)
        else:
            over = None if step.keeps else {ORDERS: step.content}
            story.merge(name, step.by, parents, over, message=step.word)
        names.append(name)
    return story


class Oracle:
    """Which commits keep a content from being applied; none: it may be."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._old = story.ancestors("A")
        self.behind = cache(self._behind)

    def _at(self, name: str) -> str | None:
        view = self._story.view(name)
        return f"unreadable {name}" if view.broken else view.content.get(ORDERS)

    def _behind(self, name: str) -> tuple[bool, frozenset[str]]:
        """Whether anybody brought the content since it was applied, and who was wrong to."""
        if name in self._old or self._at(name) == APPLIED:
            return False, frozenset()
        touched, wrong = self._brought(name)
        if wrong and "apiops-approve" in self._story.view(name).commit.message:
            wrong = frozenset() if self._may(name) else wrong | {name}
        return touched, wrong

    def _brought(self, name: str) -> tuple[bool, frozenset[str]]:
        parents = self._story.view(name).commit.parents
        if not parents:
            wrong = self._at(name) is not None and not self._may(name)
            return self._at(name) is not None, frozenset({name} if wrong else ())
        side = self._taken(name, parents) if len(parents) == 2 else None
        if side is not None:
            return self.behind(side)
        alike = [parent for parent in parents if self._at(parent) == self._at(name)]
        if len(alike) == len(parents):
            return self._agreed(parents)
        if alike:
            _, inherited = self._agreed(alike)
        else:
            inherited = frozenset().union(*(self.behind(parent)[1] for parent in parents))
        return True, inherited | (frozenset() if self._may(name) else {name})

    def _taken(self, name: str, parents: tuple[str, ...]) -> str | None:
        """The side whose content a merge has, while the other has that of every merge base."""
        below = {self._at(base) for base in self._bases(*parents)}
        for side, other in (parents, parents[::-1]):
            if self._at(side) == self._at(name) != self._at(other) and below == {self._at(other)}:
                return side
        return None

    def _bases(self, one: str, other: str) -> set[str]:
        reach = self._story.ancestors
        common = reach(one) & reach(other)
        return {base for base in common if not any(base in reach(c) for c in common - {base})}

    def _agreed(self, sides: Iterable[str]) -> tuple[bool, frozenset[str]]:
        """Sides with one content: clean if one that brought it is; else all their faults."""
        touched = [wrong for brought, wrong in map(self.behind, sides) if brought]
        if not touched or frozenset() in touched:
            return bool(touched), frozenset()
        return True, frozenset().union(*touched)

    def _may(self, name: str) -> bool:
        return self._story.view(name).commit.committer.partition(" ")[0] in MAY


@given(steps)
@settings(max_examples=800, deadline=None)
def test_the_judge_says_what_the_rules_say(told: list[Step]) -> None:
    story = tell(told)
    assume("A" in story.ancestors(story.tip) and not story.view(story.tip).broken)
    _, wrong = Oracle(story).behind(story.tip)
    changed = story.view(story.tip).content.get(ORDERS) != APPLIED
    judgements = story.judge("A").judgements
    assert changed == bool(judgements)
    for judgement in judgements:
        assert (not wrong, wrong) == (
            judgement.allowed,
            {cause.commit for cause in judgement.causes},
        )


MEMBER = member("payments", "bob", "API Developer")

turns = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "edit", "revoke", "restore"]),
        st.sampled_from(["bob", "mallory", "alice"]),
        contents,
    ),
    min_size=1,
    max_size=9,
)


@given(turns)
@settings(max_examples=200, deadline=None)
def test_what_was_revoked_with_the_right_to_is_missed_by_every_commit_above(
    told: list[tuple[str, str, str | None]],
) -> None:
    """A revocation counts from the next commit on, whatever is restored; by a stranger, not at all."""
    story = Story().commit("A", "alice", {ORDERS: APPLIED}, rights=dict([MEMBER]))
    may, wrong, content = {"alice", "bob"}, set(), APPLIED
    for number, (what, by, new) in enumerate(told):
        name = f"c{number}"
        if what == "edit":
            story.commit(name, by, {ORDERS: new})
            if new == APPLIED:
                wrong = set()
            elif new != content and by not in may:
                wrong.add(name)
            content = new
        else:
            held = MEMBER[0] in story.view(story.tip).permissions
            story.commit(name, by, rights={MEMBER[0]: MEMBER[1] if what == "restore" else None})
            if what == "revoke" and held and by in may:
                may.discard("bob")
    found = [one for one in story.judge("A").judgements if one.change.id == ORDERS]
    assert (content != APPLIED) == bool(found)
    for judgement in found:
        assert wrong == {cause.commit for cause in judgement.causes}


def test_bob_and_alice_may_and_mallory_may_not() -> None:
    held = snapshot()
    assert MAY >= {grant.principal for grant in held.grants if grant.project == "payments"} - {
        "bea",
        "gone",
    }
