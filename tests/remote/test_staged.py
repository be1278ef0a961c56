"""Saved first and deployed then, once, with a reason; what always creates creates once; whose things
the pseudo project `admin` shows.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apiops.model.resource import Resource
from tests.remote.deaths import risen, witnessed
from tests.remote.gateway import Gateway, a_resource, done, left, secret

DOCUMENT = "openapi: 3.0.3\npaths:\n  /a: {get: {}}\n  /b: {get: {}}\n"
RUNS = [{"environment": "dev"}, {"environment": "production"}]


def proxies(gateway: Gateway, size: int, document: str) -> list[Resource]:
    """Each way to make and to change one that takes `deploy`."""
    limit = {"type": "policy-max-message-size", "spec": {"maxMessageSize": size}}
    common = {
        "clientRoute": {"relativePathList": [f"/p{size}"]},
        "settings": {"connection": {"readTimeout": size}, "cors": {"name": f"c{size}"}},
        "description": f"of {size}",
        "metadata": {"categoryList": [f"c{size}"]},
        "policies": {"request": [{"name": "limit", **limit}, {"name": f"own {size}", **limit}]},
        "deployments": RUNS,
    }
    ends = [{"name": f"/{size}", "httpMethod": "GET", "active": size > 1}]
    source = {"file": "a.yaml", "fileDigest": gateway.file(document)}
    routing = {"addresses": [{"address": f"https://a{size}.example"}]}
    return [
        a_resource("ApiProxy", "empty", type="EMPTY_API", endpoints=ends, **common),
        a_resource("ApiProxy", "read", type="OPEN_API", source=source, **common),
        a_resource("ApiProxy", "routed", type="REVERSE_PROXY", routing=routing, **common),
    ]


def bodies(gateway: Gateway) -> Iterator[dict[str, Any]]:
    """Every mapping in every body since the last clear."""
    todo: list[Any] = [*gateway.world.bodies]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            yield node
            todo += node.values()
        elif isinstance(node, list):
            todo += node
        elif isinstance(node, bytes) and node.startswith(b"{"):
            todo.append(json.loads(node))


def test_whatever_is_saved_does_not_deploy_and_one_call_deploys_it(tmp_path: Path) -> None:
    """2.3, and 1.10 #11: a policy that does not say `deploy` asks for one."""
    with Gateway(tmp_path) as gateway:
        for size, document in ((1, DOCUMENT), (2, DOCUMENT.replace("/b", "/c"))):
            state = proxies(gateway, size, document)
            gateway.world.bodies.clear()
            gateway.world.requests.clear()
            assert done(gateway.apply(state))

            said = [body["deploy"] for body in bodies(gateway) if "deploy" in body]
            assert said
            assert not any(said)
            policies = [b["operationMetadata"] for b in bodies(gateway) if "operationMetadata" in b]
            assert policies
            assert [False] * len(policies) == [one["deploy"] for one in policies]
            deploys = [
                path
                for method, path in gateway.world.requests
                if method == "POST" and "/environments/" in path
            ]
            assert 3 * len(RUNS) == len(deploys) == len(set(deploys))


def test_a_group_that_is_saved_and_not_live_is_deployed_by_the_next_run(tmp_path: Path) -> None:
    """2.8: a member that comes or goes, and a deploy that fails, ask for another."""
    route = {"relativePathList": ["/all"]}
    group = a_resource("ApiProxyGroup", "all", clientRoute=route, deployments=[RUNS[0]])
    with Gateway(tmp_path) as gateway:
        gateway.world.refusing.add(("all", "dev"))
        assert not done(gateway.apply([group]))
        gateway.world.refusing.clear()
        (change,) = gateway.plan([group]).changes
        assert ("deploy", "dev") == (change.action, change.environment)

        assert done(gateway.apply([group]))
        assert "" == left(gateway.plan([group]))
        gateway.payments.more["groups"]["all"]["running"]["dev"] = True
        (change,) = gateway.plan([group]).changes
        assert ("deploy", "dev") == (change.action, change.environment)


def test_wherever_a_run_dies_what_always_creates_is_there_once(tmp_path: Path) -> None:
    """2.7: POST makes one more of the same name, and PUT brings the secrets."""
    state = [
        a_resource("GlobalPolicy", "sso", _class="oidc-auth", clientSecret=secret("s")),
        a_resource("PolicyGroup", "base", targetPipeline="REQUEST", policyList=[]),
    ]
    (begun := tmp_path / "begun").mkdir()
    with Gateway(begun) as gateway:
        outcomes, moments = witnessed(gateway, state)
    assert done(outcomes)
    for what, gateway in risen(tmp_path, moments):
        assert done(gateway.apply(state)), what
        there = {
            name: [one["name"] for one in rows] for name, rows in gateway.payments.shared.items()
        }
        assert {"globalPolicies": ["sso"], "policyGroups": ["base"]} == there, what
        assert "s" == gateway.payments.shared["globalPolicies"][0]["clientSecret"], what


def test_the_project_of_the_system_does_not_claim_the_variables_of_others(tmp_path: Path) -> None:
    """1.7, 7 #35: its list has those of every project."""
    state = [a_resource("EnvironmentVariable", "HOST", globalValue="x", **{"global": True})]
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply(state))
        gateway.world.add_project("admin")
        live = gateway.manager().read("another", "target")

        assert ["payments"] == [
            one.id.project for one in live.resources if one.id.kind == "EnvironmentVariable"
        ]
