"""The order of a plan: expand, deploy, contract.

1. Creates and updates, each after those it refers to, then the System tier first, then by wave,
   then by name. A replaced resource is taken away right before it is made again.
2. Deploys, in the same order, then by environment: everything a proxy needs is there by then.
3. Undeploys, in the reverse order.
4. Deletes, in the reverse order: what refers goes before what is referred to, System tier last.

A unit is applied as the subsequence of these changes that belong to it, so the order inside a
unit is the plan's own. Units go one after the other, `system` first (`Plan.units`), so across
units the order holds for what is created and not for what is deleted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, ResourceId
from apiops.plan import graph


@dataclass(frozen=True, slots=True)
class Sides:
    """The specs that references are read from: of what is live, and of what shall be."""

    before: Mapping[ResourceId, JsonObject]
    after: Mapping[ResourceId, JsonObject]


def arrange(changes: Iterable[Change], sides: Sides) -> tuple[Change, ...]:
    """The changes in the order in which they are carried out.

    Raises PlanRefused AO607 when resources to be written refer to each other in a circle.
    """
    listed = tuple(changes)
    expand = _ranks(graph.arrange(sides.after))
    contract = _ranks(graph.arrange(sides.before, circles=True))
    created = {graph.fold(change.id) for change in listed if change.action is Action.CREATE}
    deleted = {graph.fold(change.id) for change in listed if change.action is Action.DELETE}
    replaced = created & deleted

    def key(change: Change) -> tuple[int, int, int, str]:
        id, environment = graph.fold(change.id), change.environment or ""
        if change.action is Action.DEPLOY:
            return (1, expand[id], 0, environment)
        if id in replaced:
            return (0, expand[id], _REPLACING.index(change.action), environment)
        if change.action in (Action.CREATE, Action.UPDATE):
            return (0, expand[id], 0, environment)
        return (2 if change.action is Action.UNDEPLOY else 3, -contract[id], 0, environment)

    return tuple(sorted(listed, key=key))


_REPLACING = (Action.UNDEPLOY, Action.DELETE, Action.CREATE)


def _ranks(ids: Iterable[ResourceId]) -> dict[ResourceId, int]:
    return {graph.fold(id): rank for rank, id in enumerate(ids)}
