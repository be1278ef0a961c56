"""What a manifest says no more goes from the Manager too, where a call that leaves it out keeps it."""

from pathlib import Path
from typing import Any

from tests.remote.gateway import Gateway, a_resource, done, left

QUOTA = {
    "outOfTargetAction": "GENERAL_QUOTA",
    "generalQuotaPermittedMessageCount": 5,
    "generalQuotaTimeIntervalPeriodLength": 1,
    "generalQuotaTimeInterval": "ONE_MINUTE",
}


def test_a_rate_limit_loses_its_quota(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([a_resource("Rlcl", "slow", **QUOTA)]))
        bare = [a_resource("Rlcl", "slow", description="for all")]
        assert done(gateway.apply(bare))

        held = gateway.payments.more["rlcl"]["slow"]
        assert [] == [name for name in QUOTA if held.get(name)]
        assert "for all" == held["description"]
        assert "" == left(gateway.plan(bare))


def test_a_rate_limit_that_lets_nobody_through_loses_that(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        shut = [a_resource("Rlcl", "slow", generalQuotaPermittedMessageCount=0)]
        assert done(gateway.apply(shut))
        bare = [a_resource("Rlcl", "slow")]
        assert done(gateway.apply(bare))

        assert "" == left(gateway.plan(bare))


def test_a_rate_limit_of_which_no_fact_goes_is_not_made_anew(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        gateway.apply([a_resource("Rlcl", "slow", description="for all", **QUOTA)])
        made = gateway.payments.more["rlcl"]["slow"]["id"]
        assert done(gateway.apply([a_resource("Rlcl", "slow", enabled=False, **QUOTA)]))

        held = gateway.payments.more["rlcl"]["slow"]
        assert (made, False, "") == (held["id"], held["enabled"], held["description"])


def test_a_policy_without_messages_of_its_own_has_the_standard_ones(tmp_path: Path) -> None:
    own = {"errorType": "ERR", "customizedMessage": "No.", "customized": True}
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([a_proxy([own])]))
        assert done(gateway.apply([a_proxy([])]))

        assert "" == left(gateway.plan([a_proxy([])]))


def test_an_endpoint_loses_its_description_though_the_addresses_are_shared_out_in_another_way(
    tmp_path: Path,
) -> None:
    """That takes the call that reads documents again, and here there is none."""

    def state(algorithm: str, **endpoint: str) -> list[Any]:
        address = {"address": "https://orders.example"}
        return [
            a_resource(
                "ApiProxy",
                "orders",
                type="EMPTY_API",
                clientRoute={"relativePathList": ["/orders"]},
                routing={"addresses": [address], "loadBalanceAlgorithm": algorithm},
                endpoints=[{"name": "/x", "httpMethod": "GET", **endpoint}],
            )
        ]

    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply(state("ROUND_ROBIN", description="old")))
        assert done(gateway.apply(state("PICK_FIRST")))

        (endpoint,) = gateway.payments.proxies["orders"].endpoints
        assert not endpoint["description"]
        assert "" == left(gateway.plan(state("PICK_FIRST")))


def a_proxy(messages: list[dict[str, Any]]) -> Any:
    size = {"type": "policy-max-message-size", "spec": {"maxMessageSize": 10}}
    return a_resource(
        "ApiProxy",
        "orders",
        type="REVERSE_PROXY",
        clientRoute={"relativePathList": ["/orders"]},
        policies={"request": [{"name": "size", **size, "errorMessageList": messages}]},
    )
