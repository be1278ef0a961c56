"""The real Repository: read from Git objects alone, bare or not, packed or loose.

The work tree, the index, replacement refs and grafts play no part: what is judged is what the
commit ids stand for. Commits are read by our own strict parser, not through libgit2's view.
"""

import contextlib
import difflib
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, TypeVar

import pygit2
from pygit2.enums import ObjectType, ReferenceFilter

from apiops.errors import SourceError
from apiops.git import commitobject, faults, graph, pack, remote, signature, tags
from apiops.git.login import NOBODY, Login
from apiops.git.openpgp import Certificates
from apiops.git.tree import Trees
from apiops.model.revision import Commit, Proofs, Relation, Revision, Snapshot, Tag

MAX_BLOB: Final = 16 * 1024 * 1024
"""Larger files are not read (bytes)."""

MAX_COMMIT: Final = 1024 * 1024
"""Longer commit objects, messages and signatures included, are not read (bytes)."""

_FULL_ID: Final = re.compile(r"[0-9a-f]{40}")
_SHORT_ID: Final = re.compile(r"[0-9a-f]{4,40}")
_PLACES: Final = ("refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}")
_FOREIGN: Final = re.compile(r"repository path '(.*)' is not owned")
_AT_HAND: Final = 64
"""How many files are kept as bytes: what is asked for again is asked for soon, or hardly ever."""

_MAX_TREE_CACHED: Final = 1 << 20
_PAIR: Final = 2
_GIT_FAULTS: Final = (pygit2.GitError, KeyError, ValueError, OSError)
Read = TypeVar("Read")
_opening: Final = threading.Lock()
_NO_PROOFS: Final = Proofs()

# libgit2 caches no tree above 4 KiB by default, so each commit of a range re-inflates its folders.
pygit2.settings.cache_object_limit(ObjectType.TREE, _MAX_TREE_CACHED)


def open(path: Path, *, trusted: bool = False) -> "GitRepository":
    """The repository at `path` or in a folder above it.

    `trusted` accepts a Git directory that belongs to another user, for this path alone.
    Raises SourceError: AO801 not a repository, AO802 foreign owner, AO803 unknown format.
    """
    return GitRepository(open_plain(path, trusted=trusted))


def open_plain(path: Path, *, trusted: bool = False) -> pygit2.Repository:
    """The same as libgit2's own object, for this package."""
    found = pygit2.discover_repository(str(path))
    if found is None:
        raise faults.not_a_repository(str(path))
    with _opening:  # owner validation is a setting of the process: nobody else opens meanwhile
        validated = pygit2.settings.owner_validation
        pygit2.settings.owner_validation = validated and not trusted
        try:
            return pygit2.Repository(found)
        except _GIT_FAULTS as fault:
            foreign = _FOREIGN.search(str(fault))
            if foreign:  # the path that Git wants to be told, which is not always the one given
                raise faults.foreign_owner(foreign[1]) from fault
            detail = str(fault).removeprefix(f"{found}: ")
            raise faults.unsupported_format(found, detail) from fault
        finally:
            pygit2.settings.owner_validation = validated


