"""The vendor-shaped `/apiops/`: what scripts written for the vendor's Manager may call here too.

Reading projects, environments, proxies, IP groups, variables and connections; changing IP groups
and AI routes; deploying, undeploying and deleting proxies. Each call is one person's own change:
judged by the same `access.decide`, audited with the words of `X-Apiops-Reason`, and drift to the
next run. Secrets are never in an answer, and are never set here: they come from Git, encrypted.
"""

import uuid
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel

from apiops.access import decide
from apiops.errors import AccessDenied
from apiops.manager import embedded
from apiops.manager.embedded import EmbeddedManager
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.plan import Action
from apiops.model.resource import LiveResource, ResourceId
from apiops.model.token import Caller
from apiops.web import envelope, identity, shapes
from apiops.web.envelope import Failure, Success, Told
from apiops.web.identity import Bearer
from apiops.wiring import deeds, handwork

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **{
        status: {"model": Failure, "description": words}
        for status, words in (
            (400, "wrong, missing, or not allowed"),
            (401, "no token that counts"),
            (404, "no such address"),
            (405, "no such method there"),
            (408, "too slow"),
            (413, "too large"),
            (429, "too many failed attempts"),
            (500, "not now, or a bug"),
        )
    },
}

_DONE: Final[dict[int | str, dict[str, Any]]] = {200: {"model": Success, "description": "done"}}
_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "well"}
}

routes = APIRouter(prefix="/apiops", tags=["vendor-shaped"], responses=_ANSWERS)

Name = Annotated[str, Path(max_length=250)]
Why = Annotated[str, Header(max_length=250, alias="X-Apiops-Reason")]


class Deployment(BaseModel):
    """The optional body of a deploy and an undeploy."""

    description: str | None = None
    persistent: bool | None = None


class _Door:
    """One call: who calls, the Manager, and how it is said that something is not there."""

    def __init__(self, request: Request, calling: Caller, why: str) -> None:
        self.manager: EmbeddedManager = request.app.state.serving.manager
        self.calling = calling
        self._why = why or f"{request.method} {request.url.path}"[:250]
        self._grants = self.manager.views.grants()

    def look(self, kind: str, project: str, name: str, absent: str) -> LiveResource:
        """The resource. Raises Told, in the vendor's words, if it is not there or not for them."""
        id = ResourceId(kind, project, name)
        self.enter(project)
        self._may_see(id)
        found = None if "\0" in name else self.manager.views.resource(self.calling.principal, id)
        if found is None:
            raise Told(absent.format(name))
        return found

    def every(self, kind: str, project: str) -> list[LiveResource]:
        """All resources of a kind that may be seen in a project, by name."""
        self.enter(project)
        self._may_see(ResourceId(kind, project, "x"))
        return self.manager.views.resources(self.calling.principal, kind, project)

    def enter(self, project: str) -> None:
        """Raise Told unless the caller has anything to do with the project."""
        identity.require(self.calling, "read")
        if project not in self.projects():
            raise Told(
                f"Project ({project}) is not found or user does not have privilege to access it!"
            )

    def projects(self) -> list[str]:
        """The projects that the caller has a role in, or rules over."""
        return self.manager.views.projects(self.calling.principal)

    def do(self, action: Action, id: ResourceId, **more: Any) -> None:
        """Change something. Raises AccessDenied, Told."""
        identity.require(self.calling, "write")
        context = AuditContext(
            actor=f"{self.calling.principal} ({self.calling.token.name})",
            principal=self.calling.principal,
            reason=Reason(text=self._why),
            run=uuid.uuid4().hex,
            source=Source.HTTP,
            address=self.calling.address,
        )
        deeds.do(self.manager, action, id, context, **more)

    def _may_see(self, id: ResourceId) -> None:
        need = decide.need_to_see(id)
        if decide.lacking(self._grants, self.calling.principal, (need,)) is not None:
            raise Told(envelope.FORBIDDEN)


def door(
    request: Request,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(Bearer)],
    why: Why = "",
) -> _Door:
    """The call, once it is known who calls. Raises Told 401 in the vendor's words."""
    if shown is None:
        raise Told(envelope.NO_TOKEN, 401)
    return _Door(request, identity.caller(request, shown), why)


Call = Annotated[_Door, Depends(door)]
Handler = Callable[..., Response]


