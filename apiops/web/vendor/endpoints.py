"""Endpoints of a proxy (vendor document, 2.5.7): its document's, and what differs from those."""

from typing import Any, Final

from fastapi import Response

from apiops.model.resource import JsonObject, LiveResource
from apiops.spec import contract
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import changing, door, shapes
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_BASE: Final = "/projects/{project}/apiProxies/{name}/endpoints/"
_FIELDS: Final = ("description", "backendResourceUrl", "backendHttpMethod")
_PARTS: Final = {
    "status": ("active", "active"),
    "cache": ("cacheSettings", "cache"),
    "wsa": ("wsaSettings", "wsa"),
}
"""Step of the path → field of its body, field of an endpoint."""

Key = tuple[str, str]

routes, serve = door.family()


@serve("GET", _BASE, "Endpoint: all of a proxy")
def endpoints(call: Call, project: Name, name: Name) -> Response:
    """By path and method."""
    return envelope.found(shown(call, changing.look(call, project, name)))


@serve("POST", _BASE, "Endpoint: add one")
def add(call: Call, project: Name, name: Name, body: Body) -> Response:
    """It answers at once, where the proxy is deployed anew."""
    before = changing.look(call, project, name)
    if before.spec.get("type") in ("WSDL", "AI", "MCP", "A2A"):
        raise Told("Endpoint can only be added to REST API Proxies!")
    key = _key(body, "name", "httpMethod")
    if key in _documented(call, before) | _own(before).keys():
        raise Told(f"Endpoint with name ({key[0]}) and HTTP method ({key[1]}) is already exist!")
    return _save(call, before, key, _fields(body), body)


@serve("PATCH", _BASE, "Endpoint: change one")
def change(call: Call, project: Name, name: Name, body: Body) -> Response:
    """What is left out stays."""
    before = changing.look(call, project, name)
    key = _known(call, before, _key(body, "name", "httpMethod"))
    return _save(call, before, key, _fields(body), body)


@serve("POST", f"{_BASE}delete/", "Endpoint: delete one")
def delete(call: Call, project: Name, name: Name, body: Body) -> Response:
    """With its policies. One of a document goes with the document."""
    before = changing.look(call, project, name)
    key = _known(call, before, _key(body, "name", "httpMethod"))
    if key in _documented(call, before):
        raise Told("An endpoint of a document goes with the document! Switch it off instead.")
    spec = changing.bare(before)
    spec["endpoints"] = [one for at, one in _own(before).items() if at != key]
    spec["policies"] = {
        pipeline: [one for one in rows if _at(one) != key]
        for pipeline, rows in (spec.get("policies") or {}).items()
    }
    return changing.save(call, before.id, spec, body, before)


def _part(step: str, sent: str, field: str) -> None:
    """A part of an endpoint that has a call of its own."""

    @serve("PATCH", f"{_BASE}{step}/", f"Endpoint: its {step}")
    def patch(call: Call, project: Name, name: Name, body: Body) -> Response:
        before = changing.look(call, project, name)
        key = _known(call, before, _key(body, "identifierName", "identifierHttpMethod"))
        if body.get(sent) is None:
            raise Told(f"{sent} value can not be empty!")
        value = body[sent]
        if field == "cache" and isinstance(value, dict):
            value = {k: v for k, v in shapes.filled(value).items() if k != "name"}
        return _save(call, before, key, {field: value}, body)


for _step, (_sent, _field) in _PARTS.items():
    _part(_step, _sent, _field)


def shown(call: Door, proxy: LiveResource) -> list[Body]:
    """The endpoints of a proxy as reads say them: ids are method and path."""
    own = _own(proxy)
    return [
        {
            "id": f"{method} {path}",
            "endpoint": path,
            "httpMethod": method,
            "description": one.get("description") or "",
            "active": one.get("active", True),
            "backendResourceUrl": one.get("backendResourceUrl") or path,
            "backendHttpMethod": one.get("backendHttpMethod") or method,
        }
        for path, method in sorted(_documented(call, proxy) | own.keys())
        for one in (own.get((path, method), {}),)
    ]


def _documented(call: Door, proxy: LiveResource) -> set[Key]:
    """Those of its document, where the Manager has it and can read it."""
    source = proxy.spec.get("source") or {}
    digest = source.get("fileDigest")
    if not digest or proxy.spec.get("type") == "WSDL":
        return set()
    content = call.manager.files([digest]).get(digest, b"")
    found = contract.read(content, source["file"])
    operations = (
        (one for path in found.operations.values() for one in path.values()) if found else ()
    )
    steps = (operation.node.path for operation in operations)
    return {(str(path), str(method).upper()) for _, path, method in steps}


def _own(proxy: LiveResource) -> dict[Key, JsonObject]:
    return {(one["name"], one["httpMethod"]): one for one in proxy.spec.get("endpoints") or ()}


def _at(policy: JsonObject) -> Key:
    at = policy.get("at") or {}
    return at.get("endpoint", ""), at.get("httpMethod", "")


def _key(body: Body, name: str, method: str) -> Key:
    for field in (name, method):
        if not isinstance(body.get(field), str) or not body[field]:
            raise Told(f"Endpoint identifier ({field}) must be provided in request body!")
    return body[name], body[method]


def _known(call: Door, proxy: LiveResource, key: Key) -> Key:
    if key not in _documented(call, proxy) | _own(proxy).keys():
        raise Told(f"Endpoint with name ({key[0]}) and HTTP method ({key[1]}) is not found!")
    return key


def _fields(body: Body) -> Body:
    strange = sorted(body.keys() - {"name", "httpMethod", *_FIELDS, *changing.DEPLOYING})
    if strange:
        raise Told(f"{strange[0]} is not known here!")
    return {name: body[name] for name in _FIELDS if body.get(name) is not None}


def _save(call: Door, before: LiveResource, key: Key, more: Body, body: Body) -> Response:
    own = _own(before)
    changed: dict[str, Any] = {"name": key[0], "httpMethod": key[1], **own.get(key, {}), **more}
    spec = {**changing.bare(before), "endpoints": list({**own, key: changed}.values())}
    return changing.save(call, before.id, spec, body, before)
