"""One question, one answer, and the permit that only it can make."""

import copy
import dataclasses
import pickle

import pytest

from apiops.access import decide
from apiops.access.grants import build
from apiops.errors import AccessDenied
from apiops.model.access import Category, Right, Scope, Tier, Verb
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from tests.permissions import CARDS, ORDERS, WORLD, role, snapshot, team, team_member

SYSTEM = Scope(Tier.SYSTEM)
PAYMENTS = Scope(Tier.TEAM, "payments")
MEMBERS = Scope(Tier.PROJECT, "payments")


def at(environment, project="payments"):
    return Scope(Tier.TEAM, project, environment)


@pytest.mark.parametrize(
    ("principal", "verb", "category", "scope", "allowed", "rule"),
    [
        ("apiops", Verb.VIEW, Category.SECRETS, PAYMENTS, True, "R-engine-reads"),
        ("apiops", Verb.MANAGE, Category.SECRETS, PAYMENTS, False, "R-engine-reads"),
        ("nobody", Verb.VIEW, Category.AUDIT, PAYMENTS, False, "R-unknown"),
        ("", Verb.VIEW, Category.AUDIT, PAYMENTS, False, "R-unknown"),
        ("gone", Verb.VIEW, Category.AUDIT, PAYMENTS, False, "R-disabled"),
        ("root", Verb.MANAGE, Category.GLOBAL_SETTINGS, SYSTEM, True, "R-system-admin"),
        ("root", Verb.MANAGE, Category.PROJECT_MANAGEMENT, MEMBERS, True, "R-system-admin"),
        ("root", Verb.MANAGE, Category.PROJECT_MANAGEMENT, PAYMENTS, True, "R-system-admin"),
        ("root", Verb.MANAGE, Category.API_MANAGEMENT, PAYMENTS, False, "R-not-member"),
        ("root", Verb.VIEW, Category.SECRETS, PAYMENTS, False, "R-not-member"),
        ("pm", Verb.DEPLOY_UNDEPLOY, Category.API_MANAGEMENT, at("production"), True, "R-system-project-manager"),
        ("pm", Verb.MANAGE, Category.PROJECT_MANAGEMENT, SYSTEM, False, "R-system-tier"),
        ("ann", Verb.VIEW, Category.AUDIT, SYSTEM, True, "R-system-analyzer"),
        ("ann", Verb.VIEW, Category.SECRETS, SYSTEM, False, "R-system-tier"),
        ("ann", Verb.VIEW, Category.AUDIT, PAYMENTS, False, "R-not-member"),
        ("alice", Verb.MANAGE, Category.PROJECT_MANAGEMENT, MEMBERS, True, "R-project-role"),
        ("alice", Verb.VIEW, Category.PROJECT_MANAGEMENT, SYSTEM, False, "R-system-tier"),
        ("carol", Verb.VIEW, Category.API_MANAGEMENT, PAYMENTS, False, "R-not-member"),
        ("bob", Verb.MANAGE, Category.AI_BUDGETS, PAYMENTS, False, "R-role-lacks"),
        ("bea", Verb.DEPLOY_UNDEPLOY, Category.API_MANAGEMENT, at("test"), True, "R-project-role"),
        ("bea", Verb.DEPLOY_UNDEPLOY, Category.API_MANAGEMENT, at("production"), False, "R-environment-limit"),
        ("bea", Verb.DEPLOY_UNDEPLOY, Category.API_MANAGEMENT, PAYMENTS, False, "R-environment-limit"),
        ("bea", Verb.MANAGE, Category.API_MANAGEMENT, PAYMENTS, True, "R-project-role"),
        ("bea", Verb.MANAGE, Category.PROJECT_MANAGEMENT, MEMBERS, False, "R-environment-limit"),
        ("bea", Verb.MANAGE, Category.PROJECT_MANAGEMENT, at("test"), False, "R-environment-limit"),
        ("bea", Verb.VIEW, Category.PROJECT_MANAGEMENT, MEMBERS, True, "R-project-role"),
        ("alice", Verb.VIEW, Category.AUDIT, Scope(Tier.TEAM), False, "R-system-tier"),
    ],
)  # fmt: skip
def test_the_rule_that_decides(principal, verb, category, scope, allowed, rule):
    verdict = decide.decide(snapshot(), principal, verb, category, scope)
    assert (allowed, rule) == (verdict.allowed, verdict.rule)
    assert verdict.explanation


def test_a_right_through_a_team_names_the_team():
    world = {
        **WORLD,
        **dict([team("core", {"carol": ["API Tester"]}), team_member("payments", "core")]),
    }
    verdict = decide.decide(snapshot(world), "carol", Verb.VIEW, Category.SECRETS, PAYMENTS)
    assert "carol is API Tester in payments through team core" == verdict.explanation