def _route(
    method: str, path: str, summary: str, answers: dict[int | str, dict[str, Any]] = _DONE
) -> Callable[[Handler], Handler]:
    """A route with and without its trailing slash; only the first is published."""

    def decorate(handler: Handler) -> Handler:
        for place, shown in ((path, True), (path.rstrip("/"), False)):
            routes.add_api_route(
                place, handler, methods=[method], summary=summary, include_in_schema=shown,
                response_class=Response, responses=answers,
            )  # fmt: skip
        return handler

    return decorate


@_route("GET", "/projects/", "Projects of the caller")
def projects(call: Call) -> Response:
    """Those that the caller has a role in."""
    identity.require(call.calling, "read")
    return envelope.found({"name": name} for name in call.projects())


@_route("GET", "/projects/{project}/environments/", "Environments that a project reaches")
def environments(call: Call, project: Name) -> Response:
    """Every environment, for whoever has a role in the project."""
    call.enter(project)
    return envelope.found(
        {"name": one.id.name, "type": one.spec.get("type")}
        for one in call.manager.views.environments()
    )


@_route("GET", "/projects/{project}/ipGroups/", "IP groups")
def ip_groups(call: Call, project: Name) -> Response:
    """All of the project, by name."""
    return envelope.found(shapes.ip_group(one) for one in call.every("IpGroup", project))


@_route("GET", "/projects/{project}/ipGroups/{name}/", "An IP group")
def ip_group(call: Call, project: Name, name: Name) -> Response:
    """One, in a list of one."""
    return envelope.found([shapes.ip_group(call.look("IpGroup", project, name, NO_IP_GROUP))])


@_route("POST", "/projects/{project}/ipGroups/", "Make an IP group")
def make_ip_group(call: Call, project: Name, body: shapes.IpGroup) -> Response:
    """The name must be free."""
    call.enter(project)
    if not body.name:
        raise Told("ipGroupName value can not be empty!")
    id = ResourceId("IpGroup", project, body.name)
    if any(one.id == id for one in call.every("IpGroup", project)):
        raise Told(f"An IP Group with same name ({body.name}) already exists in project!")
    call.do(Action.CREATE, id, spec=shapes.ip_spec(body))
    return envelope.done()


@_route("PUT", "/projects/{project}/ipGroups/{name}/", "Replace an IP group")
def put_ip_group(call: Call, project: Name, name: Name, body: shapes.IpGroup) -> Response:
    """What the body leaves out is emptied."""
    before = call.look("IpGroup", project, name, NO_IP_GROUP)
    call.do(Action.UPDATE, before.id, before=before, spec=shapes.ip_spec(body))
    return envelope.done()


@_route("DELETE", "/projects/{project}/ipGroups/{name}/", "Delete an IP group")
def delete_ip_group(call: Call, project: Name, name: Name) -> Response:
    """For good."""
    before = call.look("IpGroup", project, name, NO_IP_GROUP)
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


@_route("GET", "/projects/{project}/environmentVariables/", "Variables")
def variables(call: Call, project: Name) -> Response:
    """All of the project; hidden values are null."""
    return envelope.found(
        shapes.variable(one) for one in call.every("EnvironmentVariable", project)
    )


@_route("GET", "/projects/{project}/environmentVariables/{name}/", "A variable")
def variable(call: Call, project: Name, name: Name) -> Response:
    """One, in a list of one; hidden values are null."""
    return envelope.found(
        [shapes.variable(call.look("EnvironmentVariable", project, name, NO_VARIABLE))]
    )


