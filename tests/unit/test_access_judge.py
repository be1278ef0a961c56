"""Whose commits may change what: the special cases of authorization, one by one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apiops.model.access import Trust
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from apiops.model.revision import SignatureStatus
from tests.permissions import (
    CARDS,
    ORDERS,
    REFUNDS,
    WORLD,
    Story,
    codes,
    member,
    of,
    proxy,
    public_key,
    team,
    team_member,
    user,
)


def applied(**content: str) -> Story:
    """A story whose first commit `A` is applied: orders and cards-api at version one."""
    return Story().commit("A", "root", {ORDERS: "orders-1", CARDS: "cards-1"})


def test_one_who_holds_the_right_may_change_it():
    judgement = of(applied().commit("c1", "bob", {ORDERS: "orders-2"}).judge("A"), ORDERS)
    assert judgement.allowed
    assert ("c1",) == judgement.charged
    assert ("bob",) == judgement.principals


def test_create_and_delete_are_charged_like_updates():
    story = applied().commit("c1", "bob", {REFUNDS: "refunds-1", ORDERS: None})
    verdicts = story.judge("A")
    assert Action.DELETE is of(verdicts, ORDERS).change.action
    assert () == verdicts.denied


def test_a_stranger_is_denied_with_the_rule_and_who_could():
    judgement = of(applied().commit("c1", "carol", {ORDERS: "orders-2"}).judge("A"), ORDERS)
    assert ("AO520",) == codes(judgement)
    assert "R-not-member" == judgement.causes[0].verdict.rule
    assert "carol has no role in project payments" in judgement.causes[0].message
    assert ("alice", "bea", "bob", "pm") == judgement.could
    assert "apiops-approve" in judgement.causes[0].hint


def test_one_commit_over_two_projects_freezes_only_the_one_without_the_right():
    story = applied().commit("c1", "bob", {ORDERS: "orders-2", CARDS: "cards-2"})
    verdicts = story.judge("A")
    assert of(verdicts, ORDERS).allowed
    assert frozenset({"cards"}) == verdicts.frozen


def test_a_forged_author_proves_nothing():
    story = applied().commit("c1", "mallory", {ORDERS: "x"}, committer="alice <alice@bank.example>")
    judgement = of(story.judge("A"), ORDERS)
    assert "mallory" == judgement.causes[0].principal


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (SignatureStatus.UNSIGNED, "AO501"),
        (SignatureStatus.BAD, "AO503"),
        (SignatureStatus.WRONG_NAMESPACE, "AO504"),
        (SignatureStatus.WEAK, "AO507"),
        (SignatureStatus.SEVERAL, "AO508"),
        (SignatureStatus.UNSUPPORTED, "AO509"),
        (SignatureStatus.MALFORMED, "AO510"),
    ],
)
def test_each_failure_of_a_signature_has_its_own_code(status, code):
    story = applied().commit("c1", "alice", {ORDERS: "orders-2"}, status=status)
    judgement = of(story.judge("A"), ORDERS)
    assert (code,) == codes(judgement)
    assert judgement.principals == ()
    assert judgement.causes[0].hint


def test_a_key_of_nobody_is_nobodys_commit():
    story = applied().commit("c1", "alice", {ORDERS: "orders-2"}, key="unheard of")
    assert ("AO502",) == codes(of(story.judge("A"), ORDERS))


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"revoked": True}, "AO506"),
        ({"validUntil": "2026-11-24"}, "AO505"),
        ({"validFrom": "2026-11-24T12:00:01Z"}, "AO505"),
        ({"validUntil": "some day"}, "AO505"),
    ],
)
def test_a_key_counts_only_while_it_is_valid(entry, code):
    alice = user("alice", keys=[{"key": public_key("alice"), **entry}])
    story = applied().commit("c1", "alice", {ORDERS: "orders-2"})
    assert (code,) == codes(of(story.judge("A", {**WORLD, **dict([alice])}), ORDERS))


def test_the_time_of_the_run_counts_and_not_the_commits():
    alice = user("alice", keys=[{"key": public_key("alice"), "validUntil": "2026-12-01"}])
    story = applied().commit("c1", "alice", {ORDERS: "orders-2"})
    world = {**WORLD, **dict([alice])}
    assert of(story.judge("A", world), ORDERS).allowed
    later = datetime(2026, 12, 1, tzinfo=UTC)
    assert ("AO505",) == codes(of(story.judge("A", world, at=later), ORDERS))


def test_a_disabled_user_holds_nothing():
    story = applied().commit("c1", "gone", {ORDERS: "orders-2"})
    assert "R-disabled" == of(story.judge("A"), ORDERS).causes[0].verdict.rule


def test_a_later_edit_by_one_with_the_right_does_not_launder():
    story = (
        applied().commit("c1", "mallory", {ORDERS: "evil"}).commit("c2", "bob", {ORDERS: "evil+"})
    )
    judgement = of(story.judge("A"), ORDERS)
    assert not judgement.allowed
    assert ("c1", "c2") == judgement.charged
    assert ("c1",) == tuple(cause.commit for cause in judgement.causes)


def test_taint_ends_when_the_content_is_as_applied_again():
    story = (
        applied()
        .commit("c1", "mallory", {ORDERS: "evil"})
        .commit("c2", "mallory", {ORDERS: "orders-1"})
        .commit("c3", "bob", {ORDERS: "orders-2"})
    )
    judgement = of(story.judge("A"), ORDERS)
    assert judgement.allowed
    assert ("c3",) == judgement.charged


def test_a_revert_to_applied_content_needs_no_right():
    story = (
        applied().commit("c1", "bob", {ORDERS: "x"}).commit("c2", "mallory", {ORDERS: "orders-1"})
    )
    assert () == story.judge("A").judgements


def test_an_approval_by_one_with_the_right_clears_the_taint():
    story = (
        applied()
        .commit("c1", "mallory", {ORDERS: "orders-2"})
        .commit("c2", "alice", message="apiops-approve: ApiProxy/payments/orders")
    )
    judgement = of(story.judge("A"), ORDERS)
    assert judgement.allowed
    assert ("c1", "c2") == judgement.charged
    assert ("alice",) == judgement.principals


@pytest.mark.parametrize(
    "message",
    [
        "apiops-approve: ApiProxy/payments/other",
        "apiops-approve: ApiProxy/payments/orders\n\nand more prose after it",
        "text before\napiops-approve: ApiProxy/payments/orders",
        "Approve: ApiProxy/payments/orders",
    ],
)
def test_an_approval_names_its_resource_in_the_last_paragraph(message):
    story = applied().commit("c1", "mallory", {ORDERS: "x"}).commit("c2", "alice", message=message)
    assert not of(story.judge("A"), ORDERS).allowed


def test_an_approval_by_one_without_the_right_does_not_count():
    story = (
        applied()
        .commit("c1", "mallory", {ORDERS: "x"})
        .commit("c2", "carol", message="apiops-approve: ApiProxy/payments/orders")
    )
    assert ("AO520", "AO521") == codes(of(story.judge("A"), ORDERS))


def test_an_unsigned_approval_does_not_count():
    story = (
        applied()
        .commit("c1", "mallory", {ORDERS: "x"})
        .commit("c2", "", message="apiops-approve: ApiProxy/payments/orders")
    )
    assert ("AO520", "AO521") == codes(of(story.judge("A"), ORDERS))


def test_an_approval_does_not_cover_what_comes_after_it():
    story = (
        applied()
        .commit("c1", "mallory", {ORDERS: "x"})
        .commit("c2", "alice", message="apiops-approve: ApiProxy/payments/orders")
        .commit("c3", "mallory", {ORDERS: "y"})
    )
    assert not of(story.judge("A"), ORDERS).allowed


def test_behind_a_forges_key_no_approval_counts():
    story = (
        applied()
        .commit("c1", "mallory", {ORDERS: "x"})
        .commit("c2", "forge", message="apiops-approve: ApiProxy/payments/orders")
    )
    story.trust = Trust.HOST_ATTESTED
    world = {**WORLD, **dict([user("forge", attests=True)])}
    assert ("AO520", "AO521") == codes(of(story.judge("A", world), ORDERS))


def test_where_names_are_believed_the_committers_address_counts():
    story = applied().commit("c1", "", {ORDERS: "orders-2"}, committer="Bob <BOB@bank.example>")
    story.trust = Trust.COMMITTER
    assert ("bob",) == of(story.judge("A"), ORDERS).principals


def test_where_names_are_believed_an_unknown_name_is_nobody():
    story = applied().commit("c1", "", {ORDERS: "x"}, committer="bob")
    story.trust = Trust.COMMITTER
    assert ("AO511",) == codes(of(story.judge("A"), ORDERS))


def test_where_names_are_believed_a_signature_says_more_than_a_name():
    claimed = "alice <alice@bank.example>"
    story = applied().commit("c1", "mallory", {ORDERS: "x"}, committer=claimed)
    story.trust = Trust.COMMITTER
    judged = of(story.judge("A"), ORDERS)
    assert (False, ("mallory",)) == (judged.allowed, judged.principals)


def fork(left: str, left_edits, right: str, right_edits) -> Story:
    """A, then `l` by one person and `r` by another, both on A."""
    story = applied().commit("l", left, left_edits)
    return story.commit("r", right, right_edits, on="A")


def test_a_stranger_may_merge_cleanly():
    story = fork("bob", {ORDERS: "orders-2"}, "carol", {CARDS: "cards-2"})
    verdicts = story.merge("m", "mallory", ("l", "r")).judge("A")
    assert () == verdicts.denied
    assert ("bob",) == of(verdicts, ORDERS).principals
    assert ("r",) == of(verdicts, CARDS).charged


def test_an_unsigned_merge_is_fine_when_it_is_clean():
    story = fork("bob", {ORDERS: "orders-2"}, "carol", {CARDS: "cards-2"})
    assert () == story.merge("m", "", ("l", "r")).judge("A").denied


def test_an_evil_merge_is_charged_to_the_merger():
    story = fork("bob", {ORDERS: "orders-2"}, "carol", {CARDS: "cards-2"})
    verdicts = story.merge("m", "carol", ("l", "r"), {ORDERS: "evil"}).judge("A")
    assert ("AO520",) == codes(of(verdicts, ORDERS))
    assert "m" == of(verdicts, ORDERS).causes[0].commit
    assert of(verdicts, CARDS).allowed


def test_a_merge_that_keeps_one_side_whole_is_charged_for_what_it_drops():
    story = fork("bob", {REFUNDS: "refunds-1"}, "alice", {ORDERS: "orders-2", REFUNDS: "refunds-0"})
    story.merge("m", "mallory", ("l", "r"), take=1)
    judgement = of(story.judge("A"), REFUNDS)
    assert ("m",) == tuple(cause.commit for cause in judgement.causes)


def test_taking_the_last_parents_tree_is_no_way_round():
    """gittuf skips the path rules when a merge has the tree of its last parent."""
    story = applied().commit("l1", "bob", {ORDERS: "orders-2"})
    story.commit("l2", "bob", {REFUNDS: "r"})
    story.commit("r", "mallory", {}, on="l1").merge("m", "mallory", ("l2", "r"), take=1)
    verdicts = story.judge("l2")
    assert Action.DELETE is of(verdicts, REFUNDS).change.action
    assert ("AO520",) == codes(of(verdicts, REFUNDS))


@pytest.mark.parametrize(("merger", "allowed"), [("alice", True), ("mallory", False)])
def test_a_conflicts_resolution_is_charged_to_the_merger(merger, allowed):
    story = fork("bob", {ORDERS: "left"}, "alice", {ORDERS: "right"})
    judgement = of(story.merge("m", merger, ("l", "r"), {ORDERS: "both"}).judge("A"), ORDERS)
    assert allowed is judgement.allowed
    assert ("l", "r", "m") == judgement.charged


def test_resolving_a_conflict_does_not_launder_the_other_side():
    story = fork("bob", {ORDERS: "left"}, "mallory", {ORDERS: "right"})
    judgement = of(story.merge("m", "alice", ("l", "r"), {ORDERS: "both"}).judge("A"), ORDERS)
    assert ("r",) == tuple(cause.commit for cause in judgement.causes)


def test_resolving_for_the_clean_side_leaves_the_tainted_side_behind():
    story = fork("bob", {ORDERS: "left"}, "mallory", {ORDERS: "right"})
    assert of(story.merge("m", "alice", ("l", "r"), take=0).judge("A"), ORDERS).allowed


def test_the_same_bad_content_on_both_sides_stays_bad():
    story = fork("mallory", {ORDERS: "evil"}, "carol", {ORDERS: "evil"})
    judgement = of(story.merge("m", "alice", ("l", "r")).judge("A"), ORDERS)
    assert {"l", "r"} == {cause.commit for cause in judgement.causes}


def test_the_same_content_is_clean_when_one_side_had_the_right():
    story = fork("mallory", {ORDERS: "orders-2"}, "bob", {ORDERS: "orders-2"})
    judgement = of(story.merge("m", "mallory", ("l", "r")).judge("A"), ORDERS)
    assert judgement.allowed
    assert ("bob",) == judgement.principals


def test_old_content_is_not_clean_because_a_stale_branch_still_has_it():
    """Rolling back to a version that was replaced is an edit, whoever still has the old one."""
    story = Story().commit("old", "alice", {ORDERS: "orders-0"})
    story.commit("A", "alice", {ORDERS: "orders-1"})
    story.commit("evil", "mallory", {ORDERS: "orders-0"})
    story.commit("stale", "mallory", {CARDS: "c"}, on="old").merge(
        "m", "mallory", ("evil", "stale")
    )
    judgement = of(story.judge("A"), ORDERS)
    assert ("evil",) == tuple(cause.commit for cause in judgement.causes)


def test_a_stale_branch_merged_brings_only_its_own_changes():
    story = Story().commit("old", "alice", {ORDERS: "orders-0", CARDS: "cards-0"})
    story.commit("A", "alice", {ORDERS: "orders-1"})
    story.commit("stale", "carol", {CARDS: "cards-2"}, on="old").merge(
        "m", "mallory", ("A", "stale")
    )
    verdicts = story.judge("A")
    assert [CARDS] == [j.change.id for j in verdicts.judgements]
    assert () == verdicts.denied


def criss_cross(merger: str) -> Story:
    story = fork("bob", {ORDERS: "left"}, "bob", {CARDS: "c"})
    story.merge("x", "bob", ("l", "r"), take=0).merge("y", "bob", ("r", "l"), take=0)
    return story.merge("m", merger, ("x", "y"), take=0)


def test_a_criss_cross_whose_bases_disagree_is_charged_to_the_merger():
    assert "m" in {c.commit for c in of(criss_cross("mallory").judge("A"), ORDERS).causes}
    assert of(criss_cross("alice").judge("A"), ORDERS).allowed


def test_an_octopus_is_charged_for_everything_it_changes_against_a_parent():
    story = fork("bob", {ORDERS: "orders-2"}, "carol", {CARDS: "cards-2"})
    story.commit("t", "bob", {REFUNDS: "r"}, on="A")
    bases = {ORDERS: "orders-2", CARDS: "cards-2", REFUNDS: "r"}
    verdicts = story.merge("m", "carol", ("l", "r", "t"), bases).judge("A")
    assert of(verdicts, CARDS).allowed
    assert ("AO520",) == codes(of(verdicts, ORDERS))
    assert ("m",) == tuple(cause.commit for cause in of(verdicts, REFUNDS).causes)


def test_unrelated_histories_are_charged_commit_by_commit_and_to_the_merger():
    story = applied().commit("root2", "mallory", {REFUNDS: "evil"}, on="")
    verdicts = story.merge("m", "alice", ("A", "root2"), {REFUNDS: "evil"}).judge("A")
    assert ("root2",) == tuple(cause.commit for cause in of(verdicts, REFUNDS).causes)


def test_a_move_alone_needs_both_rights():
    moved = proxy("orders", "cards")
    verdicts = applied().commit("c", "bob", {ORDERS: None, moved: "orders-1"}).judge("A")
    assert of(verdicts, ORDERS).allowed
    assert ("AO520",) == codes(of(verdicts, moved))


def test_a_move_by_hand_shake():
    moved = proxy("orders", "cards")
    story = applied().commit("c1", "bob", {ORDERS: None}).commit("c2", "carol", {moved: "orders-1"})
    assert () == story.judge("A").denied


def test_re_tiering_needs_the_right_in_both_tiers():
    local, general = ResourceId("Role", "payments", "Clerk"), ResourceId("Role", None, "Clerk")
    story = (
        Story().commit("A", "root", {local: "r"}).commit("c", "alice", {local: None, general: "r"})
    )
    verdicts = story.judge("A")
    assert of(verdicts, local).allowed
    assert "R-system-tier" == of(verdicts, general).causes[0].verdict.rule


def test_who_may_update_a_project_may_not_delete_it():
    payments = ResourceId("Project", None, "payments")
    story = Story().commit("A", "root", {payments: "p1"}).commit("c1", "alice", {payments: "p2"})
    assert of(story.judge("A"), payments).allowed
    story.commit("c2", "alice", {payments: None})
    assert ("AO520",) == codes(of(story.judge("A"), payments))


def test_moving_a_file_is_no_change():
    assert () == applied().commit("c1", "mallory", {}).judge("A").judgements


def test_a_cherry_pick_by_another_is_the_others():
    story = applied().commit(
        "pick", "carol", {ORDERS: "orders-2"}, committer="bob <bob@bank.example>"
    )
    assert "carol" == of(story.judge("A"), ORDERS).causes[0].principal


def test_a_rename_is_charged_for_both_names():
    renamed = proxy("purchases")
    story = (
        applied().commit("c1", "bob", {ORDERS: None}).commit("c2", "mallory", {renamed: "orders-1"})
    )
    change = Change(Action.UPDATE, renamed, renamed_from="orders")
    judgement = of(story.judge("A", changes=[change]), renamed)
    assert {"c1", "c2"} == set(judgement.charged)
    assert ("AO520",) == codes(judgement)


def test_a_grant_inside_the_range_does_not_help_in_it():
    id, spec = member("payments", "mallory", "Project Owner")
    story = (
        applied().commit("c1", "alice", rights={id: spec}).commit("c2", "mallory", {ORDERS: "x"})
    )
    verdicts = story.judge("A")
    assert of(verdicts, id).allowed
    assert "R-not-member" == of(verdicts, ORDERS).causes[0].verdict.rule


def test_a_grant_applied_before_lets_frozen_commits_pass_in_the_next_batch():
    id, spec = member("payments", "mallory", "API Developer")
    story = applied().commit("c1", "mallory", {ORDERS: "x"})
    assert not of(story.judge("A"), ORDERS).allowed
    assert of(story.judge("A", {**WORLD, id: spec}), ORDERS).allowed


BOB_IN_PAYMENTS, BOBS_ROLES = member("payments", "bob", "API Developer")


def repository_with_rights() -> Story:
    return Story().commit("A", "root", {ORDERS: "orders-1"}, rights=WORLD)


def test_a_revocation_counts_for_every_commit_above_it():
    story = repository_with_rights().commit("c1", "alice", rights={BOB_IN_PAYMENTS: None})
    verdicts = story.commit("c2", "bob", {ORDERS: "x"}).judge("A")
    assert of(verdicts, BOB_IN_PAYMENTS).allowed
    assert "R-not-member" == of(verdicts, ORDERS).causes[0].verdict.rule


def test_a_revocation_does_not_reach_back():
    story = repository_with_rights().commit("c1", "bob", {ORDERS: "x"})
    story.commit("c2", "alice", rights={BOB_IN_PAYMENTS: None})
    assert of(story.judge("A"), ORDERS).allowed


def test_an_unauthorised_revocation_does_not_count():
    story = repository_with_rights().commit("c1", "mallory", rights={BOB_IN_PAYMENTS: None})
    verdicts = story.commit("c2", "bob", {REFUNDS: "x"}).judge("A")
    assert not of(verdicts, BOB_IN_PAYMENTS).allowed
    assert of(verdicts, REFUNDS).allowed


def test_a_revocation_counts_through_a_merge_that_drops_it():
    story = repository_with_rights().commit("l", "alice", rights={BOB_IN_PAYMENTS: None})
    story.commit("r", "carol", {CARDS: "c"}, on="A").merge("m", "mallory", ("l", "r"), take=1)
    judgement = of(story.commit("c", "bob", {ORDERS: "x"}).judge("A"), ORDERS)
    assert "R-not-member" == judgement.causes[0].verdict.rule


def test_a_revocation_counts_of_somebody_whom_only_the_manager_knows():
    rights = {BOB_IN_PAYMENTS: BOBS_ROLES}
    story = Story().commit("A", "root", {ORDERS: "orders-1"}, rights=rights)
    story.commit("c1", "alice", rights={BOB_IN_PAYMENTS: None}).commit("c2", "bob", {ORDERS: "x"})
    assert not of(story.judge("A"), ORDERS).allowed


def test_a_revocation_counts_in_a_team_that_only_the_manager_knows():
    core = [team("core", {"carol": ["API Developer"]}), team_member("payments", "core")]
    membership, spec = core[1]
    story = Story().commit("A", "root", {ORDERS: "orders-1"}, rights={membership: spec})
    story.commit("c1", "alice", rights={membership: None}).commit("c2", "carol", {ORDERS: "x"})
    assert not of(story.judge("A", {**WORLD, **dict(core)}), ORDERS).allowed


def test_deleting_a_user_revokes_everything():
    bob = ResourceId("User", None, "bob")
    story = repository_with_rights().commit("c1", "root", rights={bob: None})
    judgement = of(story.commit("c2", "bob", {ORDERS: "x"}).judge("A"), ORDERS)
    assert ("AO506",) == codes(judgement)


def test_a_key_revoked_inside_the_range_no_longer_proves_anything():
    id, spec = user("bob")
    spec = {**spec, "keys": [{"key": public_key("bob"), "revoked": True}]}
    story = repository_with_rights().commit("c1", "root", rights={id: spec})
    assert ("AO506",) == codes(of(story.commit("c2", "bob", {ORDERS: "x"}).judge("A"), ORDERS))


def test_an_approved_revocation_counts_from_the_approval_on():
    story = repository_with_rights().commit("c1", "mallory", rights={BOB_IN_PAYMENTS: None})
    story.commit("c2", "alice", message="apiops-approve: Membership/payments/bob")
    assert not of(story.commit("c3", "bob", {ORDERS: "x"}).judge("A"), ORDERS).allowed


def test_a_key_added_inside_the_range_is_not_known_in_it():
    id, spec = user("alice")
    wider = {**spec, "keys": [*spec["keys"], {"key": public_key("new")}]}
    story = repository_with_rights().commit("c1", "root", rights={id: wider})
    story.commit("c2", "alice", {ORDERS: "x"}, key="new")
    assert ("AO502",) == codes(of(story.judge("A"), ORDERS))


HERE = {ORDERS: ("production",)}


def test_editing_what_runs_needs_the_deploy_right_there():
    story = Story().commit("A", "root", {ORDERS: "orders-1"}, deploys=HERE)
    verdicts = story.commit("c1", "bea", {ORDERS: "orders-2"}).judge("A")
    assert "R-environment-limit" == of(verdicts, ORDERS, Action.UPDATE).causes[0].verdict.rule
    assert "R-environment-limit" == of(verdicts, ORDERS, Action.DEPLOY).causes[0].verdict.rule
    assert ("alice", "bob", "pm") == of(verdicts, ORDERS, Action.DEPLOY).could


def test_what_runs_elsewhere_is_judged_by_the_plans_for_elsewhere():
    story = Story(environment="test").commit("A", "root", {ORDERS: "orders-1"}, deploys=HERE)
    assert () == story.commit("c1", "bea", {ORDERS: "orders-2"}).judge("A").denied


def test_deploying_is_charged_to_who_asked_for_it():
    story = applied().commit("c1", "bea", deploys=HERE)
    judgement = of(story.judge("A"), ORDERS, Action.DEPLOY)
    assert ("AO520",) == codes(judgement)
    assert ("c1",) == judgement.charged


def test_an_approval_covers_the_deployment_too():
    story = Story().commit("A", "root", {ORDERS: "orders-1"}, deploys=HERE)
    story.commit("c1", "bea", {ORDERS: "orders-2"})
    story.commit("c2", "bob", message="apiops-approve: ApiProxy/payments/orders")
    assert () == story.judge("A").denied


def test_what_workers_receive_at_once_needs_the_environment():
    log = ResourceId("Connection", "payments", "log")
    denied = applied().commit("c1", "bea", {log: "x"})
    assert "R-environment-limit" == of(denied.judge("A"), log).causes[0].verdict.rule
    assert of(replace(denied, environment="test").judge("A"), log).allowed


def test_units_are_judged_from_their_own_bases():
    story = applied().commit("c1", "mallory", {CARDS: "evil"}).commit("c2", "bob", {ORDERS: "x"})
    verdicts = story.judge({"payments": "c1", "cards": "A"})
    assert frozenset({"cards"}) == verdicts.frozen
    assert ("c2",) == of(verdicts, ORDERS).charged
    assert () == story.judge({"payments": "A", "cards": "c1"}).denied


def test_a_revocation_that_was_applied_and_undone_does_not_count_for_a_frozen_unit():
    story = repository_with_rights().commit("c1", "bob", {ORDERS: "x"})
    bob, spec = user("bob")
    story.commit("c2", "root", rights={bob: {**spec, "enabled": False}})
    story.commit("c3", "root", rights={bob: spec}).commit("c4", "bob", {ORDERS: "y"})
    story.commit("c5", "root", rights=dict([user("eve")]))
    bases = {"payments": "A", "cards": "c5", "system": "c3"}
    assert of(story.judge(bases), ORDERS).allowed
    assert not of(story.judge({**bases, "system": "A"}), ORDERS).allowed


def test_nothing_is_trusted_on_first_use():
    verdicts = applied().judge({})
    assert {("AO531",)} == {codes(judgement) for judgement in verdicts.judgements}
    assert "--introduction COMMIT --approver NAME" in verdicts.judgements[0].causes[0].hint


def test_an_introduction_is_charged_to_its_approver():
    story = Story().commit("c0", "mallory", {ORDERS: "orders-1"}).commit("I", "pm")
    judgement = of(story.judge({}, introduction=("I", "pm")), ORDERS)
    assert judgement.allowed
    assert (("I",), ("pm",)) == (judgement.charged, judgement.principals)


def test_the_approver_of_an_introduction_must_hold_every_right():
    story = applied().commit("I", "alice")
    verdicts = story.judge({}, introduction=("I", "alice"))
    assert of(verdicts, ORDERS).allowed
    assert ("AO520",) == codes(of(verdicts, CARDS))


def test_an_introduction_must_be_signed_by_its_approver():
    judgement = of(applied().commit("I", "bob").judge({}, introduction=("I", "pm")), ORDERS)
    assert ("AO532",) == codes(judgement)


def test_commits_after_the_introduction_are_judged():
    story = applied().commit("I", "pm").commit("c1", "mallory", {ORDERS: "x", CARDS: "cards-1"})
    verdicts = story.judge({}, introduction=("I", "pm"))
    assert ("AO520",) == codes(of(verdicts, ORDERS))
    assert of(verdicts, CARDS).allowed


def test_a_project_made_later_starts_at_the_introduction_too():
    story = applied().commit("I", "pm").commit("c1", "bob", {ORDERS: "x"})
    verdicts = story.judge({"cards": "c1"}, introduction=("I", "pm"))
    assert ("I", "c1") == of(verdicts, ORDERS).charged


def test_a_base_that_the_head_does_not_descend_from_denies_the_unit():
    story = applied().commit("c1", "bob", {ORDERS: "x"}).commit("c2", "bob", {ORDERS: "y"}, on="A")
    assert ("AO533",) == codes(of(story.judge("c1"), ORDERS))


def test_an_introduction_outside_of_the_history_denies():
    assert ("AO533",) == codes(of(applied().judge({}, introduction=("gone", "pm")), ORDERS))


def test_a_change_that_no_commit_explains_is_denied():
    story = Story().commit("A", "root", {ORDERS: "1"}).commit("I", "pm", {})
    change = Change(Action.CREATE, REFUNDS)
    verdicts = story.judge({}, changes=[change], introduction=("I", "pm"))
    assert ("AO530",) == codes(of(verdicts, REFUNDS))


DRIFT = Change(Action.UPDATE, ORDERS, drifted=True)


def test_drift_is_set_right_in_the_name_of_the_heads_signer():
    story = applied().commit("c1", "bob", {REFUNDS: "r"})
    judgement = of(story.judge("A", changes=[DRIFT]), ORDERS)
    assert (("c1",), ("bob",)) == (judgement.charged, judgement.principals)


def test_drift_is_set_right_in_the_name_of_the_approver_when_the_signer_may_not():
    story = applied().commit("c1", "carol", {CARDS: "cards-2"})
    judgement = of(story.judge("A", changes=[DRIFT], introduction=("A", "pm")), ORDERS)
    assert (("A",), ("pm",)) == (judgement.charged, judgement.principals)


def test_drift_that_nobody_answers_for_stays():
    story = applied().commit("c1", "carol", {CARDS: "cards-2"})
    judgement = of(story.judge("A", changes=[DRIFT]), ORDERS)
    assert ("AO534",) == codes(judgement)
    assert ("alice", "bea", "bob", "pm") == judgement.could


def test_the_makers_must_hold_what_the_write_needs_and_not_only_what_the_commit_did():
    payments = ResourceId("Project", None, "payments")
    story = Story().commit("A", "root", {payments: "p1"}).commit("c1", "alice", {payments: "p2"})
    again = Change(Action.CREATE, payments)
    assert ("AO520",) == codes(of(story.judge("A", changes=[again]), payments))


def test_every_commit_answers_for_what_it_leaves_unreadable():
    broken = {"payments": "AO101"}
    story = applied().commit("c1", "mallory", {ORDERS: None}, broken=broken)
    story.commit("c2", "bob", {ORDERS: "orders-2"})
    assert ("AO520",) == codes(of(story.judge("A"), ORDERS))
    mended = applied().commit("c1", "mallory", {ORDERS: None}, broken=broken)
    assert () == mended.commit("c2", "mallory", {ORDERS: "orders-1"}).judge("A").judgements


def test_a_history_with_a_hole_denies():
    story = applied().commit("c1", "bob", {ORDERS: "x"}).commit("c2", "bob", {ORDERS: "y"})
    del story.commits["c1"]
    story.ancestors = lambda name: {"c2", "A"} if name == "c2" else {name}
    assert ("AO533",) == codes(of(story.judge("A"), ORDERS))
