"""Making API proxies, and reading their documents again (vendor document, 2.5.1 and 2.5.2).

The document comes with the call, or is named by a URL, which whoever runs the proxy fetches: the
Manager opens no connection to where a body says.
"""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Final, NoReturn

import orjson
from fastapi import File, Form, Response, UploadFile

from apiops.model.resource import JsonObject, ResourceId
from apiops.web.envelope import Told
from apiops.web.vendor import changing, door, shapes
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_BASE: Final = "/projects/{project}/apiProxies/"
_SPECIFIED: Final = frozenset({"OPEN_API", "SWAGGER", "WSDL"})
_SOURCE: Final = ("soapToRest", "enableWSA", "enableWSRM", "backendApiVersion")
_READING: Final = ("requestBodyReadBehavior", "responseBodyReadBehavior")
_CONNECTING: Final = (
    *("connectTimeout", "readTimeout", "retryCount", "failoverRetryCount", "ignoreRoutingError"),
)
_TAKEN: Final = frozenset(
    {
        *("apiProxyName", "apiProxyDescription", "apiProxyCreationType", "specUrl"),
        *("specAuthorizationValueList", "clientRoute", "routingInfo", "reParse"),
        *("maintenanceModeSetting", *_SOURCE, *_READING, *changing.DEPLOYING),
    }
)

Metadata = Annotated[str, Form(max_length=1_000_000)]
Document = Annotated[UploadFile, File(alias="specFile")]

routes, serve = door.family()


@serve("POST", f"{_BASE}url/", "API proxy: make one, its document by URL")
def make_by_url(call: Call, project: Name, body: Body) -> Response:
    """Or without a document, where its type has none."""
    return _make(call, project, body, _url(body))


@serve("PUT", f"{_BASE}url/", "API proxy: another URL, or the same document anew")
def put_by_url(call: Call, project: Name, body: Body) -> Response:
    """What the body leaves out stays."""
    return _again(call, project, body, _url(body))


@serve("POST", f"{_BASE}file/", "API proxy: make one, its document in the call")
def make_by_file(call: Call, project: Name, metadata: Metadata, document: Document) -> Response:
    """The document is kept with the proxy."""
    source, files = _file(document)
    return _make(call, project, _tree(metadata), source, files)


@serve("PUT", f"{_BASE}file/", "API proxy: another document")
def put_by_file(call: Call, project: Name, metadata: Metadata, document: Document) -> Response:
    """What the metadata leave out stays."""
    source, files = _file(document)
    return _again(call, project, _tree(metadata), source, files)


@serve("POST", f"{_BASE}ai/{{name}}/", "API proxy: make one of a model")
def make_ai(call: Call, project: Name, name: Name, body: Body) -> Response:
    """Its routing is set whole by a call of its own."""
    routing = {"llmProviderRefName": body.get("llmProviderName"), "modelId": body.get("modelId")}
    return _agent(call, project, name, body, "AI", routing | _given(body, "streaming"))


@serve("POST", f"{_BASE}mcp/{{name}}/", "API proxy: make one of tools")
def make_mcp(call: Call, project: Name, name: Name, body: Body) -> Response:
    """In the mode that exposes proxies as tools (1.10 #34)."""
    return _agent(call, project, name, body, "MCP", _given(body, "routingMode", "protocolVersion"))


@serve("POST", f"{_BASE}a2a/{{name}}/", "API proxy: make one of an agent")
def make_a2a(call: Call, project: Name, name: Name, body: Body) -> Response:
    """In the mode that exposes the agent (1.10 #34)."""
    routing = {"routingMode": "AGENT_EXPOSE"} | _given(body, "routingMode", "protocolVersion")
    return _agent(call, project, name, body, "A2A", routing)


