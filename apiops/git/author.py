"""Write Git repositories: initialise, commit, merge, go back, with commits signed in process.

`apiops rollback`, `apiops demo` and the tests write with it; the sync engine itself never writes
to Git, but for a ledger in a ref of its own (`ledgerref`). Objects go straight into the object
database; a work tree, where there is one, follows the branch that is checked out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pygit2
from pygit2.enums import CheckoutStrategy, FileMode, ObjectType

from apiops.git import faults
from apiops.git.signing import SigningKey, sign

Author = tuple[str, str]
"""Name and e-mail address, as the commit claims them."""

Files = Mapping[str, bytes | None]
"""Path → content; None deletes the file."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a commit says beside its tree and parents. Without a `key` it is unsigned."""

    message: str
    author: Author
    key: SigningKey | None
    at: datetime | None = None

    def write(
        self, repository: pygit2.Repository, tree: pygit2.Oid, parents: Sequence[str]
    ) -> pygit2.Oid:
        """Write the commit, on no branch."""
        payload = self._payload(str(tree), parents)
        if self.key is None:
            return repository.odb.write(ObjectType.COMMIT, payload.encode())
        return repository.create_commit_with_signature(payload, sign(payload.encode(), self.key))

    def _payload(self, tree: str, parents: Sequence[str]) -> str:
        at = self.at or datetime.now(UTC)
        zone = at.strftime("%z") or "+0000"
        who = f"{self.author[0]} <{self.author[1]}> {int(at.timestamp())} {zone}"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {who}", f"committer {who}", "", self.message.rstrip("\n"), ""]
        return "\n".join(lines)


def init(path: Path, *, bare: bool = False, branch: str = "main") -> None:
    """Make an empty repository at `path`, with `branch` as the one that HEAD names."""
    pygit2.init_repository(str(path), bare=bare, initial_head=branch)


def commit(
    path: Path,
    files: Files,
    *,
    message: str,
    author: Author,
    key: SigningKey | None,
    branch: str = "main",
    parents: Sequence[str] | None = None,
    at: datetime | None = None,
) -> str:
    """Put a commit on `branch` and return its id.

    `files` change the tree of the first parent. `parents` default to the branch's tip; give
    them to start a branch elsewhere, to merge, or (empty) to make a root. Without a `key` the
    commit is unsigned. `at` defaults to now. Raises SourceError (AO815).
    """
    repository = pygit2.Repository(str(path))
    name = f"refs/heads/{branch}"
    if parents is None:
        tip = repository.references.get(name)
        parents = [str(tip.target)] if tip else []
    index = pygit2.Index()
    if parents:
        index.read_tree(_commit(repository, parents[0]).tree)
    tree = _overlay(repository, index, files)
    return _write(repository, name, tree, parents, Draft(message, author, key, at))


def merge(
    path: Path,
    other: str,
    *,
    message: str,
    author: Author,
    key: SigningKey | None,
    branch: str = "main",
    files: Files | None = None,
    at: datetime | None = None,
) -> str:
    """Merge `other` (a branch or commit id) into `branch` and return the merge commit's id.

    `files` are laid over the three-way result: they resolve conflicts, or make an evil merge.
    Raises SourceError (AO815) for a conflict that they do not resolve.
    """
    repository = pygit2.Repository(str(path))
    name = f"refs/heads/{branch}"
    ours, theirs = (_commit(repository, ref) for ref in (name, other))
    index = repository.merge_commits(ours, theirs)
    overlay = files or {}
    for sides in list(index.conflicts or ()):
        conflicting = next(side.path for side in sides if side is not None)
        if conflicting not in overlay:
            raise faults.not_writable(f"{conflicting} was changed on both sides")
        del index.conflicts[conflicting]
    tree = _overlay(repository, index, overlay)
    parents = [str(ours.id), str(theirs.id)]
    return _write(repository, name, tree, parents, Draft(message, author, key, at))


