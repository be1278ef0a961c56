"""Runs in this process: an order becomes a wish, the line is walked, and a view comes out.

The command line shows what comes out; a Manager over HTTP answers with it. Both walk the same
line, so a plan is the same through either door.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from apiops.errors import UsageError
from apiops.model.audit import Introduction
from apiops.model.kinds import KINDS
from apiops.model.order import Order
from apiops.model.plan import Action
from apiops.model.revision import Snapshot
from apiops.model.secret import SecretLeaf, SecretValue
from apiops.model.settled import Settled
from apiops.model.view import Carried, Findings, Planned, PlanView
from apiops.plan import freeze, guard
from apiops.ports import Ground
from apiops.reconcile import apply as carrying
from apiops.reconcile import approvals, suspension
from apiops.reconcile import drift as drifting
from apiops.reconcile import line as walk
from apiops.reconcile.line import Line, Prepared, Wish
from apiops.reconcile.within import Sees
from apiops.spec import near

OVERRIDES: Final = guard.OVERRIDABLE | {freeze.FREEZE, suspension.SUSPENSION}
"""Whatever may be overridden by its name."""


@dataclass(frozen=True, slots=True)
class InProcess:
    """`ports.Runs` over a line. `files` gives the work tree's snapshot, where there is one.

    `sees` is what the asker may look at, None for everything.
    """

    line: Line
    files: Callable[[], Snapshot] | None = None
    sees: Sees | None = None

    def plan(self, order: Order, ground: Ground | None = None) -> Planned:
        """Everything between reading and writing."""
        line = self._line(order)
        wish = self._wish(order, ground)
        prepared = walk.prepare(line, self._snapshot(order), wish)
        planned = self._planned(prepared, wish, keyless=not line.keyring.available)
        settled = self._settled(order, prepared)
        return replace(planned, settled=settled, shown=prepared.live.shown)

    def apply(self, order: Order, ground: Ground | None = None) -> Carried:
        """Plan and carry out."""
        line = self._line(order)
        wish = self._wish(order, ground)
        prepared, report = carrying.apply(line, self._snapshot(order), wish)
        planned = self._planned(prepared, wish, keyless=not line.keyring.available)
        return Carried(planned.view, planned.findings, report)

    def approve(self, order: Order, person: str, *, withdraw: bool = False) -> Planned:
        """Give a person's word for the plan, or take it back."""
        line, wish, snapshot = self._line(order), self._wish(order), self._snapshot(order)
        prepared, _ = approvals.approve(line, snapshot, wish, person, withdraw=withdraw)
        return self._planned(prepared, wish, keyless=not line.keyring.available)

    def drift(self) -> Planned | None:
        """The live state against what was applied last."""
        prepared = drifting.find(self.line, self.sees)
        keyless = not self.line.keyring.available
        if prepared is None:
            return None
        return self._planned(prepared, Wish(), keyless=keyless, drift=True)

    def _settled(self, order: Order, prepared: Prepared) -> Settled | None:
        """What later plans need not look at, where this one had nothing to do and to remark.

        Not while an environment has freezes: they stand in a resource that would be left out.
        """
        plan, settled = prepared.plan, prepared.loaded.settled
        remarks = plan.stopped or plan.guards or prepared.loaded.diagnostics
        whole = order.prune and self.sees is None and plan.head.commit
        if (
            plan.changes
            or prepared.left
            or remarks
            or not whole
            or any(freeze.said(prepared.live, plan.environment))
        ):
            return None
        return None if settled is None else settled(plan.repository)

    def _planned(
        self, prepared: Prepared, wish: Wish, *, keyless: bool, drift: bool = False
    ) -> Planned:
        commits = prepared.history.views if prepared.history else ()
        line, at = self.line, self.line.now()
        frozen = freeze.standing(prepared.live, prepared.concerns, at)
        held = suspension.standing(line.ledger, line.target, at)
        held = held or suspension.elsewhere(line.ledger, prepared.concerns, at)
        stops = [held.message] if held and not drift else []
        stops += [frozen.message] if frozen and not drift else []
        asked = None if drift else approvals.standing(self.line, prepared, wish)
        view = PlanView(
            prepared.plan,
            prepared.verdicts,
            subjects={seen.commit.id: seen.commit.subject for seen in commits},
            keyless=keyless,
            drift=drift,
            notes=(*stops, *_by_hand(prepared)),
            approvals=asked,
            left=prepared.left,
            breaking=prepared.breaking,
        )
        return Planned(view, Findings(prepared.loaded.diagnostics, prepared.loaded.checked))

    def _line(self, order: Order) -> Line:
        keyring = self.line.keyring if order.secrets else _Shut()
        return replace(self.line, pull_request=order.pull_request, keyring=keyring)

    def _snapshot(self, order: Order) -> Snapshot:
        if order.worktree:
            if self.files is None:
                raise UsageError(
                    "a work tree is only read where it lies",
                    code="AO745",
                    hint="commit what is to be planned, or plan against the database itself",
                )
            return self.files()
        repository = self.line.repository
        revision = repository.resolve(order.commit or order.ref)
        return repository.snapshot(replace(revision, ref=order.ref))

    def _wish(self, order: Order, ground: Ground | None = None) -> Wish:
        return Wish(
            allow=overrides(order.allow),
            prune=order.prune,
            corrects=order.corrects,
            introduction=self._introduction(order),
            approved=order.approved,
            stored=order.stored,
            evidence=order.evidence,
            tags=tuple(tag.encode() for tag in order.tags),
            sees=self.sees,
            ground=ground,
        )

    def _introduction(self, order: Order) -> Introduction | None:
        if not order.introduction and not order.approver:
            return None
        if not (order.introduction and order.approver):
            raise UsageError(
                "an introduction is a commit and the person who answers for it",
                code="AO905",
                hint="give both: --introduction COMMIT --approver NAME",
            )
        repository = self.line.repository
        first = repository.resolve(order.introduction).commit
        return Introduction(repository.lineage, self.line.target.name, first, order.approver)


def overrides(names: Iterable[str]) -> frozenset[str]:
    """The guards to override. Raises UsageError for a name that none has: it overrides nothing."""
    for name in sorted(set(names) - OVERRIDES):
        raise UsageError(
            f'there is no guard "{name}" to override',
            code="AO914",
            hint=near.hint(name, OVERRIDES, f"one of: {', '.join(sorted(OVERRIDES))}"),
        )
    return frozenset(names)


class _Shut:
    """The keyring of a run that shall open no secret."""

    available = False

    def open(self, leaf: SecretLeaf, content: bytes) -> SecretValue:
        """Never asked: a run looks whether keys are available first."""
        raise AssertionError(f"{leaf.file} ({len(content)} bytes) was to stay shut")


def _by_hand(prepared: Prepared) -> Iterator[str]:
    """What somebody must make in a vendor's console first, or let the token see."""
    if not prepared.live.vendors:
        return
    for change in prepared.plan.changes:
        if change.action is Action.CREATE and KINDS[change.id.kind].by_hand:
            yield (
                f"{change.id} is not there, or the token does not see it, and the Management API "
                "makes none: ask for it in the console. Until then nothing is made in it (AO768)"
            )
