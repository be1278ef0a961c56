"""Which resources a resource names, and an order in which each comes after what it names.

Kahn's algorithm with a heap, so that among those that are free the order is always the same:
the System tier first, then by wave, then by identity.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from apiops.errors import PlanRefused
from apiops.model.kinds import KINDS, Home, Reference
from apiops.model.resource import SYSTEM, JsonObject, ResourceId


def named(id: ResourceId, spec: JsonObject) -> frozenset[ResourceId]:
    """The identities that a spec refers to, whether or not they exist. Those that payloads name are
    not among them: what they may name is of an earlier wave.
    """
    return frozenset(
        other
        for reference in KINDS[id.kind].references
        if not reference.marked
        for name in _texts(reference, spec, tuple(reference.path.split(".")))
        for other in _named(id, reference, name)
    )


def bound(id: ResourceId, spec: JsonObject) -> frozenset[ResourceId]:
    """Those of them, folded, that a vendor's Manager keeps by their ids (`Reference.bound`)."""
    return frozenset(
        fold(other)
        for reference in KINDS[id.kind].references
        if reference.bound
        for name in _texts(reference, spec, tuple(reference.path.split(".")))
        for other in _named(id, reference, name)
    )


def arrange(
    specs: Mapping[ResourceId, JsonObject], *, circles: bool = False
) -> tuple[ResourceId, ...]:
    """The identities, each after those that its spec names.

    Raises PlanRefused AO607 when they name each other in a circle; with `circles` the first of
    a circle goes first (what exists can be taken away in any case).
    """
    needs = _needs(specs)
    needed_by: dict[ResourceId, list[ResourceId]] = {}
    for id, others in needs.items():
        for other in others:
            needed_by.setdefault(other, []).append(id)
    free = [(rank(id), id) for id, others in needs.items() if not others]
    heapq.heapify(free)
    arranged: dict[ResourceId, None] = {}
    while len(arranged) < len(specs):
        if not free:
            if not circles:
                raise _circle({id: others for id, others in needs.items() if id not in arranged})
            first = min((id for id in specs if id not in arranged), key=rank)
            free.append((rank(first), first))
        _, id = heapq.heappop(free)
        arranged[id] = None
        for user in needed_by.get(id, ()):
            needs[user].discard(id)
            if not needs[user] and user not in arranged:
                heapq.heappush(free, (rank(user), user))
    return tuple(arranged)


def _needs(specs: Mapping[ResourceId, JsonObject]) -> dict[ResourceId, set[ResourceId]]:
    """For each identity those of the others that its spec names."""
    known = {fold(id): id for id in specs}
    return {
        id: {known[fold(other)] for other in named(id, spec) if fold(other) in known} - {id}
        for id, spec in specs.items()
    }


def rank(id: ResourceId) -> tuple[bool, int, tuple[str, str, str]]:
    """Where an identity stands among those that may go at the same time."""
    return (id.unit != SYSTEM, KINDS[id.kind].wave, id.order)


def fold(id: ResourceId) -> ResourceId:
    """The identity under which names that mean the same meet (some kinds ignore case)."""
    kind = KINDS.get(id.kind)
    return replace(id, name=id.name.casefold()) if kind and kind.folds_case else id


def _named(id: ResourceId, reference: Reference, name: str) -> Iterator[ResourceId]:
    if not reference.system:
        yield ResourceId(reference.kind, id.project, name)
    if reference.system or KINDS[reference.kind].home is Home.EITHER:
        yield ResourceId(reference.kind, None, name)


def _texts(reference: Reference, node: Any, steps: tuple[str, ...]) -> Iterator[str]:
    if not steps:
        yield from _ends(reference, node)
    elif isinstance(node, Mapping):
        if len(steps) == 1 and reference.only and not reference.only.holds(node):
            return
        inner = node.values() if steps[0] == "*" else (node.get(steps[0]),)
        for value in inner:
            yield from _texts(reference, value, steps[1:])
    elif isinstance(node, list | tuple) and steps[0] == "*":
        for value in node:
            yield from _texts(reference, value, steps[1:])


def _ends(reference: Reference, node: Any) -> Iterator[str]:
    if reference.key and isinstance(node, Mapping):
        yield from node
    elif isinstance(node, str) and not reference.key:
        yield node


def _circle(needs: Mapping[ResourceId, set[ResourceId]]) -> PlanRefused:
    """The error that names one way round; every identity in `needs` waits for another in it."""
    id = min(needs, key=rank)
    path: list[ResourceId] = []
    while id not in path:
        path.append(id)
        id = min(needs[id], key=rank)
    way = " → ".join(str(step) for step in (*path[path.index(id) :], id))
    return PlanRefused(
        f"these resources need each other, so none can be written first: {way}",
        code="AO607",
        hint="take one of the references out, or apply it in a later commit",
    )
