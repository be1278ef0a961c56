"""Folders of commits, listed once each: neighbouring commits share nearly all of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pygit2
from pygit2.enums import FileMode as GitMode

from apiops.git import faults
from apiops.model.resource import File, FileMode

MAX_DEPTH: Final = 64
"""Folders deeper than this are refused."""

MAX_FILES: Final = 250_000
MAX_FOLDERS: Final = 50_000
"""A commit with more is refused: a few small trees that name each other can claim billions."""

_MODES: Final = {GitMode.LINK: FileMode.SYMLINK, GitMode.COMMIT: FileMode.SUBMODULE}
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

    def files(self, tree: str) -> dict[str, File]:
        """All files under a tree: those of a folder first, then its folders in order.

        Raises SourceError (AO809 unreadable, AO810 too many or too deep, AO811 bad name).
        """
        found: dict[str, File] = {}
        for listing in self._walk(tree):
            found.update(listing.files)
            if len(found) > MAX_FILES:
                raise faults.too_large("The commit", f"{MAX_FILES} files")
        return found

    def _walk(self, tree: str) -> Iterator[_Listing]:
        stack = [("", tree)]
        for _ in range(MAX_FOLDERS):
            if not stack:
                return
            prefix, id = stack.pop()
            if prefix.count("/") > MAX_DEPTH:
                raise faults.too_large("The folder tree", f"{MAX_DEPTH} folders deep")
            listing = self._known.get((prefix, id))
            if listing is None:
                listing = self._known[prefix, id] = self._read(prefix, id)
            yield listing
            stack.extend(reversed(listing.folders))
        raise faults.too_large("The commit", f"{MAX_FOLDERS} folders")

    def _read(self, prefix: str, id: str) -> _Listing:
        try:
            tree = self.repository[id]
        except (pygit2.GitError, KeyError, ValueError) as fault:
            raise faults.unreadable(id, fault) from fault
        if not isinstance(tree, pygit2.Tree):
            raise faults.unreadable(id, "it is not a folder")
        files: dict[str, File] = {}
        folders: list[tuple[str, str]] = []
        for entry in tree:
            path = prefix + _name(entry, id)
            if entry.filemode == GitMode.TREE:
                folders.append((f"{path}/", str(entry.id)))
            else:
                mode = _MODES.get(GitMode(entry.filemode), FileMode.FILE)
                files[path] = File(path, str(entry.id), mode)
        return _Listing(files, tuple(folders))


def _name(entry: pygit2.Object, tree: str) -> str:
    raw = entry.raw_name or b""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise faults.unusable_name(f"tree {tree[:12]}", raw.decode(errors="replace")) from None
    if name.lower() in _FORBIDDEN or "/" in name or "\\" in name:
        raise faults.unusable_name(f"tree {tree[:12]}", name)
    return name
