"""Packs: the objects of a commit range as one piece of bytes, to carry it to a Manager.

libgit2 writes them; it has no way to read one from bytes that pygit2 offers, so they are read
here, strictly and with caps on everything: the number of objects, the size of each, the size of
all, all known before anything is inflated. An object is named by its own content when it is
stored, so a pack can claim nothing.
"""

import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pygit2
from pygit2.enums import ObjectType, SortMode

from apiops.errors import SourceError

MAX_PACK: Final = 64 * 1024 * 1024
"""Longer packs are refused (bytes)."""
MAX_OBJECTS: Final = 500_000
MAX_OBJECT: Final = 16 * 1024 * 1024
"""Larger objects are refused, inflated (bytes)."""
MAX_TOTAL: Final = 1024 * 1024 * 1024
"""More than that is refused, all objects inflated (bytes)."""

_TYPES: Final = {1: ObjectType.COMMIT, 2: ObjectType.TREE, 3: ObjectType.BLOB}
_OFS_DELTA: Final = 6
_REF_DELTA: Final = 7
_HEADER: Final = 12
_ID: Final = 20
_MAX_BITS: Final = 56


def write(
    repository: pygit2.Repository, tips: Iterable[str], have: Iterable[str], most: int = MAX_PACK
) -> bytes:
    """A pack of everything that the history of `tips` has and that of `have` has not.

    Of `have` only what is in this repository counts. Raises SourceError AO820 when it would be
    larger than `most` bytes, which are what a Manager takes.
    """
    known = [id for id in have if pygit2.Oid(hex=id) in repository.odb]
    seen: set[pygit2.Oid] = set()
    for id in known:
        _mark(repository, repository[id].peel(pygit2.Tree).id, seen)

    def fill(builder: pygit2.PackBuilder) -> None:
        for commit in _range(repository, tips, known):
            builder.add(commit.id)
            for id in _mark(repository, commit.tree_id, seen):
                builder.add(id)

    with tempfile.TemporaryDirectory(prefix="apiops-pack-") as folder:
        repository.pack(folder, pack_delegate=fill, n_threads=1)
        (file,) = Path(folder).glob("*.pack")
        if file.stat().st_size > most:
            raise _refused(
                f"the commits make a pack of more than {most} bytes",
                "submit the history in steps: give --ref an older commit first",
            )
        return file.read_bytes()


def _range(
    repository: pygit2.Repository, tips: Iterable[str], known: Iterable[str]
) -> Iterator[pygit2.Commit]:
    walker = repository.walk(None, SortMode.TOPOLOGICAL)
    for id in tips:
        walker.push(pygit2.Oid(hex=id))
    for id in known:
        walker.hide(pygit2.Oid(hex=id))
    yield from walker


def _mark(
    repository: pygit2.Repository, tree: pygit2.Oid, seen: set[pygit2.Oid]
) -> list[pygit2.Oid]:
    """The folders and files below a folder, it included, that were not seen before."""
    found, pending = [], [tree]
    while pending:
        id = pending.pop()
        if id in seen:
            continue
        seen.add(id)
        found.append(id)
        for entry in repository[id].peel(pygit2.Tree):
            if entry.type == ObjectType.TREE:
                pending.append(entry.id)
            elif entry.type == ObjectType.BLOB and entry.id not in seen:
                seen.add(entry.id)
                found.append(entry.id)
    return found


def read(repository: pygit2.Repository, content: bytes, most: int = MAX_PACK) -> int:
    """Store the objects of a pack of at most so many bytes; gives how many there were.

    Raises SourceError AO821 for anything that is not a whole, sound pack within the caps.
    """
    try:
        return _Reader(repository, content, most).run()
    except (ValueError, IndexError, KeyError, zlib.error, pygit2.GitError) as fault:
        raise _refused(f"the pack cannot be read: {fault}", "submit again", "AO821") from None


