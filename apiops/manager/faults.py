"""The one door at which the database's errors become ours.

Every public way into the Manager runs inside `translated`. Nothing of a statement, its parameters
or the password in a database URL passes through.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from apiops.errors import (
    ApiopsError,
    Conflict,
    ManagerError,
    ManagerUnavailable,
    StoreError,
    UnauditedWrite,
)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What a driver's result codes (SQLite's names, PostgreSQL's SQLSTATE) mean to a user.

    `signs` are beginnings of codes; `{where}` in `says` is the database without its password.
    """

    signs: tuple[str, ...]
    error: type[ManagerError]
    code: str
    says: str
    hint: str


_FAULTS: Final = (
    _Fault(
        ("SQLITE_FULL", "53100"),
        StoreError,
        "AO706",
        "no space is left for the database {where}; the change was taken back, nothing is lost",
        "free some space and run the command again",
    ),
    _Fault(
        ("SQLITE_IOERR",),
        StoreError,
        "AO706",
        "the system did not let us read or write the files of {where}; the change was taken back, "
        "nothing is lost",
        "check free space, quota, file size limit (ulimit -f) and disk; then run it again",
    ),
    _Fault(
        ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "40P01", "57014"),
        ManagerUnavailable,
        "AO704",
        "the database {where} is locked by another process",
        "try again when the other command has ended",
    ),
    _Fault(
        ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH", "42501", "25006"),
        StoreError,
        "AO705",
        "no permission to write to the database {where}",
        "check the owner and mode of the file and its directory, or the role's rights",
    ),
    _Fault(
        ("SQLITE_CANTOPEN",),
        StoreError,
        "AO705",
        "cannot open the database file of {where}",
        "check that it exists and that you may read and write it and its directory; "
        "`apiops manager init` makes a new one",
    ),
    _Fault(
        ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505", "40001"),
        Conflict,
        "AO711",
        "somebody else wrote the same row of {where} first",
        "run the command again: it reads the state anew",
    ),
    _Fault(
        ("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002"),
        StoreError,
        "AO703",
        "the database {where} is damaged, or is not a database",
        "restore it from a backup",
    ),
    _Fault(
        ("3D000", "28"),
        StoreError,
        "AO705",
        "the database server does not let us into {where}",
        "check the role, its password and the database's name",
    ),
)


_AWAY: Final = ("08", "57", "53", "55000")
"""Codes of a server that cannot be reached, shuts down, or takes no more connections."""
_TURNED_AWAY: Final = ("does not exist", "authentication failed", "not permitted", "no pg_hba")
_CONNECTION_FAULTS: Final = ("OperationalError", "ConnectionTimeout", "InterfaceError")


def shown(url: URL) -> str:
    """The database's address as it may be shown: without password and parameters."""
    return url.set(query={}).render_as_string(hide_password=True)


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn what the driver or SQLAlchemy raises into ApiopsError, with a hint."""
    try:
        yield
    except DBAPIError as fault:
        if fault.connection_invalidated:  # whatever its last words were, nothing was committed
            raise _gone(url) from None
        original = fault.orig if isinstance(fault.orig, Exception) else fault
        raise _translation(url, original) from None
    except sqlite3.Error as fault:
        raise _translation(url, fault) from None
    except PoolTimeout:
        raise ManagerUnavailable(
            f"all connections to the database {shown(url)} were in use for too long",
            code="AO704",
            hint="try again when fewer clients are at work",
        ) from None
    except SQLAlchemyError as fault:
        raise StoreError(
            f"the database {shown(url)} cannot be used: {type(fault).__name__}",
            code="AO700",
            hint="check the database URL; `apiops doctor` tries a connection",
        ) from None


@contextmanager
def committing(url: URL) -> Iterator[None]:
    """A commit: when the connection is lost in it, nobody here knows whether it was carried out."""
    try:
        yield
    except DBAPIError as fault:
        if not fault.connection_invalidated:
            raise
        raise ManagerUnavailable(
            f"the connection to the database of {shown(url)} was lost during the commit: whether "
            "the change was stored is not known",
            code="AO734",
            hint="run the command again: it reads the state anew and does what is missing, nothing "
            "twice; `apiops audit list` shows what was stored",
        ) from None


def unaudited(words: str) -> UnauditedWrite:
    """The refusal of a write that carries no audit context."""
    return UnauditedWrite(
        f"the write was refused: {words}",
        code="AO710",
        hint="change resources through apiops: every write needs an audit context",
    )


def already_initialised() -> StoreError:
    """The refusal to make a Manager where there is one."""
    return StoreError(
        "this database holds a Manager already",
        code="AO717",
        hint="nothing was changed; give another database URL to make another Manager",
    )


def _gone(url: URL) -> ManagerUnavailable:
    return ManagerUnavailable(
        f"the database server of {shown(url)} does not answer",
        code="AO701",
        hint="check host and port, and that the server runs and accepts connections",
    )


def _translation(url: URL, fault: Exception) -> ApiopsError:
    words = str(fault).partition("\n")[0]
    code = getattr(fault, "sqlite_errorname", None) or getattr(fault, "sqlstate", None) or ""
    if not code and type(fault).__name__ in _CONNECTION_FAULTS:
        # No connection, so no code from the server; libpq only quotes what it said.
        code = "28" if any(sign in words for sign in _TURNED_AWAY) else "08"
    if code.startswith("AU") or words.startswith(("AU0", "no such function: apiops")):
        return unaudited(words)
    if code == "XX000" and words.startswith("could not extend file"):
        code = "53100"  # beyond a quota or a limit of the system, which has no code of its own
    for known in _FAULTS:
        if code.startswith(known.signs):
            says = known.says.format(where=shown(url))
            return known.error(says, code=known.code, hint=known.hint)
    if code.startswith(_AWAY):
        return _gone(url)
    return StoreError(
        f"the database {shown(url)} refused ({code or type(fault).__name__}: {words})",
        code="AO700",
        hint="`apiops doctor` examines the database; report this if it finds nothing",
    )
