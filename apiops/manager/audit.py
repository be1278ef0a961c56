"""The audit log: an entry's canonical bytes, its chain, queries, and the walk that verifies it.

An entry's digest is SHA-256 over `apiops-audit/1`, a line feed, and its fields as netstrings
(byte length, colon, bytes, comma; a missing value is `-,`) in the order of `FIELDS`, the digest
of the entry before it among them. The database computes it (migrations/sql); this module computes
it again. `delta` is not stored: it follows from before and after.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, Text, or_, select, type_coerce

from apiops.manager.tables import SYSTEM_PROJECT, audit_entry
from apiops.model import codec
from apiops.model.audit import AuditEntry, AuditQuery, ChainReport, Reason
from apiops.model.resource import SYSTEM, ResourceId

FIELDS: Final = tuple(column.name for column in audit_entry.columns if column.name != "digest")
"""What the digest covers, in order."""

PAGE: Final = 1000


def digest(*fields: Any) -> str:
    """The digest of an entry from its `FIELDS`, 64 hex digits. SQLite calls this too."""
    body = bytearray(b"apiops-audit/1\n")
    for value in fields:
        if value is None:
            body += b"-,"
        else:
            raw = str(value).encode()
            body += b"%d:%s," % (len(raw), raw)
    return hashlib.sha256(body).hexdigest()


def find(connection: Connection, query: AuditQuery) -> Iterator[AuditEntry]:
    """The entries that a query asks for, newest first, fetched page by page."""
    wanted, below = query.limit, None
    while True:
        size = min(PAGE, wanted) if query.limit else PAGE
        page = _narrowed(query).order_by(audit_entry.c.seq.desc()).limit(size)
        if below is not None:
            page = page.where(audit_entry.c.seq < below)
        rows = connection.execute(page).all()
        yield from map(_entry, rows)
        wanted -= len(rows)
        if len(rows) < size or (query.limit and wanted <= 0):
            return
        below = rows[-1].seq


def get(connection: Connection, seq: int) -> AuditEntry | None:
    """The entry of that number, if there is one."""
    row = connection.execute(select(audit_entry).where(audit_entry.c.seq == seq)).first()
    return None if row is None else _entry(row)


def verify(connection: Connection) -> ChainReport:
    """Walk the whole chain, oldest first, and name the first entry that is not as it was written.

    A tail that was cut off cannot be seen from the log alone: compare `head` with one kept
    elsewhere.
    """
    count, head = 0, ""
    # Every column as the text that is stored: what cannot be read as a time is found, not fatal.
    columns = [type_coerce(audit_entry.c[name], Text).label(name) for name in FIELDS[1:]]
    seq = audit_entry.c.seq
    statement = select(seq, *columns, audit_entry.c.digest).order_by(seq)
    while True:
        rows = connection.execute(statement.where(seq > count).limit(PAGE)).all()
        for row in rows:
            problem = _problem(row, count + 1, head)
            if problem:
                return ChainReport(count, head, first_bad=count + 1, problem=problem)
            count, head = row.seq, row.digest
        if len(rows) < PAGE:
            return ChainReport(count, head)


def _problem(row: Row[Any], expected: int, head: str) -> str:
    if row.seq != expected:
        return f"entry {expected} is missing"
    if row.previous != head:
        return f"entry {expected} does not follow the entry before it"
    if digest(*row[:-1]) != row.digest:
        return f"entry {expected} was altered"
    return ""


def _narrowed(query: AuditQuery) -> Select[Any]:
    entry = audit_entry.c
    equal = {
        entry.principal: query.principal,
        entry.environment: query.environment,
        entry.kind: query.kind,
        entry.name: query.name,
        entry.run: query.run,
        entry.action: query.action,
        entry.project: SYSTEM_PROJECT if query.project == SYSTEM else query.project,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if query.commit is not None:
        conditions.append(_charges(query.commit))
    if query.since is not None:
        conditions.append(entry.at >= query.since)
    if query.until is not None:
        conditions.append(entry.at < query.until)
    return select(audit_entry).where(*conditions)


def _charges(commit: str) -> ColumnElement[bool]:
    """Whether a reason names a commit that begins so. Inside its text a quote is escaped."""
    reason = audit_entry.c.reason
    return or_(
        *(
            reason.contains(f'{before}"{commit}', autoescape=True)
            for before in ('"commit":', "[", ",")
        )
    )


def _entry(row: Row[Any]) -> AuditEntry:
    before, after = _tree(row.before), _tree(row.after)
    return AuditEntry(
        seq=row.seq,
        at=row.at,
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
