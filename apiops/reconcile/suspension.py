"""Suspended targets: somebody said in the Manager that nothing is applied until further notice.

What was said last counts. It is an entry of the log and nothing else: who, when, why, until when.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apiops.access import decide
from apiops.errors import PlanRefused
from apiops.model import moment
from apiops.model.audit import AuditContext, AuditEntry, AuditQuery, Statement
from apiops.model.resource import SETTINGS, SYSTEM, Target
from apiops.ports import Ledger

SUSPENSION: Final = "suspension"
"""The name by which a suspension is overridden."""

_ACTION: Final = "suspend"
_SUSPENDED: Final = "suspended"
_RESUMED: Final = "resumed"


@dataclass(frozen=True, slots=True)
class Suspension:
    """That nothing is applied to a target: by whom, since when, until when (if ever), and why."""

    target: str
    by: str
    since: datetime
    until: datetime | None
    reason: str

    @property
    def message(self) -> str:
        """In words."""
        end = f" until {_written(self.until)}" if self.until else ""
        since = _written(self.since)
        return f"{self.target} is suspended{end} (by {self.by}, {since}): {self.reason}"


def standing(ledger: Ledger, target: Target, at: datetime) -> Suspension | None:
    """The suspension of a target at a moment, if it is suspended.

    What was said of a target of that name for another environment is of another one: the right
    to say it was judged for that environment.
    """
    return next(_standing(ledger, target.environment, at, target.name), None)


def elsewhere(ledger: Ledger, environments: Iterable[str], at: datetime) -> Suspension | None:
    """A suspension of any target of these environments: a plan of another one reaches them too."""
    found = (one for name in environments for one in _standing(ledger, name, at))
    return next(found, None)


def _standing(
    ledger: Ledger, environment: str, at: datetime, target: str | None = None
) -> Iterator[Suspension]:
    """The suspensions of an environment's targets (of one, if given), by what was said last."""
    query = AuditQuery(
        project=SYSTEM,
        kind=SETTINGS,
        name=target,
        environment=environment,
        action=_ACTION,
        limit=0,
    )
    last: dict[str, AuditEntry] = {}
    for entry in ledger.entries(query):
        if entry.resource is not None and entry.outcome in (_SUSPENDED, _RESUMED):
            last.setdefault(entry.resource.name, entry)
    for name, entry in last.items():
        until = _until(entry)
        if entry.outcome == _SUSPENDED and (until is None or until > at):
            yield Suspension(name, entry.principal, entry.at, until, entry.reason.text)


def admit(found: Suspension | None, allow: frozenset[str]) -> tuple[str, ...]:
    """What was overridden to go on: the suspension's name, or nothing. Raises PlanRefused AO617."""
    if found is None:
        return ()
    if SUSPENSION in allow:
        return (SUSPENSION,)
    raise PlanRefused(
        found.message,
        code="AO617",
        hint=f"`apiops resume` ends it; if it cannot wait: --allow {SUSPENSION} (recorded)",
    )


def say(
    ledger: Ledger,
    target: Target,
    context: AuditContext,
    *,
    until: datetime | None = None,
    resumes: bool = False,
) -> int:
    """Suspend a target or resume it, for the context's reason; the entry's number.

    Raises AccessDenied (recorded) for whoever may not change the target's environment.
    """
    note = {} if until is None else {"until": until.isoformat(timespec="seconds")}
    said = Statement(
        action=_ACTION,
        outcome=_RESUMED if resumes else _SUSPENDED,
        target=target.name,
        environment=target.environment,
        note=note,
    )
    return ledger.say(context, said, decide.need_to_hold_off(target.environment))


def _until(entry: AuditEntry) -> datetime | None:
    """When it ends by itself. What cannot be read does not end."""
    until = entry.delta.get("until") if isinstance(entry.delta, dict) else None
    return None if until is None else moment.parse(until)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
