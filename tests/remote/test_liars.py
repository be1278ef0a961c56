"""A Manager whose answers have another shape than documented: told as that, and nothing is lost."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiops.errors import ApiopsError, ManagerError
from apiops.model.resource import Resource
from apiops.model.secret import SecretValue
from apiops.remote.answer import Answer
from apiops.remote.client import Client, Reach
from apiops.remote.vendor.api import Api
from apiops.remote.vendor.manager import VendorManager
from apiops.remote.vendor.pace import Pace
from tests.remote.gateway import Gateway, Moment, a_resource, done, left, secret, told

MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
JUNK = (None, "", 0, -1, 1.5, True, [], {}, "x", ["a"], {"a": 1}, [None], [[1]], {"name": None})


def state(gateway: Gateway, timeout: int = 10) -> list[Resource]:
    size = {"name": "size", "type": "policy-max-message-size", "spec": {"maxMessageSize": timeout}}
    return [
        a_resource("EnvironmentVariable", "HOST", values={"dev": {"value": "a", "visible": True}}),
        a_resource("IpGroup", "offices", ipList=["10.0.0.1"], description=f"{timeout}"),
        a_resource("Connection", "hook", type="webhook", fullUrl=f"https://{timeout}.example"),
        a_resource("LlmProvider", "models", providerType="OPENAI", apiKey=secret("k")),
        a_resource(
            "ApiProxy",
            "orders",
            type="EMPTY_API",
            clientRoute={"relativePathList": ["/orders"]},
            endpoints=[{"name": "/x", "httpMethod": "GET", "description": f"{timeout}"}],
            policies={"request": [size]},
            deployments=[{"environment": "dev"}],
        ),
        a_resource("AiPreset", "mild", family="dlp", maskString="*"),
        a_resource("Credential", "app", email="a@b.example", fullName="App", password=secret("p")),
    ]


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in an answer but its top."""
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in inner:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@st.composite
def lies(draw: st.DrawFn) -> Callable[[Any], Any]:
    """A change of any answer in one place: something else stands there, or nothing, or it twice."""
    number, junk = draw(st.integers(0, 10_000)), draw(st.sampled_from(JUNK))
    way = draw(st.sampled_from(["other", "gone", "twice"]))

    def lie(tree: Any) -> Any:
        every = [*places(tree)]
        if not every:
            return junk
        *path, last = every[number % len(every)]
        node = tree
        for key in path:
            node = node[key]
        if way == "gone":
            del node[last]
        elif way == "twice" and isinstance(node, list):
            node.append(node[last])
        else:
            node[last] = junk
        return tree

    return lie


class Liar(Client):
    """A client whose n-th answer, of reads or of writes, is changed."""

    def __init__(
        self, gateway: Gateway, at: int, lie: Callable[[Any], Any], *, reads: bool
    ) -> None:
        super().__init__(Reach(gateway.standin.url), lambda: SecretValue(gateway.token))
        self._left, self._lie, self._reads = at, lie, reads

    def call(self, method: str, path: str, **more: Any) -> Answer:
        answer = super().call(method, path, **more)
        if (method == "GET") is not self._reads:
            return answer
        self._left -= 1
        if self._left != -1:
            return answer
        return dataclasses.replace(answer, body=orjson.dumps(self._lie(orjson.loads(answer.body))))


@pytest.fixture(scope="module")
def moment(tmp_path_factory: pytest.TempPathFactory) -> Moment:
    with Gateway(tmp_path_factory.mktemp("moment")) as gateway:
        assert done(gateway.apply(state(gateway)))
        return gateway.moment()


@pytest.fixture(scope="module")
def standing(
    tmp_path_factory: pytest.TempPathFactory, moment: Moment
) -> Iterator[tuple[Gateway, list[Resource]]]:
    with Gateway(tmp_path_factory.mktemp("standing"), since=moment) as gateway:
        yield gateway, state(gateway)


@MANY
@given(at=st.integers(0, 45), lie=lies())
def test_a_reading_of_it_ends_in_a_plan_or_in_an_error_of_ours(
    standing: tuple[Gateway, list[Resource]], at: int, lie: Callable[[Any], Any]
) -> None:
    gateway, wished = standing
    with Liar(gateway, at, lie, reads=True) as client, suppress(ApiopsError):
        gateway.plan(wished, VendorManager(Api(client, Pace(1)), gateway.book))


class Nameless(Client):
    """A client to which a list of IP groups shows one without a name."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(Reach(gateway.standin.url), lambda: SecretValue(gateway.token))

    def call(self, method: str, path: str, **more: Any) -> Answer:
        answer = super().call(method, path, **more)
        if not path.endswith("/ipGroups/"):
            return answer
        body = orjson.dumps({"status": "SUCCESS", "resultList": [{"ipList": []}]})
        return dataclasses.replace(answer, body=body)


def test_the_error_says_what_was_not_understood(standing: tuple[Gateway, list[Resource]]) -> None:
    gateway, wished = standing
    unknown = "IpGroup in payments in a shape that is not known"
    with Nameless(gateway) as client, pytest.raises(ManagerError, match=unknown) as fault:
        gateway.plan(wished, VendorManager(Api(client), gateway.book))

    assert "AO760" == fault.value.code


@settings(MANY, max_examples=8)
@given(at=st.integers(0, 8), lie=lies())
def test_after_a_write_whose_answer_was_not_understood_one_more_run_converges(
    tmp_path_factory: pytest.TempPathFactory, moment: Moment, at: int, lie: Callable[[Any], Any]
) -> None:
    with Gateway(tmp_path_factory.mktemp("write"), since=moment) as gateway:
        wished = state(gateway, 20)
        with Liar(gateway, at, lie, reads=False) as client:
            manager = VendorManager(Api(client, Pace(1)), gateway.book)
            outcomes = gateway.apply(wished, manager)
        assert all(one.code and one.message for one in outcomes if one.result == "failed")

        assert done(outcomes := gateway.apply(wished)), told(outcomes)
        assert "" == left(gateway.plan(wished))
