"""Leases: one run at a time per name, fenced.

A lease expires unless its holder writes or renews it. Each time it is taken its fence rises above
every fence that was ever given out, so a holder that slept past its lease is told so by its own
number: whatever it still tries to write is refused.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select, update

from apiops.errors import Conflict, ManagerUnavailable
from apiops.manager.tables import lease
from apiops.model import moment

LIFE: Final = timedelta(minutes=5)
"""How long a lease lives after it was taken or last renewed."""

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
    if connection.dialect.name == "postgresql":
        # Two runs must not both see the lease free; SQLite's transaction has the lock already.
        connection.exec_driver_sql("LOCK TABLE lease IN SHARE ROW EXCLUSIVE MODE")
    row = connection.execute(select(lease).where(lease.c.name == name)).first()
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


def _taken(name: str, holder: str, expires: datetime, now: datetime) -> ManagerUnavailable:
    """That another run is at it; a lease that lives longer than `LIFE` comes from another clock."""
    hint = "wait for that run to end; a run that crashed loses its lease by itself"
    ahead = expires - now - LIFE
    if ahead > moment.SLACK:
        hint += f"; but that machine's clock is {moment.against(ahead)}, and one of them is wrong"
    return ManagerUnavailable(
        f"run {holder} holds the lease of {name} until {expires:%H:%M:%S} UTC",
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
