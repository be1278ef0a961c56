"""Leases: one run at a time per name, fenced.

A lease expires unless its holder writes or renews it. Each time it is taken its fence rises above
every fence that was ever given out, so a holder that slept past its lease is told so by its own
number: whatever it still tries to write is refused.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from apiops.errors import Conflict, ManagerUnavailable
from apiops.manager.tables import lease
from apiops.model import moment

LIFE: Final = timedelta(minutes=5)
"""How long a lease lives after it was taken or last renewed."""
OWNED: Final = ":"
"""What parts the name of a holder that is no run: whose it is, by which token, and for what."""

_RENEWED: Final = (
    update(lease)
    .where(lease.c.name == bindparam("called"), lease.c.fence == bindparam("with"))
    .where(lease.c.holder != "", lease.c.expires > bindparam("now"))
    .values(expires=bindparam("until"))
)
"""Built once: building a statement costs more than carrying it out."""


def take(connection: Connection, name: str, holder: str, now: datetime) -> int:
    """Take the lease, or renew it if `holder` has it; gives the fence.

    Raises ManagerUnavailable while somebody else holds it.
    """
    row = _found(connection, name)
    if row is not None and row.holder == holder and row.expires > now:
        renew(connection, name, row.fence, now)
        return int(row.fence)
    if row is not None and row.holder and row.expires > now:
        raise _taken(name, row.holder, row.expires, now)
    fence = 1 + connection.execute(select(func.coalesce(func.max(lease.c.fence), 0))).scalar_one()
    values = {"holder": holder, "fence": fence, "expires": now + LIFE}
    if row is None:
        connection.execute(insert(lease).values(name=name, **values))
    else:
        connection.execute(update(lease).where(lease.c.name == name).values(**values))
    return int(fence)


def held(connection: Connection, name: str, fence: int, now: datetime) -> str:
    """Who holds the lease with this fence, until the transaction ends. Raises Conflict AO719."""
    row = _found(connection, name)
    if row is None or row.fence != fence or not row.holder or row.expires <= now:
        raise Conflict(
            f"nobody holds the lease of {name} with the fence {fence}",
            code="AO719",
            hint="it ended, was given back or broken, or another one took over; take it anew",
        )
    return str(row.holder)


def _found(connection: Connection, name: str) -> Row[Any] | None:
    """The lease's row, which nobody else changes until the transaction ends."""
    if connection.dialect.name == "postgresql":
        # Two runs must not both see the lease free; SQLite's transaction has the lock already.
        connection.exec_driver_sql("LOCK TABLE lease IN SHARE ROW EXCLUSIVE MODE")
    return connection.execute(select(lease).where(lease.c.name == name)).first()


def _taken(name: str, holder: str, expires: datetime, now: datetime) -> ManagerUnavailable:
    """That another one is at it; a lease that lives longer than `LIFE` comes from another clock."""
    hint = "wait for it to end; a run that crashed loses its lease by itself"
    who = holder if OWNED in holder else f"run {holder}"
    ahead = expires - now - LIFE
    if ahead > moment.SLACK:
        hint += f"; but that machine's clock is {moment.against(ahead)}, and one of them is wrong"
    return ManagerUnavailable(
        f"{who} holds the lease of {name} until {expires:%H:%M:%S} UTC",
        code="AO718",
        hint=hint,
    )


def renew(connection: Connection, name: str, fence: int, now: datetime) -> None:
    """Hold on for another lifetime. Raises Conflict if the lease was lost."""
    values = {"called": name, "with": fence, "now": now, "until": now + LIFE}
    renewed = connection.execute(_RENEWED, values)
    if renewed.rowcount != 1:
        raise Conflict(
            f"this run no longer holds the lease of {name}",
            code="AO719",
            hint="it took longer than its lease, or another run took over; run it again",
        )


def release(connection: Connection, name: str, fence: int, now: datetime) -> None:
    """Give the lease back, if it is still held."""
    mine = (lease.c.name == name, lease.c.fence == fence)
    connection.execute(update(lease).where(*mine).values(holder="", expires=now))
