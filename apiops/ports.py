"""The sockets of the line: what reconcile asks of the world, and the world promises.

Every real adapter and every fake passes the same contract suite in `tests/contracts`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from apiops.model.access import Grants, Need, Trust
from apiops.model.audit import (
    Applied,
    AuditContext,
    AuditEntry,
    AuditQuery,
    ChainReport,
    Introduction,
    LedgerState,
    Statement,
)
from apiops.model.order import Order
from apiops.model.outcome import Outcome
from apiops.model.plan import Change
from apiops.model.resource import JsonObject, LiveResource, Resource, ResourceId
from apiops.model.revision import Commit, Proofs, Relation, Revision, Snapshot, Tag
from apiops.model.secret import SecretLeaf, SecretValue
from apiops.model.settled import Settled
from apiops.model.shown import Shown
from apiops.model.view import Carried, Planned


class Repository(Protocol):
    """A Git repository, read from its objects."""

    @property
    def lineage(self) -> str:
        """What makes two clones the same repository: the id of its first root commit."""

    def resolve(self, ref: str) -> Revision:
        """The revision a ref, branch, tag or commit id names. Raises SourceError."""

    def snapshot(self, revision: Revision) -> Snapshot:
        """All files at a revision. Raises SourceError for an unreadable object."""

    def relation(self, base: str, head: str) -> Relation:
        """How commit `head` stands to commit `base`."""

    def commit(self, id: str) -> Commit:
        """One commit by its full id, signature verified. Raises SourceError."""

    def commits(self, base: str | None, head: str) -> tuple[Commit, ...]:
        """Commits reachable from `head` and not from `base`, parents first, signatures verified."""

    def tags(self, commit: str, sent: Iterable[bytes] = ()) -> tuple[Tag, ...]:
        """The annotated tags of a commit, here and among the tag objects `sent` along, verified."""

    def knowing(self, proofs: Proofs) -> "Repository":
        """The same repository, its commits verified and read with `proofs`.

        A squash whose pull request's head is in the clone is a merge of its parent and that
        head. SSH signatures need no proofs: their key is inside.
        """


class Keyring(Protocol):
    """The age identities at hand."""

    def open(self, leaf: SecretLeaf, content: bytes) -> SecretValue:
        """The plaintext that `leaf` points at in the file `content`; the file's MAC is checked.

        Raises SecretError (no identity, none that matches, MAC wrong, no such key).
        """

    @property
    def available(self) -> bool:
        """Whether any identity was found. Without one a run goes on, on ciphertext."""


@dataclass(frozen=True, slots=True)
class Live:
    """What the Manager holds now, for one repository and target.

    `resources` are all that the reader may see (not only the inventory), `permissions` is the
    digest of `grants`. `trust` is the Manager's own setting, so that a commit cannot loosen it, and
    `environments` are the specs of all Environments by name, whatever part is read or may be seen:
    what they demand holds for every plan.
    `shown` is what a Manager elsewhere was asked for it and how it answered; `vendors` that it is
    a vendor's, which cannot do all that ours can (`Kind.lasting`).
    """

    lineage: str
    resources: tuple[LiveResource, ...]
    grants: Grants
    ledger: LedgerState
    trust: Trust = Trust.SIGNED
    environments: Mapping[str, JsonObject] = field(default_factory=dict)
    shown: Shown | None = None
    vendors: bool = False

    @property
    def permissions(self) -> str:
        """Identifies the permission snapshot that verdicts are made from."""
        return self.grants.digest


@dataclass(frozen=True, slots=True)
class Inventory:
    """In whose inventory a resource was, and what its author had written (None: its spec)."""

    owner: str | None
    applied: JsonObject | None


@dataclass(frozen=True, slots=True)
class Write:
    """One change to carry out, with what it needs.

    `resource` has the spec as it shall be afterwards (None for delete and undeploy) and, as
    `authored`, what becomes `LiveResource.applied`; `secrets` are the plaintexts by the JSON
    pointer of their leaf in the spec (a leaf without one was merged in from the live spec and
    keeps the value it has); `files` are the bytes of the files it refers to by their SHA-256;
    `principals` the makers of the charged commits: each must hold the right when the write
    happens. `inventory` has a write that goes back to what was: without a head it becomes that.
    `moved` are leaves that stand elsewhere in the spec than before and keep their values: new
    pointer → former one.
    """

    change: Change
    resource: Resource | None
    principals: tuple[str, ...]
    context: AuditContext
    secrets: Mapping[str, SecretValue] = field(default_factory=dict, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    inventory: Inventory | None = None
    moved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """The writes of one unit, carried out together: on the embedded Manager, all or nothing.

    `base` is the applied commit that the plan was made from (None: first time); the unit moves
    to `head` by compare-and-set. `fence` is the lease's token. A batch without writes still
    moves the unit. Without a `head` it is a person's own change in the Manager: no unit moves, and
    no inventory changes but of what a write goes back to, so the next run finds it as drift.
    `environment` is the one that the target stands for: rights that are limited to environments are
    judged by it.
    """

    repository: str
    target: str
    unit: str
    base: str | None
    head: Revision | None
    writes: tuple[Write, ...]
    context: AuditContext
    fence: int
    introduction: Introduction | None = None
    environment: str = ""


class Manager(Protocol):
    """The thing that is managed: the embedded Manager or the vendor's."""

    def read(
        self, repository: str, target: str, among: Collection[ResourceId] | None = None
    ) -> Live:
        """The live state. Raises ManagerUnavailable, StoreError.

        With `among`, its resources are those that are one of these.
        """

    def fingerprint(
        self, id: ResourceId, pointer: str, environment: str, value: SecretValue
    ) -> str:
        """The keyed hash of a secret, bound to its place. The key is the environment's."""

    def write(self, batch: Batch) -> tuple[Outcome, ...]:
        """Carry out a batch, deciding permission again.

        Raises AccessDenied, Conflict, ManagerError.
        """

    def lease(self, name: str, holder: str) -> AbstractContextManager[int]:
        """Hold a named lease; gives the fencing token. Raises ManagerUnavailable if held."""


