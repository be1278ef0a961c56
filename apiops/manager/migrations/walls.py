"""Carries out the SQL files that build the audit walls, one file per version and engine."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from apiops.errors import StoreError


def build(connection: Connection, version: str) -> None:
    """Create the triggers and functions of `version` for the connection's engine."""
    engine = connection.dialect.name
    script = Path(__file__).parent / "sql" / f"{version}_{engine}.sql"
    text = script.read_text(encoding="utf-8")
    if engine == "sqlite":
        for statement in _statements(text):
            connection.exec_driver_sql(statement)
        return
    cursor = connection.connection.cursor()
    try:
        cursor.execute(text)  # the whole script at once, without parameters
    finally:
        cursor.close()


def never_back() -> None:
    """Alembic's way to an older version: there is none, since the log would be cut."""
    raise StoreError(
        "an audit log is never taken back to an older version",
        code="AO700",
        hint="restore the backup that was made before `apiops manager migrate`",
    )


def _statements(script: str) -> Iterator[str]:
    """SQLite carries out one statement at a time; a trigger's body holds semicolons."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
