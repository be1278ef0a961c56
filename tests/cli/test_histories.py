"""Who answers for a change: every straight history, on real Git, judged by the real line."""

from pathlib import Path

import pytest

from tests.histories import (
    CEM,
    LIMITS,
    ORDERS,
    REFUNDS,
    SELIN,
    Tale,
    approves,
    limits,
    orders,
    proxy,
    refunds,
)
from tests.people import Person, person
from tests.shop import AYSE, DENIZ, MERT, a_member, a_project, a_proxy, a_user

OF_ORDERS = "ApiProxy/payments/orders"


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(tmp_path)


def test_one_who_holds_the_right_is_not_asked_for_more(tale: Tale) -> None:
    made = tale.commit(MERT, {ORDERS: orders(90)})
    judged = tale.judged()
    assert (True, (made,), ("mert",)) == (judged.allowed, judged.charged, judged.principals)
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


def test_a_commit_over_two_projects_freezes_only_the_one_without_the_right(tale: Tale) -> None:
    head = tale.commit(DENIZ, {ORDERS: orders(90), LIMITS: limits(90)})
    assert 4 == tale.sync().code
    assert {"payments/orders": 60, "cards/limits": 90} == tale.live()
    standing = tale.standing()
    assert (tale.base, head) == (standing["payments"], standing["cards"])


def test_a_denial_names_the_rule_and_who_could_approve(tale: Tale) -> None:
    made = tale.commit(CEM, {ORDERS: orders(90)})
    judged = tale.judged()
    assert (("AO520",), ("R-not-member",)) == (judged.codes, judged.rules)
    assert (made,) == judged.guilty
    assert ("ayse", "mert", "selin") == judged.could


def test_a_frozen_project_keeps_all_of_its_changes_back(tale: Tale) -> None:
    tale.commit(MERT, {REFUNDS: refunds()})
    tale.commit(CEM, {ORDERS: orders(90)})
    assert 4 == tale.sync().code
    assert {"payments/orders": 60, "cards/limits": 60} == tale.live()


def test_a_forged_author_proves_nothing(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: orders(90)}, claims=MERT)
    assert ("cem",) == tale.judged().principals


def test_an_unsigned_commit_is_nobodys(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)}, signed=False)
    judged = tale.judged()
    assert (("AO501",), ()) == (judged.codes, judged.principals)


def test_an_edit_on_top_of_a_bad_one_does_not_launder_it(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    good = tale.commit(MERT, {ORDERS: orders(91)})
    judged = tale.judged()
    assert ((bad,), (bad, good)) == (judged.guilty, judged.charged)


def test_laundering_is_cured_by_a_return_to_the_applied_content(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: orders(90)})
    tale.commit(CEM, {ORDERS: orders(60)})
    good = tale.commit(MERT, {ORDERS: orders(91)})
    assert (good,) == tale.judged().charged
    tale.settle()
    assert 91 == tale.live()["payments/orders"]


def test_laundering_is_cured_by_an_approval(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    tale.commit(MERT, {ORDERS: orders(91)})
    word = tale.commit(MERT, {}, approves(OF_ORDERS))
    judged = tale.judged()
    assert (True, "mert") == (judged.allowed, *judged.principals)
    assert {bad, word} <= set(judged.charged)
    tale.settle()
    assert 91 == tale.live()["payments/orders"]


@pytest.mark.parametrize(
    ("who", "signed"), [(DENIZ, True), (CEM, True), (MERT, False)], ids=["deniz", "cem", "nobody"]
)
def test_an_approval_without_the_right_or_the_key_does_not_count(
    tale: Tale, who: Person, signed: bool
) -> None:
    tale.commit(CEM, {ORDERS: orders(90)})
    tale.commit(who, {}, approves(OF_ORDERS), signed=signed)
    assert ("AO520", "AO521") == tale.judged().codes


def test_an_approval_in_the_same_commit_by_one_without_the_right_does_not_count(
    tale: Tale,
) -> None:
    tale.commit(CEM, {ORDERS: orders(90)}, approves(OF_ORDERS))
    assert not tale.judged().allowed


def test_an_approval_that_was_cherry_picked_is_not_the_pickers_word(tale: Tale) -> None:
    """The message of a harmless commit may end in an approval that whoever picks it never read."""
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    tale.branch("topic")
    bait = tale.commit(
        CEM,
        {REFUNDS: refunds()},
        approves("ApiProxy/payments/orders", text="Add refunds"),
        branch="topic",
    )
    picked = tale.story.pick(MERT, bait)
    verdicts = tale.plan()
    assert {bad, picked} == set(verdicts["update ApiProxy/payments/orders"].guilty)
    assert verdicts["create ApiProxy/payments/refunds"].allowed
    assert 4 == tale.sync().code
    tale.commit(MERT, {}, approves("ApiProxy/payments/orders"))
    tale.settle()


def test_an_approval_does_not_cover_what_comes_later(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: orders(90)})
    tale.commit(MERT, {}, approves(OF_ORDERS))
    late = tale.commit(CEM, {ORDERS: orders(91)})
    assert (late,) == tale.judged().guilty


