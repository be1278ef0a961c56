"""From resources to a permission snapshot."""

from apiops.access import grants
from apiops.model import sshkey
from apiops.model.access import Category, Grant, Right, Verb
from apiops.model.resource import ResourceId
from tests.permissions import (
    WORLD,
    member,
    public_key,
    role,
    snapshot,
    team,
    team_member,
    user,
)


def test_a_membership_gives_its_roles_in_its_project():
    assert (Grant("alice", "Project Owner", "payments"),) == snapshot().held("alice", "payments")


def test_a_membership_may_be_limited_to_environments():
    (grant,) = snapshot().held("bea", "payments")
    assert ("dev", "test") == grant.environments


def test_a_system_team_gives_its_members_their_roles_where_a_membership_names_it():
    world = [user("bob"), team("core", {"bob": ["API Developer"]}), team_member("cards", "core")]
    built = grants.build(world)
    assert (Grant("bob", "API Developer", "cards", via="core"),) == built.held("bob", "cards")
    assert () == built.held("bob", "payments")


def test_roles_on_a_teams_membership_go_to_every_member():
    world = [user("bob"), team("core", {"bob": []}), team_member("cards", "core", "API Tester")]
    assert ["API Tester"] == [g.role for g in grants.build(world).held("bob", "cards")]


def test_a_projects_own_team_comes_before_a_system_team_of_the_same_name():
    world = [
        user("bob"),
        user("eve"),
        team("core", {"bob": ["Project Owner"]}),
        team("core", {"eve": ["API Tester"]}, project="cards"),
        team_member("cards", "core"),
    ]
    assert () == grants.build(world).held("bob", "cards")


def test_a_custom_role_is_expanded():
    built = grants.build([role("Reader", "payments", TESTING=["EXECUTE"])])
    assert Right(Category.SECRETS, Verb.VIEW) in built.roles["payments", "Reader"]


def test_a_built_in_role_cannot_be_redefined():
    built = grants.build([role("API Tester", "payments", SECRETS=["MANAGE"])])
    assert ("payments", "API Tester") not in built.roles
    assert 1 == len(built.faults)


def test_a_right_that_does_not_exist_is_left_out_and_named():
    built = grants.build([role("Odd", None, AUDIT=["MANAGE", "VIEW"], NONSENSE=["VIEW"])])
    assert frozenset({Right(Category.AUDIT, Verb.VIEW)}) == built.roles[None, "Odd"]
    assert 2 == len(built.faults)


def test_unknown_roles_users_and_teams_give_nothing_and_are_named():
    built = grants.build(
        [
            user("bob", "sysWizard"),
            member("payments", "bob", "Wizard"),
            member("payments", "nobody", "API Tester"),
            team_member("payments", "missing"),
        ]
    )
    assert () == built.grants
    assert 4 == len(built.faults)


def test_a_key_that_two_users_list_proves_neither_of_them():
    thief = user("eve", keys=[{"key": public_key("bob")}])
    built = grants.build([user("bob"), thief])
    assert {} == built.keys
    assert "bob and eve" in built.faults[0]


def test_an_address_that_two_users_have_is_nobodys():
    built = grants.build([user("bob"), user("eve", email="BOB@bank.example")])
    assert {} == built.emails


def test_a_bad_key_line_is_left_out_and_named():
    built = grants.build([user("bob", keys=[{"key": "nonsense"}, {"key": public_key("bob")}])])
    assert {sshkey.fingerprint(public_key("bob"))} == set(built.keys)
    assert "keys[0]" in built.faults[0]


def test_no_user_may_be_called_like_the_engine():
    built = grants.build([user("ApiOps", "sysAdmin")])
    assert {} == built.system_roles
    assert {} == built.keys


def test_names_that_differ_in_case_only_are_one_user():
    built = grants.build([user("bob"), member("payments", "Bob", "API Tester"), user("BOB")])
    assert 1 == len(built.system_roles)
    assert 1 == len(built.faults)


def test_the_digest_says_what_the_snapshot_says_whatever_the_order():
    backwards = grants.build(reversed(list(WORLD.items())))
    assert snapshot().digest == backwards.digest
    assert snapshot() == backwards


def test_the_digest_moves_with_every_grant():
    wider = {**WORLD, **dict([member("cards", "bob", "API Tester")])}
    assert snapshot().digest != snapshot(wider).digest


def test_resources_of_other_kinds_are_passed_over():
    other = ResourceId("ApiProxy", "payments", "orders")
    assert snapshot() == snapshot({**WORLD, other: {"roles": ["Project Owner"]}})
