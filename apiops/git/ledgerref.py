"""A file in a ref of its own: the ledger of a Manager, for runners that have no database.

Each state is a commit on top of the one that was read, with one file in it. A push that is no
fast-forward is refused by Git itself, here or on the remote: that is the compare-and-set. Nobody
checks such a ref out, and a clone does not fetch it unless it is asked to.
"""

from pathlib import Path
from typing import Final

import pygit2
from pygit2.enums import FileMode

from apiops.errors import Conflict, SourceError
from apiops.git import faults, remote
from apiops.git.repository import MAX_BLOB, open_plain

FILE: Final = "ledger.db"
MAX_LEDGER: Final = 16 * MAX_BLOB
_WHO: Final = ("apiops", "apiops@localhost")
_GIT_FAULTS: Final = (pygit2.GitError, KeyError, ValueError, OSError)


def open(path: Path, ref: str, *, name: str = "") -> "LedgerRef":
    """The ref in the repository at `path`, as the remote `name` has it (empty: as it is here).

    Raises SourceError, SourceUnavailable.
    """
    found = LedgerRef(open_plain(path), ref, name)
    found.refresh()
    return found


class LedgerRef:
    """One ref, and the commit that was read of it."""

    def __init__(self, repository: pygit2.Repository, ref: str, name: str) -> None:
        self._repository = repository
        self._ref = ref
        self._name = name
        self._base: pygit2.Oid | None = None

    def refresh(self) -> None:
        """Read where the ref is now."""
        if self._name and self._on_remote():
            remote.fetch(self._repository, self._name, (self._ref,))
        found = self._repository.references.get(self._ref)
        self._base = None if found is None else found.peel(pygit2.Commit).id

    def content(self) -> bytes | None:
        """What the file holds; None while there is no such ref."""
        if self._base is None:
            return None
        try:
            blob = self._repository[self._base].peel(pygit2.Tree)[FILE]
        except _GIT_FAULTS as fault:
            raise faults.unreadable(str(self._base), fault) from None
        if not isinstance(blob, pygit2.Blob) or blob.size > MAX_LEDGER:
            raise faults.unreadable(str(self._base), "it is no ledger")
        return blob.data

    def keep(self, content: bytes, message: str) -> None:
        """Commit the content and push it. Raises Conflict AO759 if the ref has moved meanwhile."""
        new = self._commit(content, message)
        if self._name:
            self._push(new)
        self._move(new)
        self._base = new

    def _commit(self, content: bytes, message: str) -> pygit2.Oid:
        try:
            tree = self._repository.TreeBuilder()
            tree.insert(FILE, self._repository.create_blob(content), FileMode.BLOB)
            who = pygit2.Signature(*_WHO)
            parents = [] if self._base is None else [self._base]
            return self._repository.create_commit(None, who, who, message, tree.write(), parents)
        except _GIT_FAULTS as fault:
            raise faults.not_writable(str(fault)) from None

    def _move(self, new: pygit2.Oid) -> None:
        found = self._repository.references.get(self._ref)
        here = None if found is None else found.peel(pygit2.Commit).id
        if here not in (self._base, new):
            raise _moved(self._ref)
        try:
            if found is None:
                self._repository.references.create(self._ref, new)
            elif here != new:
                found.set_target(new)
        except _GIT_FAULTS:
            raise _moved(self._ref) from None

    def _push(self, new: pygit2.Oid) -> None:
        """By a name of its own, for libgit2 pushes names; the remote takes fast-forwards alone."""
        staged = f"{self._ref}.next"
        refusals = _Refusals()
        try:
            self._repository.references.create(staged, new, force=True)
            self._repository.remotes[self._name].push([f"{staged}:{self._ref}"], refusals)
        except _GIT_FAULTS as fault:
            raise _rejected(self._ref, self._name, fault) from None
        finally:
            if self._repository.references.get(staged) is not None:
                self._repository.references.delete(staged)
        if refusals.said:
            raise _moved(self._ref)

    def _on_remote(self) -> bool:
        """Whether the remote has the ref: fetching one that is not there is an error."""
        names = [one.name for one in self._repository.remotes if one.name]
        if self._name not in names:
            raise faults.no_remote(self._name, names)
        try:
            heads = self._repository.remotes[self._name].list_heads()
        except _GIT_FAULTS as fault:
            raise faults.unreachable(self._name, str(fault)) from None
        return any(head.name == self._ref for head in heads)


class _Refusals(pygit2.RemoteCallbacks):
    """What the remote says of the ref that is pushed."""

    def __init__(self) -> None:
        super().__init__()
        self.said = ""

    def push_update_reference(self, _refname: str, message: str | None) -> None:
        """Called with a message when the remote refused."""
        self.said = message or ""


def _rejected(ref: str, name: str, fault: Exception) -> Conflict | SourceError:
    """A push that is no fast-forward is refused before anything is sent."""
    text = str(fault)
    if "fastforward" in text or "non-fast" in text or "not present locally" in text:
        return _moved(ref)
    return faults.unreachable(name, text)


def _moved(ref: str) -> Conflict:
    return Conflict(
        f"{ref} has moved since it was read: another run wrote the ledger",
        code="AO759",
        hint="run again: it begins from what that run left",
    )
