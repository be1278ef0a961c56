"""Real people with real SSH keys, and real Git repositories with really signed commits.

    ayse = person("ayse")
    repo = GitStory(tmp_path / "repo")
    first = repo.commit(ayse, {"projects/payments/orders.yaml": b"..."}, "Add orders")

Keys are generated once per session. Commits go through `apiops.git.author`, the production
writer; the story's clock starts on a Monday morning and ticks a minute per commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pygit2
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pygit2.enums import ObjectType

from apiops.git import author, repository
from apiops.git.signing import SigningKey, sign

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """Somebody with a name, an address and a signing key."""

    name: str
    email: str
    key: SigningKey = field(repr=False)

    @property
    def public_line(self) -> str:
        """What stands in `User.spec.keys`."""
        return self.key.public_line(self.email)

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`."""
        return self.key.fingerprint

    @property
    def author(self) -> author.Author:
        """Name and address as a commit claims them."""
        return (self.name, self.email)


KEY_TYPES = ("ed25519", "p256", "p384", "p521", "rsa3072")


@cache
def signing_key(owner: str, kind: str = "ed25519") -> SigningKey:
    """The key of `owner`, always the same in one session. `kind` is one of KEY_TYPES or rsa2048."""
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    if kind in curves:
        return SigningKey(ec.generate_private_key(curves[kind]))
    if kind.startswith("rsa"):
        return SigningKey(rsa.generate_private_key(65537, int(kind.removeprefix("rsa"))))
    return SigningKey.generate()


@cache
def person(name: str, kind: str = "ed25519") -> Person:
    """The person of that (lower-case) name, always the same in one session."""
    return Person(name.title(), f"{name}@bank.example", signing_key(name, kind))


class GitStory:
    """A Git repository that people write, one signed commit after the other."""

    def __init__(self, path: Path, *, bare: bool = False) -> None:
        self.path = path
        self._now = MONDAY
        author.init(path, bare=bare)

    def commit(
        self,
        who: Person,
        files: Mapping[str, bytes | str | None],
        message: str = "Change",
        *,
        branch: str = "main",
        parents: Sequence[str] | None = None,
        signed: bool = True,
        claims: Person | None = None,
        at: datetime | None = None,
    ) -> str:
        """A commit by `who` (None deletes a file); its id.

        `parents` start a branch elsewhere, merge several, or (empty) make an orphan root.
        `claims` is who the author line names, if not `who`.
        """
        return author.commit(
            self.path,
            _encoded(files),
            message=message,
            author=(claims or who).author,
            key=who.key if signed else None,
            branch=branch,
            parents=parents,
            at=at or self._tick(),
        )

    def pick(self, who: Person, commit: str, *, branch: str = "main") -> str:
        """What `git cherry-pick -S` and `git rebase -S` make of a commit; its new id.

        The author and the message stay, `who` commits and signs.
        """
        repository = pygit2.Repository(str(self.path))
        picked, tip = (
            repository.revparse_single(name).peel(pygit2.Commit)
            for name in (commit, f"refs/heads/{branch}")
        )
        index = repository.merge_trees(picked.parents[0].tree, tip.tree, picked.tree)
        seconds = int(self._tick().timestamp())
        theirs = f"{picked.author.name} <{picked.author.email}> {picked.author.time} +0000"
        ours = f"{who.name} <{who.email}> {seconds} +0000"
        payload = (
            f"tree {index.write_tree(repository)}\nparent {tip.id}\n"
            f"author {theirs}\ncommitter {ours}\n\n{picked.message}"
        )
        made = repository.create_commit_with_signature(payload, sign(payload.encode(), who.key))
        repository.references.create(f"refs/heads/{branch}", made, force=True)
        return str(made)

    def tag(
        self, who: Person, name: str, message: str, commit: str = "main", *, signed: bool = True
    ) -> bytes:
        """What `git tag -s NAME -m MESSAGE COMMIT` makes; the tag's object."""
        repository = pygit2.Repository(str(self.path))
        tagged = repository.revparse_single(commit).peel(pygit2.Commit)
        seconds = int(self._tick().timestamp())
        raw = (
            f"object {tagged.id}\ntype commit\ntag {name}\n"
            f"tagger {who.name} <{who.email}> {seconds} +0000\n\n{message}\n"
        )
        raw += sign(raw.encode(), who.key) if signed else ""
        made = repository.odb.write(ObjectType.TAG, raw.encode())
        repository.references.create(f"refs/tags/{name}", made, force=True)
        return raw.encode()

    def merge(
        self,
        who: Person,
        other: str,
        message: str = "Merge",
        *,
        branch: str = "main",
        files: Mapping[str, bytes | str | None] | None = None,
        signed: bool = True,
    ) -> str:
        """A merge of `other` into `branch`; `files` resolve conflicts or make it an evil one."""
        return author.merge(
            self.path,
            other,
            message=message,
            author=who.author,
            key=who.key if signed else None,
            branch=branch,
            files=_encoded(files or {}),
            at=self._tick(),
        )

    def open(self) -> repository.GitRepository:
        """The repository as apiops reads it."""
        return repository.open(self.path)

    def _tick(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now


def _encoded(files: Mapping[str, bytes | str | None]) -> dict[str, bytes | None]:
    return {
        path: content.encode() if isinstance(content, str) else content
        for path, content in files.items()
    }