@_route("GET", "/projects/{project}/connections/", "Connections of a type")
def connections(
    call: Call, project: Name, type: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """All of one type; secrets are null."""
    call.enter(project)
    if not type:
        raise Told("Connection type parameter is required!")
    every = call.every("Connection", project)
    return envelope.found(shapes.plain(one) for one in every if one.spec.get("type") == type)


@_route("GET", "/projects/{project}/connections/{name}/", "A connection")
def connection(call: Call, project: Name, name: Name) -> Response:
    """One, in a list of one; secrets are null."""
    return envelope.found([shapes.plain(call.look("Connection", project, name, NO_CONNECTION))])


@_route("GET", "/projects/{project}/apiProxies/", "API proxies")
def proxies(call: Call, project: Name) -> Response:
    """All of the project, by name."""
    return envelope.found(shapes.proxy_in_list(one) for one in call.every("ApiProxy", project))


@_route("GET", "/projects/{project}/apiProxies/{name}/", "An API proxy")
def proxy(call: Call, project: Name, name: Name) -> Response:
    """One, in a list of one, with where it is deployed."""
    found = call.look("ApiProxy", project, name, NO_PROXY)
    return envelope.found([shapes.proxy(found)])


@_route("DELETE", "/projects/{project}/apiProxies/{name}/", "Delete an API proxy")
def delete_proxy(call: Call, project: Name, name: Name) -> Response:
    """With its deployments."""
    before = call.look("ApiProxy", project, name, NO_PROXY)
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


@_route("PUT", "/projects/{project}/apiProxies/{name}/ai-routing/", "Replace an AI route")
def ai_routing(call: Call, project: Name, name: Name, body: dict[str, Any]) -> Response:
    """`spec.aiRouting`, whole."""
    before = call.look("ApiProxy", project, name, NO_PROXY)
    bare = {key: value for key, value in before.spec.items() if key != "deployments"}
    cleared = embedded.merge_patch(bare, {"aiRouting": None})
    spec = {**cleared, "aiRouting": body}
    handwork.refuse_secrets(before.id.kind, bare, spec)  # nobody would seal it on its way
    call.do(Action.UPDATE, before.id, before=before, spec=spec)
    return envelope.done()


@_route("GET", "/projects/{project}/apiProxies/{name}/environments/{environment}/deploy-status/",
        "Whether an API proxy runs in an environment")  # fmt: skip
def deploy_status(call: Call, project: Name, name: Name, environment: Name) -> Response:
    """The Manager's own record."""
    found = call.look("ApiProxy", project, name, NO_PROXY)
    here = next((one for one in found.deployments if one.environment == environment), None)
    return envelope.found(
        [
            {
                "deployed": here is not None,
                "revision": here.revision if here else None,
                "redeployRequired": here is not None and here.digest != found.digest,
            }
        ]
    )


@_route("POST", "/projects/{project}/apiProxies/{name}/environments/{environment}/",
        "Deploy an API proxy")  # fmt: skip
def deploy(
    call: Call, project: Name, name: Name, environment: Name, body: Deployment | None = None
) -> Response:
    """As it is now; doing it again deploys what has changed since."""
    return _deployed(call, Action.DEPLOY, project, name, environment, body)


@_route("DELETE", "/projects/{project}/apiProxies/{name}/environments/{environment}/",
        "Undeploy an API proxy")  # fmt: skip
def undeploy(
    call: Call, project: Name, name: Name, environment: Name, body: Deployment | None = None
) -> Response:
    """Take it away from an environment."""
    return _deployed(call, Action.UNDEPLOY, project, name, environment, body)


@_route("GET", "/test/hello/{name}", "Say hello, with a token", _TEXT)
def hello(call: Call, name: Name) -> Response:
    """Whether the token counts."""
    identity.require(call.calling, "read")
    return Response(f"Hello {name}", media_type="text/plain")


@routes.get(
    "/test/healthcheck", summary="Is anybody there?", response_class=Response, responses=_TEXT
)
def healthcheck() -> Response:
    """Without a token."""
    return Response("OK", media_type="text/plain")


NO_IP_GROUP: Final = "IP Group ({}) is not found!"
NO_VARIABLE: Final = "Environment variable ({}) is not found!"
NO_CONNECTION: Final = "Connection (name: {}) was not found!"
NO_PROXY: Final = "ApiProxy (name: {}) was not found!"


def _deployed(
    call: _Door, action: Action, project: str, name: str, environment: str, body: Deployment | None
) -> Response:
    before = call.look("ApiProxy", project, name, NO_PROXY)
    if environment not in {one.id.name for one in call.manager.views.environments()}:
        raise Told(
            f"Environment ({environment}) is not found or user does not have privilege to "
            "access it!"
        )
    del body  # its description is for a history that the audit log is here
    try:
        call.do(action, before.id, before=before, environment=environment)
    except AccessDenied:
        raise Told(envelope.NO_DEPLOY) from None
    result = {"success": True, "envName": environment, "detailList": []}
    return envelope.done(deployed=result)
