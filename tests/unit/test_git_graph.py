"""The commit graph against the plainest possible reckoning, on random histories."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiops.errors import SourceError
from apiops.git import graph

Parents = Mapping[str, tuple[str, ...]]


@st.composite
def histories(draw: st.DrawFn) -> Parents:
    """Up to 14 commits named 00, 01, …, each with up to three older parents."""
    count = draw(st.integers(1, 14))
    parents: dict[str, tuple[str, ...]] = {}
    for number in range(count):
        older = (
            st.lists(st.sampled_from(sorted(parents)), max_size=3, unique=True)
            if parents
            else st.just([])
        )
        parents[f"{number:02}"] = tuple(draw(older))
    return parents


def lookup(parents: Parents, clock: Mapping[str, int] | None = None) -> graph.Lookup:
    times = clock or {id: int(id) for id in parents}
    nodes = {id: graph.Node(id, parents[id], times[id]) for id in parents}
    return nodes.__getitem__


def ancestry(parents: Parents, id: str) -> set[str]:
    return {id}.union(*(ancestry(parents, parent) for parent in parents[id]))


@given(st.data(), histories())
def test_ancestry_and_bases_are_right_whatever_the_clocks_say(data, parents: Parents) -> None:
    clock = {id: data.draw(st.integers(0, 5)) for id in parents}
    node = lookup(parents, clock)
    one, other = (data.draw(st.sampled_from(sorted(parents))) for _ in range(2))
    assert (one in ancestry(parents, other)) == graph.is_ancestor(node, one, other)
    common = ancestry(parents, one) & ancestry(parents, other)
    best = {id for id in common if not any(id != o and id in ancestry(parents, o) for o in common)}
    assert tuple(sorted(best)) == graph.merge_bases(node, one, other)


@given(st.data(), histories())
def test_a_range_is_the_difference_parents_first(data, parents: Parents) -> None:
    base, head = (data.draw(st.sampled_from(sorted(parents))) for _ in range(2))
    found = graph.between(lookup(parents), base, head)
    assert ancestry(parents, head) - ancestry(parents, base) == set(found)
    for at, id in enumerate(found):
        assert not set(parents[id]) & set(found[at:])
    assert ancestry(parents, head) == set(graph.between(lookup(parents), None, head))


@given(st.data(), histories())
def test_wrong_clocks_never_hide_a_commit_from_a_range(data, parents: Parents) -> None:
    clock = {id: data.draw(st.integers(0, 5)) for id in parents}
    base, head = (data.draw(st.sampled_from(sorted(parents))) for _ in range(2))
    found = graph.between(lookup(parents, clock), base, head)
    assert set(found) >= ancestry(parents, head) - ancestry(parents, base)
    assert set(found) <= ancestry(parents, head)


@given(histories())
def test_the_first_root_is_at_the_end_of_the_first_parents(parents: Parents) -> None:
    at = head = max(parents)
    while parents[at]:
        at = parents[at][0]
    assert at == graph.first_root(lookup(parents), head)


def test_a_range_costs_what_it_holds_not_what_came_before() -> None:
    parents = {f"{n:05}": (f"{n - 1:05}",) if n else () for n in range(20000)}
    asked: set[str] = set()

    def node(id: str) -> graph.Node:
        asked.add(id)
        return graph.Node(id, parents[id], int(id))

    found = graph.between(node, "19989", "19999")
    assert 10 == len(found)
    assert graph.is_ancestor(node, "19989", "19999")
    assert len(asked) < 15


def test_a_merge_made_to_have_a_thousand_bases_costs_one_walk() -> None:
    """Two octopuses over the same branches, each branch on the same long history."""
    old = {f"{n:05}": (f"{n - 1:05}",) if n else () for n in range(2000)}
    tips = {f"1{n:04}": ("01999",) for n in range(1000)}
    parents = {**old, **tips, "20000": tuple(tips), "20001": tuple(tips)}
    asked: Counter[str] = Counter()

    def node(id: str) -> graph.Node:
        asked[id] += 1
        return graph.Node(id, parents[id], int(id))

    assert tuple(sorted(tips)) == graph.merge_bases(node, "20000", "20001")
    assert asked.total() < 20 * len(parents)


def test_a_long_history_does_not_exhaust_the_stack() -> None:
    parents = {f"{n:05}": (f"{n - 1:05}",) if n else () for n in range(20000)}
    assert 20000 == len(graph.between(lookup(parents), None, "19999"))


def test_an_edge_is_reported_only_where_the_answer_lies_beyond_it() -> None:
    nodes = {
        "edge": graph.Node("edge", (), 1, edge=True),
        "base": graph.Node("base", ("edge",), 2),
        "head": graph.Node("head", ("base",), 3),
        "side": graph.Node("side", (), 3, edge=True),
    }
    node = nodes.__getitem__
    assert ("head",) == graph.between(node, "base", "head")
    assert graph.is_ancestor(node, "base", "head")
    assert ("base",) == graph.merge_bases(node, "base", "head")
    for call in (
        lambda: graph.between(node, None, "head"),
        lambda: graph.between(node, "base", "side"),
        lambda: graph.is_ancestor(node, "side", "head"),
        lambda: graph.merge_bases(node, "side", "head"),
        lambda: graph.first_root(node, "head"),
    ):
        with pytest.raises(SourceError) as caught:
            call()
        assert caught.value.code == "AO808"
