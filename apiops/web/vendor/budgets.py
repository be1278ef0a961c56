"""AI budgets (vendor document, 2.18): one for each target, which PUT sets and nobody deletes. Ids
of targets are names here, of a client at a proxy both: `PROXY/CLIENT`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastapi import Response

from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.web import envelope, identity
from apiops.web.envelope import Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_KIND: Final = "AiBudget"
_BASE: Final = "/projects/{project}/ai-budgets/"
_SHOWN: Final = {
    "PROJECT": "PROJECT",
    "API_PROXY": "API_PROXY",
    "CREDENTIAL_ORGANIZATION": "CREDENTIAL_ORG",
    "CREDENTIAL_ALLOWED_API_PROXY": "CREDENTIAL_BINDING",
}
"""What writes call a target → what reads call it."""

routes, serve = door.family()


@serve("PUT", _BASE, "AI budget: set that of a target")
def put(call: Call, project: Name, body: Body) -> Response:
    """All of it; lists that are left out stay."""
    call.enter(project)
    type_, id = body.get("targetType"), body.get("targetId")
    if not isinstance(type_, str) or not isinstance(id, str) or not id:
        raise Told("targetType and targetId are required!")
    strange = sorted(body.keys() - {"targetType", "targetId", "budget", "budgetSource"})
    if strange:
        raise Told(f"{strange[0]} is not known here!")
    target = _target(type_, id)
    before = next((one for one in _every(call, project) if one.spec["target"] == target), None)
    was = before.spec if before else {}
    spec: dict[str, Any] = {"target": target, "budget": _budget(body, was.get("budget") or {})}
    if body.get("budgetSource"):
        spec["budgetSource"] = body["budgetSource"]
    name = _called(target)
    call.put(before.id if before else ResourceId(_KIND, project, name), spec, before)
    return envelope.done()


@serve("GET", f"{_BASE}scope-rules/", "AI budget: all of a project")
def scope_rules(call: Call, project: Name) -> Response:
    """By what they are for."""
    return envelope.found(
        {
            "id": _id(one.spec["target"], project),
            "entityType": _SHOWN.get(one.spec["target"]["type"]),
            "entityName": one.spec["target"].get("credential")
            or one.spec["target"].get("name", project),
            "budget": one.spec.get("budget") or {},
            **({"budgetSource": one.spec["budgetSource"]} if "budgetSource" in one.spec else {}),
        }
        for one in _every(call, project)
    )


@serve("GET", f"{_BASE}hierarchy/", "AI budget: all that can have one")
def hierarchy(call: Call, project: Name) -> Response:
    """The project, its organisations and proxies, and below each proxy the clients it admits."""
    _every(call, project)
    clients = list(_seen(call, "Credential", project))
    organisations = (
        {"nodeType": "CREDENTIAL_ORG", "nodeId": one.id.name, "code": one.id.name}
        for one in _seen(call, "CredentialOrganization", project)
    )
    proxies = (
        {
            "nodeType": "API_PROXY",
            "nodeId": one.id.name,
            "name": one.id.name,
            "children": [
                {"nodeType": "CREDENTIAL_BINDING", "nodeId": f"{one.id.name}/{who}", "name": who}
                for who in _admitted(clients, one.id.name)
            ],
        }
        for one in _seen(call, "ApiProxy", project)
    )
    top = {"nodeType": "PROJECT", "nodeId": project, "name": project}
    return envelope.found([{**top, "children": [*organisations, *proxies]}])


def _every(call: Door, project: str) -> list[LiveResource]:
    return call.every(_KIND, project)


def _seen(call: Door, kind: str, project: str) -> Iterable[LiveResource]:
    """As far as the caller may see them."""
    identity.require(call.calling, "read")
    return call.manager.views.resources(call.calling.principal, kind, project)


def _admitted(clients: Iterable[LiveResource], proxy: str) -> Iterator[str]:
    for one in clients:
        for access in one.spec.get("access") or ():
            if (access["name"], access.get("type", "API_PROXY")) == (proxy, "API_PROXY"):
                yield one.id.name


def _target(type_: str, id: str) -> Body:
    if type_ == "PROJECT":
        return {"type": type_}
    if type_ != "CREDENTIAL_ALLOWED_API_PROXY":
        return {"type": type_, "name": id}
    proxy, slash, client = id.partition("/")
    if not slash:
        raise Told("targetId of a client at a proxy is PROXY/CLIENT!")
    return {"type": type_, "name": proxy, "credential": client}


def _id(target: JsonObject, project: str) -> str:
    client = target.get("credential")
    name = str(target.get("name") or project)
    return f"{name}/{client}" if client else name


def _called(target: JsonObject) -> str:
    """A name for a budget that no manifest describes yet."""
    parts = (target.get("credential"), target.get("name"))
    return "-".join(str(part) for part in parts if part) or "project"


def _budget(body: Body, was: JsonObject) -> Body:
    """Null keeps a list and [] clears it (2.18); the rest is as it is sent."""
    sent = body.get("budget")
    if not isinstance(sent, dict):
        raise Told("AI budget update body can not be empty!")
    lists = ("softCapPercents", "modelBudgets", "providerBudgets")
    kept = {name: was[name] for name in lists if name in was and sent.get(name) is None}
    return {**shapes.filled(sent), **kept}
