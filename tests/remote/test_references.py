"""What manifests name and the Manager knows by an id: IP groups, JWKs, providers (document, 2.2)."""

from pathlib import Path
from typing import Any

from apiops.model.outcome import Result
from apiops.model.resource import Resource
from tests.remote.gateway import Gateway, a_resource, done, left, told


def state(*groups: str) -> list[Resource]:
    guard = {"name": "guard", "type": "policy-white-ip", "spec": {"ipGroupIdList": [*groups]}}
    offices = a_resource("IpGroup", "offices", ipList=["10.0.0.1"])
    branches = a_resource("IpGroup", "branches", ipList=["10.0.0.2"])
    proxy = a_resource(
        "ApiProxy",
        "orders",
        type="REVERSE_PROXY",
        clientRoute={"relativePathList": ["/orders"]},
        routing={"addresses": [{"address": "https://orders.example"}]},
        policies={"request": [guard]},
    )
    shared = a_resource("GlobalPolicy", "base", _class="ip-white", ipGroupIdList=[*groups])
    return [offices, branches, proxy, shared]


def sent(gateway: Gateway) -> list[Any]:
    (rows,) = gateway.payments.proxies["orders"].policies.values()
    return [*rows[0]["ipGroupIdList"]]


def test_names_are_sent_as_ids_and_read_back_as_names(tmp_path: Path) -> None:
    with Gateway(tmp_path, "ip-groups-with-ids") as gateway:
        assert done(outcomes := gateway.apply(state("offices"))), told(outcomes)
        assert [gateway.payments.ip_groups["offices"]["id"]] == sent(gateway)
        assert "" == left(gateway.plan(state("offices")))

        assert done(outcomes := gateway.apply(state("branches", "offices"))), told(outcomes)
        assert [gateway.payments.ip_groups[name]["id"] for name in ("branches", "offices")] == (
            sent(gateway)
        )
        assert "" == left(gateway.plan(state("branches", "offices")))


def test_where_the_manager_shows_no_ids_nothing_of_the_proxy_is_sent(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        outcomes = gateway.apply(state("offices"))

        failed = [(o.change.id.kind, o.code) for o in outcomes if o.result is Result.FAILED]
        assert ("AO766") in [code for _, code in failed], told(outcomes)
        assert {} == gateway.payments.proxies
        assert [] == gateway.payments.shared.get("globalPolicies", [])


KEY = {"type": "EC", "ec": {"curveType": "P256", "keyUseType": "SIGNATURE", "algorithm": "ES256"}}


def a_key(name: str, generation: int = 1) -> Resource:
    return a_resource("Jwk", name, generate={**KEY, "generation": generation})


def signed(*keys: Resource, by: str) -> list[Resource]:
    """A proxy and a shared policy that hold tokens against a JWK."""
    jose = {"validateSign": True, "jwkIdForValidationAndSign": by}
    proxy = a_resource(
        "ApiProxy",
        "orders",
        type="REVERSE_PROXY",
        clientRoute={"relativePathList": ["/orders"]},
        policies={"request": [{"name": "t", "type": "policy-jose-validation", "spec": jose}]},
        deployments=[{"environment": "dev"}],
    )
    shared = a_resource("GlobalPolicy", "tokens", _class="policy-jose-validation", **jose)
    return [*keys, proxy, shared]


def jwks_sent(gateway: Gateway) -> list[Any]:
    (rows,) = gateway.payments.proxies["orders"].policies.values()
    (shared,) = gateway.payments.shared["globalPolicies"]
    return [one["jwkIdForValidationAndSign"] for one in (*rows, shared)]


def test_a_jwk_is_sent_by_its_id_and_again_when_it_is_made_anew(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        state = signed(a_key("one"), a_key("two"), by="one")
        assert done(outcomes := gateway.apply(state)), told(outcomes)
        assert [gateway.payments.more["jwks"]["one"]["id"]] * 2 == jwks_sent(gateway)
        assert "" == left(gateway.plan(state))

        state = signed(a_key("one"), a_key("two"), by="two")
        assert done(outcomes := gateway.apply(state)), told(outcomes)
        was = gateway.payments.more["jwks"]["two"]["id"]
        assert [was] * 2 == jwks_sent(gateway)

        state = signed(a_key("one"), a_key("two", generation=2), by="two")
        assert done(outcomes := gateway.apply(state)), told(outcomes)
        new = gateway.payments.more["jwks"]["two"]["id"]
        assert was != new
        assert [new] * 2 == jwks_sent(gateway)
        assert gateway.payments.proxies["orders"].deployed["dev"]["deployed"]
        assert "" == left(gateway.plan(state))


def test_a_provider_of_embeddings_is_sent_by_its_id(tmp_path: Path) -> None:
    provider = a_resource(
        "LlmProvider", "Models", providerType="VLLM", endpoint="https://m.example"
    )
    routing = {"llmProviderRefName": "Models", "modelId": "m"}
    chat = a_resource(
        "ApiProxy",
        "chat",
        type="AI",
        clientRoute={"relativePathList": ["/chat"]},
        aiRouting={**routing, "semanticEmbeddingProviderRef": "models"},
    )
    with Gateway(tmp_path) as gateway:
        assert done(outcomes := gateway.apply([provider, chat])), told(outcomes)
        sent_ = gateway.payments.proxies["chat"].routings["ai-routing"]
        id = gateway.payments.providers["Models"]["id"]
        assert id == sent_["semanticEmbeddingProviderRef"]
        assert "" == left(gateway.plan([provider, chat]))
