"""Revisions, snapshots and commits: what Git tells us."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from apiops.model.resource import EVERYTHING, File, JsonObject, ResourceId


@dataclass(frozen=True, slots=True)
class Revision:
    """A full commit id, the ref it was found by, and its tree id.

    `commit` is empty for a work tree (`--worktree`), which can be validated and planned but
    never applied.
    """

    commit: str
    ref: str
    tree: str
    subject: str = ""

    @property
    def short(self) -> str:
        """The first seven hex digits, as people quote commits (`worktree` for a work tree)."""
        return self.commit[:7] or "worktree"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All files at one revision. `read` fetches a blob's bytes by id."""

    revision: Revision
    files: Mapping[str, File]
    read: Callable[[str], bytes] = field(compare=False, repr=False)


class SignatureStatus(StrEnum):
    """What in-process verification said; everything but GOOD proves nothing."""

    GOOD = "good"
    UNSIGNED = "unsigned"
    BAD = "bad"
    MALFORMED = "malformed"
    WRONG_NAMESPACE = "wrong-namespace"
    WEAK = "weak"
    SEVERAL = "several"
    UNSUPPORTED = "unsupported"
    UNKNOWN_KEY = "unknown-key"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NO_LIBRARY = "no-library"


@dataclass(frozen=True, slots=True)
class Signature:
    """A commit's signature: its status and, when good, the fingerprint of the key.

    `key` is `SHA256:…` as `ssh-keygen -l` prints it, or `PGP:…` with the fingerprint of the
    OpenPGP certificate. Whose key it is, access decides.
    """

    status: SignatureStatus
    key: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. `author` and `committer` are what the commit claims (shown, never trusted).

    `bases` are the merge bases of a merge's two parents, sorted (empty for any other commit: an
    octopus answers for all that it brings together).
    """

    id: str
    parents: tuple[str, ...]
    tree: str
    subject: str
    message: str
    author: str
    committer: str
    at: datetime
    signature: Signature
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attestation:
    """What the forge says about a commit that it made itself: a merge or a squash in its web UI.

    `merged_by` is the address of whoever pressed the button; `heads` are the names that the
    pull request's own last commit may go by in the clone, the best first.
    """

    commit: str
    merged_by: str
    pull_request: str = ""
    heads: tuple[str, ...] = ()


Evidence = Mapping[str, Attestation]
"""Commit id → what the forge says about it."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is known about commits from outside of them, to verify and to read them with.

    `certificates` are OpenPGP ones, armored, judged `at` that time. `heads` has, for a squash
    commit, the names of the head of the pull request that it stands for.
    """

    certificates: tuple[str, ...] = ()
    at: datetime | None = None
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag of a commit. `name` is what the tag calls itself, whatever ref it has."""

    name: str
    commit: str
    message: str
    signature: Signature


class Relation(StrEnum):
    """How a head stands to the last applied commit."""

    SAME = "same"
    FORWARD = "forward"
    REWRITTEN = "rewritten"
    BASE_MISSING = "base-missing"


@dataclass(frozen=True, slots=True)
class CommitView:
    """A commit as authorization sees it: the rendered content of every resource it describes.

    `content` maps identity to `Resource.content`; `deployments` names the environments in which
    a resource is to run; `permissions` has the specs of the kinds that give rights (User, Role,
    Team, Membership); `broken` names the units whose content could not be read at this commit
    (an error diagnostic), with the code; `parts` has `Resource.parts` where there are any.
    """

    commit: Commit
    content: Mapping[ResourceId, str]
    deployments: Mapping[ResourceId, tuple[str, ...]] = field(default_factory=dict)
    permissions: Mapping[ResourceId, JsonObject] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[ResourceId, Mapping[str, str]] = field(default_factory=dict)

    def is_broken(self, unit: str) -> bool:
        """Whether what this commit says of a unit could not be read."""
        return unit in self.broken or EVERYTHING in self.broken


@dataclass(frozen=True, slots=True)
class History:
    """The commits that answer for a plan.

    `views` are the commits reachable from `head` and not from every unit's base, parents first;
    `boundary` has the views of their parents and merge bases outside of that range (by commit
    id), the units' bases and the introduction among them. `base` maps a unit to its last applied
    commit; a unit not named has none.
    """

    head: str
    base: Mapping[str, str]
    views: tuple[CommitView, ...]
    boundary: Mapping[str, CommitView] = field(default_factory=dict)
