"""How many requests a run costs: gated here by counting, printed by benchmarks/requests.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apiops.model.resource import Resource
from apiops.remote.vendor.named import Presets
from apiops.remote.vendor.reading import CODECS
from apiops.remote.vendor.shared import CONNECTION_TYPES
from benchmarks import requests as benchmark
from tests.remote.gateway import Gateway, a_resource, done, left

LISTS = len(CODECS) - 3 + len(CONNECTION_TYPES) + len(Presets.families)
"""Lists of one project: one for each kind, but connections have one for each type (2.9) and presets
one for each family (2.19). Organisations have none (2.11).
"""

ONCE = 4 + len(Presets.families)
"""Projects and environments, and what there is once per Manager (2.20) or for all projects (2.19)."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path) as gateway:
        yield gateway


def shared(number: int) -> list[Resource]:
    """Things that their lists show in full."""
    return [
        *(a_resource("IpGroup", f"g{n}", ipList=["10.0.0.1"]) for n in range(number)),
        *(
            a_resource("EnvironmentVariable", f"V{n}", globalValue="x", **{"global": True})
            for n in range(number)
        ),
        *(
            a_resource("Connection", f"c{n}", type="webhook", fullUrl="https://x")
            for n in range(number)
        ),
    ]


def proxies(number: int, policies: int, timeout: int = 5) -> list[Resource]:
    return [
        a_resource(
            "ApiProxy",
            f"p{n}",
            type="REVERSE_PROXY",
            clientRoute={"relativePathList": [f"/p{n}"]},
            settings={"connection": {"readTimeout": timeout}},
            policies={"request": [policy(i) for i in range(policies)]},
            deployments=[{"environment": "dev"}],
        )
        for n in range(number)
    ]


def policy(number: int) -> dict[str, object]:
    return {
        "name": f"s{number}",
        "type": "policy-max-message-size",
        "spec": {"maxMessageSize": number},
    }


def requests(gateway: Gateway, state: list[Resource]) -> int:
    """What a plan with nothing to do costs."""
    gateway.world.requests.clear()
    assert "" == left(gateway.plan(state))
    return len(gateway.world.requests)


@pytest.mark.parametrize("number", [1, 20])
def test_what_lists_show_costs_the_same_however_much_there_is(
    gateway: Gateway, number: int
) -> None:
    assert done(gateway.apply(shared(number)))

    assert ONCE + LISTS == requests(gateway, shared(number))


@pytest.mark.parametrize(("policies", "details"), [(0, 1), (1, 2), (12, 2)])
def test_a_proxy_costs_one_detail_and_one_more_for_all_its_policies(
    gateway: Gateway, policies: int, details: int
) -> None:
    assert done(gateway.apply(proxies(5, policies)))

    assert ONCE + LISTS + 5 * details == requests(gateway, proxies(5, policies))


def test_projects_cost_their_lists(gateway: Gateway) -> None:
    for name in ("cards", "loans"):
        gateway.world.add_project(name)
    gateway.apply([])

    assert ONCE + 3 * LISTS == requests(gateway, [])


def test_one_change_costs_its_own_calls_and_no_more(gateway: Gateway) -> None:
    state = proxies(10, 2)
    assert done(gateway.apply(state))
    calm = requests(gateway, state)
    changed = [*state[:9], *proxies(10, 2, timeout=9)[9:]]
    gateway.world.requests.clear()

    assert done(gateway.apply(changed))
    assert [
        ("PATCH", "/apiops/projects/payments/apiProxies/p9/settings/connection/"),
        ("POST", "/apiops/projects/payments/apiProxies/p9/environments/dev/"),
    ] == gateway.world.requests[calm:]


@pytest.mark.parametrize(("projects", "number"), [(1, 2), (1, 6), (4, 2)])
def test_the_three_runs_of_the_benchmark_cost_what_they_must(
    gateway: Gateway, projects: int, number: int
) -> None:
    """Lists by kinds and projects; a detail and the policies of each proxy; of writes one for each
    proxy, its settings and each policy, for the API takes no more at once.
    """
    for name in range(1, projects):
        gateway.world.add_project(f"more-{name}")
    lists = ONCE + projects * LISTS

    first, calm, one = benchmark.costs(gateway, number)

    assert (lists, number * (2 + benchmark.POLICIES)) == (first.reads, first.writes)
    assert (lists + 2 * number, 0) == (calm.reads, calm.writes)
    assert (lists + 2 * number, 1) == (one.reads, one.writes)
