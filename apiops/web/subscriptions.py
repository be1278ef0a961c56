"""Subscriptions over HTTP, for a portal: a client asks for access, somebody decides."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from apiops.manager.embedded import EmbeddedManager
from apiops.model.entitlement import SUBSCRIPTION
from apiops.model.resource import LiveResource, ResourceId
from apiops.model.token import Caller
from apiops.web import problems
from apiops.web.identity import Calling, context, require
from apiops.web.moments import in_utc
from apiops.web.native import said
from apiops.wiring import subscriptions

routes = APIRouter(
    prefix="/v1/projects/{project}/subscriptions",
    tags=["subscriptions"],
    responses={
        200: {"model": LiveResource, "description": "the subscription as it is now"},
        **problems.answers(400, 401, 403, 404, 409, 413, 422, 429, 503),
    },
)

Words = Annotated[str, Field(max_length=250, pattern="^[^\\x00]*$")]
Name = Annotated[str, Path(max_length=250)]


class Wanted(BaseModel):
    """The proxy, or the group of proxies, that a client wants to call."""

    name: Words
    type: Literal["API_PROXY", "API_PROXY_GROUP"] = "API_PROXY"


class Wish(BaseModel):
    """What a client asks for: `credential` is the client, by name."""

    name: Words
    credential: Words
    target: Wanted
    plan: Words | None = None
    purpose: Annotated[str, Field(max_length=2000, pattern="^[^\\x00]*$")] = ""


class Decision(BaseModel):
    """What somebody decides, why, and when the access ends by itself (left out: never)."""

    state: Literal["REQUESTED", "APPROVED", "REJECTED", "REVOKED"]
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern="[^\\s\\x00]")]
    expires: AwareDatetime | None = None


@routes.post("", summary="Ask for access", response_model=None)
def request(request: Request, calling: Calling, project: Name, wish: Wish) -> Response:
    """It gives nothing until somebody approves it."""
    manager = _manager(request, calling)
    id = _id(project, wish.name)
    spec = wish.model_dump(exclude={"name"}, exclude_none=True)
    by = context(calling, wish.purpose or f"Request {id}")
    subscriptions.request(manager, id, spec, by)
    return _shown(manager, calling, id)


@routes.post("/{name}/review", summary="Decide about a request", response_model=None)
def review(
    request: Request, calling: Calling, project: Name, name: Name, decision: Decision
) -> Response:
    """Approve or reject what was requested, revoke what was approved, or request anew."""
    manager = _manager(request, calling)
    found = manager.views.resource(calling.principal, _id(project, name))
    if found is None:
        raise problems.unknown()
    decided: dict[str, Any] = {"state": decision.state, "reason": decision.reason}
    ends = in_utc(decision.expires, manager.now())
    if ends is not None:
        decided["expireTime"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    subscriptions.review(manager, found, decided, context(calling, decision.reason))
    return _shown(manager, calling, found.id)


def _shown(manager: EmbeddedManager, calling: Caller, id: ResourceId) -> Response:
    found = manager.views.resource(calling.principal, id)
    if found is None:
        raise problems.unknown()
    return said(found, found.digest)


def _id(project: str, name: str) -> ResourceId:
    if "\0" in project + name:
        raise problems.unknown()
    return ResourceId(SUBSCRIPTION, project, name)


def _manager(request: Request, calling: Caller) -> EmbeddedManager:
    require(calling, "write")
    manager: EmbeddedManager = request.app.state.serving.manager
    return manager
