"""Projects and environments, which scripts ask for first, and whether anybody is there."""

from typing import Any, Final

from fastapi import Response

from apiops.web import envelope, identity
from apiops.web.vendor import door
from apiops.web.vendor.door import Call, Door, Name

_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "well"}
}

routes, serve = door.family()


@serve("GET", "/projects/", "Projects of the caller")
def projects(call: Call) -> Response:
    """Those that the caller has a role in."""
    identity.require(call.calling, "read")
    return envelope.found({"name": name} for name in call.projects())


@serve("GET", "/projects/{project}/environments/", "Environments that a project reaches")
def environments(call: Call, project: Name) -> Response:
    """Every environment, for whoever has a role in the project."""
    call.enter(project)
    return _environments(call)


@serve("GET", "/environments/", "Environments that there are")
def all_environments(call: Call) -> Response:
    """Their names are no secret to whoever has a token (1.10 #14)."""
    identity.require(call.calling, "read")
    return _environments(call)


@serve("GET", "/test/hello/{name}", "Say hello, with a token", _TEXT)
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


def _environments(call: Door) -> Response:
    return envelope.found(
        {"id": one.id.name, "name": one.id.name, "type": one.spec.get("type")}
        for one in call.manager.views.environments()
    )
