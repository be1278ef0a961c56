"""Who may do what: tiers, categories, verbs, grants, verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apiops.model.plan import Change


class Tier(StrEnum):
    """The three permission levels."""

    SYSTEM = "system"
    PROJECT = "project"
    TEAM = "team"


class Verb(StrEnum):
    """What a right lets one do (vendor document, 3.1)."""

    VIEW = "VIEW"
    MANAGE = "MANAGE"
    DEPLOY_UNDEPLOY = "DEPLOY_UNDEPLOY"
    EXECUTE = "EXECUTE"
    EXPORT_IMPORT = "EXPORT_IMPORT"


class Category(StrEnum):
    """What a right is about (vendor document, 3.1)."""

    API_MANAGEMENT = "API_MANAGEMENT"
    API_CREATOR = "API_CREATOR"
    API_INTEGRATOR = "API_INTEGRATOR"
    GLOBAL_SETTINGS = "GLOBAL_SETTINGS"
    CONNECTIONS = "CONNECTIONS"
    IDENTITY = "IDENTITY"
    SECRETS = "SECRETS"
    MONITORING = "MONITORING"
    ANALYTICS = "ANALYTICS"
    AUDIT = "AUDIT"
    TESTING = "TESTING"
    PROJECT_MANAGEMENT = "PROJECT_MANAGEMENT"
    AI_DEVELOPMENT = "AI_DEVELOPMENT"
    AI_BUDGETS = "AI_BUDGETS"
    AI_ANALYTICS = "AI_ANALYTICS"


class Trust(StrEnum):
    """How an actor is resolved to a principal."""

    SIGNED = "signed"
    HOST_ATTESTED = "host-attested"
    COMMITTER = "committer"


@dataclass(frozen=True, slots=True)
class Right:
    """Category × verb, the unit that a role grants."""

    category: Category
    verb: Verb

    def __str__(self) -> str:
        return f"{self.category.value}.{self.verb.value}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a right is needed: project (None = System tier) and, for a deploy, environment."""

    tier: Tier
    project: str | None = None
    environment: str | None = None

    def __str__(self) -> str:
        text = "System tier" if self.project is None else f"project {self.project}"
        return f"{text}, environment {self.environment}" if self.environment else text


@dataclass(frozen=True, slots=True)
class Grant:
    """Principal × role × scope. Empty `environments` means all; `via` is the team, if any."""

    principal: str
    role: str
    project: str | None
    environments: tuple[str, ...] = ()
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key of a principal: fingerprint, validity (ISO 8601 UTC; empty: open).

    The fingerprint is OpenSSH's (`SHA256:…`) or, of an OpenPGP `certificate` (armored), `PGP:…`.
    `attests`: it is a forge's key, which proves where a commit was made and not by whom.
    """

    fingerprint: str
    principal: str
    valid_from: str = ""
    valid_until: str = ""
    revoked: bool = False
    certificate: str = field(default="", repr=False)
    attests: bool = False


@dataclass(frozen=True, slots=True)
class Grants:
    """A permission snapshot: everything that decisions are made from.

    `roles` maps (project or None, role) to its expanded rights; `system_roles` maps every known
    principal to its system roles; `keys` is by fingerprint, `emails` by folded address; `enabled`
    are the principals that may act; `faults` says what was left out and why; `digest` identifies
    the snapshot.
    """

    grants: tuple[Grant, ...]
    roles: Mapping[tuple[str | None, str], frozenset[Right]]
    system_roles: Mapping[str, frozenset[str]]
    keys: Mapping[str, Key]
    emails: Mapping[str, str] = field(default_factory=dict)
    enabled: frozenset[str] = frozenset()
    digest: str = ""
    faults: tuple[str, ...] = field(default=(), compare=False)
    _held: Mapping[tuple[str, str | None], tuple[Grant, ...]] = field(
        init=False, repr=False, compare=False
    )
    answers: dict[tuple[str, Verb, Category, Scope], "Verdict"] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What `access.decide` has answered from this snapshot so far."""

    def __post_init__(self) -> None:
        held: dict[tuple[str, str | None], tuple[Grant, ...]] = {}
        for grant in self.grants:
            at = (grant.principal, grant.project)
            held[at] = (*held.get(at, ()), grant)
        object.__setattr__(self, "_held", held)

    @property
    def certificates(self) -> tuple[str, ...]:
        """The OpenPGP certificates among the keys, armored, in the order of their fingerprints."""
        known = sorted(self.keys.items())
        return tuple(key.certificate for _, key in known if key.certificate)

    def held(self, principal: str, project: str | None) -> tuple[Grant, ...]:
        """What a principal was granted in a project, directly and through teams."""
        return self._held.get((principal, project), ())

    def rights(self, grant: Grant) -> frozenset[Right]:
        """What a grant's role allows: the project's own role by that name, else the general one."""
        own = self.roles.get((grant.project, grant.role))
        return own if own is not None else self.roles.get((None, grant.role), frozenset())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Allowed or denied, with the rule that decided, in words a person can act on."""

    allowed: bool
    principal: str
    right: Right
    scope: Scope
    rule: str
    explanation: str = ""

    @property
    def because(self) -> str:
        """The explanation without the right and the place, for whoever has just been told them."""
        return self.explanation.removeprefix(needed(self.right, self.scope))


def needed(right: Right, scope: Scope) -> str:
    """How the explanation of a denial begins."""
    return f"{right} in {scope} is needed: "


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a change is denied: the charged commit, who made it, the code, the verdict.

    `commit` is empty when no commit answers for the change; `hint` says what to do next.
    """

    commit: str
    code: str
    message: str
    principal: str | None = None
    verdict: Verdict | None = None
    hint: str = ""


Need = tuple[Right, Scope]
"""A right and where it is needed."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one change of a plan.

    `charged` are the commits that answer for it, `principals` their makers (deduplicated, in
    commit order), `causes` why it is denied (empty: allowed), `could` who could approve it,
    `needs` the rights it takes and, when allowed, `rules` by which they are held.
    """

    change: Change
    allowed: bool
    charged: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    could: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdicts:
    """All judgements on a plan. `frozen` are the units in which a change is denied."""

    trust: Trust
    judgements: tuple[Judgement, ...]

    @property
    def denied(self) -> tuple[Judgement, ...]:
        """The judgements that say no."""
        return tuple(j for j in self.judgements if not j.allowed)

    @property
    def frozen(self) -> frozenset[str]:
        """The units that stay at their last applied commit: where a change is denied, and what
        a move joins to such a unit.
        """
        frozen = {unit for judgement in self.denied for unit in judgement.change.units}
        moves = [j.change.units for j in self.judgements if len(j.change.units) > 1]
        while joined := {u for units in moves if frozen & units for u in units} - frozen:
            frozen |= joined
        return frozenset(frozen)
