"""Settings, AI routings and traffic logs of a proxy (vendor document, 2.5.3, 2.5.4, 2.5.8).

The tables are those of our own client of the vendor's API, read the other way round.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Query, Response

from apiops.model.resource import JsonObject
from apiops.remote.vendor import settings as theirs
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import changing, door, shapes
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_PROXY: Final = "/projects/{project}/apiProxies/{name}/"
_OURS: Final = {"keyStoreName": "keyStore", "trustStoreName": "trustStore"} | {
    "keyStoreId": "keyStore",
    "trustStoreId": "trustStore",
}
"""What bodies call a keystore (1.10 #29): ids are names here."""

Change = Callable[[dict[str, Any], Body], None]
"""Lays a body over a spec."""

routes, serve = door.family()


def _setting(step: str, change: Change) -> None:
    """A PATCH, deployed at once where its body says so."""

    @serve("PATCH", f"{_PROXY}settings/{step}/", f"API proxy: {step}")
    def patch(call: Call, project: Name, name: Name, body: Body) -> Response:
        return _changed(call, project, name, body, change)


def _changed(call: Door, project: str, name: str, body: Body, change: Change) -> Response:
    before = changing.look(call, project, name)
    spec = changing.bare(before)
    rest = {key: value for key, value in body.items() if key not in changing.DEPLOYING}
    if not rest:
        raise Told("Request body can not be empty!")
    change(spec, rest)
    return changing.save(call, before.id, spec, body, before)


def _laid(spec: dict[str, Any], field: str, more: Body) -> None:
    """Fields that are left out, or null, stay."""
    spec[field] = {**(spec.get(field) or {}), **shapes.filled(more)}


def _wrapped(ours: str, wrapper: str) -> Change:
    def change(spec: dict[str, Any], body: Body) -> None:
        inner = _only(body, wrapper)
        if not isinstance(inner, dict):
            raise Told(f"{wrapper} value can not be empty!")
        if ours in theirs.NAMED:
            inner = {key: value for key, value in inner.items() if key != "name"}
        held = (spec.get("settings") or {}).get(ours) or {}
        merged = {**held, **shapes.filled(inner)} if ours in ("grpc", "websocket") else inner
        spec["settings"] = {**(spec.get("settings") or {}), ours: merged}

    return change


def _flat(ours: str) -> Change:
    def change(spec: dict[str, Any], body: Body) -> None:
        held = (spec.get("settings") or {}).get(ours) or {}
        named = {_OURS.get(key, key) if ours == "mtls" else key: v for key, v in body.items()}
        given = {key: value for key, value in named.items() if value is not None}
        spec["settings"] = {**(spec.get("settings") or {}), ours: {**held, **given}}

    return change


def _addresses(spec: dict[str, Any], body: Body) -> None:
    _laid(spec, "routing", {"addresses": _only(body, "routingAddressList") or []})


def _route(spec: dict[str, Any], body: Body) -> None:
    spec["clientRoute"] = shapes.filled(_only(body, "clientRoute"))


def _status(spec: dict[str, Any], body: Body) -> None:
    names = {"routingEnabled": "enabled", "echoEnabled": "echoEnabled"}
    names["mirrorEnabled"] = "echoEnabled"  # 1.10 #27
    _laid(spec, "routing", {names.get(key, key): value for key, value in body.items()})


def _metadata(spec: dict[str, Any], body: Body) -> None:
    """An empty text and an empty list clear (2.5.3)."""
    rest = dict(body)
    if rest.pop("name", None) is not None:
        raise Told("An API proxy is renamed in the repository, by renamedFrom!")
    if rest.get("description") is not None:
        spec["description"] = rest.pop("description")
    _laid(spec, "metadata", rest)
    spec["metadata"] = {k: v for k, v in spec["metadata"].items() if v not in ("", [])}


def _only(body: Body, field: str) -> Any:
    strange = sorted(body.keys() - {field})
    if strange:
        raise Told(f"{strange[0]} is not known here!")
    return body[field]


for _ours, (_step, _wrapper) in theirs.WRAPPED.items():
    _setting(_step, _wrapped(_ours, _wrapper))
for _ours, _step in theirs.FLAT.items():
    _setting(_step, _flat(_ours))
for _step, _change in {
    "addresses": _addresses,
    "client-route": _route,
    "routing-status": _status,
    "metadata": _metadata,
}.items():
    _setting(_step, _change)


@serve("PATCH", f"{_PROXY}settings/spec-access-type/{{access}}/", "API proxy: who may read its API")
def spec_access(
    call: Call,
    project: Name,
    name: Name,
    access: Name,
    body: Body | None = None,
    checked: Annotated[bool | None, Query(alias="checkApiProxyPermission")] = None,
) -> Response:
    """Of the document that describes it."""
    before = changing.look(call, project, name)
    spec = changing.bare(before)
    given = {"type": access, "checkApiProxyPermission": checked}
    _flat("specAccess")(spec, given)
    return changing.save(call, before.id, spec, body or {}, before)


def _routing(field: str, step: str) -> None:
    """A routing of an AI kind, as a whole; a secret that is left out is kept (5.3)."""

    @serve("PUT", f"{_PROXY}{step}/", f"API proxy: replace its {step}")
    def put(call: Call, project: Name, name: Name, body: Body) -> Response:
        before = changing.look(call, project, name)
        routing = {"proxyPassword": None, **body} if field == "aiRouting" else dict(body)
        call.put(before.id, {**changing.bare(before), field: _named(routing)}, before)
        return envelope.done()


def _named(routing: Body) -> Body:
    """What a routing says by an id, which is a name here."""
    rest = dict(routing)
    provider = rest.pop("llmProviderRef", None)
    if provider and not rest.get("llmProviderRefName"):
        rest["llmProviderRefName"] = provider
    for tool in rest.get("exposedTools") or ():
        if isinstance(tool, dict) and "proxyId" in tool:
            tool["apiProxyName"] = tool.pop("proxyId")
    for server in rest.get("backendServers") or ():
        if isinstance(server, dict):
            server.setdefault("bearerToken", None)
            server.setdefault("clientSecret", None)
    return rest


for _field, _step in theirs.ROUTINGS.items():
    _routing(_field, _step)


@serve("GET", f"{_PROXY}trafficLogSettings/", "API proxy: what it logs everywhere")
def logs(call: Call, project: Name, name: Name) -> Response:
    """By environment."""
    found = changing.look(call, project, name).spec.get("trafficLog") or {}
    return envelope.found(_log(environment, log) for environment, log in found.items())


@serve("GET", f"{_PROXY}trafficLogSettings/{{environment}}/", "API proxy: what it logs somewhere")
def log_there(call: Call, project: Name, name: Name, environment: Name) -> Response:
    """In one environment."""
    found = changing.look(call, project, name).spec.get("trafficLog") or {}
    if environment not in found:
        raise Told("Traffic log settings not found")
    return envelope.found([_log(environment, found[environment])])


@serve("PUT", f"{_PROXY}trafficLogSettings/{{environment}}/", "API proxy: log something else")
def put_log(call: Call, project: Name, name: Name, environment: Name, body: Body) -> Response:
    """What is left out, or null, stays; workers receive it without a deploy."""
    before = changing.look(call, project, name)
    call.environment(environment)
    spec = changing.bare(before)
    every = spec.get("trafficLog") or {}
    rest = {key: value for key, value in body.items() if key not in shapes.OWNED}
    if "connectorSettingsMap" in rest:
        rest["connectors"] = rest.pop("connectorSettingsMap")
    if "methodOverrideList" in rest:
        sent = shapes.rows(rest.pop("methodOverrideList"), "Method () is not found in ApiProxy!")
        rest["methods"] = [_method(one) for one in sent]
    log = {**(every.get(environment) or {}), **shapes.filled(rest)}
    spec["trafficLog"] = {**every, environment: log}
    call.put(before.id, spec, before)
    return envelope.found([_log(environment, log)])


def _log(environment: str, log: JsonObject) -> Body:
    shown = {key: value for key, value in log.items() if key not in ("connectors", "methods")}
    shown |= {"environmentName": environment}
    if log.get("connectors"):
        shown["connectorSettingsMap"] = log["connectors"]
    if log.get("methods"):
        shown["methodOverrideList"] = [
            {
                "apiMethodId": f"{one['httpMethod']} {one['endpoint']}",
                "apiMethodName": one["endpoint"],
                "connectorSettingsMap": one["connectors"],
            }
            for one in log["methods"]
        ]
    return shown


def _method(one: Body) -> Body:
    """The endpoint that an id of ours names: its method and its path."""
    method, _, path = str(one.get("apiMethodId") or "").partition(" ")
    if not path:
        raise Told(f"Method ({one.get('apiMethodName')}) is not found in ApiProxy!")
    connectors = one.get("connectorSettingsMap") or {}
    return {"endpoint": path, "httpMethod": method, "connectors": connectors}
