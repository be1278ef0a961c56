"""IP groups in policies: named in manifests, known to the Manager by an id (vendor document, 2.2)."""

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
