"""What is known of the state at one moment of the log, kept while the log tells of no change to it.

Every unit and every judged reading asks who may do what, which keys there are and which
environments; they change seldom. Every change of them makes an entry (migrations/sql), in its own
transaction, and every entry is chained to the one before it: as long as the log holds the entry
that was last seen, digest and all, what came after it says whether anything is to be read again.
The question is asked inside of the asker's own transaction, so the answer is of its moment.

Whoever owns the database and writes past its triggers is not noticed here but by `audit verify`.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from apiops.access import grants
from apiops.manager import state
from apiops.manager.keyring import KeyVersion
from apiops.manager.tables import audit_entry
from apiops.model.access import Grants

_Entry = Row[*tuple[Any, ...]]

_FAR: Final = 500
"""Entries: behind by more than these, all is read again."""

_KINDS: Final = grants.GIVES_RIGHTS | {"Environment"}
_ENTRY: Final = audit_entry.c
_SINCE: Final = (
    select(_ENTRY.seq, _ENTRY.action, _ENTRY.kind, _ENTRY.digest)
    .where(_ENTRY.seq >= bindparam("seen"))
    .order_by(_ENTRY.seq)
    .limit(_FAR)
)
_LAST: Final = select(_ENTRY.seq, _ENTRY.digest).order_by(_ENTRY.seq.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Known:
    """The permission snapshot, the wrapped keys and the names of environments, as they are when
    `seq` is the log's last entry and `digest` that entry's; 0 and nothing of an empty log.
    """

    seq: int
    digest: str
    grants: Grants
    keys: tuple[KeyVersion, ...]
    environments: tuple[str, ...]


class Knowledge:
    """Remembers the newest `Known` of one Manager. Threads may share it: each finds a whole one."""

    def __init__(self) -> None:
        self._newest: Known | None = None

    def at(self, connection: Connection) -> Known:
        """What is true in this transaction, which must have written nothing so far."""
        known = self._newest
        last = None if known is None else _unchanged(connection, known)
        if known is None or last is None:
            found = _read(connection)
        elif last.seq == known.seq:
            return known
        else:
            found = replace(known, seq=last.seq, digest=last.digest)
        self._newest = found
        return found


def _unchanged(connection: Connection, known: Known) -> _Entry | None:
    """The log's last entry, if nothing after the one that was seen changes what is known."""
    rows = connection.execute(_SINCE, {"seen": known.seq}).all()
    same = bool(rows) and (rows[0].seq, rows[0].digest) == (known.seq, known.digest)
    if not same or len(rows) == _FAR or any(map(_matters, rows[1:])):
        return None
    return rows[-1]


def _matters(entry: _Entry) -> bool:
    return entry.kind in _KINDS or entry.action.startswith("key-")


def _read(connection: Connection) -> Known:
    last = connection.execute(_LAST).first()
    return Known(
        seq=0 if last is None else last.seq,
        digest="" if last is None else last.digest,
        grants=state.permissions(connection),
        keys=state.keys(connection),
        environments=state.names_of(connection, "Environment"),
    )
