"""What a vendor's Manager keeps by the id of something is written again when that is made anew."""

from pathlib import Path
from typing import Any

import pytest

from apiops.model.resource import Resource
from tests.remote.gateway import Gateway, a_resource, done, left, told


def a_proxy(kind: str) -> Resource:
    return a_resource("ApiProxy", "orders", type=kind, clientRoute={"relativePathList": ["/aa"]})


HUNG: dict[str, Resource] = {
    "a budget": a_resource(
        "AiBudget",
        "of orders",
        target={"type": "API_PROXY", "name": "orders"},
        budget={"enabled": True, "tokensPerDay": 5},
    ),
    "a tool": a_resource(
        "ApiProxy",
        "tools",
        type="MCP",
        clientRoute={"relativePathList": ["/mcp"]},
        mcpRouting={
            "routingMode": "TOOL_EXPOSE",
            "exposedTools": [{"apiProxyName": "orders", "toolName": "find"}],
        },
        deployments=[{"environment": "dev"}],
    ),
}


def orders_of(gateway: Gateway, hung: str) -> Any:
    """The id of the proxy that it hangs on, and what it says of it."""
    if hung == "a budget":
        ((id, budget),) = gateway.payments.more["budgets"].items()
        return id, budget["budget"]["tokensPerDay"]
    (tool,) = gateway.payments.proxies["tools"].routings["mcp-routing"]["exposedTools"]
    return tool["proxyId"], tool["toolName"]


@pytest.mark.parametrize("hung", HUNG)
def test_it_hangs_on_the_new_one_after_one_run(tmp_path: Path, hung: str) -> None:
    with Gateway(tmp_path) as gateway:
        assert done(outcomes := gateway.apply([a_proxy("EMPTY_API"), HUNG[hung]])), told(outcomes)
        was, said = orders_of(gateway, hung)
        state = [a_proxy("REVERSE_PROXY"), HUNG[hung]]

        assert done(outcomes := gateway.apply(state)), told(outcomes)
        gateway.payments.more.get("budgets", {}).pop(was, None)  # it is nobody's any more
        new = gateway.payments.proxies["orders"].id
        assert was != new
        assert (new, said) == orders_of(gateway, hung)
        assert "" == left(gateway.plan(state))


def test_nothing_is_written_again_where_nothing_is_made_anew(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        state = [a_proxy("EMPTY_API"), *HUNG.values()]
        assert done(gateway.apply(state))
        changed = a_resource("ApiProxy", "orders", **a_proxy("EMPTY_API").spec, description="x")
        plan = gateway.plan([changed, *HUNG.values()])

        assert [("update", "orders")] == [(c.action, c.id.name) for c in plan.changes]
