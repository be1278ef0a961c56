"""`apiops undo`: a person puts back what a run changed, from what the Manager kept of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from apiops.errors import PlanRefused, UsageError
from apiops.model.outcome import RunReport
from apiops.model.view import PastRuns, PlanView
from apiops.ports import Observer
from apiops.reconcile import undo
from apiops.reconcile.line import Line
from apiops.wiring import assemble, handwork

if TYPE_CHECKING:
    from apiops.manager.embedded import EmbeddedManager

_LISTED = 20
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Undo:
    """What the command asks for: the run, by whom, why, and which guards are overridden."""

    run: str
    principal: str
    sign_key: Path | None
    reason: str
    allow: frozenset[str] = frozenset()


def runs(wiring: assemble.Wiring, observer: Observer) -> PastRuns:
    """The target's last runs that changed anything."""
    with _line(wiring, observer) as line:
        return PastRuns(wiring.target.name, undo.runs(line, _LISTED))


@contextmanager
def opened(wiring: assemble.Wiring, observer: Observer, wish: Undo) -> Iterator["Way"]:
    """The way back, once the person is who they say.

    Raises UsageError for a vendor's Manager, or if nobody or no reason is named; AccessDenied for
    another's key.
    """
    proof = handwork.demand_name(wish.principal, wish.sign_key)
    handwork.demand_reason("a change by hand", wish.reason)
    with _line(wiring, observer) as line:
        handwork.prove(line.manager.read("", "", ()).grants, wish.principal, proof)
        yield Way(line, wish)


@dataclass(frozen=True, slots=True)
class Way:
    """The way back from one run."""

    line: Line
    wish: Undo

    def plan(self) -> PlanView:
        """What would be written. Raises PlanRefused, AO629 for what is no longer kept."""
        undoing = undo.prepare(self.line, self.wish.run, self.wish.allow, self._manager.files)
        self._demand_secrets(undo.secrets(undoing))
        note = (
            f"Back to {undoing.plan.head.ref}: what it and later runs changed becomes what it was."
        )
        return PlanView(undoing.plan, notes=(note,), command=f"undo {self.wish.run} …")

    def carry_out(self, digest: str) -> RunReport:
        """Write it, if it is still the plan with that digest."""
        by = handwork.console(self.wish.principal, self.wish.reason)
        context = replace(by, run=self.line.run)
        wish, files = self.wish, self._manager.files
        return undo.carry_out(self.line, wish.run, context, wish.allow, digest, files)

    @property
    def _manager(self) -> "EmbeddedManager":
        from apiops.manager.embedded import EmbeddedManager

        manager = self.line.ledger
        assert isinstance(manager, EmbeddedManager), "anything else was refused"
        return manager

    def _demand_secrets(self, wanted: dict[str, str]) -> None:
        kept = self._manager.former(wanted)
        gone = sorted(where for print_, where in wanted.items() if print_ not in kept)
        if gone:
            more = f" (and {len(gone) - _NAMED} more)" if len(gone) > _NAMED else ""
            raise PlanRefused(
                f"the Manager no longer keeps what stood at {', '.join(gone[:_NAMED])}{more}",
                code="AO629",
                hint="go back with a commit: apiops rollback --to REVISION; or undo a later run",
            )


@contextmanager
def _line(wiring: assemble.Wiring, observer: Observer) -> Iterator[Line]:
    if wiring.target.ledger:
        raise UsageError(
            f"the Manager of {wiring.target.name} is a vendor's, which keeps nothing to put back",
            code="AO748",
            hint="go back with a commit: apiops rollback --to REVISION",
        )
    with assemble.line(wiring, observer) as line:
        yield line
