"""What a vendor's Manager keeps by the id of something is written again when that is made anew."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from apiops.model.resource import Resource
from tests.remote.deaths import risen, witnessed
from tests.remote.gateway import Gateway, a_resource, done, left, secret, told


def a_proxy(kind: str, **more: Any) -> Resource:
    routes = {"relativePathList": ["/aa"]}
    return a_resource("ApiProxy", "orders", type=kind, clientRoute=routes, **more)


@dataclass(frozen=True)
class Bond:
    """What hangs on something: `base` gives that, of the first or the second make; `new` is its id, and
    `kept` are the ids by which the Manager keeps it; `lose` takes it away in the console.
    """

    base: Callable[[int], Resource]
    hung: Resource
    new: Callable[[Any], str]
    kept: Callable[[Any], list[str]]
    lose: Callable[[Any], object]


def a_key(make: int) -> Resource:
    ec = {"curveType": "P256", "keyUseType": "SIGNATURE", "algorithm": "ES256"}
    generate = {"type": "EC", "ec": ec, "generation": make}
    return a_resource("Jwk", "tokens", generate=generate)


def a_provider(make: int) -> Resource:
    """Its secret goes, which takes the provider with it; a guard lets nobody do that to one that is
    used, but the console may have lost it.
    """
    assert make == 1
    return a_resource("LlmProvider", "models", providerType="OPENAI", apiKey=secret("k"))


def offices(make: int) -> Resource:
    """No update of it takes a new one, but the console may have lost it."""
    assert make == 1
    return a_resource("IpGroup", "offices", ipList=["10.0.0.1"])


def orders(make: int) -> Resource:
    return a_proxy({1: "EMPTY_API", 2: "REVERSE_PROXY"}[make])


JOSE = {"validateSign": True, "jwkIdForValidationAndSign": "tokens"}
BONDS = {
    "a budget": Bond(
        orders,
        a_resource(
            "AiBudget",
            "of orders",
            target={"type": "API_PROXY", "name": "orders"},
            budget={"enabled": True, "tokensPerDay": 5},
        ),
        lambda payments: payments.proxies["orders"].id,
        lambda payments: [*payments.more["budgets"]],
        lambda payments: payments.proxies.pop("orders"),
    ),
    "a tool": Bond(
        orders,
        a_resource(
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
        lambda payments: payments.proxies["orders"].id,
        lambda payments: [
            one["proxyId"]
            for one in payments.proxies["tools"].routings["mcp-routing"]["exposedTools"]
        ],
        lambda payments: payments.proxies.pop("orders"),
    ),
    "a shared policy": Bond(
        a_key,
        a_resource("GlobalPolicy", "guard", _class="policy-jose-validation", **JOSE),
        lambda payments: payments.more["jwks"]["tokens"]["id"],
        lambda payments: [
            one["jwkIdForValidationAndSign"] for one in payments.shared["globalPolicies"]
        ],
        lambda payments: payments.more["jwks"].pop("tokens"),
    ),
    "addresses": Bond(
        offices,
        a_resource("GlobalPolicy", "inside", _class="ip-white", ipGroupIdList=["offices"]),
        lambda payments: payments.ip_groups["offices"]["id"],
        lambda payments: [
            id for one in payments.shared["globalPolicies"] for id in one["ipGroupIdList"]
        ],
        lambda payments: payments.ip_groups.pop("offices"),
    ),
    "a policy": Bond(
        a_key,
        a_proxy(
            "EMPTY_API",
            policies={"request": [{"name": "t", "type": "policy-jose-validation", "spec": JOSE}]},
            deployments=[{"environment": "dev"}],
        ),
        lambda payments: payments.more["jwks"]["tokens"]["id"],
        lambda payments: [
            one["jwkIdForValidationAndSign"]
            for rows in payments.proxies["orders"].policies.values()
            for one in rows
        ],
        lambda payments: payments.more["jwks"].pop("tokens"),
    ),
    "embeddings": Bond(
        a_provider,
        a_proxy(
            "AI",
            aiRouting={
                "llmProviderRefName": "others",
                "modelId": "m",
                "semanticEmbeddingProviderRef": "models",
            },
        ),
        lambda payments: payments.providers["models"]["id"],
        lambda payments: [
            payments.proxies["orders"].routings["ai-routing"]["semanticEmbeddingProviderRef"]
        ],
        lambda payments: payments.providers.pop("models"),
    ),
}
OTHERS = a_resource("LlmProvider", "others", providerType="VLLM", endpoint="https://m.example")
"""So that what is routed to another provider than what it embeds with has one."""


LASTING = ("embeddings", "addresses")
"""On these hangs what is never made anew: a provider that something uses (AO619), addresses."""

WAYS = [
    (name, way)
    for name in BONDS
    for way in ("made anew", "lost")
    if way == "lost" or name not in LASTING
]
"""Why there is a new one: it was replaced, or the console had lost it."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    (folder := tmp_path / "gateway").mkdir()
    with Gateway(folder, "ip-groups-with-ids") as gateway:
        yield gateway


def moved(gateway: Gateway, bond: Bond, way: str) -> list[Resource]:
    """What is wished, after all of it was there once: there is to be a new one."""
    assert done(outcomes := gateway.apply([OTHERS, bond.base(1), bond.hung])), told(outcomes)
    is_bound(gateway, bond)
    if way == "lost":
        bond.lose(gateway.payments)
    return [OTHERS, bond.base(2 if way == "made anew" else 1), bond.hung]


def is_bound(gateway: Gateway, bond: Bond, what: str = "") -> None:
    """It hangs on what is there now. A budget of what is gone stays, and is nobody's."""
    new, kept = bond.new(gateway.payments), {*bond.kept(gateway.payments)}
    assert new in kept, what
    assert {new} == kept or bond is BONDS["a budget"], what


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_it_hangs_on_the_new_one_after_one_run(gateway: Gateway, name: str, way: str) -> None:
    bond = BONDS[name]
    wished = moved(gateway, bond, way)
    was = {*bond.kept(gateway.payments)}

    assert done(outcomes := gateway.apply(wished)), told(outcomes)

    assert bond.new(gateway.payments) not in was
    is_bound(gateway, bond)
    assert "" == left(gateway.plan(wished))


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_wherever_a_run_dies_it_hangs_on_the_new_one_after_the_next(
    gateway: Gateway, tmp_path: Path, name: str, way: str
) -> None:
    bond = BONDS[name]
    wished = moved(gateway, bond, way)
    outcomes, moments = witnessed(gateway, wished)
    assert done(outcomes), told(outcomes)
    assert len(moments) >= 4

    for what, later in risen(tmp_path, moments):
        assert done(outcomes := later.apply(wished)), f"{what}: {told(outcomes)}"
        is_bound(later, bond, what)
        assert "" == left(later.plan(wished)), what


def test_nothing_is_written_again_where_nothing_is_made_anew(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        hung = [BONDS["a budget"].hung, BONDS["a tool"].hung]
        assert done(gateway.apply([a_proxy("EMPTY_API"), *hung]))
        changed = a_resource("ApiProxy", "orders", **a_proxy("EMPTY_API").spec, description="x")
        plan = gateway.plan([changed, *hung])

        assert [("update", "orders")] == [(c.action, c.id.name) for c in plan.changes]
