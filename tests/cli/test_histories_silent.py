"""Changes that a plan does not show, because nothing would be written now: they are judged all the same.

A unit moves to the head when the Manager is as the head describes it. What somebody without the
right committed must not become "what was applied" on that occasion.
"""

from pathlib import Path

import pytest

from tests.histories import CEM, LIMITS, ORDERS, Tale, approves, limits, orders
from tests.shop import DENIZ, MERT

RUNS = "  deployments:\n    - environment: dev\n"


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(tmp_path)


def test_a_delete_that_no_run_pruned_stays_its_committers(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: None})
    tale.commit(MERT, {})
    assert 4 == tale.run("sync", "--no-prune").code
    judged = tale.judged("delete ApiProxy/payments/orders")
    assert ((bad,), ("cem",)) == (judged.guilty, judged.principals)
    assert 4 == tale.sync().code
    assert 60 == tale.live()["payments/orders"]


def test_a_delete_with_the_right_may_be_pruned_later(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: None})
    assert 0 == tale.run("sync", "--no-prune").code
    assert 60 == tale.live()["payments/orders"]
    tale.settle()
    assert "payments/orders" not in tale.live()


def test_nobody_takes_a_proxy_out_of_management_unasked(tale: Tale) -> None:
    """Without `deployments` later changes would be written and never reach a gateway."""
    bad = tale.commit(CEM, {ORDERS: orders(60).replace(RUNS, "")})
    judged = tale.judged("undeploy ApiProxy/payments/orders → dev")
    assert ((bad,), ("AO520",)) == (judged.guilty, judged.codes)
    before = tale.standing()["payments"]
    assert 4 == tale.sync().code
    assert before == tale.standing()["payments"]


@pytest.mark.parametrize(
    "hidden",
    [
        orders(60).replace("name: orders,", "name: orders, annotations: {note: mine},"),
        orders(60).replace("name: orders,", "name: orders, renamedFrom: invoices,"),
        orders(60).replace("{connectTimeout: 10, ", "{"),
    ],
    ids=["annotation", "former name", "field left out"],
)
def test_a_change_without_effect_is_not_taken_over_as_applied(tale: Tale, hidden: str) -> None:
    bad = tale.commit(CEM, {ORDERS: hidden})
    tale.commit(DENIZ, {LIMITS: limits(90)})
    judged = tale.judged()
    assert ((bad,), ("cem",)) == (judged.guilty, judged.principals)
    assert 4 == tale.sync().code
    assert 90 == tale.live()["cards/limits"], "the other project goes on"
    assert 4 == tale.sync().code, "and it is judged anew every time"
    tale.commit(MERT, {}, approves("ApiProxy/payments/orders"))
    tale.settle()
    assert {} == tale.plan()


def test_a_change_without_effect_by_one_with_the_right_needs_no_word(tale: Tale) -> None:
    head = tale.commit(
        MERT, {ORDERS: orders(60).replace("name: orders,", "name: orders, annotations: {a: b},")}
    )
    assert {} == tale.plan()
    tale.settle()
    assert head == tale.standing()["payments"]


def test_how_it_runs_is_part_of_what_was_changed(tale: Tale) -> None:
    keeping = orders(60).replace("- environment: dev", "- {environment: dev, persistent: true}")
    bad = tale.commit(CEM, {ORDERS: keeping})
    assert (bad,) == tale.judged("deploy ApiProxy/payments/orders → dev").guilty
    tale.commit(MERT, {ORDERS: keeping.replace("60", "90")})
    assert (bad,) == tale.judged().guilty


def test_how_it_runs_is_applied_once(tale: Tale) -> None:
    keeping = orders(60).replace("- environment: dev", "- {environment: dev, persistent: true}")
    tale.commit(MERT, {ORDERS: keeping})
    assert ["deploy ApiProxy/payments/orders → dev"] == list(tale.plan())
    tale.settle()
    assert {} == tale.plan()


def test_a_file_that_moved_or_was_reformatted_is_no_change(tale: Tale) -> None:
    text = "# what orders is\n" + orders(60).replace("[/orders]", '["/orders"]')
    tale.commit(CEM, {ORDERS: None, "payments/deep/orders.yaml": text})
    assert {} == tale.plan()
    tale.settle()


def test_the_denial_leaves_an_entry(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: orders(60).replace(RUNS, "")})
    assert 4 == tale.sync().code
    done = tale.run("audit", "list", "-o", "json")
    assert "AO520" in done.out
    assert 0 == tale.run("audit", "verify").code
