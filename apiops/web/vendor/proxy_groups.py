"""Groups of proxies (vendor document, 2.8). Their route is in no read, as at the vendor's."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import Response

from apiops.model.plan import Action
from apiops.model.resource import LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import deploying, door
from apiops.web.vendor.deploying import Deployment
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_KIND: Final = "ApiProxyGroup"
_BASE: Final = "/projects/{project}/apiProxyGroups/"
_ABSENT: Final = "API Proxy Group ({}) is not found or user does not have privilege to access it!"
_EXISTS: Final = (
    "ApiProxyGroup: ({}) is already created! If you want to udate it use update endpoint!"
)
"""Spelled as the vendor does."""

routes, serve = door.family()


@serve("GET", _BASE, "Group of proxies: all of a project")
def groups(call: Call, project: Name) -> Response:
    """Names and what they are for."""
    return envelope.found(
        {"id": one.id.name, "name": one.id.name, "description": one.spec.get("description", "")}
        for one in call.every(_KIND, project)
    )


@serve("POST", _BASE, "Group of proxies: make one")
def make(call: Call, project: Name, body: Body) -> Response:
    """Without members, and perhaps deployed at once."""
    call.enter(project)
    name, spec = _name(body), _spec(body)
    if call.find(_KIND, project, name) is not None:
        raise Told(_EXISTS.format(name))
    return _saved(call, ResourceId(_KIND, project, name), spec, None, body.get("environmentName"))


@serve("PUT", _BASE, "Group of proxies: replace it")
def put(call: Call, project: Name, body: Body) -> Response:
    """Which one, the body says. Its members stay."""
    before = call.look(_KIND, project, _name(body), _ABSENT)
    members = {"members": before.spec["members"]} if before.spec.get("members") else {}
    spec = {**_spec(body), **members}
    return _saved(call, before.id, spec, before, body.get("environmentName"))


@serve("DELETE", f"{_BASE}{{name}}/", "Group of proxies: delete it")
def delete(call: Call, project: Name, name: Name) -> Response:
    """With its deployments; its members stay."""
    before = call.look(_KIND, project, name, _ABSENT)
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


@serve("GET", f"{_BASE}{{name}}/proxies/forpromotion", "Group of proxies: its members")
def members(call: Call, project: Name, name: Name) -> Response:
    """By name."""
    found = call.look(_KIND, project, name, _ABSENT)
    return envelope.found({"id": one, "name": one} for one in sorted(found.spec.get("members", ())))


@serve("POST", f"{_BASE}{{name}}/apiProxies/{{proxy}}/", "Group of proxies: one more member")
def join(call: Call, project: Name, name: Name, proxy: Name) -> Response:
    """One that is a member already is as good."""
    before = call.look(_KIND, project, name, _ABSENT)
    held = before.spec.get("members", ())
    return _with(call, before, held if proxy in held else (*held, proxy))


@serve("DELETE", f"{_BASE}{{name}}/apiProxies/{{proxy}}/", "Group of proxies: one member less")
def leave(call: Call, project: Name, name: Name, proxy: Name) -> Response:
    """One that is no member is as good."""
    before = call.look(_KIND, project, name, _ABSENT)
    return _with(call, before, (one for one in before.spec.get("members", ()) if one != proxy))


@serve("GET", f"{_BASE}{{name}}/environments/", "Group of proxies: where it runs")
def environments(call: Call, project: Name, name: Name) -> Response:
    """The Manager's own record."""
    found = call.look(_KIND, project, name, _ABSENT)
    types = {one.id.name: one.spec.get("type") for one in call.manager.views.environments()}
    return envelope.found(
        {
            "name": at.environment,
            "type": types.get(at.environment),
            "deployed": True,
            "redeployRequired": at.digest != found.digest,
        }
        for at in found.deployments
    )


@serve("POST", f"{_BASE}{{name}}/environments/{{environment}}/", "Group of proxies: deploy it")
def deploy(
    call: Call, project: Name, name: Name, environment: Name, body: Deployment | None = None
) -> Response:
    """As it is now."""
    del body
    before = call.look(_KIND, project, name, _ABSENT)
    return deploying.deployed(call, Action.DEPLOY, before, environment)


@serve("DELETE", f"{_BASE}{{name}}/environments/{{environment}}/", "Group of proxies: undeploy it")
def undeploy(
    call: Call, project: Name, name: Name, environment: Name, body: Deployment | None = None
) -> Response:
    """Take it away from an environment."""
    del body
    before = call.look(_KIND, project, name, _ABSENT)
    return deploying.deployed(call, Action.UNDEPLOY, before, environment)


def _name(body: Body) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise Told("name value can not be empty!")
    return name


def _spec(body: Body) -> Body:
    """What the body says of a group. Raises Told."""
    route: Any = body.get("clientRoute")
    if not isinstance(route, dict) or not route:
        raise Told("clientRoute value can not be empty!")
    paths = route.get("relativePathList")
    if not isinstance(paths, list) or not paths:
        raise Told("clientRoute value needs at least one relativePath!")
    if not paths[0]:
        raise Told("relativePath value in clientRoute object can not be empty!")
    return {"description": body.get("description"), "clientRoute": route}


def _saved(
    call: Door, id: ResourceId, spec: Body, before: LiveResource | None, environment: Any
) -> Response:
    """Save it and deploy it where it is asked for, which is looked at first."""
    if not environment:
        call.put(id, spec, before)
        return envelope.done()
    deploying.demand(call, id, str(environment))
    call.put(id, spec, before)
    return deploying.deployed_after(call, id, str(environment))


def _with(call: Door, before: LiveResource, members: Iterable[str]) -> Response:
    bare = {field: value for field, value in before.spec.items() if field != "deployments"}
    call.put(before.id, {**bare, "members": list(members)}, before)
    return envelope.done()
