"""The work tree as a snapshot, for `--worktree`: what an author has on disk, not yet committed.

Only for looking while editing: it has no commit, so nothing of it is ever applied.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pygit2

from apiops.git import faults, repository
from apiops.model.resource import File, FileMode
from apiops.model.revision import Revision, Snapshot

WORKTREE: Final = Revision(commit="", ref="worktree", tree="")
"""The revision of every work tree: none."""


def snapshot(path: Path, *, trusted: bool = False) -> Snapshot:
    """The files of the work tree that `path` is in: tracked ones, and others not ignored.

    Symlinks and submodules are named, never followed. Raises SourceError: AO801 to AO803 as
    for `repository.open`, AO811 bad name, AO814 bare repository, AO817 unreadable file.
    """
    git = repository.open_plain(path, trusted=trusted)
    if git.workdir is None:
        raise faults.no_work_tree(git.path)
    root = Path(git.workdir)
    files = {file.path: file for file in _Scan(git, root).files("")}
    places = {file.blob: file.path for file in files.values()}
    return Snapshot(WORKTREE, files, lambda blob: _read(root, places.get(blob), blob))


def changed(path: Path) -> int:
    """How many files of the work tree are not as they are at HEAD; 0 without a work tree.

    Raises SourceError as `repository.open` does.
    """
    git = repository.open_plain(path)
    return 0 if git.is_bare else len(git.status())


@dataclass(frozen=True, slots=True)
class _Scan:
    git: pygit2.Repository
    root: Path

    def files(self, prefix: str) -> Iterator[File]:
        """The files under a folder, sorted by name."""
        for entry in sorted(self._entries(prefix), key=lambda entry: entry.name):
            path = prefix + entry.name
            if not _is_text(entry.name):
                raise faults.unusable_name("the work tree", ascii(entry.name))
            if entry.name == ".git" or self._left_out(path, entry):
                continue
            if entry.is_symlink():
                target = os.fsencode(Path(entry.path).readlink())
                yield File(path, str(pygit2.hash(target)), FileMode.SYMLINK)
            elif entry.is_file(follow_symlinks=False):
                yield File(path, self._blob(path))
            elif entry.is_dir(follow_symlinks=False):
                yield from self._folder(path)

    def _entries(self, prefix: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / prefix) as entries:
                return list(entries)
        except OSError as fault:
            raise faults.unreadable_file(prefix, fault.strerror or "") from fault

    def _folder(self, path: str) -> Iterator[File]:
        if (self.root / path / ".git").exists():
            yield File(path, "0" * 40, FileMode.SUBMODULE)
        else:
            yield from self.files(f"{path}/")

    def _left_out(self, path: str, entry: os.DirEntry[str]) -> bool:
        folder = entry.is_dir(follow_symlinks=False)
        if not self.git.path_is_ignored(f"{path}/" if folder else path):
            return False
        return not (self._tracks_below(path) if folder else path in self.git.index)

    def _tracks_below(self, folder: str) -> bool:
        return any(entry.path.startswith(f"{folder}/") for entry in self.git.index)

    def _blob(self, path: str) -> str:
        try:
            return str(pygit2.hashfile(str(self.root / path)))
        except (OSError, pygit2.GitError, KeyError) as fault:
            raise faults.unreadable_file(path, "permission denied or removed") from fault


def _read(root: Path, path: str | None, blob: str) -> bytes:
    """A file's bytes, provided that they are still those of `blob`."""
    if path is None:
        raise faults.unreadable(blob, "no file of the work tree has this content")
    place = root / path
    try:
        link = place.is_symlink()
        if not link and place.stat().st_size > repository.MAX_BLOB:
            raise faults.too_large(path, f"{repository.MAX_BLOB} bytes")
        content = os.fsencode(place.readlink()) if link else place.read_bytes()
    except OSError as fault:
        raise faults.unreadable_file(path, fault.strerror or "") from fault
    if str(pygit2.hash(content)) != blob:
        raise faults.unreadable_file(path, "it changed while apiops was running")
    return content


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
