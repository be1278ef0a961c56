"""What refuses a plan whatever the permissions are, and what lets it pass all the same."""

from dataclasses import replace

import pytest

from apiops.errors import PlanRefused
from apiops.model import codes
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from apiops.plan import build, guard
from tests.builders import (
    OTHER_REPOSITORY,
    a_desired,
    a_live,
    a_plan,
    a_proxy,
    a_resource,
    an_ip_group,
    built,
    held,
    planned,
)

KEEP = an_ip_group("keep", project="cards")


def many(count, project="payments"):
    return [an_ip_group(f"group-{number:02}", project=project) for number in range(count)]


def guards(plan):
    return [(found.code, found.guard, found.unit, found.overridden) for found in plan.guards]


def test_nothing_desired_is_refused_while_something_is_ours():
    plan = planned([], a_live([held(KEEP)]))
    assert [("AO601", "empty", None, False)] == guards(plan)


@pytest.mark.parametrize(
    "live",
    [
        pytest.param([], id="nothing-live"),
        pytest.param([held(KEEP, owner=OTHER_REPOSITORY)], id="nothing-of-ours"),
    ],
)
def test_nothing_desired_is_fine_where_nothing_is_ours(live):
    assert () == planned([], a_live(live)).guards


def test_a_stopped_unit_is_not_taken_for_an_empty_repository():
    stopped = a_desired(stopped={"cards": "AO201"})
    plan = planned(stopped, a_live([held(KEEP)]))
    assert ((), ()) == (plan.guards, plan.changes)


@pytest.mark.parametrize(
    ("gone", "owned", "speaks"),
    [
        (9, 9, False),
        (10, 33, True),
        (10, 34, False),
        (9, 20, False),
        (12, 40, False),
        (13, 40, True),
    ],
)
def test_many_deletes_in_a_unit_are_refused_from_ten_and_thirty_percent(gone, owned, speaks):
    there = many(owned)
    rest = many(300, "cards")
    live = a_live(held(resource) for resource in (*there, *rest))
    plan = planned([*there[gone:], *rest], live)
    assert speaks == (("AO602", "mass-delete", "payments", False) in guards(plan))
    assert not any(found.unit is None for found in plan.guards)


def test_many_deletes_spread_over_units_are_refused_in_total():
    there = [resource for unit in "abcd" for resource in many(5, unit)]
    gone = {resource.id for resource in there if resource.id.name < "group-03"}
    plan = planned(
        [resource for resource in there if resource.id not in gone],
        a_live(held(resource) for resource in there),
    )
    assert [("AO602", "mass-delete", None, False)] == guards(plan)


def test_replacing_counts_as_losing():
    there = [a_proxy(f"proxy-{number}") for number in range(10)]
    found = [replace(resource, spec={"type": "AI"}) for resource in there]
    plan = planned(
        found, a_live(held(resource) for resource in there), allow=frozenset({"replace"})
    )
    assert ("AO602", "mass-delete", "payments", False) in guards(plan)


def test_a_protected_resource_is_not_deleted():
    plan = planned([KEEP], a_live([held(KEEP), held(replace(a_proxy(), protected=True))]))
    assert [("AO603", "protected", "payments", False)] == guards(plan)


def test_protection_is_what_the_manager_says_not_what_the_same_commit_says():
    live = held(replace(a_proxy(), protected=True))
    plan = planned([a_resource("ApiProxy", "orders", spec={"type": "AI"})], a_live([live]))
    assert {"protected", "replace"} == {found.guard for found in plan.guards}


def test_a_field_that_cannot_change_makes_a_replacement_which_is_refused():
    plan = planned(
        [a_proxy(), KEEP], a_live([held(a_resource("ApiProxy", "orders", spec={"type": "AI"}))])
    )
    assert [("AO604", "replace", "payments", False)] == guards(plan)
    assert [Action.DELETE, Action.CREATE] == [
        c.action for c in plan.changes if c.id.name == "orders"
    ]
    assert "ApiProxy/payments/orders" in plan.guards[0].message


@pytest.mark.parametrize(
    ("before", "after"), [({}, {"soapToRest": False}), ({"soapToRest": False}, None)]
)
def test_a_left_out_flag_and_a_false_one_are_the_same(before, after):
    live = held(a_proxy(source=before))
    found = a_proxy() if after is None else a_proxy(source=after)
    assert () == planned([found], a_live([live])).guards


def test_what_another_repository_has_is_not_taken_over():
    live = held(a_proxy(), owner=OTHER_REPOSITORY)
    plan = planned([a_proxy()], a_live([live]))
    assert [("AO605", "adopt", "payments", False)] == guards(plan)
    assert plan.changes[0].adopts


def test_what_nobody_has_is_adopted_but_not_replaced():
    live = held(a_resource("ApiProxy", "orders", spec={"type": "AI"}), owner=None, applied=None)
    plan = planned([a_proxy()], a_live([live]), allow=frozenset({"replace"}))
    assert [
        ("AO604", "replace", "payments", True),
        ("AO605", "adopt", "payments", False),
    ] == guards(plan)


def test_an_override_is_part_of_the_plan_and_of_its_digest():
    live = a_live([held(KEEP)])
    refused, allowed = planned([], live), planned([], live, allow=frozenset({"empty"}))
    assert [("AO601", "empty", None, True)] == guards(allowed)
    assert refused.digest != allowed.digest
    build.refuse(allowed)


