"""The stories that the golden tests tell: one value each, built by hand, as a run would make it."""

from datetime import UTC, datetime
from typing import Any

from apiops.access import matrix
from apiops.errors import AccessDenied
from apiops.model.access import (
    Category,
    Cause,
    Judgement,
    Right,
    Scope,
    Tier,
    Trust,
    Verb,
    Verdict,
    Verdicts,
)
from apiops.model.approval import Approval, Approvals
from apiops.model.audit import AuditEntry, ChainReport, KeyList, KeyView, ProofReport, Reason
from apiops.model.diagnostic import Diagnostic, Location, Severity
from apiops.model.doctor import Check, DoctorReport, Health, Setting
from apiops.model.outcome import Outcome, Result, RunReport
from apiops.model.plan import Action, Change, FieldChange, GuardFinding, Plan
from apiops.model.resource import ResourceId
from apiops.model.revision import Revision
from apiops.model.view import AccessCheck, AuditTrail, Findings, Holders, PlanView
from apiops.spec.explain import Child, Explanation

HEAD = "8d2f01c4be6a7d1093f5c2e8a4b7d6019e3c5f28"
BASE = "1a2b3c4d5e6f708192a3b4c5d6e7f80912233445"
BAD_COMMIT = "9c41d22aa0b1c2d3e4f5061728394a5b6c7d8e9f"
DIGEST = "4f1c9e2a7b3d5c6e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6"
MANAGE = Right(Category.API_MANAGEMENT, Verb.MANAGE)
DEPLOY = Right(Category.API_MANAGEMENT, Verb.DEPLOY_UNDEPLOY)


def a_change(action: Action, kind: str, project: str | None, name: str, **more: Any) -> Change:
    return Change(action, ResourceId(kind, project, name), **more)


def a_plan(*changes: Change, **more: Any) -> Plan:
    fields: dict[str, Any] = {
        "repository": "0659bb5",
        "target": "production",
        "environment": "production",
        "head": Revision(HEAD, "refs/heads/main", "7e" * 20, "Raise order limits"),
        "base": {"payments": BASE},
        "lineage": "manager-1",
        "permissions": "ab" * 32,
        "engine": "0.1.0",
        "unchanged": 214,
        "digest": DIGEST,
    }
    return Plan(changes=changes, **{**fields, **more})


def allowed(change: Change, principal: str, *needs: tuple[Right, Scope]) -> Judgement:
    return Judgement(
        change,
        allowed=True,
        charged=(HEAD,),
        principals=(principal,),
        needs=needs,
        rules=("R-project-role",),
    )


def a_verdict(name: str, right: Right, scope: Scope, rule: str, explanation: str) -> Verdict:
    return Verdict(
        allowed=rule == "role",
        principal=name,
        right=right,
        scope=scope,
        rule=rule,
        explanation=explanation,
    )


def project_scope(project: str, environment: str | None = None) -> Scope:
    return Scope(Tier.TEAM, project, environment)


ORDERS = a_change(
    Action.CREATE,
    "ApiProxy",
    "payments",
    "orders",
    location=Location("payments/proxies/orders.yaml", 1, 1),
    digest="aa" * 32,
)
ORDERS_DEPLOY = a_change(
    Action.DEPLOY,
    "ApiProxy",
    "payments",
    "orders",
    environment="production",
    location=Location("payments/proxies/orders.yaml", 31, 5),
)
CORE = a_change(
    Action.UPDATE,
    "Connection",
    "payments",
    "core-banking",
    fields=(
        FieldChange("spec.timeout", 10, 30, location=Location("payments/core.yaml", 9, 12)),
        FieldChange(
            "spec.password", hidden=True, location=Location("payments/core.sops.yaml", 4, 1)
        ),
        FieldChange("spec.hosts[name=primary].url", "https://old.example", "https://new.example"),
        FieldChange("spec.comment", None, "x" * 200, location=Location("payments/core.yaml", 12)),
    ),
    location=Location("payments/core.yaml", 1, 1),
    serial=7,
    digest="bb" * 32,
)
LIMITS = a_change(
    Action.UPDATE,
    "ApiProxy",
    "cards",
    "limits",
    fields=(FieldChange("spec.settings.limit", 100, 100000, location=Location("cards/l.yaml", 9)),),
    location=Location("cards/l.yaml", 1),
    serial=2,
)


def creation() -> PlanView:
    plan = a_plan(ORDERS, ORDERS_DEPLOY)
    return PlanView(
        plan,
        Verdicts(
            Trust.SIGNED,
            (
                allowed(ORDERS, "payments-lead", (MANAGE, project_scope("payments"))),
                allowed(
                    ORDERS_DEPLOY,
                    "payments-lead",
                    (DEPLOY, project_scope("payments", "production")),
                ),
            ),
        ),
        subjects={HEAD: "Raise order limits"},
    )


