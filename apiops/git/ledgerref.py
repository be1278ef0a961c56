"""Files in a ref of its own: the ledger of a Manager, for runners that have no database.

Each state is a commit on top of the one that was read, signed by the run that made it. A push that
is no fast-forward is refused by Git itself, here or on the remote: that is the compare-and-set.
What is read must be signed by somebody who may, for this very ref, and must not be older than what
this clone has seen. Nobody checks such a ref out, and a clone does not fetch it unless asked to.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pygit2
from pygit2.enums import FileMode

from apiops.errors import Conflict, StoreError, UsageError
from apiops.git import commitobject, faults, remote, signature
from apiops.git.author import Draft
from apiops.git.login import NOBODY, Login
from apiops.git.repository import MAX_BLOB, open_plain
from apiops.git.signing import SigningKey
from apiops.model.revision import SignatureStatus

MAX_LEDGER: Final = 16 * MAX_BLOB
_WHO: Final = ("apiops", "apiops@localhost")
_BUSY: Final = re.compile("lock|failed to update")
"""What Git says of a ref that somebody else writes at this moment."""
_GIT_FAULTS: Final = (pygit2.GitError, KeyError, ValueError, OSError)


@dataclass(frozen=True, slots=True)
class Access:
    """How a ref is reached and vouched for.

    `name` is the remote (empty: the ref as it is here) and `login` is for it; `key` signs what is
    put there (None: nothing is), `trusted` are the fingerprints of keys whose states are believed;
    `unlisted` says that others would not believe `key`: their list is there, and lacks it.
    """

    name: str = ""
    login: Login = NOBODY
    key: SigningKey | None = None
    trusted: frozenset[str] = frozenset()
    unlisted: bool = False


def open(path: Path, ref: str, access: Access) -> "LedgerRef":
    """The ref in the repository at `path`, as the remote has it.

    Raises SourceError, SourceUnavailable, StoreError AO757, AO758.
    """
    found = LedgerRef(open_plain(path), ref, access)
    found.refresh()
    return found


class LedgerRef:
    """One ref, and the commit that was read of it."""

    def __init__(self, repository: pygit2.Repository, ref: str, access: Access) -> None:
        self._repository = repository
        self._ref = ref
        self._access = access
        self._base: pygit2.Oid | None = None

    def refresh(self) -> None:
        """Read where the ref is now. Raises StoreError AO757, AO758."""
        before = self._here()
        if self._access.name:
            if self._at_remote() is not None:
                name, login = self._access.name, self._access.login
                remote.fetch(self._repository, name, (self._ref,), login)
            elif before is not None:
                raise _went_back(self._ref)
        self._base = self._here()
        if before is not None and self._base is not None and before != self._base:
            self._expect_later(before, self._base)
        if self._base is not None:
            self._expect_signed(self._base)

    def files(self) -> Mapping[str, bytes] | None:
        """What the ref holds, by name; None while there is no such ref."""
        if self._base is None:
            return None
        found: dict[str, bytes] = {}
        left = MAX_LEDGER
        try:
            for entry in self._repository[self._base].peel(pygit2.Tree):
                if not isinstance(entry, pygit2.Blob) or entry.size > left or not entry.name:
                    raise faults.unreadable(str(self._base), "it is no ledger")
                left -= entry.size
                found[entry.name] = entry.data
        except _GIT_FAULTS as fault:
            raise faults.unreadable(str(self._base), fault) from None
        return found

    def keep(self, files: Mapping[str, bytes | None], message: str) -> None:
        """Commit these files (None: as it was), sign and push.

        Raises Conflict AO759 if the ref has moved meanwhile, UsageError AO908 without a key,
        StoreError AO757 with one that others do not believe, AO829 if the remote does not want it.
        """
        new = self._commit(files, message)
        if self._access.name:
            self._push(new)
        self._move(new)
        self._base = new

    def _commit(self, files: Mapping[str, bytes | None], message: str) -> pygit2.Oid:
        if self._access.key is None:
            raise UsageError(
                f"there is no key to sign {self._ref} with",
                code="AO908",
                hint='write signing-key = "FILE" into the target, or set APIOPS_SIGNING_KEY',
            )
        if self._access.unlisted:
            raise _unlisted(self._ref, self._access.key)
        try:
            parents = [] if self._base is None else [str(self._base)]
            draft = Draft(f"{message}\n\n{self._bound}", _WHO, self._access.key)
            return draft.write(self._repository, self._tree(files), parents)
        except _GIT_FAULTS as fault:
            raise faults.not_writable(str(fault)) from None

    def _tree(self, files: Mapping[str, bytes | None]) -> pygit2.Oid:
        tree = self._repository.TreeBuilder()
        old = None if self._base is None else self._repository[self._base].peel(pygit2.Tree)
        for name, content in files.items():
            if content is not None:
                blob = self._repository.create_blob(content)
            else:
                assert old is not None, "nothing can stay as it never was"
                blob = old[name].id
            tree.insert(name, blob, FileMode.BLOB)
        return tree.write()

    @property
    def _bound(self) -> str:
        """What a state of this ref says: put elsewhere, it is none."""
        return f"Ledger: {self._ref}"

    def _here(self) -> pygit2.Oid | None:
        found = self._repository.references.get(self._ref)
        return None if found is None else found.peel(pygit2.Commit).id

    def _expect_later(self, before: pygit2.Oid, now: pygit2.Oid) -> None:
        if not self._repository.descendant_of(now, before):
            self._repository.references.create(self._ref, before, force=True)
            raise _went_back(self._ref)

    def _expect_signed(self, id: pygit2.Oid) -> None:
        try:
            commit = commitobject.parse(self._repository.read(id)[1])
        except _GIT_FAULTS as fault:
            raise faults.unreadable(str(id), fault) from None
        signed = signature.of_commit(commit)
        if signed.status is not SignatureStatus.GOOD:
            raise _not_vouched(self._ref, id, signed.detail or signed.status.value)
        if signed.key not in self._access.trusted:
            raise _not_vouched(self._ref, id, f"signed by {signed.key}, who may not")
        if commit.message.splitlines()[-1:] != [self._bound]:
            raise _not_vouched(self._ref, id, "signed for another ledger")

    def _move(self, new: pygit2.Oid) -> None:
        here = self._here()
        if here not in (self._base, new):
            raise _moved(self._ref)
        try:
            if here is None:
                self._repository.references.create(self._ref, new)
            elif here != new:
                self._repository.references[self._ref].set_target(new)
        except _GIT_FAULTS:
            raise _moved(self._ref) from None

    def _push(self, new: pygit2.Oid) -> None:
        """By a name of its own, for libgit2 pushes names; the remote takes fast-forwards alone."""
        staged = f"{self._ref}.next"
        name = self._access.name
        try:
            self._repository.references.create(staged, new, force=True)
            refused = remote.push(self._repository, name, staged, self._ref, self._access.login)
        except _GIT_FAULTS as fault:
            raise faults.not_writable(str(fault)) from None
        finally:
            if self._repository.references.get(staged) is not None:
                self._repository.references.delete(staged)
        if refused and (_BUSY.search(refused) or self._at_remote() != self._base):
            raise _moved(self._ref)
        if refused:
            raise _not_taken(self._ref, name, refused)

    def _at_remote(self) -> pygit2.Oid | None:
        """Where the remote has the ref, if it has: fetching one that is not there is an error."""
        found = remote.refs(self._repository, self._access.name, self._access.login)
        return pygit2.Oid(hex=found[self._ref]) if self._ref in found else None


def _moved(ref: str) -> Conflict:
    return Conflict(
        f"{ref} has moved since it was read: another run wrote the ledger",
        code="AO759",
        hint="run again: it begins from what that run left",
    )


def _not_taken(ref: str, name: str, why: str) -> StoreError:
    """The ref has not moved there, and what we push is not wanted."""
    return StoreError(
        f"the Git remote {name!r} does not take {ref}: {why}",
        code="AO829",
        hint="let this runner's account push it: the remote's hooks or protected refs say no",
    )


def _not_vouched(ref: str, id: pygit2.Oid, why: str) -> StoreError:
    return StoreError(
        f"nobody who may write the ledger vouches for {ref} at {str(id)[:12]}: {why}",
        code="AO757",
        hint="find out who pushed it. If the signer is one of yours, list the key in the file of "
        "`ledger-signers`; if not, put the last good commit back and protect the ref",
    )


def _unlisted(ref: str, key: SigningKey) -> StoreError:
    return StoreError(
        f"the key {key.fingerprint} is not in the file of `ledger-signers`: no other run could "
        f"read a state of {ref} that it signs, so nothing was written",
        code="AO757",
        hint="list its public half there, or sign with a key that is listed",
    )


def _went_back(ref: str) -> StoreError:
    return StoreError(
        f"{ref} on the remote is older than what this clone has seen, or is gone",
        code="AO758",
        hint=f"somebody forced it: put it back (`git push REMOTE {ref}`). If it was to begin "
        f"anew, forget the old one here: `git update-ref -d {ref}`",
    )
