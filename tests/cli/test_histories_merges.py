"""Merges of every shape, on real Git: what the merger answers for, and what nobody can smuggle."""

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
from tests.people import Person
from tests.shop import DENIZ, MERT

OF_ORDERS = "update ApiProxy/payments/orders"
OF_LIMITS = "update ApiProxy/cards/limits"


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    made = Tale(tmp_path)
    made.branch("topic")
    return made


def test_a_stranger_may_merge_what_others_may_change(tale: Tale) -> None:
    left = tale.commit(MERT, {ORDERS: orders(90)})
    right = tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic")
    merge = tale.story.merge(CEM, "topic")
    verdicts = tale.plan()
    assert ((left,), (right,)) == (verdicts[OF_ORDERS].charged, verdicts[OF_LIMITS].charged)
    tale.settle()
    assert {"payments/orders": 90, "cards/limits": 90} == tale.live()
    assert {merge} == set(tale.standing().values())


def test_a_clean_merge_need_not_be_signed(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic")
    tale.story.merge(CEM, "topic", signed=False)
    tale.settle()


def test_a_clean_merge_does_not_bless_what_it_merges(tale: Tale) -> None:
    tale.commit(MERT, {REFUNDS: refunds()})
    bad = tale.commit(CEM, {ORDERS: orders(90)}, branch="topic")
    tale.story.merge(MERT, "topic")
    assert (bad,) == tale.judged().guilty


def test_an_evil_merge_is_charged_to_the_merger(tale: Tale) -> None:
    tale.commit(MERT, {REFUNDS: refunds()})
    tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic")
    evil = tale.story.merge(DENIZ, "topic", files={ORDERS: orders(90)})
    verdicts = tale.plan()
    assert (evil,) == verdicts[OF_ORDERS].guilty
    assert verdicts[OF_LIMITS].allowed
    assert 4 == tale.sync().code
    assert {"payments/orders": 60, "cards/limits": 90} == tale.live()


def test_an_evil_merge_that_brings_back_what_a_side_changed_is_charged(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic")
    evil = tale.story.merge(DENIZ, "topic", files={ORDERS: orders(60)})
    assert (evil,) == tale.judged().guilty


def test_ours_as_a_strategy_is_charged_for_what_it_drops(tale: Tale) -> None:
    """`git merge -s ours` from the other side: main's own work is thrown away."""
    left = tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    right = tale.commit(CEM, {}, "Nothing", branch="topic")
    theirs = {ORDERS: orders(60)}
    evil = tale.commit(CEM, theirs, "Merge -s ours", parents=[left, right])
    assert (evil,) == tale.judged().guilty
    assert 4 == tale.sync().code
    assert 90 == tale.live()["payments/orders"]


def test_a_merge_with_the_tree_of_its_last_parent_is_no_way_round(tale: Tale) -> None:
    """gittuf skips the path rules there; what the first parent had is dropped all the same."""
    left = tale.commit(MERT, {REFUNDS: refunds()})
    tale.settle()
    right = tale.commit(CEM, {}, "Nothing", branch="topic", parents=[tale.base])
    evil = tale.commit(CEM, {REFUNDS: None}, parents=[left, right])
    assert (evil,) == tale.plan()["delete ApiProxy/payments/refunds"].guilty


@pytest.mark.parametrize(("merger", "allowed"), [(SELIN, True), (CEM, False)])
def test_a_conflict_is_charged_to_who_resolves_it(
    tale: Tale, merger: Person, allowed: bool
) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.commit(SELIN, {ORDERS: orders(91)}, branch="topic")
    tale.story.merge(merger, "topic", files={ORDERS: orders(92)})
    assert allowed is tale.judged().allowed


def test_resolving_a_conflict_does_not_launder_the_other_side(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    bad = tale.commit(CEM, {ORDERS: orders(91)}, branch="topic")
    tale.story.merge(MERT, "topic", files={ORDERS: orders(92)})
    assert (bad,) == tale.judged().guilty


def test_a_resolution_for_the_clean_side_leaves_the_bad_one_behind(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.commit(CEM, {ORDERS: orders(91)}, branch="topic")
    tale.story.merge(MERT, "topic", files={ORDERS: orders(90)})
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


def test_different_fields_of_one_resource_on_both_sides_are_the_mergers(tale: Tale) -> None:
    """Git merges them without a conflict; what comes out, neither side has ever looked at."""
    long = orders(90)
    connect = orders(60).replace("connectTimeout: 10", "connectTimeout: 11")
    both = long.replace("connectTimeout: 10", "connectTimeout: 11")
    tale.commit(MERT, {ORDERS: long})
    tale.commit(SELIN, {ORDERS: connect}, branch="topic")
    merge = tale.story.merge(CEM, "topic", files={ORDERS: both})
    assert (merge,) == tale.judged().guilty


def test_the_same_bad_content_on_both_sides_stays_bad(tale: Tale) -> None:
    left = tale.commit(CEM, {ORDERS: orders(90)})
    right = tale.commit(DENIZ, {ORDERS: orders(90)}, branch="topic")
    tale.story.merge(MERT, "topic")
    assert {left, right} == set(tale.judged().guilty)


def test_the_same_content_on_both_sides_is_clean_when_one_side_had_the_right(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: orders(90)})
    tale.commit(MERT, {ORDERS: orders(90)}, branch="topic")
    tale.story.merge(CEM, "topic")
    assert (True, ("mert",)) == (tale.judged().allowed, tale.judged().principals)


def octopus(tale: Tale, merger: Person, **more: str) -> str:
    left = tale.commit(MERT, {ORDERS: orders(90)})
    middle = tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic", parents=[tale.base])
    right = tale.commit(MERT, {REFUNDS: refunds()}, branch="third", parents=[tale.base])
    files = {LIMITS: limits(90), REFUNDS: refunds()}
    return tale.commit(merger, {**files, **more}, "Octopus", parents=[left, middle, right])


def test_an_octopus_is_charged_to_its_merger_for_all_that_it_brings_together(tale: Tale) -> None:
    made = octopus(tale, DENIZ)
    verdicts = tale.plan()
    assert (made,) == verdicts[OF_ORDERS].guilty
    assert (made,) == verdicts["create ApiProxy/payments/refunds"].guilty
    assert verdicts[OF_LIMITS].allowed
    assert 4 == tale.sync().code
    assert {"payments/orders": 60, "cards/limits": 90} == tale.live()


def test_an_octopus_by_one_with_every_right_is_applied(tale: Tale) -> None:
    octopus(tale, SELIN)
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


def test_an_octopus_can_be_approved(tale: Tale) -> None:
    octopus(tale, DENIZ)
    tale.commit(MERT, {}, approves("ApiProxy/payments/orders", "ApiProxy/payments/refunds"))
    tale.settle()


def criss_cross(tale: Tale, merger: Person) -> str:
    """Two branches that merged each other and kept different sides of a conflict."""
    left = tale.commit(MERT, {ORDERS: orders(90)})
    right = tale.commit(SELIN, {ORDERS: orders(91)}, branch="topic")
    one = tale.commit(MERT, {ORDERS: orders(90)}, "One", parents=[left, right])
    other = tale.commit(SELIN, {ORDERS: orders(91)}, "Other", branch="topic", parents=[right, left])
    return tale.commit(merger, {ORDERS: orders(90)}, "Again", parents=[one, other])


def test_a_criss_cross_whose_bases_disagree_is_charged_to_the_merger(tale: Tale) -> None:
    last = criss_cross(tale, CEM)
    assert 2 == len(tale.story.open().commit(last).bases)
    assert (last,) == tale.judged().guilty


def test_a_criss_cross_resolved_by_one_with_the_right_is_applied(tale: Tale) -> None:
    criss_cross(tale, SELIN)
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


def test_a_stale_branch_brings_its_own_changes_and_no_rollback(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic")
    tale.story.merge(CEM, "topic")
    assert [OF_LIMITS, "deploy ApiProxy/cards/limits → dev"] == list(tale.plan())
    tale.settle()
    assert {"payments/orders": 90, "cards/limits": 90} == tale.live()


def test_old_content_is_not_clean_because_a_stale_branch_still_has_it(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    evil = tale.commit(CEM, {ORDERS: orders(60)})
    tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic")
    tale.story.merge(CEM, "topic", files={ORDERS: orders(60)})
    assert evil in tale.judged().guilty


def test_unrelated_histories_are_charged_commit_by_commit(tale: Tale) -> None:
    head = tale.commit(MERT, {REFUNDS: refunds()})
    loot = {"payments/loot.yaml": proxy("payments/loot.yaml")}
    root = tale.commit(CEM, loot, branch="alien", parents=[])
    tale.commit(MERT, loot, "Merge", parents=[head, root])
    verdicts = tale.plan()
    assert root in verdicts["create ApiProxy/payments/loot"].guilty
    assert verdicts["create ApiProxy/payments/refunds"].allowed


def test_a_merge_of_a_deletion_and_an_edit_is_the_mergers(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: None})
    tale.commit(SELIN, {ORDERS: orders(90)}, branch="topic")
    merge = tale.story.merge(CEM, "topic", files={ORDERS: orders(90)})
    assert (merge,) == tale.judged().guilty


def test_a_merge_into_a_branch_that_main_then_takes_over_is_judged_the_same(tale: Tale) -> None:
    """The order of parents says nothing about right."""
    left = tale.commit(MERT, {ORDERS: orders(90)})
    right = tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic")
    files = {ORDERS: orders(90), LIMITS: limits(90)}
    tale.commit(CEM, files, "Merge", parents=[right, left])
    assert all(judged.allowed for judged in tale.plan().values())


def test_a_rebuilt_commit_with_identical_content_is_charged_to_who_rebuilt_it(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)}, branch="topic")
    again = tale.commit(CEM, {ORDERS: orders(90)}, claims=MERT)
    assert (again,) == tale.judged().guilty
    tale.story.merge(CEM, "topic")
    assert tale.judged().allowed, "mert's own commit with this content is in the history now"
