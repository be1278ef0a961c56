"""From two states to a plan: which changes there are, and what each is bound to."""

from apiops.model.diagnostic import Location
from apiops.model.plan import Action, FieldChange
from tests.builders import (
    a_live,
    a_proxy,
    an_ip_group,
    built,
    held,
    planned,
)


def actions(plan):
    return [(change.action.value, change.id.name, change.environment) for change in plan.changes]


def test_nothing_is_planned_when_live_is_as_desired():
    proxy = a_proxy("orders", "production")
    plan = planned([proxy], a_live([held(proxy, "production")]))
    assert plan.changes == ()
    assert plan.unchanged == 1


def test_what_is_only_desired_is_created_and_then_deployed():
    plan = planned([a_proxy("orders", "production")], a_live())
    assert actions(plan) == [("create", "orders", None), ("deploy", "orders", "production")]


def test_what_is_only_live_and_ours_is_undeployed_and_then_deleted():
    other = an_ip_group()
    plan = planned([other], a_live([held(a_proxy(), "production"), held(other)]))
    assert actions(plan) == [("undeploy", "orders", "production"), ("delete", "orders", None)]


def test_a_changed_field_is_an_update_with_its_position_and_the_live_serial():
    place = Location("payments/orders.yaml", 9, 5)
    built_ = built(
        [a_proxy(description="new")],
        a_live([held(a_proxy(description="old"), serial=7)]),
        locate=lambda _, path: place if path == ("spec", "description") else None,
    )
    (update,) = built_.plan.changes
    assert (FieldChange("spec.description", "old", "new", location=place),) == update.fields
    assert (update.action, update.serial) == (Action.UPDATE, 7)
    assert {update.id: {"type": "REVERSE_PROXY", "description": "new"}} == built_.results


def test_an_update_of_a_running_proxy_deploys_it_again_with_the_new_digest():
    plan = planned(
        [a_proxy("orders", "production", description="new")],
        a_live([held(a_proxy("orders", description="old"), "production")]),
    )
    assert actions(plan) == [("update", "orders", None), ("deploy", "orders", "production")]
    assert plan.changes[0].digest == plan.changes[1].digest
