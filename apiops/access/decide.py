"""One question, one answer: may this principal do this here?

Every door asks here for every read, write and deploy: the store takes nothing but the `Permit`
that only `permit` can make, and shows nothing but what a `Sight` covers. The rules stand in
order below; the first that has an answer decides, and the last one says no.
"""

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, field
from functools import lru_cache
from typing import Final, NoReturn

from apiops.access import roles
from apiops.access.grants import ENGINE
from apiops.errors import AccessDenied
from apiops.model.access import Category, Grants, Need, Right, Scope, Tier, Verb, Verdict, needed
from apiops.model.kinds import KINDS
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId

_ANSWERS: Final = 50_000


def decide(grants: Grants, principal: str, verb: Verb, category: Category, scope: Scope) -> Verdict:
    """Whether `principal` may do `verb` on things of `category` in `scope`, and by which rule.

    A snapshot never changes, so what was asked of it once has been answered; it may live as long
    as a server, and whoever asks chooses the questions, so not all answers are kept.
    """
    question = (principal, verb, category, scope)
    verdict = grants.answers.get(question)
    if verdict is None:
        if len(grants.answers) >= _ANSWERS:
            grants.answers.clear()
        verdict = grants.answers[question] = _decide(grants, *question)
    return verdict


def _decide(
    grants: Grants, principal: str, verb: Verb, category: Category, scope: Scope
) -> Verdict:
    question = _Question(grants, principal, Right(category, verb), scope)
    for rule in _RULES:
        verdict = rule(question)
        if verdict is not None:
            return verdict
    return question.no("R-role-lacks", _what_roles_lack(question))


def who(grants: Grants, verb: Verb, category: Category, scope: Scope) -> tuple[str, ...]:
    """The principals that may, sorted."""
    return able(grants, ((Right(category, verb), scope),))


def able(grants: Grants, needs: Iterable[Need]) -> tuple[str, ...]:
    """The principals that hold every one of `needs`, sorted; nobody when nothing is needed."""
    wanted = tuple(needs)
    if not wanted:
        return ()
    return tuple(sorted(name for name in grants.enabled if lacking(grants, name, wanted) is None))


def lacking(grants: Grants, principal: str, needs: Iterable[Need]) -> Verdict | None:
    """The first denial among `needs`, or None when the principal holds them all."""
    for right, scope in needs:
        verdict = decide(grants, principal, right.verb, right.category, scope)
        if not verdict.allowed:
            return verdict
    return None


_MINT: Final = object()


@dataclass(frozen=True, slots=True)
class Permit:
    """Proof that a principal was allowed something, under one permission snapshot.

    `permit` alone makes one: the constructor, `dataclasses.replace` and unpickling refuse.
    """

    principal: str
    right: Right
    scope: Scope
    rule: str
    grants: str
    mint: InitVar[object]

    def __post_init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("only access.decide.permit makes a Permit")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Permit cannot be pickled")

    def covers(self, verb: Verb, category: Category, scope: Scope, grants: str) -> bool:
        """Whether this permit is for exactly that, under the snapshot with digest `grants`."""
        return (self.right, self.scope, self.grants) == (Right(category, verb), scope, grants)