def test_a_revert_to_what_is_applied_is_free_and_lets_the_project_go_on(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: orders(90)})
    assert 4 == tale.sync().code
    head = tale.commit(CEM, {ORDERS: orders(60)}, "Revert")
    assert 0 == tale.sync().code
    assert head == tale.standing()["payments"]


def test_a_revert_to_what_was_applied_once_is_an_edit(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    back = tale.commit(CEM, {ORDERS: orders(60)}, "Revert")
    assert (back,) == tale.judged().guilty


def test_a_cherry_pick_is_charged_to_who_picked(tale: Tale) -> None:
    tale.branch("topic")
    made = tale.commit(MERT, {ORDERS: orders(90)}, branch="topic")
    picked = tale.story.pick(CEM, made)
    judged = tale.judged()
    assert ((picked,), ("cem",)) == (judged.guilty, judged.principals)


def test_a_rebase_by_another_is_charged_to_who_rebased(tale: Tale) -> None:
    tale.branch("topic")
    made = tale.commit(MERT, {ORDERS: orders(90)}, branch="topic")
    tale.commit(DENIZ, {LIMITS: limits(90)})
    rebased = tale.story.pick(DENIZ, made)
    verdicts = tale.plan()
    assert (rebased,) == verdicts["update ApiProxy/payments/orders"].guilty
    assert verdicts["update ApiProxy/cards/limits"].allowed


def test_moving_a_file_is_no_change(tale: Tale) -> None:
    head = tale.commit(CEM, {ORDERS: None, "elsewhere/o.yaml": orders(60)})
    assert {} == tale.plan()
    tale.settle()
    assert {head} == set(tale.standing().values())


def test_a_change_under_cover_of_a_moved_file_is_one(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: None, "elsewhere/o.yaml": orders(90)})
    assert not tale.judged().allowed


def test_a_second_copy_is_charged_to_who_brought_it_whoever_removes_the_first(tale: Tale) -> None:
    second = tale.commit(CEM, {"payments/zz.yaml": orders(90)})
    assert 3 == tale.run("plan").code
    tale.commit(MERT, {ORDERS: None}, "Remove the duplicate")
    assert second in tale.judged().guilty
    assert 4 == tale.sync().code
    assert 60 == tale.live()["payments/orders"]


def test_a_second_copy_stops_its_own_project_only(tale: Tale) -> None:
    tale.commit(CEM, {"payments/zz.yaml": orders(90)})
    tale.commit(DENIZ, {LIMITS: limits(90)})
    assert 3 == tale.sync().code
    assert {"payments/orders": 60, "cards/limits": 90} == tale.live()


def test_removing_the_second_copy_again_leaves_nothing_behind(tale: Tale) -> None:
    tale.commit(CEM, {"payments/zz.yaml": orders(90)})
    tale.commit(CEM, {"payments/zz.yaml": None})
    tale.commit(MERT, {ORDERS: orders(91)})
    assert tale.judged().allowed


MOVED = "cards/orders.yaml"


def test_a_move_across_projects_alone_needs_both_rights(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: None, MOVED: proxy(MOVED)})
    verdicts = tale.plan()
    assert verdicts["delete ApiProxy/payments/orders"].allowed
    assert not verdicts["create ApiProxy/cards/orders"].allowed


def test_a_move_across_projects_by_one_with_both_rights(tale: Tale) -> None:
    tale.commit(SELIN, {ORDERS: None, MOVED: proxy(MOVED)})
    tale.settle()
    assert {"cards/orders": 60, "cards/limits": 60} == tale.live()


def test_a_move_across_projects_by_hand_shake(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: None}, "Give orders away")
    tale.commit(DENIZ, {MOVED: proxy(MOVED)}, "Take orders over")
    tale.settle()
    assert {"cards/orders": 60, "cards/limits": 60} == tale.live()


def a_role(name: str, project: str | None, verb: str = "VIEW") -> str:
    place = f", project: {project}" if project else ""
    return (
        f"apiVersion: apiops/v1\nkind: Role\nmetadata: {{name: {name}{place}}}\n"
        f"spec: {{permissions: [{{category: API_MANAGEMENT, actions: [{verb}]}}]}}\n"
    )


def test_re_tiering_needs_the_right_in_both_tiers(tale: Tale) -> None:
    local = "payments/clerk.yaml"
    tale.commit(MERT, {local: a_role("Clerk", "payments")})
    tale.settle()
    tale.commit(MERT, {local: None, "system/clerk.yaml": a_role("Clerk", None)})
    verdicts = tale.plan()
    assert verdicts["delete Role/payments/Clerk"].allowed
    assert ("R-system-tier",) == verdicts["create Role/Clerk"].rules


