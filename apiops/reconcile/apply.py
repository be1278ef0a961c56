"""Carry out a plan under the lease, unit by unit: one batch each, `system` first.

A denied change freezes its unit before the unit's first write, and is recorded. One unit's
failure does not stop the others, except for those that need what failed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from apiops.errors import AccessDenied, ApiopsError, ManagerError, ManagerUnavailable
from apiops.model.access import Judgement
from apiops.model.audit import AuditContext, Reason
from apiops.model.outcome import Outcome, Result, RunReport
from apiops.model.plan import Action, Change
from apiops.model.resource import SYSTEM
from apiops.model.revision import Commit, Snapshot
from apiops.plan import build, freeze
from apiops.ports import Batch, Event, Write
from apiops.reconcile import approvals, suspension
from apiops.reconcile.line import Line, Prepared, Wish, prepare


def apply(line: Line, snapshot: Snapshot, wish: Wish) -> tuple[Prepared, RunReport]:
    """Plan and carry out, under the lease of this repository and target.

    The plan is made anew while the lease is held, so an approved digest that no longer fits is
    found before the first write. Nothing is looked at while the target is suspended. Raises
    PlanRefused, AccessDenied (never for one project among several), ManagerUnavailable when the
    lease is held.
    """
    started = line.now()
    with line.manager.lease(f"{line.repository.lineage}/{line.target.name}", line.run) as fence:
        held = suspension.standing(line.ledger, line.target, started)
        overrides = suspension.admit(held, wish.allow)
        prepared = prepare(line, snapshot, wish)
        build.refuse(prepared.plan)
        if held is None:
            held = suspension.elsewhere(line.ledger, prepared.concerns, started)
            overrides += suspension.admit(held, wish.allow)
        frozen = freeze.standing(prepared.live, prepared.concerns, started)
        overrides += freeze.admit(frozen, wish.allow)
        if wish.stored is not None:
            build.same(wish.stored, prepared.plan)
        if wish.approved is not None:
            build.check(prepared.plan, wish.approved)
        approvers = approvals.demand(approvals.standing(line, prepared, wish), prepared.plan.digest)
        report = _carry_out(line, prepared, fence, Leave(overrides, approvers))
    return prepared, replace(report, seconds=(line.now() - started).total_seconds())


@dataclass(frozen=True, slots=True)
class Leave:
    """By whose leave a plan is carried out: what was overridden, and who approved."""

    overrides: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


def _carry_out(line: Line, prepared: Prepared, fence: int, leave: Leave) -> RunReport:
    """Write every unit that may be written; the report has an outcome for every change."""
    carrier = _Carrier(line, prepared, fence, leave)
    units = carrier.units
    for number, unit in enumerate(units, 1):
        line.observer.notice(Event("apply", f"applying {unit}", number, len(units)))
        carrier.unit(unit)
    carrier.advance()
    return RunReport(
        run=line.run,
        target=line.target.name,
        head=prepared.plan.head.commit,
        outcomes=tuple(carrier.outcomes),
        applied=carrier.standing(),
        frozen=tuple(sorted(carrier.held)),
        stuck=carrier.stuck,
    )


class _Carrier:
    """The state of one apply: outcomes so far, units that moved, units that stay."""

    def __init__(self, line: Line, prepared: Prepared, fence: int, leave: Leave) -> None:
        assert prepared.verdicts is not None, "an unjudged plan is never carried out"
        self.outcomes: list[Outcome] = []
        self.applied: dict[str, str] = {}
        self.held: set[str] = set(prepared.plan.stopped)
        self.stuck: dict[str, str] = {}
        self._line = line
        self._prepared = prepared
        self._fence = fence
        guards = {guard.guard for guard in prepared.plan.guards if guard.overridden}
        self._overrides = tuple(sorted({*guards, *leave.overrides}))
        self._approvers = leave.approvers
        self._verdicts = prepared.verdicts
        self._judgements = {j.change.key: j for j in prepared.verdicts.judgements}
        self._changes: dict[str, list[Change]] = defaultdict(list)
        for judgement in prepared.verdicts.judgements:
            self._changes[judgement.change.id.unit].append(judgement.change)
        self._resources = {r.id: r for r in prepared.revealed.desired.resources}
        history = prepared.history
        self._commits = {view.commit.id: view.commit for view in history.views} if history else {}

    @property
    def units(self) -> tuple[str, ...]:
        """The units of the plan and those that are frozen without a change in it.

        A project that goes is emptied before: with some Managers its own end is that of all in it.
        """
        planned = self._prepared.plan.units
        going = (unit for unit in planned if unit in self._going)
        return tuple(dict.fromkeys((*going, *planned, *sorted(self._verdicts.frozen))))

    @cached_property
    def _going(self) -> frozenset[str]:
        """The projects that the plan deletes."""
        changes = self._prepared.plan.changes
        gone = (c.id for c in changes if c.action is Action.DELETE and c.id.kind == "Project")
        return frozenset(id.name for id in gone)

    def unit(self, unit: str) -> None:
        """Write one unit, or say why not."""
        changes = self._changes[unit]
        if unit in self._verdicts.frozen:
            self._deny(unit, changes)
        elif self._needs_what_failed(unit):
            self._keep(unit, changes, Result.BLOCKED, "AO612", "its project could not be created")
        elif unit == SYSTEM and (full := self._full()):
            told = f"project {full} is to go and is not empty"
            self._keep(unit, changes, Result.BLOCKED, "AO612", told)
        else:
            self._write(unit, changes)

    def advance(self) -> None:
        """Move the units that are already as the head describes them.

        What fails here is told in the report: raised, it would hide what was written before.
        """
        known = set(self._prepared.live.ledger.applied)
        known |= {resource.id.unit for resource in self._prepared.revealed.desired.resources}
        head = self._prepared.plan.head.commit
        for unit in sorted(known - self.held - self.applied.keys()):
            if self._base(unit) == head:
                continue
            try:
                self._line.manager.write(self._batch(unit, ()))
            except ManagerError as fault:
                if not (self.applied or self.outcomes):
                    raise
                self.stuck[unit] = f"{fault.code} {fault.message}"
            else:
                self.applied[unit] = head

    def standing(self) -> dict[str, str]:
        """Unit → the commit it is at now; a unit that stays is at its last applied one."""
        before = {unit: a.commit for unit, a in self._prepared.live.ledger.applied.items()}
        return {**{unit: before[unit] for unit in self.held & before.keys()}, **self.applied}

    def _write(self, unit: str, changes: list[Change]) -> None:
        batch = self._batch(unit, tuple(self._one(change) for change in changes))
        try:
            outcomes = self._line.manager.write(batch)
        except ManagerUnavailable as fault:
            if not self.applied:
                raise
            self._keep(unit, changes, Result.FAILED, fault.code, fault.message)
        except AccessDenied as denied:
            self._keep(unit, changes, Result.DENIED, denied.code, denied.message)
        except ApiopsError as fault:
            self._keep(unit, changes, Result.FAILED, fault.code, fault.message)
        else:
            self.outcomes += outcomes
            if all(outcome.result is Result.DONE for outcome in outcomes):
                self.applied[unit] = self._prepared.plan.head.commit
            else:  # a remote Manager has no transaction: the unit stays until all of it is done
                self.held.add(unit)

    def _keep(
        self, unit: str, changes: Iterable[Change], result: Result, code: str, message: str
    ) -> None:
        self.held |= {unit}.union(
            *(change.units for change in changes)
        )  # so is what was to move in
        self.outcomes += [Outcome(c, result, code=code, message=message) for c in changes]

    def _deny(self, unit: str, changes: list[Change]) -> None:
        """Freeze the unit; every denied change leaves an entry, the others are only held back."""
        self.held.add(unit)
        for change in changes:
            judgement = self._judgements[change.key]
            if judgement.allowed:
                held = Outcome(change, Result.BLOCKED, code="AO611", message=f"{unit} is frozen")
                self.outcomes.append(held)
                continue
            cause = judgement.causes[0]
            context = self._context(judgement)
            entry = self._line.ledger.deny(context, change, cause.code, cause.message)
            self.outcomes.append(Outcome(change, Result.DENIED, entry, cause.code, cause.message))

    def _needs_what_failed(self, unit: str) -> bool:
        """Whether the unit's own Project was to be created by a system batch that did not go."""
        if unit == SYSTEM or SYSTEM not in self.held:
            return False
        return any(
            change.action is Action.CREATE and change.id.kind == "Project"
            for change in self._prepared.plan.changes
            if change.id.name == unit
        )

    def _full(self) -> str:
        """A project that is to go, and of which something would be left; empty if there is none."""
        gone = {c.id for c in self._prepared.plan.changes if c.action is Action.DELETE}
        left = {one.id.unit for one in self._prepared.live.resources if one.id not in gone}
        return min(self._going & (left | self.held), default="")

    def _one(self, change: Change) -> Write:
        judgement = self._judgements[change.key]
        context = self._context(judgement)
        desired = self._resources.get(change.id)
        spec = self._prepared.built.results.get(change.id)
        if desired is None or spec is None:
            deployed = desired if change.action is Action.DEPLOY else None
            return Write(change, deployed, judgement.principals, context)
        contents = (self._prepared.snapshot.read(file.blob) for file in desired.files.values())
        return Write(
            change,
            desired.with_spec(spec),
            judgement.principals,
            context,
            secrets=self._prepared.revealed.secrets.get(change.id, {}),
            files={hashlib.sha256(content).hexdigest(): content for content in contents},
        )

    def _batch(self, unit: str, writes: tuple[Write, ...]) -> Batch:
        plan = self._prepared.plan
        known = self._prepared.live.ledger.introduction
        return Batch(
            repository=plan.repository,
            target=plan.target,
            unit=unit,
            base=self._base(unit),
            head=plan.head,
            writes=writes,
            context=writes[0].context if writes else self._context(None),
            fence=self._fence,
            introduction=None if known else self._prepared.introduction,
            environment=plan.environment,
        )

    def _base(self, unit: str) -> str | None:
        record = self._prepared.live.ledger.applied.get(unit)
        return record.commit if record else None

    def _context(self, judgement: Judgement | None) -> AuditContext:
        """Who and why: the newest charged commit is the reason people read."""
        charged = judgement.charged if judgement else ()
        commit = self._commit(charged[-1] if charged else self._prepared.plan.head.commit)
        principal = judgement.principals[-1] if judgement and judgement.principals else ""
        said = self._prepared.evidence.get(commit.id)
        return AuditContext(
            actor=commit.committer,
            principal=principal or self._line.actor,
            reason=Reason(
                text=commit.subject,
                commit=commit.id,
                commits=charged,
                signer=principal,
                pull_request=said.pull_request if said else self._line.pull_request,
                overrides=self._overrides,
                approvers=self._approvers,
            ),
            run=self._line.run,
            source=self._line.source,
            address=self._line.address,
            tier=judgement.needs[0][1].tier.value if judgement and judgement.needs else "",
        )

    def _commit(self, id: str) -> Commit:
        return self._commits.get(id) or self._line.repository.commit(id)
