"""The audit log: an entry's canonical bytes and its digest, and queries.

An entry's digest is SHA-256 over `apiops-audit/1`, a line feed, and its fields as netstrings
(byte length, colon, bytes, comma; a missing value is `-,`) in the order of `FIELDS`, the digest
of the entry before it among them. The database computes it (migrations/sql); this module computes
it again. `delta` is not stored: it follows from before and after.
"""

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, Text, or_, select, type_coerce

from apiops.manager.tables import SYSTEM_PROJECT, audit_entry, moment
from apiops.model import codec
from apiops.model.audit import AuditEntry, AuditQuery, Reason
from apiops.model.resource import SYSTEM, ResourceId

FIELDS: Final = tuple(str(column.name) for column in audit_entry.columns if column.name != "digest")
"""What the digest covers, in order."""

HEADER: Final = b"apiops-audit/1\n"

PAGE: Final = 1000

OPEN: Final = "open"
"""What the log calls the reading of a secret."""

FETCH: Final = "fetch"
"""What the log calls a worker's fetching of its environment's configuration."""


def canonical(*fields: Any) -> bytes:
    """The bytes of an entry from its `FIELDS`: no two entries have the same."""
    body = bytearray(HEADER)
    for value in fields:
        if value is None:
            body += b"-,"
        else:
            raw = str(value).encode()
            body += b"%d:%s," % (len(raw), raw)
    return bytes(body)


def digest(*fields: Any) -> str:
    """The digest of an entry from its `FIELDS`, 64 hex digits. SQLite calls this too."""
    return hashlib.sha256(canonical(*fields)).hexdigest()


def fields(body: bytes) -> tuple[str | None, ...] | None:
    """The `FIELDS` that canonical bytes were made from; None for any other bytes."""
    found: list[str | None] = []
    at = len(HEADER)
    while at < len(body):
        if body.startswith(b"-,", at):
            found.append(None)
            at += 2
            continue
        colon = body.find(b":", at)
        length = body[at:colon] if colon > 0 else b""
        if not length.isdigit() or len(length) > len(str(len(body))):
            return None
        end = colon + 1 + int(length)
        found.append(body[colon + 1 : end].decode(errors="replace"))
        at = end + 1
    return tuple(found) if body == canonical(*found) and len(found) == len(FIELDS) else None


def find(
    connection: Connection, query: AuditQuery, projects: Collection[str | None] | None = None
) -> Iterator[AuditEntry]:
    """The entries that a query asks for, newest first, fetched page by page.

    With `projects` (None among them: the System tier) those alone whose resource is in one of
    them, and those that are about no resource.
    """
    wanted, below = query.limit, None
    while True:
        size = min(PAGE, wanted) if query.limit else PAGE
        page = _narrowed(query, projects).order_by(audit_entry.c.seq.desc()).limit(size)
        if below is not None:
            page = page.where(audit_entry.c.seq < below)
        rows = connection.execute(page).all()
        yield from map(read, rows)
        wanted -= len(rows)
        if len(rows) < size or (query.limit and wanted <= 0):
            return
        below = rows[-1].seq


def get(connection: Connection, seq: int) -> AuditEntry | None:
    """The entry of that number, if there is one."""
    row = connection.execute(select(audit_entry).where(audit_entry.c.seq == seq)).first()
    return None if row is None else read(row)


def stored(
    connection: Connection, query: AuditQuery | None = None, *, after: int = 0
) -> Iterator[Row[Any]]:
    """The rows that a query asks for, oldest first: `FIELDS` and digest as the stored text.

    What cannot be read as a time is given out all the same, so that it is found and not fatal.
    """
    columns = [type_coerce(audit_entry.c[name], Text).label(name) for name in FIELDS[1:]]
    seq = audit_entry.c.seq
    conditions = [] if query is None else _conditions(query)
    statement = select(seq, *columns, audit_entry.c.digest).where(*conditions).order_by(seq)
    while True:
        rows = connection.execute(statement.where(seq > after).limit(PAGE)).all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].seq


def read(row: Any) -> AuditEntry:
    """A stored row, or anything else that has `FIELDS` and digest by name, as an entry."""
    at = row.at if isinstance(row.at, datetime) else moment(row.at)
    before, after = _tree(row.before), _tree(row.after)
    return AuditEntry(
        seq=row.seq,
        at=at,
        actor=row.actor,
        principal=row.principal,
        tier=row.tier,
        action=row.action,
        resource=None if row.kind is None else ResourceId(row.kind, row.project or None, row.name),
        environment=row.environment,
        before=before,
        after=after,
        delta=delta(before, after) if row.note is None else _tree(row.note),
        reason=codec.load(Reason, _tree(row.reason)),
        run=row.run,
        source=row.source,
        previous=row.previous,
        digest=row.digest,
        outcome=row.outcome,
        address=row.address,
        login=row.login,
    )


def _narrowed(query: AuditQuery, projects: Collection[str | None] | None) -> Select[Any]:
    entry = audit_entry.c
    chosen = select(audit_entry).where(*_conditions(query))
    if projects is None:
        return chosen
    places = {SYSTEM_PROJECT if one is None else one for one in projects}
    return chosen.where(or_(entry.project.is_(None), entry.project.in_(places)))


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    entry = audit_entry.c
    equal = {
        entry.principal: query.principal,
        entry.environment: query.environment,
        entry.kind: query.kind,
        entry.name: query.name,
        entry.run: query.run,
        entry.action: query.action,
        entry.outcome: query.outcome,
        entry.project: SYSTEM_PROJECT if query.project == SYSTEM else query.project,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if query.commit is not None:
        conditions.append(_charges(query.commit))
    if query.since is not None:
        conditions.append(entry.at >= query.since)
    if query.until is not None:
        conditions.append(entry.at < query.until)
    if query.before is not None:
        conditions.append(entry.seq < query.before)
    return conditions


def _charges(commit: str) -> ColumnElement[bool]:
    """Whether a reason names a commit that begins so. Inside its text a quote is escaped."""
    reason = audit_entry.c.reason
    return or_(
        *(
            reason.contains(f'{before}"{commit}', autoescape=True)
            for before in ('"commit":', "[", ",")
        )
    )


def _tree(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def delta(before: Any, after: Any) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) that makes `after` of `before`; lists are replaced whole."""
    return list(_patch(before, after, ""))


def _patch(before: Any, after: Any, path: str) -> Iterator[dict[str, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            here = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in after:
                yield {"op": "remove", "path": here}
            elif key not in before:
                yield {"op": "add", "path": here, "value": after[key]}
            else:
                yield from _patch(before[key], after[key], here)
    elif before != after or type(before) is not type(after):
        yield {"op": "replace", "path": path, "value": after}
