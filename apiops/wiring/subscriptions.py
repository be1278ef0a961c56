"""What a portal does with subscriptions: a client asks, somebody decides, by hand and at once.

Each is one person's own change, judged and audited as any. The decision stands beside what the
repository says until its author writes another one (`Steps`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from apiops.errors import SpecInvalid
from apiops.model.audit import AuditContext
from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.entitlement import SUBSCRIPTION
from apiops.model.kinds import KINDS
from apiops.model.outcome import Outcome
from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.spec import marks
from apiops.wiring import deeds

if TYPE_CHECKING:
    from apiops.manager.embedded import EmbeddedManager


def request(
    manager: "EmbeddedManager", id: ResourceId, wish: JsonObject, context: AuditContext
) -> Outcome:
    """Ask for access: `wish` is the spec of a new subscription, which nobody has decided.

    Raises AccessDenied (recorded), SpecInvalid (AO301 for a client or proxy that is not there),
    Conflict for a name that is taken.
    """
    steps = KINDS[SUBSCRIPTION].steps
    assert steps is not None, "the table of kinds has the ways of a subscription"
    spec = {name: value for name, value in wish.items() if name not in steps.fields}
    if deeds.allowed(manager, Action.CREATE, id, context):
        _demand_mentioned(manager, id, spec, context.principal)
    return deeds.do(manager, Action.CREATE, id, context, becomes=deeds.Becomes(spec))


def review(
    manager: "EmbeddedManager",
    subscription: LiveResource,
    decision: Mapping[str, Any],
    context: AuditContext,
) -> Outcome:
    """Decide: `decision` has `state`, `reason` and, if the access ends by itself, `expireTime`.

    Raises AccessDenied (recorded), SpecInvalid for a decision without a reason, PlanRefused AO609
    for a step that cannot be taken, Conflict when somebody else was faster.
    """
    steps = KINDS[SUBSCRIPTION].steps
    assert steps is not None, "the table of kinds has the ways of a subscription"
    own = {name: value for name, value in subscription.spec.items() if name not in steps.fields}
    said = {name: decision[name] for name in steps.fields if decision.get(name) is not None}
    return deeds.do(
        manager,
        Action.UPDATE,
        subscription.id,
        context,
        before=subscription,
        becomes=deeds.Becomes(own | said),
    )


def _demand_mentioned(
    manager: "EmbeddedManager", id: ResourceId, spec: JsonObject, principal: str
) -> None:
    for mention in marks.references(id.kind, spec):
        if manager.views.resource(principal, ResourceId(mention.kind, id.project, mention.name)):
            continue
        message = f'there is no {mention.kind} "{mention.name}" in {id.project}'
        raise SpecInvalid(
            message,
            code="AO301",
            diagnostics=[Diagnostic("AO301", message, Location(str(id)))],
        )