def permit(grants: Grants, principal: str, verb: Verb, category: Category, scope: Scope) -> Permit:
    """The permit, if the principal may. Raises AccessDenied AO520 with who else could."""
    verdict = decide(grants, principal, verb, category, scope)
    if not verdict.allowed:
        raise AccessDenied(
            f"{verdict.explanation} ({verdict.rule})",
            code="AO520",
            hint=_ask(who(grants, verb, category, scope), f"{verdict.right} in {scope}"),
        )
    return Permit(principal, verdict.right, scope, verdict.rule, grants.digest, mint=_MINT)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a principal may look at, under one permission snapshot: what reading demands.

    `sight` alone makes one, as `permit` makes permits.
    """

    principal: str
    grants: Grants
    mint: InitVar[object]
    _seen: dict[tuple[str, str | None], bool] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("only access.decide.sight makes a Sight")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Sight cannot be pickled")

    def sees(self, id: ResourceId) -> bool:
        """Whether the principal may look at a resource."""
        known = self._seen.get((id.kind, id.project))
        if known is None:
            right, scope = need_to_see(id)
            verdict = decide(self.grants, self.principal, right.verb, right.category, scope)
            known = self._seen[id.kind, id.project] = verdict.allowed
        return known


def sight(grants: Grants, principal: str) -> Sight:
    """What `principal` may look at; of somebody without any right, nothing."""
    return Sight(principal, grants, mint=_MINT)


def permits(grants: Grants, principal: str, needs: Iterable[Need]) -> tuple[Permit, ...]:
    """A permit for every need. Raises AccessDenied for the first that the principal lacks."""
    return tuple(permit(grants, principal, r.verb, r.category, scope) for r, scope in needs)


def _ask(could: tuple[str, ...], what: str) -> str:
    if not could:
        return f"nobody holds {what}; a project owner or system administrator can grant it"
    shown = ", ".join(could[:5]) + (f" and {len(could) - 5} more" if could[5:] else "")
    return f"these could: {shown}"


def need(
    kind_name: str, action: Action, id: ResourceId, environments: Iterable[str] = ()
) -> tuple[Need, ...]:
    """Every right that a change needs, and where.

    `environments` are those that the change reaches: where a deployable resource runs, of the
    environments that this write is about; for what workers receive at once (connections,
    credentials, certificates, settings), the target's environment. A kind that apiops does not
    know needs the System tier.
    """
    if kind_name == "Project" and action is Action.UPDATE:
        settings = Right(Category.PROJECT_MANAGEMENT, Verb.MANAGE)
        return ((settings, Scope(Tier.PROJECT, id.project or id.name)),)
    return _need(kind_name, action, id.project, tuple(dict.fromkeys(environments)))


@lru_cache(maxsize=4096)
def _need(
    kind_name: str, action: Action, project: str | None, reached: tuple[str, ...]
) -> tuple[Need, ...]:
    kind = KINDS.get(kind_name)
    category = kind.category if kind else Category.PROJECT_MANAGEMENT
    manage = Right(category, Verb.MANAGE)
    if kind is None or kind.tier is Tier.SYSTEM or project is None:
        return ((manage, Scope(Tier.SYSTEM)),)
    here = Scope(kind.tier, project)
    there = tuple(Scope(kind.tier, project, environment) for environment in reached)
    deploys = tuple((Right(category, Verb.DEPLOY_UNDEPLOY), scope) for scope in there or (here,))
    if action in (Action.DEPLOY, Action.UNDEPLOY):
        return deploys
    if category in roles.REACHES_WORKERS:
        return tuple((manage, scope) for scope in there or (here,))
    return ((manage, here), *(deploys if kind.deployable and there else ()))


def need_for_keys() -> tuple[Need, ...]:
    """The right to rotate, retire and wrap the Manager's keys, of every environment."""
    return ((Right(Category.SECRETS, Verb.MANAGE), Scope(Tier.SYSTEM)),)


def need_for_tokens() -> tuple[Need, ...]:
    """The right to make, list and revoke tokens of others; one's own need none."""
    return ((Right(Category.IDENTITY, Verb.MANAGE), Scope(Tier.SYSTEM)),)


def need_to_hold_off(environment: str) -> tuple[Need, ...]:
    """The right to keep runs off the targets of an environment: that of changing it."""
    return need("Environment", Action.UPDATE, ResourceId("Environment", None, environment))


def need_for_bundle(environment: str) -> tuple[Need, ...]:
    """The right to fetch what runs in an environment, secrets opened. No role gives it."""
    return ((Right(Category.SECRETS, Verb.EXECUTE), Scope(Tier.SYSTEM, None, environment)),)


def needs_of(change: Change, environments: Iterable[str] = ()) -> tuple[Need, ...]:
    """Every right that a change of a plan needs; a move also takes away where it comes from."""
    reached = tuple(environments)
    needs = need(change.id.kind, change.action, change.id, reached)
    if change.former is None or change.former.unit == change.id.unit:
        return needs
    return needs + need(change.id.kind, Action.DELETE, change.former, reached)


def need_to_see(id: ResourceId) -> Need:
    """The right that looking at a resource needs, whatever its name is."""
    kind = KINDS.get(id.kind)
    category = kind.category if kind else Category.PROJECT_MANAGEMENT
    within = kind is not None and kind.tier is not Tier.SYSTEM and id.project is not None
    scope = Scope(kind.tier, id.project) if kind and within else Scope(Tier.SYSTEM)
    return Right(category, Verb.VIEW), scope


