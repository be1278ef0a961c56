"""The commit graph: who descends from whom, over parents read from the commit objects.

libgit2's own walks follow the grafts and shallow marks of the local clone, and give only one
merge base; what decides on permission must not depend on either. Walks go from new to old by
commit time and stop when all that is left is common to both sides, so their cost follows the
range, not the history. Times are claims: a wrong clock can make `between` name commits that the
base already has (they are judged once more), but never leave one out.
"""

import heapq
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from apiops.git import faults


@dataclass(frozen=True, slots=True)
class Node:
    """A commit in the graph. At the `edge` of a shallow clone its parents are cut off."""

    id: str
    parents: tuple[str, ...]
    seconds: int
    edge: bool = False


Lookup = Callable[[str], Node]
"""Commit id → node. Raises SourceError for a commit that is not there."""

_HEAD: Final = 1
_BASE: Final = 2
_BOTH: Final = _HEAD | _BASE
_PAIR: Final = 2


def first_root(node: Lookup, head: str) -> str:
    """The root at the end of the first parents: it stays when unrelated histories are merged.

    Raises SourceError (AO808) in a shallow clone.
    """
    at = node(head)
    while at.parents:
        at = node(at.parents[0])
    if at.edge:
        raise faults.shallow(at.id)
    return at.id


def is_ancestor(node: Lookup, base: str, head: str) -> bool:
    """Whether `base` is `head` or an ancestor of it. Raises SourceError (AO808) if unknowable."""
    seen = {head}
    queue = [(0, head)]
    edge = False
    while queue:
        _, id = heapq.heappop(queue)
        if id == base:
            return True
        at = node(id)
        edge = edge or at.edge
        for parent in at.parents:
            if parent not in seen:
                seen.add(parent)
                heapq.heappush(queue, (-node(parent).seconds, parent))
    if edge:
        raise faults.shallow(base)
    return False


def between(node: Lookup, base: str | None, head: str) -> tuple[str, ...]:
    """Commits reachable from `head` and not from `base`, parents first, in a stable order.

    Raises SourceError (AO808) when a shallow clone ends inside of the range.
    """
    marks = _paint(node, (head,), () if base is None else (base,))
    wanted = {id for id, mark in marks.items() if mark == _HEAD}
    for id in sorted(wanted):
        if node(id).edge:
            raise faults.shallow(base or id)
    return _parents_first(node, head, wanted)


def merge_bases(node: Lookup, one: str, other: str) -> tuple[str, ...]:
    """The best common ancestors of two commits, sorted; none for unrelated histories.

    Raises SourceError (AO808) when a shallow clone ends before they are found.
    """
    marks = _paint(node, (one,), (other,))
    for id, mark in marks.items():
        if mark != _BOTH and node(id).edge:
            raise faults.shallow(id)
    common = {id for id, mark in marks.items() if mark == _BOTH}
    return tuple(sorted(_best(node, common - {p for id in common for p in node(id).parents})))


def _best(node: Lookup, ids: Collection[str]) -> set[str]:
    """Those that are not ancestors of another one: a single walk, however many there are."""
    if len(ids) < _PAIR:
        return set(ids)
    seen: set[str] = set()
    queue = [parent for id in ids for parent in node(id).parents]
    while queue:
        id = queue.pop()
        if id not in seen:
            seen.add(id)
            queue += node(id).parents
    best = set(ids) - seen
    edge = next((id for id in (*best, *seen) if node(id).edge), None)
    if edge is not None and len(best) > 1:
        raise faults.shallow(edge)
    return best


def _paint(node: Lookup, heads: Iterable[str], bases: Iterable[str]) -> dict[str, int]:
    """Every commit that was met on the way to older ones, with the sides that reach it."""
    marks: dict[str, int] = {}
    queue: list[tuple[int, str]] = []

    def meet(id: str, mark: int) -> None:
        known = marks.get(id, 0)
        if known | mark != known:
            marks[id] = known | mark
            heapq.heappush(queue, (-node(id).seconds, id))

    for id in heads:
        meet(id, _HEAD)
    for id in bases:
        meet(id, _BASE)
    while any(marks[id] != _BOTH for _, id in queue):
        _, id = heapq.heappop(queue)
        for parent in node(id).parents:
            meet(parent, marks[id])
    return marks


def _parents_first(node: Lookup, head: str, wanted: Collection[str]) -> tuple[str, ...]:
    """The wanted commits in post-order: a merge comes after all that it merges."""
    done: dict[str, None] = {}
    stack = [head] if head in wanted else []
    while stack:
        id = stack[-1]
        waiting = [p for p in node(id).parents if p in wanted and p not in done]
        if waiting:
            stack.append(waiting[0])
        else:
            done[stack.pop()] = None
    return tuple(done)
