"""Rate limit control lists (vendor document, 2.15): the facts of one, which a PUT merges, and its
three lists, which have calls of their own.
"""

from collections.abc import Callable
from typing import Any, Final

from fastapi import Response

from apiops.model.plan import Action
from apiops.model.resource import LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Name
from apiops.web.vendor.shapes import Body

_KIND: Final = "Rlcl"
_ABSENT: Final = "RLCL ({}) is not found!"
_BASE: Final = "/projects/{project}/rlcl/"
_ALWAYS: Final = {"conditionRuleList": [{"conditionCriteria": "AND", "conditionRuleList": []}]}
"""The condition of one that has none."""
_AT_FIRST: Final = {
    "enabled": True,
    "executionOrder": "BEFORE_API_PROXY",
    "cacheConnectionTimeoutInSeconds": 3,
    "showRateLimitStatisticsInResponseHeader": False,
}
_LISTS: Final = {"credentials": "credentialNameList", "endpoints": "endpointRateLimitList"}
"""Segment of the path and field of a manifest → field of the vendor's bodies."""
_LIMITED: Final = ("apiProxyName", "endpointName", "endpointHTTPMethod", "targetIdentityValue")
"""What one row of a list of endpoints is about."""

Rows = list[Any]

routes, serve = door.family()


@serve("GET", _BASE, "Rate limits: all lists of a project")
def every(call: Call, project: Name) -> Response:
    """Whole, by name."""
    return envelope.found(_shows(one) for one in call.every(_KIND, project))


@serve("GET", f"{_BASE}{{name}}/", "Rate limits: one list, in a list of one")
def one(call: Call, project: Name, name: Name) -> Response:
    """Whole."""
    return envelope.found([_shows(call.look(_KIND, project, name, _ABSENT))])


@serve("POST", _BASE, "Rate limits: make a list")
def make(call: Call, project: Name, body: Body) -> Response:
    """Without clients, endpoints and condition."""
    call.enter(project)
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise Told("rlclName value can not be empty!")
    if call.find(_KIND, project, name) is not None:
        raise Told(f"An RLCL with same name ({name}) already exists in project!")
    call.put(ResourceId(_KIND, project, name), _facts(body))
    return envelope.done()


@serve("PUT", f"{_BASE}{{name}}/", "Rate limits: change the facts of a list")
def put(call: Call, project: Name, name: Name, body: Body) -> Response:
    """What the body leaves out stays."""
    before = call.look(_KIND, project, name, _ABSENT)
    call.put(before.id, _forced({**before.spec, **shapes.filled(_facts(body))}), before)
    return envelope.done()


@serve("DELETE", f"{_BASE}{{name}}/", "Rate limits: delete a list, for good")
def delete(call: Call, project: Name, name: Name) -> Response:
    """With all that is in it."""
    before = call.look(_KIND, project, name, _ABSENT)
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


def _list(segment: str, is_same: Callable[[Any, Any], bool]) -> None:
    """The three calls of one list: more of it, other ones, fewer."""
    path, field = f"{_BASE}{{name}}/{segment}/", _LISTS[segment]

    def change(call: Call, project: str, name: str, body: Body, *, more: bool) -> Response:
        before = call.look(_KIND, project, name, _ABSENT)
        rows = _rows(body, field)
        held = before.spec.get(segment) or ()
        left = [had for had in held if not any(is_same(had, row) for row in rows)]
        call.put(before.id, {**before.spec, segment: [*left, *(rows if more else ())]}, before)
        return envelope.done()

    @serve("POST", path, f"Rate limits: add {segment}")
    def add(call: Call, project: Name, name: Name, body: Body) -> Response:
        return change(call, project, name, body, more=True)

    @serve("PUT", path, f"Rate limits: replace the {segment}")
    def replace(call: Call, project: Name, name: Name, body: Body) -> Response:
        before = call.look(_KIND, project, name, _ABSENT)
        call.put(before.id, {**before.spec, segment: _rows(body, field)}, before)
        return envelope.done()

    @serve("DELETE", path, f"Rate limits: take {segment} away")
    def take(call: Call, project: Name, name: Name, body: Body) -> Response:
        return change(call, project, name, body, more=False)


def _is_about_the_same(one: Any, other: Any) -> bool:
    rows = isinstance(one, dict) and isinstance(other, dict)
    return rows and all(one.get(field) == other.get(field) for field in _LIMITED)


_list("credentials", lambda one, other: bool(one == other))
_list("endpoints", _is_about_the_same)


def set_condition(call: Call, project: Name, name: Name, body: Body) -> Response:
    """The whole of it."""
    before = call.look(_KIND, project, name, _ABSENT)
    if not body.get("conditionRuleList"):
        raise Told("condition value can not be empty!")
    condition = None if body == _ALWAYS else body
    call.put(before.id, {**before.spec, "condition": condition}, before)
    return envelope.done()


for _method in ("POST", "PUT"):
    serve(_method, f"{_BASE}{{name}}/condition/", "Rate limits: when they count")(set_condition)


@serve("DELETE", f"{_BASE}{{name}}/condition/", "Rate limits: let them count always")
def reset_condition(call: Call, project: Name, name: Name) -> Response:
    """Whatever was set."""
    before = call.look(_KIND, project, name, _ABSENT)
    call.put(before.id, {**before.spec, "condition": None}, before)
    return envelope.done()


def _shows(one: LiveResource) -> Body:
    """RLCLMetadataDTO with its lists."""
    spec = {**_AT_FIRST, **shapes.plain(one)}
    lists = {field: spec.pop(name, None) or [] for name, field in _LISTS.items()}
    return {**spec, **lists, "condition": spec.get("condition") or _ALWAYS}


def _facts(body: Body) -> Body:
    apart = (*_LISTS, *_LISTS.values(), "condition")
    return _forced({k: v for k, v in shapes.spec(body, {}).items() if k not in apart})


def _forced(spec: Body) -> Body:
    """Who is asked for at the end only: then it is looked at at the end (2.15)."""
    if spec.get("identitySource") != "AUTH_RESOLVED":
        return spec
    return {**spec, "executionOrder": "AFTER_API_METHOD", "targetVariable": None}


def _rows(body: Body, field: str) -> Rows:
    rows = body.get(field)
    if not isinstance(rows, list) or not rows:
        raise Told(f"{field} value can not be empty!")
    return [shapes.filled(row) for row in rows]
