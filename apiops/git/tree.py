"""Folders of commits, listed once each: neighbouring commits share nearly all of them.

Tree objects are taken apart here, entry by entry (Git's own format: mode, name, zero byte, id), and
an entry that was met before is the same `File` again.
"""

import re
from dataclasses import dataclass, field
from typing import Final

import pygit2
from pygit2.enums import ObjectType

from apiops.git import faults
from apiops.model.resource import File, FileMode
from apiops.model.sharing import Shared, by_folder

MAX_DEPTH: Final = 64
"""Folders deeper than this are refused."""

MAX_FILES: Final = 250_000
MAX_FOLDERS: Final = 50_000
"""A commit with more is refused: a few small trees that name each other can claim billions."""

MAX_TREE: Final = 32 * 1024 * 1024
"""A larger folder is not read (bytes of its tree object)."""

_ENTRY: Final = re.compile(rb"[0-7]{5,6} [^\0]+\0.{20}", re.DOTALL)
_ID_BYTES: Final = 20

_FOLDER: Final = 0o04
_KINDS: Final = {0o10: FileMode.FILE, 0o12: FileMode.SYMLINK, 0o16: FileMode.SUBMODULE}
"""The upper digits of an entry's mode → what it is."""

_FORBIDDEN: Final = frozenset({"", ".", "..", ".git"})


@dataclass(frozen=True, slots=True)
class _Listing:
    """One folder: its files by their full path, and its folders as (path prefix, tree id)."""

    files: dict[str, File]
    folders: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Trees:
    """Lists trees of one repository and remembers every folder that it has read."""

    repository: pygit2.Repository
    _known: dict[tuple[str, str], _Listing] = field(default_factory=dict)
    _entries: dict[str, dict[bytes, File | tuple[str, str]]] = field(default_factory=dict)

    def files(self, tree: str) -> Shared[str, File]:
        """All files under a tree, folder by folder; two commits share the folders they share.

        Raises SourceError (AO809 unreadable, AO810 too many or too deep, AO811 bad name).
        """
        found: dict[str, dict[str, File]] = {}
        count = 0
        stack = [("", tree)]
        for _ in range(MAX_FOLDERS):
            if not stack:
                return Shared(found, by_folder)
            at = stack.pop()
            listing = self._known.get(at)
            if listing is None:
                listing = self._known[at] = self._read(*at)
            if listing.files:
                found[at[0]] = listing.files
                count += len(listing.files)
            if count > MAX_FILES:
                raise faults.too_large("The commit", f"{MAX_FILES} files")
            if listing.folders:
                stack.extend(reversed(listing.folders))
        raise faults.too_large("The commit", f"{MAX_FOLDERS} folders")

    def _read(self, prefix: str, id: str) -> _Listing:
        if prefix.count("/") > MAX_DEPTH:
            raise faults.too_large("The folder tree", f"{MAX_DEPTH} folders deep")
        raw = self._raw(id)
        entries = _ENTRY.findall(raw)
        if sum(map(len, entries)) != len(raw):
            raise faults.unreadable(id, "it is damaged")
        known = self._entries.setdefault(prefix, {})
        files: dict[str, File] = {}
        folders: dict[str, str] = {}
        for entry in entries:
            found = known.get(entry)
            if found is None:
                found = known[entry] = _entry(prefix, entry, id)
            if isinstance(found, File):
                files[found.path] = found
            else:
                folders[found[0]] = found[1]
        if len(files) + len(folders) != len(entries):
            raise faults.unreadable(id, "it has two entries of one name")
        return _Listing(files, tuple(folders.items()))

    def _raw(self, id: str) -> bytes:
        odb = self.repository.odb
        try:
            oid = pygit2.Oid(hex=id)
            kind, size = odb.read_header(oid)
            if kind == ObjectType.TREE and size <= MAX_TREE:
                return odb.read(oid)[1]
        except (pygit2.GitError, KeyError, ValueError) as fault:
            raise faults.unreadable(id, fault) from fault
        if kind != ObjectType.TREE:
            raise faults.unreadable(id, "it is not a folder")
        raise faults.too_large("The folder", f"{MAX_TREE} bytes")


def _entry(prefix: str, raw: bytes, tree: str) -> File | tuple[str, str]:
    """A file, or a folder as (path prefix, tree id)."""
    mode, _, name = raw[: -_ID_BYTES - 1].partition(b" ")
    id = raw[-_ID_BYTES:]
    path = prefix + _name(name, tree)
    kind = int(mode, 8) >> 12
    if kind == _FOLDER:
        return f"{path}/", id.hex()
    if kind not in _KINDS:
        raise faults.unreadable(tree, f"{path} is neither a file nor a folder")
    return File(path, id.hex(), _KINDS[kind])


def _name(raw: bytes, tree: str) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise faults.unusable_name(f"tree {tree[:12]}", raw.decode(errors="replace")) from None
    if name.lower() in _FORBIDDEN or "/" in name or "\\" in name:
        raise faults.unusable_name(f"tree {tree[:12]}", name)
    return name