class Ledger(Protocol):
    """The append-only book: audit entries and applied revisions."""

    def state(self, repository: str, target: str) -> LedgerState:
        """Introduction and applied revisions."""

    def history(self, repository: str, target: str, unit: str) -> tuple[Applied, ...]:
        """The chain of applied revisions of a unit, oldest first."""

    def entries(self, query: AuditQuery) -> Iterator[AuditEntry]:
        """Audit entries, newest first."""

    def deny(self, context: AuditContext, change: Change, code: str, message: str) -> int:
        """Record a denied attempt, in a transaction of its own; the entry's number."""

    def say(self, context: AuditContext, said: Statement, needs: Sequence[Need]) -> int:
        """Record what the context's principal says of a target; the entry's number.

        Raises AccessDenied AO520 (recorded) unless they hold all of `needs`, or nothing is needed.
        """

    def verify(self) -> ChainReport:
        """Walk the chain and name the first bad entry."""


@dataclass(frozen=True, slots=True)
class Begun:
    """How far a write may have come whose end nobody recorded.

    `former` is the live identity before it, if it is another one; `anew` says that the thing may
    have been made or taken away, so that nothing it had need be there any more.
    """

    former: ResourceId | None = None
    anew: bool = False


class Book(Protocol):
    """What we keep of a Manager that keeps nothing for us: rights, what was written, a journal.

    `read`, `fingerprint` and `lease` are those of `Manager`; in what is read, the specs are the
    ones that were written last, and their secrets have fingerprints only.
    """

    def read(
        self,
        repository: str,
        target: str,
        among: Collection[ResourceId] | None = None,
        kinds: Collection[str] = (),
    ) -> Live:
        """What was written last, with rights and ledger: all of it, or `among` and these kinds."""

    def has(self, kind: str, project: str | None) -> bool:
        """Whether anything of a kind in a project (or the System tier) is in an inventory."""

    def fingerprint(
        self, id: ResourceId, pointer: str, environment: str, value: SecretValue
    ) -> str:
        """The keyed hash of a secret, bound to its place."""

    def lease(self, name: str, holder: str) -> AbstractContextManager[int]:
        """Hold a named lease; gives the fencing token."""

    def rehearse(self, batch: Batch) -> None:
        """Judge a batch as `record` and `advance` would, and write nothing.

        Raises AccessDenied (the denial is recorded), Conflict.
        """

    def begin(self, batch: Batch, wave: Sequence[Write]) -> None:
        """The calls of these writes are about to be sent: a killed run leaves their names.

        Raises Conflict AO759 when another run wrote meanwhile.
        """

    def intend(self, batch: Batch, calls: Sequence[tuple[Write, str]]) -> Sequence[str]:
        """Calls are about to be sent for writes; gives their numbers in the journal.

        Raises Conflict AO719 if the lease was lost: then nothing more is to be sent.
        """

    def end(self, results: Sequence[tuple[str, str]]) -> None:
        """What became of calls, by their numbers."""

    def unsettled(self, repository: str, target: str) -> Mapping[ResourceId, Begun]:
        """Of what a call was begun whose write was never recorded, and what may have come of it."""

    def record(self, batch: Batch, writes: Sequence[Write]) -> tuple[Outcome, ...]:
        """Writes were carried out: entries, what was written, the inventory. Their calls settle.

        All of them or none. Raises Conflict, AccessDenied.
        """

    def advance(self, batch: Batch) -> None:
        """The whole unit was carried out: it is at the batch's head now."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is settled, so that a run need not look at it again; `still` says whether it is so yet,
    given what a Manager elsewhere showed to the run.
    """

    settled: Settled
    still: Callable[[Shown | None], bool]


class Runs(Protocol):
    """Whatever carries out a run: the line in this process, or a Manager that walks it itself.

    A run may begin from a `ground`. It is the same run, and looks at less.
    """

    def plan(self, order: Order, ground: Ground | None = None) -> Planned:
        """Everything between reading and writing. Nothing is written. Raises ApiopsError."""

    def apply(self, order: Order, ground: Ground | None = None) -> Carried:
        """Plan and carry out. Raises ApiopsError for what stops all of it."""

    def approve(self, order: Order, person: str, *, withdraw: bool = False) -> Planned:
        """Give (or take back) a person's word for the plan with the digest `order.approved`.

        Raises PlanRefused, AccessDenied.
        """

    def drift(self) -> Planned | None:
        """The live state against what was applied last; None when nothing ever was."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling: the station of the line, what happens there, and how far it is."""

    station: str
    message: str
    done: int = 0
    total: int = 0
    fields: JsonObject = field(default_factory=dict)


class Observer(Protocol):
    """Told what happens: the progress line, logs, metrics."""

    def notice(self, event: Event) -> None:
        """Take note; must not raise and must not slow the line."""
