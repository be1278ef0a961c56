"""A unit's changes in waves: what is in one may go at the same time, for none needs another.

The plan's order is kept: a wave is a stretch of it. One resource's changes stay one after another.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from apiops.model.kinds import KINDS
from apiops.model.plan import Action, Change
from apiops.model.resource import LiveResource, ResourceId
from apiops.plan import graph
from apiops.ports import Write

Wave = tuple[tuple[Write, ...], ...]
"""For each resource its writes, in the plan's order."""

_EXPAND: Final = (Action.CREATE, Action.UPDATE)
_GOING: Final = (Action.DELETE, Action.UNDEPLOY)


def split(writes: Sequence[Write], live: Mapping[ResourceId, LiveResource]) -> list[Wave]:
    """The waves. `live` are the specs of what goes: what refers to something goes before it."""
    waves: list[dict[ResourceId, list[Write]]] = []
    stage: tuple[str, int] | None = None
    needed: set[ResourceId] = set()
    for write in writes:
        id, needs = graph.fold(write.change.id), _needs(write, live)
        here = _stage(write.change)
        apart = here != stage or not waves or id in needed
        if apart or any(other in waves[-1] for other in needs if other != id):
            waves.append({})
            stage, needed = here, set()
        waves[-1].setdefault(id, []).append(write)
        needed |= needs - {id}
    return [tuple(map(tuple, wave.values())) for wave in waves]


def _stage(change: Change) -> tuple[str, int]:
    action = "expand" if change.action in _EXPAND else change.action.value
    return action, KINDS[change.id.kind].wave


def _needs(write: Write, live: Mapping[ResourceId, LiveResource]) -> set[ResourceId]:
    """What it refers to, before and after: an update may let go of what another takes away."""
    id, former = write.change.id, write.change.former
    specs = [one.spec for one in (live.get(id), live.get(former) if former else None) if one]
    if write.change.action not in _GOING and write.resource is not None:
        specs.append(write.resource.spec)
    return {graph.fold(other) for spec in specs for other in graph.named(id, spec)}
