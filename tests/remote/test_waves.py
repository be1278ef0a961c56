"""Writes of one wave go at the same time; waves go one after another, and after a failure none."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apiops.model.outcome import Outcome, Result
from apiops.model.plan import Action, Change
from apiops.model.resource import LiveResource, Resource
from apiops.model.secret import SecretValue
from apiops.ports import Write
from apiops.remote.answer import Answer
from apiops.remote.client import Client, Reach
from apiops.remote.vendor import waves
from apiops.remote.vendor.api import Api
from apiops.remote.vendor.manager import VendorManager
from apiops.remote.vendor.pace import Pace
from tests.managers import a_context
from tests.remote.gateway import Gateway, a_resource, done, left, told

GROUPS = 8


def offices(address: str = "10.0.0.1") -> list[Resource]:
    return [a_resource("IpGroup", f"g{n}", ipList=[address]) for n in range(GROUPS)]


class Watched(Client):
    """A client that tells of each write before it is sent and after it was answered."""

    def __init__(
        self, gateway: Gateway, before: Callable[[str], object], after: Callable[[str], object]
    ) -> None:
        super().__init__(Reach(gateway.standin.url), lambda: SecretValue(gateway.token))
        self._before, self._after = before, after

    def call(self, method: str, path: str, **more: Any) -> Answer:
        if method == "GET":
            return super().call(method, path, **more)
        self._before(path)
        answer = super().call(method, path, **more)
        self._after(path)
        return answer


def nothing(_path: str) -> None:
    return


def apply(
    gateway: Gateway,
    resources: list[Resource],
    before: Callable[[str], object] = nothing,
    after: Callable[[str], object] = nothing,
    parallel: int = 4,
) -> tuple[Outcome, ...]:
    with Watched(gateway, before, after) as client:
        pace = Pace(parallel, ends=client.ends)
        return gateway.apply(resources, VendorManager(Api(client, pace), gateway.book))


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path) as gateway:
        yield gateway


def test_as_many_writes_go_at_once_as_are_allowed(gateway: Gateway) -> None:
    together = threading.Barrier(4, timeout=20)

    outcomes = apply(gateway, offices(), before=lambda _path: together.wait())
    assert done(outcomes), told(outcomes)
    assert [f"g{n}" for n in range(GROUPS)] == [one.change.id.name for one in outcomes]
    assert "" == left(gateway.plan(offices()))


def test_one_at_a_time_when_one_is_allowed(gateway: Gateway) -> None:
    running: list[str] = []
    most: list[int] = []

    def begun(path: str) -> None:
        running.append(path)
        most.append(len(running))

    assert done(apply(gateway, offices(), begun, running.remove, parallel=1))
    assert [1] * GROUPS == most


def test_the_first_failure_begins_nothing_more_and_lets_what_runs_end(gateway: Gateway) -> None:
    """Two go at once: the first is refused while the second is on its way."""
    gateway.payments.ip_groups["g0"] = {"name": "g0", "description": "", "ipList": ["1.1.1.1"]}
    refused, sent = threading.Event(), threading.Event()
    paths: list[str] = []

    def before(path: str) -> None:
        paths.append(path)
        if len(paths) == 1:
            gateway.world.expires_after = 0
            assert sent.wait(20)
        else:
            sent.set()
            assert refused.wait(20)

    def after(path: str) -> None:
        if path == paths[0]:
            gateway.world.expires_after = None
            gateway.world.users[gateway.token].expired = False
            refused.set()

    outcomes = apply(gateway, offices(), before, after, parallel=2)
    results = [one.result for one in outcomes]
    assert (1, 1, GROUPS - 2) == tuple(
        map(results.count, (Result.FAILED, Result.DONE, Result.BLOCKED))
    )
    assert all("AO761" in one.message for one in outcomes if one.result is Result.BLOCKED)
    (ended,) = (one for one in outcomes if one.result is Result.DONE)
    assert ended.entry
    assert 2 == len(paths)
    assert done(apply(gateway, offices()))
    assert "" == left(gateway.plan(offices()))


def test_a_later_wave_is_not_begun_after_a_failure(gateway: Gateway) -> None:
    proxy = a_resource(
        "ApiProxy", "orders", type="EMPTY_API", clientRoute={"relativePathList": ["/o"]},
        deployments=[{"environment": "dev"}, {"environment": "nowhere"}],
    )  # fmt: skip
    outcomes = apply(gateway, [proxy])
    assert ["done", "done", "failed"] == [str(one.result) for one in outcomes], told(outcomes)


def test_after_the_deadline_what_is_left_is_for_the_next_run(gateway: Gateway) -> None:
    sent: list[str] = []
    with Watched(gateway, sent.append, nothing) as client:

        def late(path: str) -> None:
            sent.append(path)
            if len(sent) == 3:
                client.ends = 0.0

        client._after = late
        client._before = nothing
        pace = Pace(1, ends=client.ends)
        outcomes = gateway.apply(offices(), VendorManager(Api(client, pace), gateway.book))
    assert ["done"] * 3 + ["failed"] + ["blocked"] * 4 == [str(one.result) for one in outcomes]
    assert "AO747" == outcomes[3].code

    assert done(gateway.apply(offices()))
    assert "" == left(gateway.plan(offices()))


def a_write(action: Action, resource: Resource, environment: str | None = None) -> Write:
    change = Change(action, resource.id, environment)
    gone = action in (Action.DELETE, Action.UNDEPLOY)
    return Write(change, None if gone else resource, ("ayse",), a_context())


def names(split: list[waves.Wave]) -> list[list[list[str]]]:
    return [
        [[f"{w.change.action.value} {w.change.id.name}" for w in group] for group in wave]
        for wave in split
    ]


def test_a_wave_holds_what_needs_nothing_of_it() -> None:
    proxies = [a_resource("ApiProxy", name) for name in "ab"]
    group = a_resource("ApiProxyGroup", "all", members=["a"])
    person = a_resource("Credential", "app", access=[{"name": "b"}])
    writes = [
        *(a_write(Action.CREATE, one) for one in (*proxies, person, group)),
        *(a_write(Action.DEPLOY, one, where) for one in proxies for where in ("dev", "production")),
        a_write(Action.DEPLOY, group, "dev"),
    ]
    flat = [write for wave in waves.split(writes, {}) for group in wave for write in group]
    assert writes == flat
    split = names(waves.split(writes, {}))
    assert [["create a"], ["create b"]] == split[0]
    assert [["deploy a"] * 2, ["deploy b"] * 2] in split
    assert [["deploy all"]] == split[-1]


def test_what_refers_goes_in_a_wave_before_what_it_refers_to() -> None:
    proxies = [a_resource("ApiProxy", name) for name in "ab"]
    group = a_resource("ApiProxyGroup", "all", members=["a"])
    live = {one.id: LiveResource(one.id, one.spec, "", 1) for one in (*proxies, group)}
    writes = [a_write(Action.DELETE, one) for one in (group, *reversed(proxies))]
    assert [[["delete all"]], [["delete b"], ["delete a"]]] == names(waves.split(writes, live))


def test_of_one_kind_too_what_needs_another_waits_for_it() -> None:
    tools = {"exposedTools": [{"apiProxyName": "a"}]}
    a, b = a_resource("ApiProxy", "a"), a_resource("ApiProxy", "b", mcpRouting=tools)
    live = {one.id: LiveResource(one.id, one.spec, "", 1) for one in (a, b)}

    made = [a_write(Action.CREATE, one) for one in (a, b)]
    gone = [a_write(Action.DELETE, one) for one in (b, a)]
    assert [[["create a"]], [["create b"]]] == names(waves.split(made, {}))
    assert [[["delete b"]], [["delete a"]]] == names(waves.split(gone, live))
