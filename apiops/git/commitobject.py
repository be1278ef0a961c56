"""The strict reader of commit objects: what is signed and what is read are the same bytes.

libgit2's own commit view follows grafts and shallow marks; this one reads the object alone. The
signed payload is the object without its `gpgsig` header, byte for byte.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_ID: Final = re.compile(rb"[0-9a-f]{40}")
_PERSON: Final = re.compile(rb"(.*) (\d{1,18}) ([+-]\d{4})", re.DOTALL)
_LINKS: Final = re.compile(
    rb"tree [0-9a-f]{40}\n((?:parent [0-9a-f]{40}\n)*)"
    rb"author [^\n]*\ncommitter [^\n]* (\d{1,18}) [+-]\d{4}\n(?! )"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_ONCE: Final = (b"tree", b"author", b"committer", b"encoding")


@dataclass(frozen=True, slots=True)
class CommitObject:
    """A commit as its object says it.

    `signatures` holds the values of its `gpgsig` headers, `foreign` whether there is a signature
    header for another object format, `payload` is what a signature covers, `odd` says what a
    well-made commit would not have (empty: nothing).
    """

    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    seconds: int
    message: str
    signatures: tuple[str, ...]
    foreign: bool
    payload: bytes
    odd: str

    @property
    def at(self) -> datetime:
        """The committer's time, as claimed, in UTC (kept within the years a date can have)."""
        return _EPOCH + timedelta(seconds=min(self.seconds, _LATEST))

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.lstrip().partition("\n")[0].rstrip()


def parse(raw: bytes) -> CommitObject:
    """Take a commit object apart. Raises ValueError when it has no tree, author or committer."""
    head, _, body = raw.partition(b"\n\n")
    headers, payload = _split(head)
    first = dict(reversed(headers))
    missing = [name.decode() for name in _ONCE[:3] if name not in first]
    if missing:
        raise ValueError(f"the commit has no {missing[0]}")
    committer, seconds = _person(first[b"committer"])
    return CommitObject(
        tree=_object_id(first[b"tree"]),
        parents=tuple(_object_id(value) for name, value in headers if name == b"parent"),
        author=_person(first[b"author"])[0],
        committer=committer,
        seconds=seconds,
        message=body.decode(errors="replace"),
        signatures=tuple(_text(value) for name, value in headers if name == b"gpgsig"),
        foreign=any(name == b"gpgsig-sha256" for name, _ in headers),
        payload=payload + raw[len(head) :],
        odd=_odd(raw, headers),
    )


def links(raw: bytes) -> tuple[tuple[str, ...], int]:
    """A commit's parents and time alone, as `parse` finds them: walks read thousands of these.

    Raises ValueError as `parse` does.
    """
    plain = _LINKS.match(raw)
    if plain is None or b"\nparent" in raw[plain.end(1) :].partition(b"\n\n")[0]:
        read = parse(raw)
        return read.parents, read.seconds
    return tuple(plain[1].decode().split()[1::2]), int(plain[2])


def _split(head: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers in order (continuation lines joined), and the head without `gpgsig`."""
    headers: list[tuple[bytes, bytes]] = []
    kept: list[bytes] = []
    for line in head.split(b"\n"):
        if line.startswith(b" ") and headers:
            name, value = headers[-1]
            headers[-1] = (name, value + b"\n" + line[1:])
        else:
            name, _, value = line.partition(b" ")
            headers.append((name, value))
        if headers[-1][0] != b"gpgsig":
            kept.append(line)
    return headers, b"\n".join(kept)


def _odd(raw: bytes, headers: list[tuple[bytes, bytes]]) -> str:
    names = [name for name, _ in headers]
    order = [name for name in names if name in (b"tree", b"parent", b"author", b"committer")]
    if b"\0" in raw:
        return "it contains a zero byte"
    if any(names.count(name) > 1 for name in _ONCE):
        return "a header is there twice"
    if names[: len(order)] != order or order != sorted(order, key=_RANK.__getitem__):
        return "its headers are out of order"
    return ""


_RANK: Final = {b"tree": 0, b"parent": 1, b"author": 2, b"committer": 3}


def _person(value: bytes) -> tuple[str, int]:
    match = _PERSON.fullmatch(value)
    if match is None:
        return _text(value), 0
    return _text(match[1]), int(match[2])


def _object_id(value: bytes) -> str:
    if _ID.fullmatch(value) is None:
        raise ValueError("the commit names an object by something that is no SHA-1 id")
    return value.decode()


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
