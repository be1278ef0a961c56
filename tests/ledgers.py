"""All that a ledger in SQLite holds, but for what time and chance put into it.

before = ledgers.kept(folder)          a copy of its files
...
ledgers.rows(folder)                   table → rows, as text, in order
before.back()                          as if nothing had been done
"""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

FILE = "dev.db"
PASSING = {
    "applied": {"at", "run", "digest", "previous"},
    "audit_entry": {"at", "run", "digest", "previous"},
    "deployment": {"resource"},
    "former_secret": {"resource", "at", "run", "token"},
    "journal": {"id", "run", "began", "ended", "settled"},
    "lease": {"holder", "expires"},
    "resource": {"id"},
    "sealed": {"resource", "token"},
}
"""Columns that no two runs have alike."""

ENTRIES = re.compile(r'"(?:id|run|at|digest|previous|token|resource)":"[^"]*"')
"""The same in what an entry of the audit log says of rows."""


@dataclass(frozen=True)
class Kept:
    """The files of a ledger as they were."""

    folder: Path
    files: dict[str, bytes]

    def back(self) -> None:
        """Put them there again."""
        for file in self.folder.glob(f"{FILE}*"):
            file.unlink()
        for name, content in self.files.items():
            (self.folder / name).write_bytes(content)
            (self.folder / name).chmod(0o600)


def kept(folder: Path) -> Kept:
    """Its files, while nobody has it open."""
    return Kept(folder, {file.name: file.read_bytes() for file in folder.glob(f"{FILE}*")})


def rows(folder: Path) -> dict[str, list[str]]:
    """Every row of every table."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        database.row_factory = sqlite3.Row
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: _rows(database, name) for (name,) in names}


def _rows(database: sqlite3.Connection, table: str) -> list[str]:
    passing = PASSING.get(table, set())
    found = database.execute(f'SELECT * FROM "{table}"').fetchall()
    told = [{k: v for k, v in dict(one).items() if k not in passing} for one in found]
    return sorted(ENTRIES.sub("", str(one)) for one in told)
