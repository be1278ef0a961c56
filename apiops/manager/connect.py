"""Connections: two engines on one database, one that only reads and one that the store writes with.

The writing engine refuses any statement but a reading one unless the store has opened a unit on
that very connection: an early, typed `UnauditedWrite`. It is a kindness, not the wall; the wall
is the triggers (migrations/sql).
"""

import re
import sqlite3
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from apiops.errors import StoreError, UsageError
from apiops.manager import audit, faults, leases

BUSY: Final = timedelta(seconds=5)
"""How long a writer waits for another before the database counts as locked."""
SILENT: Final = leases.LIFE
"""How long PostgreSQL waits for a writer that says nothing in the middle of a transaction.

What stopped in there would keep all others out for as long as its connection stands.
"""

_READS: Final = re.compile(
    r"\s*(SELECT|PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SHOW|SET)\b", re.IGNORECASE
)
_UNIT: Final = "apiops_unit"
_TICKET: Final = "apiops_ticket"

_AUDIT_TABLES: Final = frozenset({"audit_entry", "audit_capture"})
_TEMPORARY_ACTIONS: Final = frozenset(
    getattr(sqlite3, f"SQLITE_{verb}_TEMP_{what}")
    for verb in ("CREATE", "DROP")
    for what in ("TRIGGER", "VIEW")
)
"""Refused although nobody else sees them: a temporary trigger could swallow the log's entries."""

_SCHEMA_ACTIONS: Final = frozenset(
    getattr(sqlite3, f"SQLITE_{action}")
    for action in (
        "ATTACH", "DETACH", "ALTER_TABLE", "REINDEX", "CREATE_VTABLE", "DROP_VTABLE",
        *(
            f"{verb}_{temporary}{what}"
            for verb in ("CREATE", "DROP")
            for temporary in ("", "TEMP_")
            for what in ("TABLE", "INDEX", "TRIGGER", "VIEW")
        ),
    )
)  # fmt: skip


@dataclass(slots=True)
class Ticket:
    """The audit ticket of one SQLite connection: what its triggers ask for by name."""

    fields: dict[str, str] = field(default_factory=dict)

    def read(self, name: str) -> str | None:
        """A field of the ticket; None while there is no ticket."""
        return self.fields.get(name)


def parse(text: str) -> URL:
    """The database a URL names: `sqlite:///FILE` or `postgresql://…`. Raises UsageError."""
    hint = "write sqlite:////var/lib/apiops/manager.db or postgresql://user@host/database"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise UsageError("the database URL cannot be read", code="AO702", hint=hint) from None
    engine = url.get_backend_name()
    if engine == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if engine == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    raise UsageError(
        f"the Manager cannot use the database {faults.shown(url)}", code="AO702", hint=hint
    )


def writer(url: URL) -> Engine:
    """The engine that the store writes with; nobody else is given it."""
    engine = _engine(url, read_only=False)
    event.listen(engine, "before_cursor_execute", _gate)
    return engine


def reader(url: URL) -> Engine:
    """An engine that cannot write, and whose transactions see one consistent snapshot."""
    return _engine(url, read_only=True)


def owner(url: URL) -> Engine:
    """The engine for migrations: no gate and no authorizer."""
    return _engine(url, read_only=False, schema=True)


def admit(connection: Connection) -> None:
    """Let the store's statements pass the gate on this connection until it is given back."""
    connection.info[_UNIT] = True


def issue(connection: Connection, fields: dict[str, str]) -> None:
    """Give the connection an audit ticket for the rest of its transaction, or another one."""
    if connection.dialect.name == "sqlite":
        connection.info[_TICKET].fields = fields
        return
    connection.exec_driver_sql(
        "SELECT begin_audit(%(at)s, %(actor)s, %(principal)s, %(tier)s, %(reason)s, %(run)s,"
        " %(source)s, %(address)s)",
        fields,
    )


def withdraw(connection: Connection) -> None:
    """Take back what `admit` and `issue` gave; a connection that was lost has nothing of it."""
    if connection.invalidated:
        return
    connection.info.pop(_UNIT, None)
    if connection.dialect.name == "sqlite":
        connection.info[_TICKET].fields = {}


def _gate(
    connection: Connection,
    _cursor: Any,
    statement: str,
    _parameters: Any,
    _context: Any,
    _executemany: bool,
) -> None:
    if not connection.info.get(_UNIT) and not _READS.match(statement):
        raise faults.unaudited("a write outside of the store")


def _engine(url: URL, *, read_only: bool, schema: bool = False) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, read_only=read_only, schema=schema)
    return _postgresql(url, read_only=read_only)


def _postgresql(url: URL, *, read_only: bool) -> Engine:
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
            connect_args={"connect_timeout": 10, "application_name": "apiops"},
        )
    except ModuleNotFoundError:
        raise StoreError(
            "PostgreSQL needs a driver that is not installed",
            code="AO707",
            hint="install apiops with its extra: pip install 'apiops[postgres]'",
        ) from None
    if not read_only:

        @event.listens_for(engine, "connect")
        def _bound(dbapi: Any, _record: Any) -> None:
            silent = f"{SILENT / timedelta(milliseconds=1):.0f}ms"
            setting = ("idle_in_transaction_session_timeout", silent)
            dbapi.execute("SELECT set_config(%s, %s, false)", setting)
            dbapi.commit()

    else:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    return engine


def _sqlite(url: URL, *, read_only: bool, schema: bool) -> Engine:
    path = Path(url.database or "").absolute()
    address = f"{path.as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            address,
            uri=True,
            timeout=BUSY.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine(url, creator=connect, poolclass=QueuePool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: sqlite3.Connection, record: Any) -> None:
        record.info[_TICKET] = ticket = Ticket()
        dbapi.create_function(_TICKET, 1, ticket.read)
        dbapi.create_function("apiops_digest", len(audit.FIELDS), audit.digest, deterministic=True)
        # Kept in the file, so only set in one that is known to be a Manager's.
        kept = () if read_only or schema else ("journal_mode=WAL",)
        for pragma in (
            "foreign_keys=ON",
            "recursive_triggers=ON",
            *kept,
            "synchronous=FULL",
            f"query_only={'ON' if read_only else 'OFF'}",
        ):
            dbapi.execute(f"PRAGMA {pragma}").close()
        # The triggers ask it; the authorizer would refuse what its first use declares.
        dbapi.execute("SELECT * FROM pragma_recursive_triggers").close()
        if not schema:
            dbapi.set_authorizer(_authorize)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _authorize(
    action: int, first: str | None, second: str | None, database: str | None, trigger: str | None
) -> int:
    """Refuse what no running Manager does: schema changes, and hands on the audit log.

    Asked when a statement is prepared, so it can hold fixed rules only (sqlite3_set_authorizer).
    """
    changes = action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
    if action in _SCHEMA_ACTIONS and database != "temp":
        return sqlite3.SQLITE_DENY
    if action in _TEMPORARY_ACTIONS:
        return sqlite3.SQLITE_DENY
    if changes and trigger is None and first in _AUDIT_TABLES:
        return sqlite3.SQLITE_DENY
    if changes and (first or "").startswith("sqlite_"):
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and second is not None and first != "table_info":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK
