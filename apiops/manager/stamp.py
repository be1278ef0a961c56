"""The name of a Manager's whole state: one statement, through the database's driver alone.

Every changed row of a governed table makes an entry of the audit log, in the same transaction, and
every entry is chained to the one before it. So the last entry's digest names all that a plan is
made from: resources, deployments, secrets, grants, trust, applied revisions. Of a ledger beside
another Manager there are also the calls that a killed run has begun. Whoever owns the database and
takes its walls away is found out by `audit verify`, not here.

SQLAlchemy stays out of it: to import it takes longer than all the rest of a plan with nothing to
do. Whatever is unusual has no stamp, and the caller goes the long way.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

_SQLITE: Final = "sqlite:///"
_POSTGRES: Final = ("postgresql://", "postgresql+psycopg://")
_STATE: Final = """
SELECT
  (SELECT version_num FROM schema_version), lineage, trust,
  (SELECT digest FROM audit_entry ORDER BY seq DESC LIMIT 1),
  (SELECT CAST(count(*) AS TEXT) FROM journal WHERE settled IS NULL)
FROM meta
"""


def stamp(url: str) -> str | None:
    """What the state is called: the same name, the same state. None if it cannot be told."""
    if url.startswith(_SQLITE):
        found = _sqlite(url.removeprefix(_SQLITE))
    elif url.startswith(_POSTGRES):
        found = _postgres("postgresql://" + url.partition("://")[2])
    else:
        return None
    complete = found is not None and all(isinstance(part, str) and part for part in found)
    return "/".join(found) if found is not None and complete else None


def _sqlite(file: str) -> tuple[Any, ...] | None:
    address = f"file:{quote(str(Path(file).absolute()))}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as database:
            database.execute("PRAGMA query_only=ON")
            found: tuple[Any, ...] | None = database.execute(_STATE).fetchone()
    except sqlite3.Error:
        return None
    return found


def _postgres(url: str) -> tuple[Any, ...] | None:
    try:
        import psycopg
    except ModuleNotFoundError:
        return None
    try:
        with psycopg.connect(url, connect_timeout=10, application_name="apiops") as connection:
            connection.read_only = True
            return connection.execute(_STATE).fetchone()
    except psycopg.Error:
        return None
