"""What must hold of every history, whatever people commit and merge.

A content is written as its lineage: `orders-1|mallory.3|bob.4` says who wrote on top of whom, so
the test sees what was laundered without asking the code under test.
"""

import itertools
import random
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from apiops.access import judge
from apiops.model.access import Trust
from tests.permissions import CARDS, NOW, ORDERS, REFUNDS, Story, of, snapshot

MAY = {
    ORDERS: {"alice", "bob", "pm"},
    REFUNDS: {"alice", "bob", "pm"},
    CARDS: {"carol", "pm"},
}
PEOPLE = ("alice", "bob", "carol", "pm", "mallory", "gone", "")
RESOURCES = tuple(MAY)
FIRST = {ORDERS: "o-1", REFUNDS: "r-1", CARDS: "c-1"}

people = st.sampled_from(PEOPLE)
resources = st.sampled_from(RESOURCES)
edits = st.sets(resources, max_size=2)
manners = st.sampled_from(["append", "append", "append", "applied", "delete", "older"])


def write(story, parent, by, number, ids, manner, *, lineage=False):
    """What one person makes of some resources.

    Who holds the right may take over older content as it is, which then is theirs; `lineage`
    keeps them from it, so that a content says who is behind it.
    """
    before = story.view(parent).content
    pool = [view.content for view in story.commits.values()]
    made = {}
    for id in ids:
        if manner == "applied":
            made[id] = FIRST[id]
        elif manner == "delete":
            made[id] = None
        elif manner == "older" and not (lineage and by in MAY[id]):
            made[id] = pool[number % len(pool)].get(id)
        else:
            made[id] = f"{before.get(id) or 'new'}|{by}.{number}"
    return made


def makers(content):
    return {part.split(".")[0] for part in content.split("|")[1:]}


@st.composite
def lines(draw):
    """A linear history on A, and who changed what in it."""
    story = Story().commit("A", "pm", FIRST)
    steps = draw(st.lists(st.tuples(people, edits, manners), min_size=1, max_size=12))
    for number, (by, ids, manner) in enumerate(steps):
        story.commit(f"c{number}", by, write(story, story.tip, by, number, ids, manner))
    return story


def expected(story, id):
    """Allowed, if everybody who changed it since it was last as applied might."""
    views = list(story.commits.values())
    allowed = True
    for before, view in itertools.pairwise(views):
        if view.content.get(id) == FIRST[id]:
            allowed = True
        elif view.content.get(id) != before.content.get(id):
            allowed &= view.commit.committer.split(" ")[0] in MAY[id]
    return allowed


@given(lines())
def test_a_line_of_commits_is_allowed_exactly_when_everybody_in_it_might(story):
    for judgement in story.judge("A").judgements:
        assert expected(story, judgement.change.id) is judgement.allowed


@st.composite
def webs(draw):
    """A history that branches and merges, with evil merges, stale branches and criss-crosses."""
    story = Story().commit("old", "pm", {ORDERS: "o-0", REFUNDS: "r-1", CARDS: "c-0"})
    story.commit("A", "pm", FIRST)
    for number in range(draw(st.integers(2, 14))):
        names = list(story.commits)
        by, ids, manner = draw(people), draw(edits), draw(manners)
        left = draw(st.sampled_from(names[-4:]))
        others = [name for name in names if name != left]
        if draw(st.booleans()):
            right = draw(st.sampled_from(others))
            made = write(story, left, by, number, ids, manner, lineage=True)
            take = draw(st.sampled_from([None, None, 0, 1]))
            story.merge(f"m{number}", by, (left, right), made, take=take)
        else:
            made = write(story, left, by, number, ids, manner, lineage=True)
            story.commit(f"c{number}", by, made, on=left)
    return story


@given(webs())
def test_content_that_somebody_without_the_right_wrote_is_never_allowed(story):
    head = story.view(story.tip)
    for judgement in story.judge("A").judgements:
        content = head.content.get(judgement.change.id)
        if judgement.allowed and content is not None:
            assert makers(content) <= MAY[judgement.change.id]


@given(webs())
def test_whoever_answers_for_what_is_allowed_holds_the_right(story):
    for judgement in story.judge("A").judgements:
        if judgement.allowed:
            assert judgement.principals
            assert set(judgement.principals) <= MAY[judgement.change.id]
        else:
            assert judgement.causes


@given(webs(), st.data())
def test_what_a_plan_leaves_out_freezes_its_unit_all_the_same(story, data):
    """A plan may show nothing of a change: it was not pruned, or the Manager has it already."""
    assume("A" in story.ancestors(story.tip))
    changes = story.changes(dict.fromkeys(["payments", "cards"], "A"))
    shown = [change for change in changes if data.draw(st.booleans())]
    assert story.judge("A").frozen == story.judge("A", changes=shown).frozen


def parts(content):
    return set((content or "").split("|")[1:])


@given(webs(), st.data())
def test_each_unit_answers_only_for_what_came_after_its_own_base(story, data):
    reach = sorted(story.ancestors(story.tip), key=list(story.commits).index)
    bases = {unit: data.draw(st.sampled_from(reach)) for unit in ("payments", "cards")}
    head = story.view(story.tip)
    for judgement in story.judge(bases).judgements:
        id = judgement.change.id
        base = bases[id.unit]
        past = {name[1:] for name in story.ancestors(base)}
        fresh = parts(head.content.get(id)) - parts(story.view(base).content.get(id))
        if judgement.allowed:
            written = dict(part.split(".")[::-1] for part in fresh)
            assert {by for number, by in written.items() if number not in past} <= MAY[id]


@given(webs(), st.randoms(use_true_random=False))
def test_the_order_of_independent_commits_does_not_matter(story, chance: random.Random):
    bases = dict.fromkeys(["payments", "cards"], "A")
    history = story.history(bases)
    waiting, shuffled, seen = list(history.views), [], set(history.boundary)
    while waiting:
        ready = [view for view in waiting if seen.issuperset(view.commit.parents)]
        view = chance.choice(ready)
        waiting.remove(view)
        shuffled.append(view)
        seen.add(view.commit.id)
    plan = story.plan(story.changes(bases), bases)
    one, other = (
        judge.judge(plan, version, snapshot(), Trust.SIGNED, None, at=NOW)
        for version in (history, replace(history, views=tuple(shuffled)))
    )
    assert one == other


@given(st.lists(st.tuples(resources, people), max_size=8), people)
def test_branches_of_the_entitled_merge_cleanly_whoever_merges(steps, merger):
    story = Story().commit("A", "pm", FIRST)
    tips = dict.fromkeys(RESOURCES, "A")
    for number, (id, by) in enumerate(steps):
        if by in MAY[id]:
            made = write(story, tips[id], by, number, [id], "append")
            tips[id] = story.commit(f"c{number}", by, made, on=tips[id]).tip
    joined = "A"
    for id, tip in tips.items():
        if tip != "A":
            joined = story.merge(f"with-{id.name}", merger, (joined, tip)).tip
    story.tip = joined
    assert story.judge("A").denied == ()


def test_the_generators_reach_allowed_and_denied():
    story = Story().commit("A", "pm", FIRST).commit("c", "bob", {ORDERS: "x", CARDS: "y"})
    verdicts = story.judge("A")
    assert of(verdicts, ORDERS).allowed
    assert not of(verdicts, CARDS).allowed
