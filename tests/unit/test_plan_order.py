"""Expand, deploy, contract: what is needed comes first and goes last."""

import pytest

from apiops.errors import PlanRefused
from apiops.model.plan import Action
from tests.builders import a_live, a_proxy, a_resource, an_ip_group, held, planned

TEST = a_resource("Environment", "test", None)
VARIABLE = a_resource("EnvironmentVariable", "URL", spec={"values": {"test": {"value": "x"}}})
CONNECTION = a_resource("Connection", "logs", spec={"type": "kafka"})
PROXY = a_proxy("orders", "test", trafficLog={"test": {"connectors": {"logs": {}}}})
CREDENTIAL = a_resource(
    "Credential", "shop", spec={"access": [{"name": "orders", "type": "API_PROXY"}]}
)
CHAIN = (CREDENTIAL, PROXY, CONNECTION, VARIABLE, TEST)
KEEP = an_ip_group("keep")


def exposing(name, *others):
    """An MCP proxy whose tools call other proxies."""
    tools = [{"toolName": other, "apiProxyName": other} for other in others]
    return a_proxy(name, mcpRouting={"exposedTools": tools})


def steps(plan):
    return [f"{change.action} {change.id.name}" for change in plan.changes]


def test_what_is_needed_is_created_first_and_deployed_last():
    expected = ["create test", "create URL", "create logs", "create orders", "create shop"]
    assert [*expected, "deploy orders"] == steps(planned(CHAIN, a_live()))


def test_deletes_mirror_creates_and_undeploys_come_before_them():
    live = a_live([held(KEEP), *(held(r, *(["test"] if r is PROXY else [])) for r in CHAIN)])
    expected = ["delete shop", "delete orders", "delete logs", "delete URL", "delete test"]
    assert ["undeploy orders", *expected] == steps(planned([KEEP], live))


def test_references_count_more_than_names():
    found = [exposing("a", "b"), exposing("b", "c"), exposing("c")]
    assert ["create c", "create b", "create a"] == steps(planned(found, a_live()))


def test_what_is_free_goes_by_wave_and_then_by_name():
    found = [a_proxy("b"), a_proxy("a"), an_ip_group("z"), a_resource("User", "zoe", None)]
    assert ["create zoe", "create z", "create a", "create b"] == steps(planned(found, a_live()))


def test_a_new_proxy_is_live_before_an_old_one_is_taken_away():
    live = a_live([held(KEEP), held(a_proxy("old", "test"), "test")])
    plan = planned([KEEP, a_proxy("new", "test")], live)
    assert ["create new", "deploy new", "undeploy old", "delete old"] == steps(plan)


def test_a_replaced_resource_is_taken_away_right_before_it_is_made_again():
    old = held(a_proxy("b", "test"), "test")
    found = [
        a_proxy("a"),
        a_resource("ApiProxy", "b", spec={**PROXY.spec, "type": "AI"}),
        CREDENTIAL,
    ]
    plan = planned([*found, KEEP], a_live([old, held(KEEP), held(TEST)]))
    assert [
        "create a",
        "undeploy b",
        "delete b",
        "create b",
        "create shop",
        "deploy b",
        "delete test",
    ] == steps(plan)  # fmt: skip


def test_resources_that_need_each_other_are_refused_by_name():
    with pytest.raises(PlanRefused) as refused:
        planned([exposing("a", "b"), exposing("b", "c"), exposing("c", "a"), KEEP], a_live())
    assert "AO607" == refused.value.code
    way = "ApiProxy/payments/a → ApiProxy/payments/b → ApiProxy/payments/c → ApiProxy/payments/a"
    assert way in refused.value.message


def test_a_circle_can_still_be_deleted():
    live = a_live([held(KEEP), held(exposing("a", "b")), held(exposing("b", "a"))])
    changes = planned([KEEP], live).changes
    assert [Action.DELETE, Action.DELETE] == [change.action for change in changes]


def test_a_proxy_may_name_itself():
    assert ["create a"] == steps(planned([exposing("a", "a")], a_live()))