def go_back(
    path: Path,
    to: str,
    *,
    base: str,
    only: Sequence[str],
    message: str,
    author: Author,
    key: SigningKey,
    branch: str,
) -> str:
    """Make `branch` with one commit on `base` that has the files of commit `to` again; its id.

    `only` limits it to files and folders by their paths. Nothing is checked out. Raises
    SourceError (AO815): the branch exists, `to` has the same files, or a path is in neither.
    """
    repository = pygit2.Repository(str(path))
    name = f"refs/heads/{branch}"
    if not pygit2.reference_is_valid_name(name):
        raise faults.not_writable(f"{branch!r} is no name of a branch")
    if name in repository.references:
        hint = "Name another one with --branch, or delete that one: `git branch -D`."
        raise faults.not_writable(f"the branch {branch!r} exists already", hint)
    now, then = (_commit(repository, commit).tree for commit in (base, to))
    tree = _restored(repository, now, then, only) if only else then.id
    if tree == now.id:
        raise faults.not_writable(f"{to[:7]} has the same files as {base[:7]}")
    return _write(repository, name, tree, [base], Draft(message, author, key))


def _restored(
    repository: pygit2.Repository, now: pygit2.Tree, then: pygit2.Tree, only: Sequence[str]
) -> pygit2.Oid:
    """The tree of `now` with what lies at the paths `only` taken from `then`."""
    places = tuple(place.strip("/") for place in only)
    kept, old = pygit2.Index(), pygit2.Index()
    kept.read_tree(now)
    old.read_tree(then)
    for place in places:
        if not any(_lies_in(entry.path, (place,)) for entry in (*kept, *old)):
            raise faults.not_writable(f"{place!r} is in neither of the two revisions")
    for entry in [entry for entry in kept if _lies_in(entry.path, places)]:
        kept.remove(entry.path)
    for entry in old:
        if _lies_in(entry.path, places):
            kept.add(entry)
    return kept.write_tree(repository)


def _lies_in(path: str, places: Sequence[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def identity(path: Path) -> Author | None:
    """Name and address in Git's settings for a repository, if both are set."""
    try:
        found = pygit2.Repository(str(path)).default_signature
    except (pygit2.GitError, KeyError, ValueError):
        return None
    return (found.name, found.email)


def write_commit(path: Path, raw: bytes) -> str:
    """Write a commit object as it is, on no branch, and return its id."""
    return str(pygit2.Repository(str(path)).odb.write(ObjectType.COMMIT, raw))


def _commit(repository: pygit2.Repository, ref: str) -> pygit2.Commit:
    try:
        return repository.revparse_single(ref).peel(pygit2.Commit)
    except (pygit2.GitError, ValueError) as fault:
        raise faults.not_writable(f"there is no commit {ref!r}") from fault


def _overlay(repository: pygit2.Repository, index: pygit2.Index, files: Files) -> pygit2.Oid:
    try:
        for path, content in files.items():
            if content is None:
                index.remove(path)
            else:
                blob = repository.create_blob(content)
                index.add(pygit2.IndexEntry(path, blob, FileMode.BLOB))
        return index.write_tree(repository)
    except (pygit2.GitError, OSError, ValueError) as fault:
        raise faults.not_writable(str(fault)) from fault


def _write(
    repository: pygit2.Repository,
    name: str,
    tree: pygit2.Oid,
    parents: Sequence[str],
    draft: Draft,
) -> str:
    made = draft.write(repository, tree, parents)
    if not repository.is_bare and repository.references["HEAD"].target == name:
        _check_out(repository, made)
    repository.references.create(name, made, force=True)
    return str(made)


def _check_out(repository: pygit2.Repository, made: pygit2.Oid) -> None:
    """Bring the files that the commit changes, and no others, into the work tree."""
    new = _commit(repository, str(made))
    if repository.head_is_unborn:
        difference = new.tree.diff_to_tree(swap=True)
    else:
        difference = _commit(repository, "HEAD").tree.diff_to_tree(new.tree)
    changed = [side.path for d in difference.deltas for side in (d.old_file, d.new_file)]
    if changed:
        check_out: Callable[..., None] = repository.checkout_tree  # pygit2 leaves it untyped
        check_out(
            new,
            paths=changed,
            strategy=CheckoutStrategy.FORCE | CheckoutStrategy.DISABLE_PATHSPEC_MATCH,
        )