@pytest.mark.parametrize(("who", "allowed"), [(MERT, True), (CEM, False), (DENIZ, False)])
def test_a_delete_needs_the_right(tale: Tale, who: Person, allowed: bool) -> None:
    tale.commit(who, {ORDERS: None})
    verdicts = tale.plan()
    assert allowed is verdicts["delete ApiProxy/payments/orders"].allowed
    assert allowed is verdicts["undeploy ApiProxy/payments/orders → dev"].allowed


def test_who_may_edit_a_project_may_not_delete_it(tale: Tale) -> None:
    gone = dict.fromkeys(("payments/project.yaml", ORDERS, "payments/mert.yaml"))
    tale.commit(MERT, {**gone, "payments/selin.yaml": None})
    assert not tale.plan()["delete Project/payments"].allowed


def test_a_project_does_not_take_along_what_its_deleter_may_not_delete(tale: Tale) -> None:
    """A system administrator may delete projects, and nothing that is in them."""
    boss = person("boss")
    tale.commit(AYSE, {"system/boss.yaml": a_user(boss, "sysAdmin")})
    tale.settle()
    gone = dict.fromkeys(("project", "limits", "deniz", "selin"))
    bad = tale.commit(boss, {f"cards/{name}.yaml": None for name in gone})
    assert {bad} == set(tale.judged("delete ApiProxy/cards/limits").guilty)
    for _ in range(2):
        assert 4 == tale.sync().code
        assert {"Project/cards", "ApiProxy/cards/limits"} <= tale.resources()
    tale.commit(AYSE, {}, approves("ApiProxy/cards/limits"))
    tale.settle()
    assert not [one for one in tale.resources() if "cards" in one]


def test_a_project_is_not_deleted_while_manifests_name_it(tale: Tale) -> None:
    tale.commit(AYSE, {"cards/project.yaml": None})
    assert 3 == tale.sync().code
    assert {"Project/cards", "ApiProxy/cards/limits"} <= tale.resources()


def test_a_project_of_ones_own_needs_the_system_tier(tale: Tale) -> None:
    tale.commit(
        CEM,
        {
            "mine/project.yaml": a_project("mine"),
            "mine/cem.yaml": a_member(CEM, "mine", "Project Owner"),
            "mine/loot.yaml": a_proxy("loot", "mine"),
        },
    )
    assert not any(judged.allowed for judged in tale.plan().values())
    assert 4 == tale.sync().code
    assert "Project/mine" not in tale.resources()


def test_a_squashed_commit_is_charged_to_who_signed_it_whatever_its_message_says(
    tale: Tale,
) -> None:
    squash = (
        "Faster orders (#12)\n\n* work in progress\n* done\n\n"
        "Co-authored-by: Mert <mert@bank.example>\n"
        f"apiops-approve: {OF_ORDERS}\nSigned-off-by: Mert <mert@bank.example>"
    )
    made = tale.commit(CEM, {ORDERS: orders(90)}, squash)
    assert (made,) == tuple(dict.fromkeys(tale.judged().guilty))


def test_a_squash_signed_by_one_with_the_right_counts_as_theirs(tale: Tale) -> None:
    made = tale.commit(MERT, {ORDERS: orders(90)}, "Faster (#12)\n\nCo-authored-by: Cem <c@b>")
    assert ((made,), ("mert",)) == (tale.judged().charged, tale.judged().principals)


def test_touched_and_unchanged_is_reported_by_nobody(tale: Tale) -> None:
    """Comments and order of keys are no content."""
    tale.commit(CEM, {ORDERS: "# a remark\n" + orders(60)})
    assert {} == tale.plan()


def test_a_syntax_error_on_the_way_does_not_hide_an_edit(tale: Tale) -> None:
    broken = tale.commit(CEM, {ORDERS: orders(60) + "]"})
    tale.commit(MERT, {ORDERS: orders(90)}, "Mend it")
    assert broken in tale.judged().guilty
    tale.commit(MERT, {}, approves(OF_ORDERS))
    assert tale.judged().allowed


def test_a_dangling_name_on_the_way_hides_nothing_and_charges_nobody(tale: Tale) -> None:
    """What refers to nothing is invalid, but everybody can read what it says."""
    selin = a_member(SELIN, "payments", "API Developer")
    tale.commit(MERT, {"payments/ghost.yaml": selin.replace("selin", "ghost"), REFUNDS: refunds()})
    tale.commit(DENIZ, {LIMITS: limits(90)})
    tale.commit(MERT, {"payments/ghost.yaml": None}, "Mend it")
    assert tale.plan()["create ApiProxy/payments/refunds"].allowed


def test_nothing_happens_twice(tale: Tale) -> None:
    tale.commit(AYSE, {ORDERS: orders(90)})
    tale.settle()
    assert {} == tale.plan()
