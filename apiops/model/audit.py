"""The ledger's values: reasons, audit entries, applied revisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from apiops.model.resource import SETTINGS, JsonObject, ResourceId


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a write happens: the commits that are charged for it (or a person's words).

    `text` is the first line people read: the newest charged commit's subject, or the reason a
    person gave in a console. `signer` is the principal whose signature proved that commit.
    `overrides` are the guards that whoever started the run overrode, `approvers` the people whose
    word the plan needed.
    """

    text: str
    commit: str = ""
    commits: tuple[str, ...] = ()
    signer: str = ""
    pull_request: str = ""
    overrides: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


class Source(StrEnum):
    """Through which door a write came."""

    APPLY = "apply"
    CONSOLE = "console"
    HTTP = "http"
    ROTATION = "rotation"
    AUDIT = "audit"
    INIT = "init"
    MIGRATION = "migration"


@dataclass(frozen=True, slots=True)
class AuditContext:
    """What every write must carry: `actor` was claimed, `principal` is who it resolved to."""

    actor: str
    principal: str
    reason: Reason
    run: str
    source: Source
    tier: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says of a target in the Manager, without changing a row: an entry of the log.

    `action` is what it is about (`approve`), `outcome` what they say (`approved`).
    """

    action: str
    outcome: str
    target: str
    environment: str
    note: JsonObject

    @property
    def subject(self) -> ResourceId:
        """What the entry is about: the target, as its settings are called."""
        return ResourceId(SETTINGS, None, self.target)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit log. `before` and `after` hold fingerprints where secrets stand."""

    seq: int
    at: datetime
    actor: str
    principal: str
    tier: str
    action: str
    resource: ResourceId | None
    environment: str | None
    before: Any
    after: Any
    delta: Any
    reason: Reason
    run: str
    source: str
    previous: str
    digest: str
    outcome: str = "done"
    address: str = ""
    login: str = ""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries: every field that is set narrows; `limit` newest first, 0 = all.

    `before` is the number of an entry: only older ones are wanted.
    """

    principal: str | None = None
    project: str | None = None
    environment: str | None = None
    kind: str | None = None
    name: str | None = None
    commit: str | None = None
    run: str | None = None
    action: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying the audit log said: entries checked and, if broken, the first bad one.

    `head` is the last entry's digest and `root` the root of the Merkle tree, both in hex.
    `proven` entries are those that a signed checkpoint was found to cover.
    """

    entries: int
    head: str
    first_bad: int | None = None
    problem: str = ""
    root: str = ""
    proven: int = 0
    checkpoints: int = 0


@dataclass(frozen=True, slots=True)
class ProofReport:
    """What a proof proved about a log of `size` entries: that it holds `entry`, or that it only
    grew `since` it had so many.
    """

    origin: str
    size: int
    entry: AuditEntry | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key version of the Manager, without the key. `values` are those that it seals, `wrapper`
    names the wrapping key that holds it.
    """

    environment: str
    purpose: str
    kid: str
    state: str
    created: datetime
    until: datetime | None = None
    wrapper: str = ""
    values: int | None = None


@dataclass(frozen=True, slots=True)
class KeyList:
    """Key versions, sorted by environment, purpose and age."""

    keys: tuple[KeyView, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """The last applied revision of a unit: a link of a hash chain, moved by compare-and-set."""

    unit: str
    commit: str
    tree: str
    serial: int
    previous: str
    digest: str
    at: datetime
    run: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """Where trust begins: the first commit, and the principal who answers for all of its tree."""

    repository: str
    target: str
    commit: str
    approver: str


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What the ledger knows of one repository and target."""

    introduction: Introduction | None = None
    applied: Mapping[str, Applied] = field(default_factory=dict)
