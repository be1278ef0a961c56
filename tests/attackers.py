"""What somebody can do who owns the database: take the walls away, rewrite the log, chain it anew.

An attacker works on the log as a list of rows and writes it back. `rechained` makes every digest
right again, as one would who has read our documentation.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apiops.manager import audit, connect
from tests import postgres
from tests.managers import House

Rows = list[dict[str, Any]]
COLUMNS = (*audit.FIELDS, "digest")


def owner(house: House) -> Any:
    """A connection on which no trigger fires any more."""
    if house.url.startswith("sqlite"):
        found = sqlite3.connect(Path(house.url.removeprefix("sqlite:///")), isolation_level=None)
        names = found.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            found.execute(f"DROP TRIGGER {name}")
        return found
    found = postgres.connect(connect.parse(house.url))
    found.execute("SET session_replication_role = replica")
    return found


def rewrite(house: House, change: Callable[[Rows], Rows], *, chain: bool) -> None:
    """Replace the log by what `change` makes of it, with good digests if `chain`."""
    connection = owner(house)
    columns = ", ".join(COLUMNS)
    found = connection.execute(f"SELECT {columns} FROM audit_entry ORDER BY seq").fetchall()
    rows = change([dict(zip(COLUMNS, row, strict=True)) for row in found])
    if chain:
        rows = rechained(rows)
    mark = "?" if house.url.startswith("sqlite") else "%s"
    connection.execute("DELETE FROM audit_entry")
    marks = ", ".join([mark] * len(COLUMNS))
    for row in rows:
        values = tuple(row[name] for name in COLUMNS)
        connection.execute(f"INSERT INTO audit_entry ({columns}) VALUES ({marks})", values)
    connection.close()


def rechained(rows: Rows) -> Rows:
    """The rows with numbers and digests as an honest log would have them."""
    previous = ""
    for number, row in enumerate(rows, 1):
        row["seq"], row["previous"] = number, previous
        row["digest"] = previous = audit.digest(*(row[name] for name in audit.FIELDS))
    return rows


def altered(rows: Rows) -> Rows:
    rows[2]["principal"] = "nobody"
    return rows


def deleted(rows: Rows) -> Rows:
    return rows[:2] + rows[3:]


def inserted(rows: Rows) -> Rows:
    return renumbered([*rows[:2], dict(rows[1]), *rows[2:]])


def reordered(rows: Rows) -> Rows:
    return renumbered([*rows[:2], rows[3], rows[2], *rows[4:]])


def renumbered(rows: Rows) -> Rows:
    for number, row in enumerate(rows, 1):
        row["seq"] = number
    return rows


def cut(rows: Rows) -> Rows:
    return rows[:-2]


def emptied(rows: Rows) -> Rows:
    return []
