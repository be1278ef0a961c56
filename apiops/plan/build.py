"""(desired, live) → plan. Read `build` from top to bottom: it is the station in one page.

Pure: the same two states give the same plan and the same digest, on any machine at any time.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from apiops.errors import PlanRefused
from apiops.model import canonical
from apiops.model.kinds import KINDS
from apiops.model.plan import Action, Change, GuardFinding, Plan
from apiops.model.resource import EVERYTHING, Desired, JsonObject, LiveResource, ResourceId
from apiops.model.revision import Revision
from apiops.plan import anew, change, guard, match, order
from apiops.plan import prune as pruning
from apiops.plan.change import Locate, Step
from apiops.ports import Live

__all__ = ["Built", "Locate", "build", "check", "digest", "refuse", "same"]

_APPROVAL = re.compile(r"[0-9a-f]{8,64}\Z")


@dataclass(frozen=True, slots=True)
class Built:
    """A plan, and beside it the specs that its creates and updates write, by identity."""

    plan: Plan
    results: Mapping[ResourceId, JsonObject]


def build(
    desired: Desired,
    live: Live,
    *,
    repository: str,
    head: Revision,
    engine: str,
    locate: Locate,
    allow: frozenset[str] = frozenset(),
    prune: bool = True,
    beside: int = 0,
) -> Built:
    """What has to be done so that the live state becomes the desired one.

    `repository` is the lineage whose inventory is meant, `allow` names the guards to override,
    `prune` deletes what the inventory has and the desired state has not; `beside` resources are in
    neither state, for they are known to be alike. Raises PlanRefused AO607 for a circle.
    """
    desired = _stopping(desired, live)
    pairs = match.pairs(desired, live, repository)
    steps = anew.following(live, (change.step(pair, repository, locate) for pair in pairs), locate)
    kept = (step.pair.live.id for step in steps if step.pair.live)
    pruned = pruning.prunable(desired, live, kept, repository) if prune else ()
    outlook = guard.Outlook(repository, desired, live, steps, pruned)
    plan = Plan(
        repository=repository,
        target=desired.target,
        environment=desired.environment,
        head=head,
        base={unit: applied.commit for unit, applied in live.ledger.applied.items()},
        lineage=live.lineage,
        permissions=live.permissions,
        engine=engine,
        changes=_arranged(steps, pruned),
        guards=guard.findings(outlook, allow),
        stopped=dict(desired.stopped),
        unchanged=beside + sum(not step.changes for step in steps),
    )
    results = {step.pair.id: step.result for step in steps if step.result is not None}
    return Built(replace(plan, digest=digest(plan)), results)


def digest(plan: Plan) -> str:
    """SHA-256 over all that a plan is bound to: 64 hex digits.

    The ref by which the head was found is not in it: a plan of `main` and one of its commit are
    the same plan.
    """
    bare = replace(plan, digest="", head=replace(plan.head, ref=""))
    return canonical.digest(bare)


def refuse(plan: Plan) -> None:
    """Raise PlanRefused, with the code of the first one, if a guard is not overridden."""
    standing = [finding for finding in plan.guards if not finding.overridden]
    if standing:
        raise PlanRefused(_guarded(standing), code=standing[0].code, hint=_way_out(standing))


def check(plan: Plan, approved: str) -> None:
    """Raise PlanRefused unless `approved` is the plan's digest or its first 8 or more digits."""
    if not _APPROVAL.match(approved):
        raise PlanRefused(
            "the approved digest is not 8 to 64 hexadecimal digits",
            code="AO621",
            hint="give the digest that `apiops plan` printed",
        )
    if not hmac.compare_digest(plan.digest[: len(approved)], approved):
        raise PlanRefused(
            f"plan {approved[:8]} was approved, but the plan is now {plan.digest[:8]}",
            code="AO620",
            hint="something moved since; look at the new plan and approve that one",
        )


def same(stored: Plan, fresh: Plan) -> None:
    """Raise PlanRefused, naming what moved, unless a stored plan is still the plan."""
    if hmac.compare_digest(stored.digest, fresh.digest):
        return
    moved = ", ".join(_moved(stored, fresh)) or "the changes"
    raise PlanRefused(
        f"the plan is stale; moved since it was made: {moved}",
        code="AO622",
        hint="run `apiops plan` again and have the new plan approved",
    )


def _stopping(desired: Desired, live: Live) -> Desired:
    """The desired state, its stopped units by name: a fault that stops all stops those too that
    no manifest at hand speaks of any more.
    """
    code = desired.stopped.get(EVERYTHING)
    if code is None:
        return desired
    units = live.ledger.applied.keys() | {resource.id.unit for resource in live.resources}
    return replace(desired, stopped={**dict.fromkeys(sorted(units), code), **desired.stopped})


def _arranged(steps: tuple[Step, ...], pruned: tuple[LiveResource, ...]) -> tuple[Change, ...]:
    changes = [one for step in steps for one in step.changes]
    changes += [one for gone in pruned for one in change.removal(KINDS[gone.id.kind], gone)]
    before = {gone.id: gone.spec for gone in pruned}
    after: dict[ResourceId, JsonObject] = {}
    for step in steps:
        if step.changes and step.pair.live is not None:
            before[step.pair.live.id] = before[step.pair.id] = step.pair.live.spec
        if step.changes:
            after[step.pair.id] = step.result or step.pair.resource.spec
    return order.arrange(changes, order.Sides(before, after))


def _guarded(standing: list[GuardFinding]) -> str:
    first = f"guard {standing[0].guard}: {standing[0].message}"
    more = len(standing) - 1
    return f"{first} (and {more} more)" if more else first


def _way_out(standing: list[GuardFinding]) -> str:
    final = [finding.code for finding in standing if finding.guard not in guard.OVERRIDABLE]
    if final:
        return f"this cannot be overridden; `apiops explain {final[0]}` says what to do"
    flags = " ".join(f"--allow {name}" for name in sorted({f.guard for f in standing}))
    said = any(finding.guard == guard.BREAKING for finding in standing)
    way = "; or say why in the commit: `apiops explain AO618`" if said else ""
    return f"if this is what you mean, plan again with {flags}{way}"


def _moved(stored: Plan, fresh: Plan) -> list[str]:
    """What differs between two plans, in words."""
    moved = [
        f"{word} {was or 'none'} → {now or 'none'}"
        for word, was, now in (
            ("repository", stored.repository[:12], fresh.repository[:12]),
            ("target", stored.target, fresh.target),
            ("environment", stored.environment, fresh.environment),
            ("head", stored.head.short, fresh.head.short),
            ("Manager", stored.lineage, fresh.lineage),
            ("engine", stored.engine, fresh.engine),
        )
        if was != now
    ]
    for unit in sorted(stored.base.keys() | fresh.base.keys()):
        was, now = stored.base.get(unit, ""), fresh.base.get(unit, "")
        if was != now:
            moved.append(f"applied revision of {unit} {was[:7] or 'none'} → {now[:7] or 'none'}")
    if stored.permissions != fresh.permissions:
        moved.append("permissions")
    return moved + _moved_resources(stored, fresh)


def _moved_resources(stored: Plan, fresh: Plan) -> list[str]:
    was = {one.id: one.serial for one in stored.changes if one.action is not Action.CREATE}
    now = {one.id: one.serial for one in fresh.changes if one.action is not Action.CREATE}
    return [
        f"{id} (serial {was[id]} → {now[id]})"
        for id in sorted(was, key=str)
        if id in now and was[id] != now[id]
    ]
