"""Hand-written fakes behind the ports; each passes the contract suite of the real thing."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from graphlib import TopologicalSorter

from apiops.errors import SecretError, SourceError
from apiops.model.resource import File
from apiops.model.revision import (
    Commit,
    Proofs,
    Relation,
    Revision,
    Signature,
    SignatureStatus,
    Snapshot,
    Tag,
)
from apiops.model.secret import SecretLeaf, SecretValue
from tests.people import MONDAY, Person

Files = Mapping[str, bytes | str | None]


@dataclass(frozen=True)
class _Stored:
    commit: Commit
    files: dict[str, bytes]


class FakeRepository:
    """`ports.Repository` over a dict of files per commit; `FakeStory` writes it."""

    def __init__(self) -> None:
        self.branches: dict[str, str] = {}
        self.tagged: dict[str, Tag] = {}
        self.stored: dict[str, _Stored] = {}
        self._blobs: dict[str, bytes] = {}

    @cached_property
    def lineage(self) -> str:
        at = self.resolve("HEAD").commit
        while self.stored[at].commit.parents:
            at = self.stored[at].commit.parents[0]
        return at

    def resolve(self, ref: str) -> Revision:
        name = "main" if ref == "HEAD" else ref.removeprefix("refs/heads/")
        ids = {id for id in self.stored if len(ref) >= 4 and id.startswith(ref)}
        if name in self.branches:
            ids = {self.branches[name]}
        if not self.stored:
            raise SourceError("no commit yet", code="AO804")
        if len(ids) != 1:
            raise SourceError(f"no revision {ref!r}", code="AO806" if ids else "AO805")
        commit = self.commit(ids.pop())
        return Revision(commit.id, ref, commit.tree, commit.subject)

    def snapshot(self, revision: Revision) -> Snapshot:
        files = self.stored[revision.commit].files
        blobs = {path: _blob_id(content) for path, content in files.items()}
        self._blobs.update((blobs[path], content) for path, content in files.items())
        return Snapshot(revision, {p: File(p, blob) for p, blob in blobs.items()}, self._read)

    def relation(self, base: str, head: str) -> Relation:
        if base == head:
            return Relation.SAME
        if base not in self.stored:
            return Relation.BASE_MISSING
        return Relation.FORWARD if base in self.ancestry(head) else Relation.REWRITTEN

    def commits(self, base: str | None, head: str) -> tuple[Commit, ...]:
        known = self.ancestry(base) if base else frozenset()
        wanted = self.ancestry(head) - known
        graph = {
            id: [parent for parent in stored.commit.parents if parent in wanted]
            for id, stored in self.stored.items()
            if id in wanted
        }
        return tuple(self.stored[id].commit for id in TopologicalSorter(graph).static_order())

    def commit(self, id: str) -> Commit:
        if id not in self.stored:
            raise SourceError(f"no commit {id}", code="AO809")
        return self.stored[id].commit

    def tags(self, commit: str, sent: Iterable[bytes] = ()) -> tuple[Tag, ...]:
        """Those that the story made; `sent` ones are nothing that a fake can read."""
        return tuple(tag for tag in self.tagged.values() if tag.commit == commit)

    def knowing(self, proofs: Proofs) -> "FakeRepository":
        """Signatures are what the story says; a squash merges the first head that is there."""
        known = FakeRepository()
        known.branches, known._blobs, known.stored = self.branches, self._blobs, dict(self.stored)
        known.tagged = self.tagged
        for id, names in proofs.heads.items():
            head = next((name for name in names if name in self.stored), None)
            commit = self.stored[id].commit if id in self.stored else None
            if head and commit and len(commit.parents) == 1 and id not in known.ancestry(head):
                parents = (*commit.parents, head)
                bases = known.merge_bases(parents)
                commit = replace(commit, parents=parents, bases=bases)
                known.stored[id] = replace(self.stored[id], commit=commit)
        return known

    def _read(self, blob: str) -> bytes:
        if blob not in self._blobs:
            raise SourceError(f"no blob {blob}", code="AO809")
        return self._blobs[blob]

    def ancestry(self, id: str) -> frozenset[str]:
        seen: set[str] = set()
        waiting = [id]
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting.extend(self.stored[at].commit.parents)
        return frozenset(seen)

    def merge_bases(self, parents: Sequence[str]) -> tuple[str, ...]:
        if len(parents) != 2:
            return ()
        common = frozenset.intersection(*map(self.ancestry, parents))
        best = {
            one
            for one in common
            if not any(one != other and one in self.ancestry(other) for other in common)
        }
        return tuple(sorted(best))


class FakeStory:
    """Writes a FakeRepository with the methods of `people.GitStory`."""

    def __init__(self) -> None:
        self.repository = FakeRepository()

    def commit(
        self,
        who: Person,
        files: Files,
        message: str = "Change",
        *,
        branch: str = "main",
        parents: Sequence[str] | None = None,
        signed: bool = True,
        claims: Person | None = None,
        at: datetime | None = None,
    ) -> str:
        git = self.repository
        if parents is None:
            parents = [git.branches[branch]] if branch in git.branches else []
        after = dict(git.stored[parents[0]].files) if parents else {}
        for path, content in files.items():
            if content is None:
                del after[path]
            else:
                after[path] = content.encode() if isinstance(content, str) else content
        tree = _digest(repr(sorted(after.items())).encode())
        author = f"{(claims or who).name} <{(claims or who).email}>"
        made = Commit(
            id=_digest(repr((tree, *parents, message, len(git.stored))).encode()),
            parents=tuple(parents),
            tree=tree,
            subject=message.partition("\n")[0],
            message=f"{message.rstrip()}\n",
            author=author,
            committer=author,
            at=at or MONDAY + timedelta(minutes=len(git.stored) + 1),
            signature=Signature(SignatureStatus.GOOD, who.fingerprint)
            if signed
            else Signature(SignatureStatus.UNSIGNED),
            bases=git.merge_bases(parents),
        )
        git.stored[made.id] = _Stored(made, after)
        git.branches[branch] = made.id
        return made.id

    def tag(
        self, who: Person, name: str, message: str, commit: str = "main", *, signed: bool = True
    ) -> bytes:
        git = self.repository
        status = SignatureStatus.GOOD if signed else SignatureStatus.UNSIGNED
        signature = Signature(status, who.fingerprint if signed else "")
        tagged = git.branches.get(commit, commit)
        git.tagged[name] = Tag(name, tagged, f"{message}\n", signature)
        return b""

    def merge(
        self,
        who: Person,
        other: str,
        message: str = "Merge",
        *,
        branch: str = "main",
        files: Files | None = None,
        signed: bool = True,
    ) -> str:
        git = self.repository
        ours, theirs = git.branches[branch], git.branches.get(other, other)
        bases = git.merge_bases([ours, theirs])
        base = git.stored[bases[0]].files if bases else {}
        mine, yours = git.stored[ours].files, git.stored[theirs].files
        taken: dict[str, bytes | str | None] = {
            path: yours.get(path)
            for path in sorted(base.keys() | yours.keys())
            if yours.get(path) != base.get(path) and mine.get(path) != yours.get(path)
        }
        taken.update(files or {})
        return self.commit(
            who, taken, message, branch=branch, parents=[ours, theirs], signed=signed
        )

    def open(self) -> FakeRepository:
        return self.repository


def _digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _blob_id(content: bytes) -> str:
    return _digest(b"blob %d\0" % len(content) + content)


class FakeKeyring:
    """`ports.Keyring` over a dict: file content → the plaintexts by pointer."""

    def __init__(self, files: Mapping[bytes, Mapping[str, bytes]], *, available: bool = True):
        self._files = files
        self._available = available

    @property
    def available(self) -> bool:
        return self._available

    def open(self, leaf: SecretLeaf, content: bytes) -> SecretValue:
        if not self._available:
            raise SecretError(f"{leaf.file} is encrypted and no age identity", code="AO401")
        if content not in self._files:
            raise SecretError(f"the MAC of {leaf.file} does not match", code="AO406")
        if leaf.pointer not in self._files[content]:
            raise SecretError(f"{leaf.file} has no value at {leaf.pointer}", code="AO404")
        return SecretValue(self._files[content][leaf.pointer])