def _make(
    call: Door,
    project: str,
    body: Body,
    source: Body,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Response:
    id = _new(call, project, str(body.get("apiProxyName") or ""))
    spec: dict[str, Any] = {"type": body.get("apiProxyCreationType"), "description": ""}
    return changing.save(call, id, _spec(spec, body, source), body, files=files)


def _again(
    call: Door,
    project: str,
    body: Body,
    source: Body,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Response:
    name = str(body.get("apiProxyName") or "")
    call.enter(project)
    before = call.find(changing.KIND, project, name) if name else None
    if before is None:
        raise Told(
            f"ApiProxy (name: {name}) can not be reparsed because it is not exist. First create it!"
        )
    if body.get("apiProxyCreationType") not in (None, before.spec.get("type")):
        raise Told("apiProxyCreationType can not be changed!")
    spec = _spec(changing.bare(before), body, source)
    return changing.save(call, before.id, spec, body, before, files)


def _agent(call: Door, project: str, name: str, body: Body, type_: str, routing: Body) -> Response:
    path = body.get("relativePath")
    if not path:
        raise Told("relativePath value can not be empty!")
    spec = {
        "type": type_,
        "description": body.get("description"),
        "clientRoute": {"relativePathList": [path]},
        f"{type_.lower()}Routing": routing,
    }
    return changing.save(call, _new(call, project, name), spec, {})


def _new(call: Door, project: str, name: str) -> ResourceId:
    call.enter(project)
    if not name:
        raise Told("apiProxyName value can not be empty!")
    if call.find(changing.KIND, project, name) is not None:
        raise Told(f"ApiProxy (name: {name}) is already exist!")
    return ResourceId(changing.KIND, project, name)


def _spec(spec: dict[str, Any], body: Body, source: Body) -> JsonObject:
    """What the body says laid over a spec; an empty description stays as it was."""
    strange = sorted(body.keys() - _TAKEN)
    if strange:
        raise Told(f"{strange[0]} is not known here!")
    made = {**spec, **_given(body, "clientRoute")}
    if body.get("apiProxyDescription"):
        made["description"] = body["apiProxyDescription"]
    if spec["type"] in _SPECIFIED:
        made["source"] = {**(spec.get("source") or {}), **_given(body, *_SOURCE)}
        if source:
            own = ("file", "fileDigest", "url", "authorization")
            kept = {k: v for k, v in made["source"].items() if k not in own}
            made["source"] = kept | source
    _lay(made, "metadata", _given(body, *_READING))
    _lay(made, "settings", _settings(spec, body))
    _lay(made, "routing", _routing(body.get("routingInfo") or {}))
    return made


def _lay(spec: dict[str, Any], field: str, more: Body) -> None:
    if more:
        spec[field] = {**(spec.get(field) or {}), **more}


def _settings(spec: JsonObject, body: Body) -> Body:
    """The settings that creating takes along (1.10 #24)."""
    held = spec.get("settings") or {}
    found = {}
    if body.get("maintenanceModeSetting"):
        found["maintenanceMode"] = body["maintenanceModeSetting"]
    connecting = _given(body.get("routingInfo") or {}, *_CONNECTING)
    if connecting:
        found["connection"] = {**(held.get("connection") or {}), **connecting}
    return found


def _routing(info: Body) -> Body:
    strange = sorted(
        info.keys()
        - {"loadBalanceAlgorithm", "routingAddressList", "routingEnabled", *_ECHO, *_CONNECTING}
    )
    if strange:
        raise Told(f"routingInfo.{strange[0]} is not known here!")
    found = _given(info, "loadBalanceAlgorithm")
    if info.get("routingAddressList") is not None:
        found["addresses"] = info["routingAddressList"]
    if info.get("routingEnabled") is not None:
        found["enabled"] = info["routingEnabled"]
    echo = next((info[name] for name in _ECHO if info.get(name) is not None), None)
    return found if echo is None else {**found, "echoEnabled": echo}


_ECHO: Final = ("echoEnabled", "mirrorEnabled")
"""Two names of one flag (1.10 #27)."""


def _given(body: Body, *names: str) -> Body:
    return {name: body[name] for name in names if body.get(name) is not None}


def _url(body: Body) -> Body:
    if not body.get("specUrl"):
        return {}
    found = {"url": body["specUrl"]}
    sent = body.get("specAuthorizationValueList")
    return found | ({"authorization": sent} if sent else {})


def _file(document: UploadFile) -> tuple[Body, dict[str, bytes]]:
    """The source that a document makes, and its bytes by their digest."""
    content = document.file.read()
    digest = hashlib.sha256(content).hexdigest()
    name = PurePosixPath((document.filename or "").replace("\\", "/")).name
    if not content or not name:
        raise Told("specFile value can not be empty!")
    return {"file": name, "fileDigest": digest}, {digest: content}


def _tree(text: str) -> Body:
    try:
        tree = orjson.loads(text)
        return shapes.sound(tree) if isinstance(tree, dict) else _no_object()
    except ValueError:
        return _no_object()


def _no_object() -> NoReturn:
    raise Told("metadata must be a JSON object!")
