"""What hangs on a resource that a vendor's Manager makes again: replaced, or gone from there.

It keeps some references by the other's id, or lets go of them when the other is deleted
(`Reference.bound`). So whatever is bound to what is made again is written again too, though nothing
of it has changed. Our own Manager keeps names.
"""

from collections.abc import Iterable
from dataclasses import replace

from apiops.model.kinds import Kind
from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, ResourceId
from apiops.plan import graph, merge
from apiops.plan.change import Locate, Step
from apiops.ports import Live


def following(live: Live, steps: Iterable[Step], locate: Locate) -> tuple[Step, ...]:
    """The same steps; one that wrote nothing, and is bound to what is made, writes again."""
    listed = tuple(steps)
    makes = (step for step in listed if live.vendors and _makes(step))
    made = frozenset(graph.fold(step.pair.id) for step in makes)
    return tuple(_again(step, locate) if _hangs(step, made) else step for step in listed)


def remakes(kind: Kind, before: JsonObject, after: JsonObject) -> bool:
    """Whether an update takes away what a vendor's Manager has no call for (`Kind.anew`)."""
    return any((before.get(name) or {}).keys() - (after.get(name) or {}) for name in kind.anew)


def _makes(step: Step) -> bool:
    live = step.pair.live
    if live is None or step.result is None:
        return bool(step.changes) and live is None
    return step.replaces or remakes(step.pair.kind, live.spec, step.result)


def _hangs(step: Step, made: frozenset[ResourceId]) -> bool:
    if not made or step.pair.live is None or step.result is not None:
        return False
    return bool(made & graph.bound(step.pair.id, step.pair.resource.spec))


def _again(step: Step, locate: Locate) -> Step:
    """An update without a changed field, and where it runs a deploy of it."""
    live, resource = step.pair.live, step.pair.resource
    assert live is not None, "what does not exist hangs on nothing"
    spec = merge.result(step.pair.kind, resource.spec, live.spec, live.applied)
    update = Change(
        Action.UPDATE,
        resource.id,
        location=locate(resource.id, ()),
        serial=live.serial,
        digest=live.digest,
    )
    planned = {(one.action, one.environment) for one in step.changes}
    deploys = tuple(
        replace(update, action=Action.DEPLOY, environment=item["environment"])
        for item in resource.spec.get("deployments") or ()
        if step.pair.kind.deployable and (Action.DEPLOY, item["environment"]) not in planned
    )
    return replace(step, changes=(update, *step.changes, *deploys), result=spec)
