"""Undo: what a run changed becomes what it was, from what the Manager itself kept.

Every run is a point to go back to, for the log has each resource as it was before. No commit
describes that state, so it is a person's own change in the Manager: judged by their rights, with
their reason, while the target is suspended, or the next sync would take it back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from apiops.access import decide, roles
from apiops.errors import AccessDenied, ApiopsError, PlanRefused
from apiops.model import reach, secret
from apiops.model.audit import Applied, AuditContext, AuditEntry, AuditQuery
from apiops.model.kinds import KINDS
from apiops.model.outcome import Outcome, Result, RunReport
from apiops.model.plan import Action, Change, Plan
from apiops.model.resource import Desired, LiveResource, Origin, Resource, ResourceId
from apiops.model.revision import Revision
from apiops.model.view import PastRun
from apiops.plan import build, freeze
from apiops.plan.build import Built
from apiops.ports import Batch, Live, Write
from apiops.reconcile import approvals, breaking, concern, suspension, was
from apiops.reconcile.breaking import Files
from apiops.reconcile.line import Line
from apiops.reconcile.was import Past, Was

_BY_COMMIT: Final = "go back with a commit that others can approve: apiops rollback --to REVISION"


@dataclass(frozen=True, slots=True)
class Undoing:
    """The way back from a run: the plan, the live state that it was made from, and what was."""

    built: Built
    live: Live
    past: Mapping[ResourceId, Past]

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.built.plan


def runs(line: Line, most: int) -> tuple[PastRun, ...]:
    """The last runs of the target that changed anything, newest first."""
    found: list[PastRun] = []
    for run in reversed(_runs(line)):
        changed = was.ids(_entries(line, run.run))
        if changed:
            found.append(PastRun(run.run, run.at, run.commit, len(changed)))
        if len(found) == most:
            break
    return tuple(found)


def prepare(line: Line, run: str, allow: frozenset[str], files: Files) -> Undoing:
    """Plan the way back to the state before a run: of all that it and later runs changed.

    `run` is the run's id, or its beginning; `files` are the Manager's. Raises PlanRefused AO626
    for what is no such run.
    """
    first, *later = _since(line, run)
    before = was.read(entry for one in (first, *later) for entry in _entries(line, one.run))
    live = line.manager.read(line.repository.lineage, line.target.name)
    past = before.against(live)
    built = build.build(
        _desired(line, before, past, live),
        replace(live, resources=tuple(_owned(line, before, live))),
        repository=line.repository.lineage,
        head=Revision(first.commit, f"before run {first.run[:8]}", first.tree),
        engine=line.engine,
        locate=lambda _id, _path: None,
        allow=allow,
    )
    plan = built.plan
    mine = tuple(change for change in plan.changes if before.concerns(change, past))
    plan = replace(plan, changes=mine)
    plan = replace(plan, digest=build.digest(plan))
    broken = tuple(breaking.going_back(plan, live, built.results, files))
    plan = breaking.gated(plan, broken, allow)
    return Undoing(replace(built, plan=plan), live, past)


def secrets(undoing: Undoing) -> dict[str, str]:
    """The fingerprint of each secret that has to come back → whose it is, and where it stood."""
    live = {one.id: one.spec for one in undoing.live.resources}
    wanted: dict[str, str] = {}
    for id, spec in undoing.built.results.items():
        stands = {at: leaf.fingerprint for at, leaf in secret.leaves(live.get(id, {}))}
        for pointer, leaf in secret.leaves(spec):
            if leaf.fingerprint is not None and stands.get(pointer) != leaf.fingerprint:
                wanted[leaf.fingerprint] = f"{id}{pointer}"
    return wanted


def carry_out(
    line: Line, run: str, context: AuditContext, allow: frozenset[str], approved: str,
    files: Files,
) -> RunReport:  # fmt: skip
    """Carry out the way back under the target's lease, as the context's principal.

    Raises PlanRefused (not suspended, frozen, approvals wanted, another plan than the approved),
    AccessDenied (recorded) before anything is written.
    """
    started = line.now()
    with line.manager.lease(f"{line.repository.lineage}/{line.target.name}", line.run):
        _demand_suspension(line)
        undoing = prepare(line, run, allow, files)
        concerned = _concerned(line, undoing)
        overrides = freeze.admit(freeze.standing(undoing.live, concerned, started), allow)
        approvals.refuse_one(undoing.live, concerned, _BY_COMMIT)
        build.refuse(undoing.plan)
        build.check(undoing.plan, approved)
        spoken = {one.guard for one in undoing.plan.guards if one.overridden}
        reason = replace(context.reason, overrides=tuple(sorted({*spoken, *overrides})))
        by = replace(context, reason=reason)
        _demand_rights(line, undoing, by)
        outcomes = tuple(_written(line, undoing, by))
    seconds = (line.now() - started).total_seconds()
    return RunReport(line.run, line.target.name, "", outcomes, seconds=seconds)


def _runs(line: Line) -> list[Applied]:
    """A link of every run that moved a unit of the target, in order."""
    repository, target = line.repository.lineage, line.target.name
    firsts: dict[str, Applied] = {}
    for unit in line.ledger.state(repository, target).applied:
        for link in line.ledger.history(repository, target, unit):
            held = firsts.get(link.run)
            if held is None or link.at < held.at:
                firsts[link.run] = link
    return sorted(firsts.values(), key=lambda link: (link.at, link.run))


def _since(line: Line, run: str) -> list[Applied]:
    known = _runs(line)
    named = [number for number, link in enumerate(known) if link.run.startswith(run)]
    if len(run) < was.SHORTEST or len(named) != 1:
        raise PlanRefused(
            f'"{run}" is no run of {line.target.name}',
            code="AO626",
            hint="`apiops undo` without a run lists those that can be undone",
        )
    return known[named[0] :]


def _entries(line: Line, run: str) -> Iterator[AuditEntry]:
    """What a run wrote, oldest first."""
    query = AuditQuery(run=run, outcome="done", limit=0)
    return reversed(tuple(line.ledger.entries(query)))


def _desired(line: Line, before: Was, past: Mapping[ResourceId, Past], live: Live) -> Desired:
    """What was, and beside it what is and shall stay."""
    owned = [one for one in live.resources if one.owner == line.repository.lineage]
    stays = [_standing(one) for one in owned if one.id not in before.ids]
    was_ = (one.resource for one in past.values())
    resources = sorted((*was_, *stays), key=lambda one: one.id.order)
    return Desired(line.target.name, line.target.environment, tuple(resources))


def _owned(line: Line, before: Was, live: Live) -> Iterator[LiveResource]:
    """The inventory and what was changed. Of the latter every field counts as ours, so that what
    was not there before goes.
    """
    for one in live.resources:
        if one.id in before.ids:
            owner = one.owner or line.repository.lineage  # what is nobody's, nobody has to adopt
            yield replace(one, owner=owner, applied=one.spec)
        elif one.owner == line.repository.lineage:
            yield one


def _standing(live: LiveResource) -> Resource:
    return Resource(
        live.id, live.spec, Origin("", ""), "", labels=live.labels, protected=live.protected
    )


def _demand_suspension(line: Line) -> None:
    if suspension.standing(line.ledger, line.target, line.now()) is None:
        raise PlanRefused(
            f"{line.target.name} is not suspended, so the next sync would take this back",
            code="AO627",
            hint=f"first: apiops suspend --target {line.target.name} --for 8h --reason …; then "
            "undo, mend the repository, and `apiops resume`",
        )


def _concerned(line: Line, undoing: Undoing) -> tuple[str, ...]:
    changes = ((change, ()) for change in undoing.plan.changes)
    return concern.environments(undoing.live, line.target.environment, changes)


def _demand_rights(line: Line, undoing: Undoing, context: AuditContext) -> None:
    """Ask for all units what the Manager asks again for each, so that none is written in vain."""
    held = {one.id: one for one in undoing.live.resources}
    for change in undoing.plan.changes:
        now = held.get(change.former or change.id)
        needs = decide.needs_of(change, _reached(undoing, change, now))
        lacks = decide.lacking(undoing.live.grants, context.principal, needs)
        if lacks is not None:
            line.ledger.deny(context, change, "AO520", lacks.because)
            raise AccessDenied(
                f"{context.principal} may not {change.action.value} {change.id}: {lacks.because}",
                code="AO520",
                hint=f"{line.target.name} is as it was; `apiops access who` says who may",
            )


def _reached(undoing: Undoing, change: Change, now: LiveResource | None) -> tuple[str, ...]:
    """The environments that a person's own change reaches: it has no target (ADR 0007)."""
    if change.environment is not None:
        return (change.environment,)
    kind, after = KINDS[change.id.kind], undoing.built.results.get(change.id, {})
    reached: set[str] = {*reach.unlike(kind.name, now.spec if now else {}, after)}
    if kind.deployable:
        reached |= {one.environment for one in now.deployments} if now else set()
    elif kind.category in roles.REACHES_WORKERS:
        made = (id.name for id in undoing.built.results if id.kind == "Environment")
        reached |= {*undoing.live.environments, *made}
    return tuple(sorted(reached))


def _written(line: Line, undoing: Undoing, context: AuditContext) -> Iterator[Outcome]:
    """Unit by unit, all of one or nothing. A project that goes is emptied before."""
    plan = undoing.plan
    going = {
        change.id.name
        for change in plan.changes
        if change.action is Action.DELETE and change.id.kind == "Project"
    }
    for unit in sorted(plan.units, key=lambda unit: unit not in going):
        changes = [change for change in plan.changes if change.id.unit == unit]
        writes = tuple(_write(undoing, change, context) for change in changes)
        try:
            yield from line.manager.write(Batch("", "", unit, None, None, writes, context, 0))
        except ApiopsError as fault:
            for change in changes:
                yield Outcome(change, Result.FAILED, code=fault.code, message=fault.message)


def _write(undoing: Undoing, change: Change, context: AuditContext) -> Write:
    spec, past = undoing.built.results.get(change.id), undoing.past.get(change.id)
    resource = past.resource if past else None
    gone = change.action in (Action.DELETE, Action.UNDEPLOY)
    if resource is not None and spec is not None:
        resource = resource.with_spec(spec)
    return Write(
        change,
        None if gone else resource,
        (context.principal,),
        context,
        inventory=past.inventory if past else None,
    )
