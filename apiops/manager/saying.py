"""What somebody says of a target, for the log: judged and recorded in the transaction it is about.

    with saying.allowed(url, store, context, said, needs) as unit:
        saying.record(unit, said)

What they may not say is recorded as denied, in a transaction of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import URL

from apiops.access import decide
from apiops.errors import AccessDenied
from apiops.manager import faults
from apiops.manager.store import Store, Unit
from apiops.model.access import Need
from apiops.model.audit import AuditContext, Statement


@contextmanager
def allowed(
    url: URL, store: Store, context: AuditContext, said: Statement, needs: Sequence[Need]
) -> Iterator[Unit]:
    """A unit for what the context's principal says.

    Raises AccessDenied AO520 unless they hold all of `needs`, or nothing is needed; that, and any
    other denial in the unit, is recorded, and nothing else of the unit stays.
    """
    try:
        with faults.translated(url), store.unit(context) as unit:
            _demand(unit, context.principal, said, needs)
            yield unit
    except AccessDenied as denied:
        note = {**said.note, "code": denied.code}
        with faults.translated(url), store.unit(context) as unit:
            record(unit, replace(said, outcome="denied", note=note))
        raise


def _demand(unit: Unit, principal: str, said: Statement, needs: Sequence[Need]) -> None:
    if not needs or decide.lacking(unit.grants, principal, needs) is not None:
        raise AccessDenied(
            f"{principal} may not {said.action} {said.target}",
            code="AO520",
            hint="let somebody do it who holds every right that it needs",
        )


def record(unit: Unit, said: Statement) -> int:
    """Write the entry; its number."""
    where = said.environment or None
    return unit.event(said.action, said.outcome, said.note, id=said.subject, environment=where)