def test_a_delete_outside_of_the_inventory_is_refused_whatever_is_allowed():
    foreign = held(a_proxy(), owner=OTHER_REPOSITORY)
    outlook = guard.Outlook("mine", a_desired([KEEP]), a_live([foreign]), (), (foreign,))
    (found,) = guard.findings(outlook, frozenset({"inventory", "adopt"}))
    assert ("AO606", False) == (found.code, found.overridden)
    with pytest.raises(PlanRefused) as refused:
        build.refuse(a_plan(guards=(found,)))
    assert "cannot be overridden" in refused.value.hint


def test_a_refusal_names_the_first_guard_counts_the_others_and_says_what_would_override():
    live = a_live([held(replace(KEEP, protected=True))])
    with pytest.raises(PlanRefused) as refused:
        build.refuse(planned([], live))
    assert "AO601" == refused.value.code
    assert "(and 1 more)" in refused.value.message
    assert "--allow empty --allow protected" in refused.value.hint


def test_a_kind_that_this_engine_does_not_know_is_left_alone():
    unknown = replace(held(KEEP), id=ResourceId("Gizmo", "cards", "keep"))
    assert () == planned([KEEP], a_live([unknown, held(KEEP)])).changes


def test_prune_can_be_left_out():
    assert () == built([KEEP], a_live([held(KEEP), held(a_proxy())]), prune=False).plan.changes


def test_our_own_manager_takes_a_secret_from_what_is_in_use():
    fields = {"providerType": "OPENAI", "apiKey": "held"}
    provider = a_resource("LlmProvider", "models", spec=fields)
    routing = {"llmProviderRefName": "models"}
    proxy = a_proxy(type="AI", aiRouting=routing)
    live = a_live([held(provider), held(proxy)])
    after = [a_resource("LlmProvider", "models", spec={"providerType": "OPENAI"}), proxy]
    assert () == planned(after, live).guards
    assert [("AO619", "lasting", "payments", False)] == guards(
        planned(after, replace(live, vendors=True), allow=frozenset({"lasting"}))
    )


def renamed(kind, project="payments"):
    old = a_resource(kind, "old", project)
    return replace(a_resource(kind, "new"), renamed_from=(f"{project}/old",)), a_live([held(old)])


@pytest.mark.parametrize(
    ("kind", "project", "stops"),
    [("IpGroup", "payments", True), ("Jwk", "payments", False), ("Jwk", "cards", True)],
)
def test_a_vendors_manager_renames_what_it_has_a_call_for_and_moves_nothing(kind, project, stops):
    after, live = renamed(kind, project)

    found = guards(planned([after], replace(live, vendors=True), allow=frozenset({"beyond"})))

    assert [("AO769", "beyond", "payments", False)] * stops == found
    assert () == planned([after], live).guards


def test_a_kind_that_a_vendors_manager_does_not_have_stops_the_plan():
    after = [subscription("REQUESTED")]

    assert () == planned(after, a_live([])).guards
    assert [("AO769", "beyond", "payments", False)] == guards(
        planned(after, replace(a_live([]), vendors=True))
    )


def test_every_guard_has_a_documented_code():
    assert all(f"AO60{number}" in codes.ALL for number in range(1, 8))


def subscription(state):
    fields = {"state": state, "reason": "so it is"} if state else {}
    spec = {"credential": "partner", "target": {"name": "orders"}, **fields}
    return a_resource("Subscription", "partner-orders", spec=spec)


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [
        (None, "APPROVED", True),
        ("REQUESTED", "REJECTED", True),
        ("APPROVED", "REVOKED", True),
        ("REVOKED", "REQUESTED", True),
        ("REJECTED", "APPROVED", False),
        ("REVOKED", "APPROVED", False),
        ("APPROVED", "REJECTED", False),
        ("APPROVED", None, False),
    ],
)
def test_a_subscription_goes_step_by_step(before, after, may):
    live = a_live([held(subscription(before))])
    plan = planned([subscription(after)], live, allow=frozenset({"steps"}))
    assert ([] if may else [("AO609", "steps", "payments", False)]) == guards(plan)


def test_a_new_subscription_may_be_decided_at_once():
    assert () == planned([subscription("APPROVED")], a_live()).guards


def test_plaintext_that_looks_like_a_secret_is_refused_by_its_place_and_never_shown():
    secret = "glpat-" + "a1B2" * 6
    proxy = a_proxy(policies={"request": [{"name": "call", "spec": {"headers": [secret]}}]})
    plan = planned([proxy], a_live())
    assert [("AO608", "plaintext", "payments", False)] == guards(plan)
    (finding,) = plan.guards
    assert "spec.policies.request[0].spec.headers[0] looks like a GitLab token" in finding.message
    assert secret not in finding.message
    allowed = planned([proxy], a_live(), allow=frozenset({"plaintext"}))
    assert [("AO608", "plaintext", "payments", True)] == guards(allowed)


def test_what_stands_there_already_was_let_through():
    proxy = a_proxy(description="AKIA" + "ABCD" * 4)
    assert () == planned([proxy], a_live([held(proxy)])).guards