def test_a_projects_own_role_means_nothing_elsewhere():
    world = dict(WORLD)
    world |= dict([role("Clerk", "payments", SECRETS=["MANAGE"])])
    world[ResourceId("Membership", "cards", "bob")] = {"user": "bob", "roles": ["Clerk"]}
    verdict = decide.decide(
        snapshot(world), "bob", Verb.MANAGE, Category.SECRETS, Scope(Tier.TEAM, "cards")
    )
    assert "R-not-member" == verdict.rule


def test_who_could():
    could = decide.who(snapshot(), Verb.DEPLOY_UNDEPLOY, Category.API_MANAGEMENT, at("production"))
    assert ("alice", "bob", "pm") == could


def test_a_permit_is_bound_to_what_was_asked():
    grants = snapshot()
    asked = (Verb.MANAGE, Category.API_MANAGEMENT, PAYMENTS)
    permit = decide.permit(grants, "bob", *asked)
    assert permit.covers(*asked, grants.digest)
    assert not permit.covers(*asked, "another snapshot")
    assert not permit.covers(Verb.MANAGE, Category.API_MANAGEMENT, at("test"), grants.digest)
    assert not permit.covers(Verb.VIEW, Category.API_MANAGEMENT, PAYMENTS, grants.digest)


def test_a_denial_says_who_could():
    with pytest.raises(AccessDenied) as denied:
        decide.permit(snapshot(), "carol", Verb.MANAGE, Category.API_MANAGEMENT, PAYMENTS)
    assert "AO520" == denied.value.code
    assert "carol has no role in project payments" in denied.value.message
    assert "these could: alice, bea, bob, pm" == denied.value.hint


def test_nobody_else_makes_a_permit():
    permit = decide.permit(snapshot(), "bob", Verb.VIEW, Category.AUDIT, PAYMENTS)
    fields = ("mallory", permit.right, permit.scope, permit.rule, permit.grants)
    with pytest.raises(TypeError):
        decide.Permit(*fields, mint=object())
    with pytest.raises(TypeError):
        decide.Permit(*fields)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(permit, principal="mallory")
    with pytest.raises(TypeError):
        pickle.dumps(permit)
    with pytest.raises(TypeError):
        copy.copy(permit)
    with pytest.raises(dataclasses.FrozenInstanceError):
        permit.principal = "mallory"


MANAGE = Right(Category.API_MANAGEMENT, Verb.MANAGE)
DEPLOY = Right(Category.API_MANAGEMENT, Verb.DEPLOY_UNDEPLOY)
GOVERN = Right(Category.PROJECT_MANAGEMENT, Verb.MANAGE)


@pytest.mark.parametrize(
    ("action", "id", "environments", "needs"),
    [
        (Action.CREATE, ORDERS, (), ((MANAGE, PAYMENTS),)),
        (Action.UPDATE, ORDERS, ("test",), ((MANAGE, PAYMENTS), (DEPLOY, at("test")))),
        (Action.DEPLOY, ORDERS, ("production",), ((DEPLOY, at("production")),)),
        (Action.UNDEPLOY, CARDS, ("test",), ((DEPLOY, at("test", "cards")),)),
        (Action.DEPLOY, ORDERS, (), ((DEPLOY, PAYMENTS),)),
        (
            Action.UPDATE,
            ResourceId("Connection", "payments", "log"),
            ("production",),
            ((Right(Category.CONNECTIONS, Verb.MANAGE), at("production")),),
        ),
        (Action.UPDATE, ResourceId("Membership", "payments", "bob"), (), ((GOVERN, MEMBERS),)),
        (Action.UPDATE, ResourceId("Role", None, "Clerk"), (), ((GOVERN, SYSTEM),)),
        (Action.UPDATE, ResourceId("Project", None, "payments"), (), ((GOVERN, MEMBERS),)),
        (Action.DELETE, ResourceId("Project", None, "payments"), (), ((GOVERN, SYSTEM),)),
        (Action.CREATE, ResourceId("User", None, "eve"), (), ((GOVERN, SYSTEM),)),
        (Action.CREATE, ResourceId("Unheard", "payments", "x"), (), ((GOVERN, SYSTEM),)),
    ],
)
def test_what_a_change_needs(action, id, environments, needs):
    assert needs == decide.need(id.kind, action, id, environments)


def test_a_snapshot_that_lives_long_does_not_keep_every_answer() -> None:
    """A stranger may ask about names without end."""
    grants = build([])
    for number in range(60_000):
        decide.decide(grants, f"u{number}", Verb.VIEW, Category.AUDIT, Scope(Tier.SYSTEM))
    assert 0 < len(grants.answers) <= 50_000