def need_to_open(id: ResourceId, environment: str) -> Need:
    """The right that reading a secret's plaintext needs, for the environment that it is of."""
    _, scope = need_to_see(id)
    there = None if scope.project is None else environment
    return (
        Right(Category.SECRETS, Verb.EXPORT_IMPORT),
        Scope(scope.tier, scope.project, there),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, and the two ways to answer."""

    grants: Grants
    principal: str
    right: Right
    scope: Scope

    def yes(self, rule: str, because: str) -> Verdict:
        return self._verdict(rule, because, allowed=True)

    def no(self, rule: str, because: str) -> Verdict:
        needs = needed(self.right, self.scope)
        return self._verdict(rule, f"{needs}{because}", allowed=False)

    def _verdict(self, rule: str, because: str, *, allowed: bool) -> Verdict:
        return Verdict(allowed, self.principal, self.right, self.scope, rule, because)

    @property
    def governs(self) -> bool:
        """Whether it is about the Project tier: members, teams, roles, settings."""
        return self.right.category is Category.PROJECT_MANAGEMENT

    @property
    def system_roles(self) -> frozenset[str]:
        return self.grants.system_roles.get(self.principal, frozenset())


def _engine_reads(ask: _Question) -> Verdict | None:
    if ask.principal != ENGINE:
        return None
    if ask.right.verb is Verb.VIEW:
        return ask.yes("R-engine-reads", "apiops itself may look at everything")
    return ask.no("R-engine-reads", "apiops itself may only look; a person must answer for this")


def _worker_fetches(ask: _Question) -> Verdict | None:
    """Workers fetch the bundle of their environment; nobody else does, and they do nothing else.

    No user can have such a name: `@` is not allowed in it.
    """
    fetches = (ask.right, ask.scope) == need_for_bundle(ask.scope.environment or "")[0]
    if fetches and ask.scope.environment and ask.principal == worker(ask.scope.environment):
        return ask.yes("R-worker-fetches", "it is a worker of that environment")
    if fetches or ask.principal.startswith(worker("")):
        return ask.no("R-worker-fetches", "workers fetch the bundle of their environment alone")
    return None


def worker(environment: str) -> str:
    """The principal that the workers of an environment are."""
    return f"worker@{environment}"


def _unknown(ask: _Question) -> Verdict | None:
    if ask.principal in ask.grants.system_roles:
        return None
    return ask.no("R-unknown", f"the Manager knows no user {ask.principal}")


def _disabled(ask: _Question) -> Verdict | None:
    if ask.principal in ask.grants.enabled:
        return None
    return ask.no("R-disabled", f"{ask.principal} is disabled")


def _system_admin(ask: _Question) -> Verdict | None:
    if roles.SYSTEM_ADMIN not in ask.system_roles:
        return None
    if ask.scope.tier is Tier.SYSTEM or (ask.governs and ask.scope.project is not None):
        return ask.yes("R-system-admin", f"{ask.principal} is {roles.SYSTEM_ADMIN}")
    return None


def _system_analyzer(ask: _Question) -> Verdict | None:
    reads = ask.right.verb is Verb.VIEW and ask.right.category in roles.ANALYZED
    if ask.scope.tier is Tier.SYSTEM and reads and roles.SYSTEM_ANALYZER in ask.system_roles:
        return ask.yes("R-system-analyzer", f"{ask.principal} is {roles.SYSTEM_ANALYZER}")
    return None


def _system_tier(ask: _Question) -> Verdict | None:
    if ask.scope.tier is not Tier.SYSTEM and ask.scope.project is not None:
        return None
    return ask.no("R-system-tier", f"{ask.principal} is not {roles.SYSTEM_ADMIN}")


def _system_project_manager(ask: _Question) -> Verdict | None:
    if roles.SYSTEM_PROJECT_MANAGER in ask.system_roles and ask.right in roles.EVERYTHING:
        because = f"{ask.principal} is {roles.SYSTEM_PROJECT_MANAGER}"
        return ask.yes("R-system-project-manager", because)
    return None


def _not_member(ask: _Question) -> Verdict | None:
    if ask.grants.held(ask.principal, ask.scope.project):
        return None
    return ask.no("R-not-member", f"{ask.principal} has no role in project {ask.scope.project}")


def _project_role(ask: _Question) -> Verdict | None:
    for grant in ask.grants.held(ask.principal, ask.scope.project):
        if ask.right in ask.grants.rights(grant) and _reaches(grant.environments, ask):
            team = f" through team {grant.via}" if grant.via else ""
            because = f"{ask.principal} is {grant.role} in {grant.project}{team}"
            return ask.yes("R-project-role", because)
    return None


def _reaches(environments: tuple[str, ...], ask: _Question) -> bool:
    """Whether a grant with these environments counts for this question.

    A limited grant never governs the project (who may give roles could lift the limit) and never
    reaches a deploy that names no environment.
    """
    if not environments:
        return True
    if ask.governs and ask.right.verb is not Verb.VIEW:
        return False
    if ask.scope.environment is not None:
        return ask.scope.environment in environments
    return ask.right.verb is not Verb.DEPLOY_UNDEPLOY


def _environment_limit(ask: _Question) -> Verdict | None:
    limits = {
        environment
        for grant in ask.grants.held(ask.principal, ask.scope.project)
        if ask.right in ask.grants.rights(grant)
        for environment in grant.environments
    }
    if not limits:
        return None
    only = ", ".join(sorted(limits))
    return ask.no("R-environment-limit", f"{ask.principal} holds it for {only} only")


def _what_roles_lack(ask: _Question) -> str:
    held = {grant.role for grant in ask.grants.held(ask.principal, ask.scope.project)}
    return f"{ask.principal} is {', '.join(sorted(held))} there, which does not include it"


_RULES: Final[tuple[Callable[[_Question], Verdict | None], ...]] = (
    _engine_reads,
    _worker_fetches,
    _unknown,
    _disabled,
    _system_admin,
    _system_analyzer,
    _system_tier,
    _system_project_manager,
    _not_member,
    _project_role,
    _environment_limit,
)
"""In this order; whoever gets past all of them is denied (R-role-lacks)."""