class _Reader:
    """The state of reading one pack: where we are, and what was stored from which offset."""

    def __init__(self, repository: pygit2.Repository, content: bytes, most: int) -> None:
        if len(content) > most:
            raise ValueError(f"more than {most} bytes")
        if len(content) < _HEADER + _ID or content[:8] != b"PACK\0\0\0\2":
            raise ValueError("it does not begin as a pack of version 2")
        if hashlib.sha1(content[:-_ID], usedforsecurity=False).digest() != content[-_ID:]:
            raise ValueError("it was cut off or altered on the way")
        self._odb = repository.odb
        self._content = memoryview(content)
        self._end = len(content) - _ID
        self._at = _HEADER
        self._count = int.from_bytes(content[8:_HEADER], "big")
        self._stored: dict[int, pygit2.Oid] = {}
        self._total = 0

    def run(self) -> int:
        if self._count > MAX_OBJECTS:
            raise ValueError(f"more than {MAX_OBJECTS} objects")
        for _ in range(self._count):
            start = self._at
            kind, content = self._object(start)
            self._stored[start] = self._odb.write(kind, content)
        if self._at != self._end:
            raise ValueError("something follows the last object")
        return self._count

    def _object(self, start: int) -> tuple[ObjectType, bytes]:
        first = self._byte()
        size, shift = first & 15, 4
        while first & 128:
            first = self._byte()
            size |= (first & 127) << shift
            shift += 7
            self._narrow(shift)
        number = (self._content[start] >> 4) & 7
        if number in _TYPES:
            return _TYPES[number], self._inflated(size)
        if number == _OFS_DELTA:
            base = self._stored[start - self._distance()]
        elif number == _REF_DELTA:
            base = pygit2.Oid(raw=self._taken(_ID))
        else:
            raise ValueError(f"an object of type {number}")
        return self._undeltaed(base, self._inflated(size))

    def _undeltaed(self, base: pygit2.Oid, delta: bytes) -> tuple[ObjectType, bytes]:
        kind, size = self._odb.read_header(base)
        self._allow(size)
        source = self._odb.read(base)[1]
        at, told = _varint(delta, 0)
        at, becomes = _varint(delta, at)
        self._allow(becomes)
        if told != len(source) or ObjectType(kind) not in _TYPES.values():
            raise ValueError("a delta fits its base badly")
        return ObjectType(kind), _patched(source, delta, at, becomes)

    def _inflated(self, size: int) -> bytes:
        self._allow(size)
        inflater = zlib.decompressobj()
        content = inflater.decompress(self._content[self._at : self._end], size + 1)
        if not inflater.eof:  # a stream that ends exactly at `size` may have its trailer left
            content += inflater.decompress(inflater.unconsumed_tail, 1)
        if len(content) != size or not inflater.eof:
            raise ValueError("an object is not as long as it says")
        self._at = self._end - len(inflater.unused_data)
        return content

    def _allow(self, size: int) -> None:
        self._total += size
        if size > MAX_OBJECT or self._total > MAX_TOTAL:
            raise ValueError(f"more than {MAX_OBJECT} bytes in one object or {MAX_TOTAL} in all")

    def _distance(self) -> int:
        byte = self._byte()
        distance, steps = byte & 127, 0
        while byte & 128:
            byte = self._byte()
            distance = ((distance + 1) << 7) | (byte & 127)
            steps += 7
            self._narrow(steps)
        return distance

    def _byte(self) -> int:
        return self._taken(1)[0]

    def _taken(self, length: int) -> bytes:
        if self._at + length > self._end:
            raise ValueError("it ends inside of an object")
        self._at += length
        return bytes(self._content[self._at - length : self._at])

    @staticmethod
    def _narrow(bits: int) -> None:
        if bits > _MAX_BITS:
            raise ValueError("a number is too long")


def _varint(delta: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift <= _MAX_BITS:
        byte = delta[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return at, value
    raise ValueError("a number is too long")


def _patched(source: bytes, delta: bytes, at: int, size: int) -> bytes:
    """What the instructions of a delta make of its base: copies from it, and new bytes."""
    made = bytearray()
    while at < len(delta):
        operation = delta[at]
        at += 1
        if operation & 128:
            at, start, length = _copy(delta, at, operation)
            if start + length > len(source):
                raise ValueError("a delta copies from beyond its base")
            made += source[start : start + length]
        elif operation and at + operation <= len(delta):
            made += delta[at : at + operation]
            at += operation
        else:
            raise ValueError("a delta has an instruction that means nothing")
        if len(made) > size:
            break
    if len(made) != size:
        raise ValueError("a delta is not as long as it says")
    return bytes(made)


def _copy(delta: bytes, at: int, operation: int) -> tuple[int, int, int]:
    fields = []
    for bits in ((1, 2, 4, 8), (16, 32, 64)):
        value = 0
        for place, bit in enumerate(bits):
            if operation & bit:
                value |= delta[at] << (8 * place)
                at += 1
        fields.append(value)
    return at, fields[0], fields[1] or 0x10000


def _refused(message: str, hint: str, code: str = "AO820") -> SourceError:
    return SourceError(message, code=code, hint=hint)
