"""Policies of a proxy (vendor document, 2.6): in a pipeline, for all endpoints or for one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from fastapi import Response

from apiops.model.resource import JsonObject, LiveResource
from apiops.remote.vendor import policies as theirs
from apiops.remote.vendor.policies import Slot
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import changing, door, endpoints, shapes
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_BASE: Final = "/projects/{project}/apiProxies/{name}/policies/"
_ONE: Final = f"{_BASE}{{policy}}/"
_PIPELINES: Final = {theirs_: ours for ours, (theirs_, _) in theirs.PIPELINES.items()}

Pipelines = dict[str, list[JsonObject]]

routes, serve = door.family()


@serve("GET", _BASE, "Policy: all of a proxy")
def policies(call: Call, project: Name, name: Name) -> Response:
    """By pipeline and endpoint, in the order in which they run; secrets are null."""
    proxy = changing.look(call, project, name)
    return envelope.found([{"name": name, **inside(proxy, endpoints.shown(call, proxy), _whole)}])


@serve("POST", _ONE, "Policy: add one")
def add(call: Call, project: Name, name: Name, policy: Name, body: Body) -> Response:
    """At the end of its place, or where `order` says."""
    before = changing.look(call, project, name)
    pipelines = _pipelines(before)
    if any(theirs.fold(one) == policy.casefold() for _, one in _every(pipelines)):
        raise Told(f"A policy with same name ({policy}) is already exist in API Proxy!")
    slot, order = _operation(body)
    _insert(pipelines, slot, _policy(body, policy, slot), order)
    return _save(call, before, pipelines, body)


@serve("PUT", _ONE, "Policy: replace it")
def put(call: Call, project: Name, name: Name, policy: Name, body: Body) -> Response:
    """It may move to another place; its type stays."""
    before = changing.look(call, project, name)
    pipelines = _pipelines(before)
    slot, order = _operation(body)
    was, old = _found(pipelines, policy)
    new = _policy(body, old["name"], slot)
    if new["type"] != old["type"]:
        raise Told("Policy type can not be changed!")
    rows = theirs.slots(pipelines)[was]
    place = rows.index(old) + 1 if was == slot and order is None else order
    pipelines[was.pipeline].remove(old)
    _insert(pipelines, slot, new, place)
    return _save(call, before, pipelines, body)


@serve("DELETE", _ONE, "Policy: take it away")
def remove(
    call: Call, project: Name, name: Name, policy: Name, body: Body | None = None
) -> Response:
    """From the place that the body says, if it says one."""
    before = changing.look(call, project, name)
    pipelines = _pipelines(before)
    where, old = _found(pipelines, policy)
    if body and _operation(body)[0] != where:
        raise Told(f"A policy with name ({policy}) does not exist in API Proxy!")
    pipelines[where.pipeline].remove(old)
    return _save(call, before, pipelines, body or {})


def _pipelines(proxy: LiveResource) -> Pipelines:
    held = proxy.spec.get("policies") or {}
    return {ours: list(held.get(ours) or ()) for ours in theirs.PIPELINES}


def _every(pipelines: Pipelines) -> Iterator[tuple[str, JsonObject]]:
    return ((pipeline, one) for pipeline, rows in pipelines.items() for one in rows)


def _found(pipelines: Pipelines, name: str) -> tuple[Slot, JsonObject]:
    for pipeline, one in _every(pipelines):
        if theirs.fold(one) == name.casefold():
            return theirs.slot_of(pipeline, one), one
    raise Told(f"A policy with name ({name}) does not exist in API Proxy!")


def _insert(pipelines: Pipelines, slot: Slot, policy: JsonObject, order: int | None) -> None:
    """At the place `order`, counted from 1, among those of its own slot; else behind all."""
    rows = pipelines[slot.pipeline]
    beside = theirs.slots(pipelines).get(slot, [])
    last = order is None or order > len(beside)
    rows.insert(len(rows) if last else rows.index(beside[max(order or 1, 1) - 1]), policy)


def _operation(body: Body) -> tuple[Slot, int | None]:
    said = body.get("operationMetadata")
    if not isinstance(said, dict):
        raise Told("operationMetadata value can not be empty!")
    pipeline = _PIPELINES.get(str(said.get("targetPipeline")))
    scope = said.get("targetScope", "ALL")
    if pipeline is None or scope not in ("ALL", "ENDPOINT"):
        raise Told("targetPipeline or targetScope is not valid!")
    order = said.get("order")
    if order is not None and not isinstance(order, int):
        raise Told("order is not valid!")
    if scope == "ALL":
        return Slot(pipeline), order
    place = (said.get("targetEndpoint"), said.get("targetEndpointHTTPMethod"))
    if not all(isinstance(one, str) and one for one in place):
        raise Told("targetEndpoint and targetEndpointHTTPMethod can not be empty!")
    return Slot(pipeline, str(place[0]), str(place[1])), order


def _policy(body: Body, name: str, slot: Slot) -> JsonObject:
    """A body as a manifest says it. Its name is the path's (1.10 #39)."""
    said = body.get("policy")
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        raise Told("policy value can not be empty!")
    made: dict[str, Any] = {
        "name": name,
        "type": said["type"],
        "active": said.get("active", True),
        "spec": {k: v for k, v in said.items() if k not in theirs.APART},
    }
    if slot.endpoint:
        made["at"] = {"endpoint": slot.endpoint, "httpMethod": slot.method}
    for field, ours in {
        "description": "description",
        "policyCondition": "condition",
        "errorMessageList": "errorMessageList",
    }.items():
        if said.get(field):
            made[ours] = said[field]
    return made


def inside(proxy: LiveResource, rows: Iterable[Body], shows: Callable[[JsonObject], Body]) -> Body:
    """The policies of a proxy, and of each of its endpoints, each as `shows` says it."""
    held = theirs.slots(proxy.spec.get("policies") or {})

    def lists(endpoint: str = "", method: str = "") -> Body:
        return {
            field: [shows(one) for one in held.get(Slot(ours, endpoint, method), ())]
            for ours, (_, field) in theirs.PIPELINES.items()
        }

    every = [{**one, **lists(one["endpoint"], one["httpMethod"])} for one in rows]
    return {**lists(), "endpointList": every}


def short(policy: JsonObject) -> Body:
    """What a proxy says of its policies (2.5.5)."""
    own = {name: policy.get(name) for name in ("type", "name", "description")}
    return {**own, "active": policy.get("active", True)}


def _whole(policy: JsonObject) -> Body:
    shown: Body = shapes.hidden({**theirs.sent_as(policy), "name": policy["name"]})
    return shown


def _save(call: Door, before: LiveResource, pipelines: Pipelines, body: Body) -> Response:
    spec = {**changing.bare(before), "policies": pipelines}
    return changing.save(call, before.id, spec, body.get("operationMetadata") or {}, before)