def rotation() -> PlanView:
    """An update with a rotated secret, another that could not be compared, and a rename."""
    renamed = a_change(
        Action.UPDATE,
        "Credential",
        "payments",
        "ledger-key",
        renamed_from="Credential/payments/ledger",
        location=Location("payments/keys.yaml", 14, 1),
        uncompared=("spec.key", "spec.secret", "spec.jwt"),
        adopts=True,
    )
    judgements = (
        allowed(CORE, "payments-lead", (MANAGE, project_scope("payments"))),
        allowed(renamed, "payments-lead", (MANAGE, project_scope("payments"))),
    )
    return PlanView(a_plan(CORE, renamed), Verdicts(Trust.SIGNED, judgements), keyless=True)


def guarded() -> PlanView:
    """A plan that deletes too much; the guard for the whole plan was not overridden."""
    deletes = tuple(
        a_change(Action.DELETE, "Connection", "payments", f"legacy-{n:02}", serial=1)
        for n in range(12)
    )
    guards = (
        GuardFinding("AO697", "mass-delete", "12 of 30 resources of the inventory would go"),
        GuardFinding("AO698", "protected", "legacy-00 is protected", "payments", overridden=True),
    )
    return PlanView(a_plan(*deletes, guards=guards, stopped={"cards": "AO203"}))


def waiting() -> PlanView:
    """A plan that one person approved, of two that it takes; another's word does not count."""
    tag = Approval("payments-deputy", "tag approve-4711")
    passed = ("entry 18 is the word of payments-lead, who made some of it",)
    approvals = Approvals(2, (tag,), passed, ("mert", "zeynep"), "production")
    judgement = allowed(ORDERS, "payments-lead", (MANAGE, project_scope("payments")))
    return PlanView(a_plan(ORDERS), Verdicts(Trust.SIGNED, (judgement,)), approvals=approvals)


def denied() -> PlanView:
    """One project is allowed and goes on, one is frozen by somebody without the right."""
    scope = project_scope("cards")
    verdict = a_verdict("mallory", MANAGE, scope, "no-grant", "no role in project cards")
    message = (
        "mallory may not change ApiProxy/cards/limits (commit 9c41d22): "
        "no role in project cards (no-grant)"
    )
    hint = "ask one of those who could to approve it"
    cause = Cause(BAD_COMMIT, "AO599", message, "mallory", verdict, hint)
    refused = Judgement(
        LIMITS,
        allowed=False,
        charged=(BAD_COMMIT,),
        principals=("mallory",),
        causes=(cause,),
        could=("cards-admin", "cards-lead"),
        needs=((MANAGE, scope),),
    )
    fine = allowed(ORDERS, "payments-lead", (MANAGE, project_scope("payments")))
    return PlanView(
        a_plan(LIMITS, ORDERS),
        Verdicts(Trust.SIGNED, (refused, fine)),
        subjects={BAD_COMMIT: "Drop the limits"},
    )


def believed() -> PlanView:
    """A sandbox target that trusts names."""
    view = creation()
    assert view.verdicts is not None
    return PlanView(view.plan, Verdicts(Trust.COMMITTER, view.verdicts.judgements))


def drifted() -> PlanView:
    change = a_change(
        Action.UPDATE,
        "ApiProxy",
        "payments",
        "orders",
        fields=(FieldChange("spec.settings.timeout", 99, 10),),
        location=Location("payments/proxies/orders.yaml", 1),
        drifted=True,
    )
    return PlanView(a_plan(change), drift=True)


def unchanged() -> PlanView:
    return PlanView(a_plan())


def invalid() -> Findings:
    return Findings(
        (
            Diagnostic(
                "AO203",
                'unknown field "timeoutt"',
                Location("proxies/orders.yaml", 9, 3),
                hint='did you mean "timeout"?',
                project="payments",
                excerpt="  timeoutt: 5",
                width=8,
            ),
            Diagnostic(
                "AO403",
                "this value looks like a secret in plain text",
                Location("proxies/cards.yaml", 120, 13),
                Severity.WARNING,
                hint="encrypt it: apiops secrets encrypt proxies/cards.yaml",
            ),
            Diagnostic("AO108", "this is a symbolic link", Location("proxies/a.yaml")),
        ),
        checked=12,
    )


def partly() -> RunReport:
    """One project done, one denied, one failed with a change blocked behind it."""
    deploy = a_change(Action.DEPLOY, "ApiProxy", "assistant", "chat", environment="production")
    chat = a_change(Action.CREATE, "ApiProxy", "assistant", "chat")
    return RunReport(
        "01JD8Q4V0G",
        "production",
        HEAD,
        (
            Outcome(ORDERS, Result.DONE, entry=17),
            Outcome(ORDERS_DEPLOY, Result.DONE, entry=18),
            Outcome(LIMITS, Result.DENIED, 19, "AO599", "mallory may not MANAGE here"),
            Outcome(chat, Result.FAILED, None, "AO799", "the Manager refused: name is taken"),
            Outcome(deploy, Result.BLOCKED, None, "AO699", "needs ApiProxy/assistant/chat"),
        ),
        {"payments": HEAD, "cards": BASE},
        frozen=("assistant", "cards"),
        seconds=0.42,
    )


