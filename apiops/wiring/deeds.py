"""What a person does in the Manager through a door for people: one change, judged and audited.

As with `handwork` no inventory and no applied revision moves, so the next run finds it as drift.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apiops.access import decide
from apiops.errors import PlanRefused, SpecInvalid, StoreError
from apiops.model.audit import AuditContext
from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.kinds import API_VERSION, KINDS
from apiops.model.outcome import Outcome
from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, LiveResource, Origin, Resource, ResourceId
from apiops.model.secret import SecretValue
from apiops.ports import Batch, Write
from apiops.reconcile import approvals
from apiops.spec import attachments, schema

if TYPE_CHECKING:
    from apiops.manager.embedded import EmbeddedManager


@dataclass(frozen=True, slots=True)
class Becomes:
    """What a resource becomes: its spec, with leaves for secrets, and what belongs to it (see
    `ports.Write`).
    """

    spec: JsonObject
    secrets: Mapping[str, SecretValue] = field(default_factory=dict, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    moved: Mapping[str, str] = field(default_factory=dict)


def do(
    manager: "EmbeddedManager",
    action: Action,
    id: ResourceId,
    context: AuditContext,
    *,
    before: LiveResource | None = None,
    becomes: Becomes | None = None,
    environment: str | None = None,
) -> Outcome:
    """Carry out one change as the context's principal; `before` is the resource as it is.

    `becomes` is what a create or an update makes of it. Raises AccessDenied (recorded), Conflict,
    SpecInvalid, StoreError AO727 for what is not there, PlanRefused AO609 for a state that cannot
    come after the one that is, AO628 where one person is not enough.
    """
    if before is None and action is not Action.CREATE:
        raise StoreError(f"the Manager has no {id}", code="AO727", hint="check the name")
    bare = {k: v for k, v in (before.spec if before else {}).items() if k != "deployments"}
    wanted = Becomes(bare) if becomes is None else becomes
    change = Change(action, id, environment, serial=before.serial if before else None)
    if allowed(manager, action, id, context, before):  # whoever may not is told that, and no more
        approvals.alone(manager.read("", "", among=(id,)), change)
        if becomes is not None:
            _demand_sound(id, bare if before else None, becomes.spec)
    resource = Resource(
        id=id,
        spec=wanted.spec,
        origin=Origin("", ""),
        content="",
        labels=before.labels if before else {},
        protected=before.protected if before else False,
    )
    kept = None if action in (Action.DELETE, Action.UNDEPLOY) else resource
    beside = (wanted.secrets, wanted.files)
    write = Write(change, kept, (context.principal,), context, *beside, moved=wanted.moved)
    (outcome,) = manager.write(Batch("", "", id.unit, None, None, (write,), context, 0))
    return outcome


def allowed(
    manager: "EmbeddedManager",
    action: Action,
    id: ResourceId,
    context: AuditContext,
    before: LiveResource | None = None,
) -> bool:
    """Whether the context's principal may do it: what the write will decide again."""
    where = tuple(one.environment for one in before.deployments) if before else ()
    needs = decide.need(id.kind, action, id, where)
    return decide.lacking(manager.views.grants(), context.principal, needs) is None


def _demand_sound(id: ResourceId, before: JsonObject | None, after: JsonObject) -> None:
    """Refuse a spec that is none, or that cannot come after the one that is."""
    check(id, after)
    if before is not None:
        demand_way(id, before, after)


def demand_way(id: ResourceId, before: JsonObject, after: JsonObject) -> None:
    """Refuse a state that cannot come after the one that is. Raises PlanRefused AO609."""
    kind = KINDS.get(id.kind)
    why = kind.steps.refusal(before, after) if kind and kind.steps else ""
    if why:
        raise PlanRefused(f"{id}: {why}", code="AO609", hint="take the step in between")


def check(id: ResourceId, spec: JsonObject) -> None:
    """Hold a spec against its kind, as `validate` does. Raises SpecInvalid."""
    metadata = {"name": id.name} | ({"project": id.project} if id.project else {})
    document = {
        "apiVersion": API_VERSION,
        "kind": id.kind,
        "metadata": metadata,
        "spec": attachments.detach(id.kind, spec),
    }
    faults = schema.check(id.kind, document) or schema.meaning(id.kind, document)
    if faults:
        raise SpecInvalid(
            f"{id} would be invalid: {faults[0].message}",
            code=faults[0].code,
            diagnostics=[
                Diagnostic(fault.code, fault.message, Location(str(id)), hint=fault.hint)
                for fault in faults
            ],
        )