class GitRepository:
    """`ports.Repository` over a Git directory. Commits and folders are read once each."""

    def __init__(
        self,
        repository: pygit2.Repository,
        proofs: Proofs = _NO_PROOFS,
        trees: Trees | None = None,
        read: Callable[[str], bytes] | None = None,
    ) -> None:
        self._repository = repository
        self._proofs = proofs
        self._certificates = Certificates(proofs.certificates, proofs.at)
        self._trees = Trees(repository) if trees is None else trees
        self._read = lru_cache(maxsize=_AT_HAND)(self._blob) if read is None else read
        self._nodes: dict[str, graph.Node] = {}
        self._commits: dict[str, Commit] = {}

    @property
    def path(self) -> Path:
        """The Git directory."""
        return Path(self._repository.path)

    def inside(self, file: Path) -> str:
        """The path of a file in the work tree, as commits name it; empty for one elsewhere."""
        root = Path(self._repository.workdir or self.path).resolve()
        found = file.resolve()
        return found.relative_to(root).as_posix() if found.is_relative_to(root) else ""

    @cached_property
    def lineage(self) -> str:
        """The root commit at the end of HEAD's first parents. Raises SourceError.

        A bare repository's HEAD may name a branch that nobody made; then all branches are asked,
        and the smallest root id is the answer.
        """
        branches = sorted(self._repository.branches.local)
        unborn = self._repository.head_is_unborn and branches
        heads = [f"refs/heads/{name}" for name in branches] if unborn else ["HEAD"]
        return min(graph.first_root(self._node, self.resolve(head).commit) for head in heads)

    def resolve(self, ref: str) -> Revision:
        """The revision of HEAD, a branch, remote branch, tag, or full or unique short commit id.

        Raises SourceError: AO804 no commits, AO805 unknown, AO806 ambiguous, AO807 not a commit.
        """
        commit = self.commit(self._peel(ref, self._find(ref)))
        return Revision(commit.id, ref, commit.tree, commit.subject)

    def snapshot(self, revision: Revision) -> Snapshot:
        """All files at a revision. Raises SourceError (AO809, AO810, AO811)."""
        return Snapshot(revision, self._trees.files(revision.tree), self._read)

    def relation(self, base: str, head: str) -> Relation:
        """How commit `head` stands to commit `base`.

        Raises SourceError (AO808) when a shallow clone does not reach far enough to tell.
        """
        if base == head:
            return Relation.SAME
        if not self._exists(base):
            if self._edges:
                raise faults.shallow(base)
            return Relation.BASE_MISSING
        forward = graph.is_ancestor(self._node, base, head)
        return Relation.FORWARD if forward else Relation.REWRITTEN

    def commits(self, base: str | None, head: str) -> tuple[Commit, ...]:
        """Commits reachable from `head` and not from `base`, parents first, signatures verified.

        Raises SourceError (AO808 shallow clone, AO809 unreadable).
        """
        return tuple(map(self.commit, graph.between(self._node, base, head)))

    def commit(self, id: str) -> Commit:
        """One commit by its full id, signature verified. Raises SourceError."""
        known = self._commits.get(id)
        if known is None:
            known = self._commits[id] = self._commit(id)
        return known

    def tags(self, commit: str, sent: Iterable[bytes] = ()) -> tuple[Tag, ...]:
        """The annotated tags of a commit, here and among the tag objects `sent` along, verified."""
        about = (raw for raw in (*self._tag_objects, *sent) if tags.target(raw) == commit)
        found = (tags.read(raw, self._certificates) for raw in about)
        return tuple(tag for tag in found if tag is not None)

    def tag_objects(self, commit: str) -> tuple[bytes, ...]:
        """The objects of the annotated tags that a commit has here."""
        return tuple(raw for raw in self._tag_objects if tags.target(raw) == commit)

    def unchanged(self, commit: str) -> Iterator[str]:
        """A commit, and those below it that have the same files, as far as they are here."""
        at = self.commit(commit)
        yield at.id
        while len(at.parents) == 1 and self.has(at.parents[0]):
            below = self.commit(at.parents[0])
            if below.tree != at.tree:
                return
            yield below.id
            at = below

    @cached_property
    def _tag_objects(self) -> tuple[bytes, ...]:
        """Of every tag that is an object; one too long to be read is none."""
        targets = (ref.target for ref in self._repository.references.iterator(ReferenceFilter.TAGS))
        found = []
        for target in targets:
            with contextlib.suppress(SourceError):
                found.append(self._object(str(target), ObjectType.TAG, tags.MAX_TAG))
        return tuple(found)

    def knowing(self, proofs: Proofs) -> "GitRepository":
        """The same repository, its commits verified and read with `proofs`.

        Folders and files are shared with this one: no proof changes what they hold.
        """
        return GitRepository(self._repository, proofs, self._trees, self._read)

    def pack(self, tips: Iterable[str], have: Iterable[str]) -> bytes:
        """What a Manager that has `have` lacks of the history of `tips`. Raises SourceError."""
        return pack.write(self._repository, tips, have)

    def has(self, id: str) -> bool:
        """Whether a commit is here, by its full id."""
        return self._exists(id)

    def fetch(self, name: str, refs: Iterable[str] = (), login: Login = NOBODY) -> None:
        """Update the remote branches of a remote, and `refs` by their full names if it has them.

        Raises SourceError, SourceUnavailable.
        """
        remote.fetch(self._repository, name, refs, login)
        # A fetch may have moved a shallow clone's edge.
        for name_ in ("_edges", "_squashed", "_tag_objects"):
            self.__dict__.pop(name_, None)
        self._nodes.clear()

    def _commit(self, id: str) -> Commit:
        read = _understood(id, commitobject.parse, self._raw(id))
        parents = (*read.parents, *self._squashed.get(id, ()))
        pair = len(parents) == _PAIR and id not in self._edges
        return Commit(
            id=id,
            parents=parents,
            tree=read.tree,
            subject=read.subject,
            message=read.message,
            author=read.author,
            committer=read.committer,
            at=read.at,
            signature=signature.of_commit(read, self._certificates),
            bases=graph.merge_bases(self._node, *parents) if pair else (),
        )

    def _node(self, id: str) -> graph.Node:
        node = self._plain(id)
        heads = self._squashed.get(id)
        return node if heads is None else replace(node, parents=(*node.parents, *heads))

    @cached_property
    def _squashed(self) -> dict[str, tuple[str]]:
        """Squash commit → the head that it merged, as far as the clone has it.

        Each is taken only if no cycle comes of it: that is what `is_ancestor` is asked.
        """
        found: dict[str, tuple[str]] = {}

        def node(id: str) -> graph.Node:
            plain = self._plain(id)
            return replace(plain, parents=(*plain.parents, *found.get(id, ())))

        for commit, names in self._proofs.heads.items():
            with contextlib.suppress(SourceError):  # what is not in the clone proves nothing
                if len(self._plain(commit).parents) == 1:
                    head = self._first_of(names)
                    if head is not None and not graph.is_ancestor(node, commit, head):
                        found[commit] = (head,)
        return found

    def _first_of(self, names: tuple[str, ...]) -> str | None:
        for name in names:
            with contextlib.suppress(SourceError):
                return self._peel(name, self._find(name))
        return None

    def _plain(self, id: str) -> graph.Node:
        known = self._nodes.get(id)
        if known is None:
            parents, seconds = _understood(id, commitobject.links, self._raw(id))
            edge = id in self._edges
            known = self._nodes[id] = graph.Node(id, () if edge else parents, seconds, edge)
        return known

    def _raw(self, id: str) -> bytes:
        if self._edges and not self._exists(id):
            raise faults.shallow(id)
        return self._object(id, ObjectType.COMMIT, MAX_COMMIT)

    def _blob(self, id: str) -> bytes:
        return self._object(id, ObjectType.BLOB, MAX_BLOB)

    def _object(self, id: str, wanted: ObjectType, limit: int) -> bytes:
        """The bytes of an object, once its header has shown what it is and how large."""
        odb = self._repository.odb
        try:
            oid = pygit2.Oid(hex=id)
            kind, size = odb.read_header(oid)
            if kind == wanted and size <= limit:
                return odb.read(oid)[1]
        except _GIT_FAULTS as fault:
            raise faults.unreadable(id, fault) from fault
        if kind != wanted:
            found = ObjectType(kind).name.lower()
            raise faults.unreadable(id, f"it is a {found}, not a {wanted.name.lower()}")
        raise faults.too_large(f"The {wanted.name.lower()} {id[:12]}", f"{limit} bytes")

    def _exists(self, id: str) -> bool:
        return bool(_FULL_ID.fullmatch(id)) and pygit2.Oid(hex=id) in self._repository.odb

    @cached_property
    def _edges(self) -> frozenset[str]:
        """The commits where a shallow clone cuts history off."""
        if not self._repository.is_shallow:
            return frozenset()
        common = Path(self._repository.path, "commondir")  # there in a linked work tree only
        shared = self.path / common.read_text().strip() if common.is_file() else self.path
        return frozenset((shared / "shallow").read_text().split())

    def _find(self, ref: str) -> pygit2.Oid:
        """The object that a name or id stands for, tags not yet peeled."""
        if _FULL_ID.fullmatch(ref):
            return pygit2.Oid(hex=ref)
        if ref == "HEAD" and self._repository.head_is_unborn:
            raise faults.unborn(str(self._repository.workdir or self._repository.path))
        found = self._named(ref)
        if len(set(found.values())) > 1:
            raise faults.ambiguous(ref, found)
        if found:
            return next(iter(found.values()))
        return self._by_short_id(ref)

    def _named(self, ref: str) -> dict[str, pygit2.Oid]:
        """The full names that `ref` can mean, with the objects they point at."""
        exact = ref == "HEAD" or ref.startswith("refs/")
        found: dict[str, pygit2.Oid] = {}
        for name in (ref,) if exact else [place.format(ref) for place in _PLACES]:
            try:
                target = self._repository.lookup_reference(name).resolve().target
            except _GIT_FAULTS:
                continue
            if isinstance(target, pygit2.Oid):
                found[name] = target
        return found

    def _by_short_id(self, ref: str) -> pygit2.Oid:
        if not _SHORT_ID.fullmatch(ref):
            raise self._unknown(ref)
        try:
            return self._repository.expand_id(ref)
        except pygit2.AmbiguousError as fault:
            raise faults.ambiguous(ref, ()) from fault
        except _GIT_FAULTS as fault:
            raise self._unknown(ref) from fault

    def _unknown(self, ref: str) -> SourceError:
        names = [name.split("/", 2)[-1] for name in self._repository.references]
        near = [name for name in names if name.endswith(f"/{ref}")]
        return faults.unknown_revision(ref, near or difflib.get_close_matches(ref, names))

    def _peel(self, ref: str, id: pygit2.Oid) -> str:
        if _FULL_ID.fullmatch(ref) and not self._exists(ref):
            raise faults.shallow(ref) if self._edges else self._unknown(ref)
        try:
            return str(self._repository[id].peel(pygit2.Commit).id)
        except pygit2.InvalidSpecError:
            kind = self._repository[id].type_str
            raise faults.not_a_commit(ref, kind) from None
        except _GIT_FAULTS as fault:
            raise faults.unreadable(str(id), fault) from fault


def _understood(id: str, reader: Callable[[bytes], Read], raw: bytes) -> Read:
    try:
        return reader(raw)
    except ValueError as fault:
        raise faults.unreadable(id, fault) from fault
