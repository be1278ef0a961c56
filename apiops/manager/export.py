"""The log outside of the database: one JSON line for an entry, CSV for a spreadsheet, and back.

A line has everything about an entry twice: as values that people and other programs read, and
under `stored` the very texts that its digest covers. Reading a line back compares the two, so
that neither can be changed without the other.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import orjson

from apiops.errors import UsageError
from apiops.manager import audit
from apiops.model import canonical, codec
from apiops.model.audit import AuditEntry

MAX_LINE: Final = 64 * 1024 * 1024
"""No entry is longer: a specification's caps are far below."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

COLUMNS: Final = (
    "seq", "at", "actor", "principal", "tier", "action", "kind", "project", "name", "environment",
    "outcome", "text", "commit", "commits", "signer", "pull_request", "delta", "run", "source",
    "address", "login", "previous", "digest",
)  # fmt: skip
"""The header of the CSV."""

_TEXTS: Final = ("before", "after", "note", "reason")
_PLAIN: Final = tuple(name for name in audit.FIELDS if name not in _TEXTS)


def line(row: Sequence[Any]) -> bytes:
    """A stored row as a line of JSON, ended by a line feed."""
    values = dict(zip((*audit.FIELDS, "digest"), row, strict=True))
    return canonical.encode(_shown(values)) + b"\n"


def rows(stream: BinaryIO, name: str) -> Iterator[tuple[Any, ...]]:
    """The rows of an export, as they were stored; without digest where its halves disagree.

    Raises UsageError AO774, with the line, for what is no entry at all.
    """
    number = 0
    while text := stream.readline(MAX_LINE + 1):
        number += 1
        values = _values(text) if len(text) <= MAX_LINE else None
        if values is None:
            raise UsageError(
                f"{name} line {number} is not an audit entry as `apiops audit export` writes it",
                code="AO774",
                hint="give the export itself, as JSON lines, unfiltered and unchanged",
            )
        yield tuple(values[field] for field in (*audit.FIELDS, "digest"))


def table(entries: Iterable[AuditEntry]) -> Iterator[bytes]:
    """Entries as CSV (RFC 4180), header first.

    A text that a spreadsheet would take for a formula gets a quote in front: whoever writes a
    commit writes its subject, and an auditor opens it.
    """
    yield _csv(COLUMNS)
    for entry in entries:
        yield _csv([_cell(value) for value in _cells(entry)])


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    stored = {name: values[name] for name in _TEXTS}
    before, after, note = (_tree(stored[name]) for name in ("before", "after", "note"))
    return {
        **{name: values[name] for name in (*_PLAIN, "digest")},
        "reason": _tree(stored["reason"]),
        "delta": audit.delta(before, after) if stored["note"] is None else note,
        "stored": stored,
    }


def _values(text: bytes) -> dict[str, Any] | None:
    """The stored values behind a line; its digest counts only if both halves say the same."""
    try:
        tree = orjson.loads(text)
        values = {name: tree[name] for name in (*_PLAIN, "digest")} | dict(tree["stored"])
        if _shown(values) != tree:
            values["digest"] = ""
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
        return None
    texts = (value for name, value in values.items() if name != "seq")
    typed = type(values["seq"]) is int and all(isinstance(one, str | None) for one in texts)
    return values if typed else None


def _cells(entry: AuditEntry) -> Iterator[Any]:
    id, reason = entry.resource, entry.reason
    own: dict[str, Any] = codec.dump(entry)
    special = {
        "kind": id and id.kind,
        "project": id and id.project,
        "name": id and id.name,
        "text": reason.text,
        "commit": reason.commit,
        "commits": " ".join(reason.commits),
        "signer": reason.signer,
        "pull_request": reason.pull_request,
        "delta": canonical.encode(entry.delta).decode(),
    }
    for name in COLUMNS:
        yield special[name] if name in special else own[name]


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _csv(cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.DictWriter(out, COLUMNS).writerow(dict(zip(COLUMNS, cells, strict=True)))
    return out.getvalue().encode()


def _tree(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