def entry(seq: int, action: str, resource: ResourceId, **more: Any) -> AuditEntry:
    fields: dict[str, Any] = {
        "at": datetime(2026, 11, 24, 3, 40, seq, tzinfo=UTC),
        "actor": "Pat Lead <pat@bank.example>",
        "principal": "payments-lead",
        "tier": "team",
        "environment": None,
        "before": {"spec": {"timeout": 10}},
        "after": {"spec": {"timeout": 30}},
        "delta": {"spec": {"timeout": [10, 30]}},
        "reason": Reason("Raise order limits", HEAD, (HEAD, BASE), "payments-lead", "#41"),
        "run": "01JD8Q4V0G",
        "source": "apply",
        "previous": "cc" * 32,
        "digest": "dd" * 32,
    }
    return AuditEntry(seq=seq, action=action, resource=resource, **{**fields, **more})


def one_entry() -> AuditEntry:
    return entry(17, "update", CORE.id)


def trail() -> AuditTrail:
    console = Reason("Ticket 4711: hot fix by night shift")
    return AuditTrail(
        (
            entry(18, "update", ORDERS.id, principal="ops-night", source="console", reason=console),
            one_entry(),
            entry(16, "deploy", ORDERS.id, environment="production", outcome="denied"),
        )
    )


def chain_good() -> ChainReport:
    return ChainReport(18, "dd" * 32)


def chain_bad() -> ChainReport:
    return ChainReport(18, "dd" * 32, 7, "its digest does not match its content")


def chain_proven() -> ChainReport:
    return ChainReport(18, "dd" * 32, root="ee" * 32, proven=17, checkpoints=3)


def proof() -> ProofReport:
    return ProofReport("apiops.audit/5f1c6a0e", 18, entry=one_entry())


def growth() -> ProofReport:
    return ProofReport("apiops.audit/5f1c6a0e", 18, since=7)


def keys() -> KeyList:
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    until = datetime(2026, 11, 24, 10, 1, tzinfo=UTC)
    return KeyList(
        (
            KeyView("", "digest", "v1", "active", since, wrapper="k0a1b2c3d4e5f"),
            KeyView("", "sign", "NzbLsXh8uDCcd", "retiring", since, until, "k0a1b2c3d4e5f"),
            KeyView("production", "seal", "v1", "retiring", since, None, "k0a1b2c3d4e5f", 1250),
            KeyView("production", "seal", "v2", "active", since, None, "k0a1b2c3d4e5f", 40),
        )
    )


def doctor() -> DoctorReport:
    return DoctorReport(
        (
            Check("repository", Health.OK, "main at 8d2f01c, 214 files"),
            Check("history", Health.WARN, "shallow clone", "git fetch --unshallow"),
            Check("identity", Health.FAIL, "no age identity found", "set SOPS_AGE_KEY_FILE"),
        ),
        (
            Setting("target", "production", "flag"),
            Setting("manager", "sqlite:////srv/apiops/production.db", "apiops.toml"),
        ),
    )


def holders() -> Holders:
    scope = project_scope("payments", "production")
    return Holders(
        DEPLOY,
        scope,
        (
            a_verdict("mallory", DEPLOY, scope, "no-grant", "no role in project payments"),
            a_verdict("payments-lead", DEPLOY, scope, "role", "developer through team core"),
        ),
    )


def explained() -> Explanation:
    return Explanation(
        "ApiProxy.spec.routing",
        "mapping",
        "Where requests go. A backend that does not answer is left out until it does; `weight` "
        "says how much of the traffic the others get in the meantime.",
        default="{enabled: true}",
        allowed=("ROUND_ROBIN", "LRU"),
        notes=("What is left out stays as it is; null clears.",),
        children=(
            Child("addresses", "list of mapping", "Backends, in order.", required=True),
            Child("enabled", "true or false", "Pass requests to a backend at all. " * 3),
        ),
        example="routing:\n  addresses:\n  - address: ${param:orders_backend}\n",
        remedy="Read <this> first.",
    )


def fault() -> AccessDenied:
    return AccessDenied(
        "mallory may not sign for project cards",
        code="AO599",
        hint="ask cards-lead to approve commit 9c41d22",
        location=Location("cards/l.yaml", 9),
    )


def checked() -> AccessCheck:
    """The verdicts alone, as for a pull request: one denial, one change that may happen."""
    view = denied()
    assert view.verdicts is not None
    base = {"payments": BASE, "cards": BASE}
    return AccessCheck("production", view.plan.head, base, view.verdicts, view.subjects)


STORIES = {
    "create": creation,
    "rotation": rotation,
    "guarded": guarded,
    "waiting": waiting,
    "denied": denied,
    "believed": believed,
    "drift": drifted,
    "no-changes": unchanged,
    "invalid": invalid,
    "partial": partly,
    "audit-list": trail,
    "audit-show": one_entry,
    "chain-good": chain_good,
    "chain-bad": chain_bad,
    "chain-proven": chain_proven,
    "proof": proof,
    "proof-growth": growth,
    "keys": keys,
    "doctor": doctor,
    "who": holders,
    "check": checked,
    "matrix": lambda: matrix.view(expanded=True),
    "explain": explained,
    "error": fault,
}
