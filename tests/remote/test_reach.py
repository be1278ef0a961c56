"""What the generated states of a project can hold: every field that a spec may have, or why not."""

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any, get_args

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from apiops.model.kinds import KINDS
from apiops.model.resource import Resource
from apiops.remote.vendor.reading import CODECS
from tests.remote.clients import SLOTS, clients
from tests.remote.gateway import a_resource
from tests.remote.shapes import REACHED
from tests.remote.states import NAMED, bases, proxies, states

Fields = set[tuple[str, str]]
NEVER = {
    "ConditionRule": (
        "dateFormat firstVariable secondValue secondValueSource secondVariable "
        "valueComparisonOperator variableDataType"
    ),
    "Grpc": (
        "channelIdleTimeout keepAliveTime keepAliveTimeout keepAliveWithoutCalls "
        "maxHedgedAttempts maxInboundMessageSize maxInboundMetadataSize maxRetryAttempts "
        "maxTraceEvents perRpcBufferLimit"
    ),
    "Settings": "grpc websocket",
    "Websocket": (
        "autoReconnect autoReconnectMaxRetries autoReconnectRetryDelay connectTimeout "
        "connectionLostTimeout maxRetries retryDelay reuseAddr"
    ),
}
"""Model → fields. No call makes a gRPC or WebSocket proxy (2.5.1), and conditions are sent and shown
as they are, so that two of them stand for all.
"""

OUT_OF_REACH: Fields = {(model, name) for model, names in NEVER.items() for name in names.split()}


def by_model(found: Fields) -> dict[str, list[str]]:
    models = sorted({model for model, _ in found})
    return {model: sorted(name for one, name in found if one == model) for model in models}


class Files:
    """As much of a gateway as states need."""

    world = SimpleNamespace(documents={})

    def file(self, content: str) -> str:
        return f"{len(content):064}"


def model_of(kind: str) -> type[BaseModel]:
    module, _, name = KINDS[kind].model.partition(":")
    found: type[BaseModel] = getattr(import_module(module), name)
    return found


def below(kind: Any) -> set[type[BaseModel]]:
    """The models in an annotation, those inside of them left alone."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {kind}
    return {one for inner in get_args(kind) for one in below(inner)}


def fields(model: type[BaseModel], seen: set[type[BaseModel]]) -> Fields:
    """All that a spec may say."""
    if model in seen:
        return set()
    seen.add(model)
    found = {(model.__name__, one.alias or name) for name, one in model.model_fields.items()}
    for one in model.model_fields.values():
        for inner in below(one.annotation):
            found |= fields(inner, seen)
    return found


def said(models: set[type[BaseModel]], node: Any) -> Fields:
    """What a drawn spec says."""
    if isinstance(node, list):
        return {one for item in node for one in said(models, item)}
    if not isinstance(node, dict):
        return set()
    found: Fields = set()
    for model in models:
        for field, one in model.model_fields.items():
            name = one.alias or field
            if name in node:
                found |= {(model.__name__, name)} | said(below(one.annotation), node[name])
    if not found:
        found = {one for inner in node.values() for one in said(models, inner)}
    return found


def of_kind(kind: str) -> Callable[[dict[str, Any]], list[Resource]]:
    return lambda spec: [a_resource(kind, "one", **spec)]


def every(strategy: st.SearchStrategy[list[Resource]], most: int = 60) -> list[Resource]:
    """What many examples have, the same ones each time."""
    found: list[Resource] = []

    @settings(
        max_examples=most, derandomize=True, database=None, deadline=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def draw(drawn: list[Resource]) -> None:
        found.extend(drawn)

    draw()
    return found


def test_states_say_all_that_can_be_said() -> None:
    reached: Fields = set()

    shared = [a_resource("LlmProvider", "l1"), a_resource("Connection", "c1")]
    around = [a_resource(kind, "a") for kind in ("ApiProxy", "ApiProxyGroup", *SLOTS.values())]
    gateway: Any = Files()
    for drawn in (
        *(every(spec.map(of_kind(kind))) for kind, (spec, _) in NAMED.items()),
        every(clients(around)),
        every(bases(gateway, [a_resource("VectorDb", "v1"), *shared])),
        every(states(gateway)),
        every(proxies(gateway, "b", ["a", "b"], shared).map(of_kind("ApiProxy")), 300),
    ):
        for one in drawn:
            reached |= said({model_of(one.id.kind)}, one.spec)
    seen: set[type[BaseModel]] = set()
    wanted = {one for kind in CODECS for one in fields(model_of(kind), seen)}
    assert {} == by_model(wanted - reached - REACHED - OUT_OF_REACH)


def test_what_is_said_to_be_out_of_reach_is_a_field_that_there_is() -> None:
    seen: set[type[BaseModel]] = set()
    wanted = {one for kind in CODECS for one in fields(model_of(kind), seen)}

    assert {} == by_model(OUT_OF_REACH - wanted)
