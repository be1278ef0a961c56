"""What hangs on a resource that is made again: replaced, or gone from the Manager.

A Manager keeps some references by the other's id (`Reference.bound`). What is made again has a new
one, so whatever is bound to it is written again too, though nothing of it has changed.
"""

from collections.abc import Iterable
from dataclasses import replace

from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from apiops.plan import graph, merge
from apiops.plan.change import Locate, Step


def following(steps: Iterable[Step], locate: Locate) -> tuple[Step, ...]:
    """The same steps; one that wrote nothing, and is bound to what is made, writes again."""
    listed = tuple(steps)
    made = frozenset(graph.fold(step.pair.id) for step in listed if _makes(step))
    return tuple(_again(step, locate) if _hangs(step, made) else step for step in listed)


def _makes(step: Step) -> bool:
    return step.replaces or (step.pair.live is None and bool(step.changes))


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
