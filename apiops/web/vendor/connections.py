"""Connections (vendor document, 2.9)."""

from typing import Annotated, Final

from fastapi import Query, Response

from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Name

_NO_CONNECTION: Final = "Connection (name: {}) was not found!"

routes, serve = door.family()


@serve("GET", "/projects/{project}/connections/", "Connections of a type")
def connections(
    call: Call, project: Name, type: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """All of one type; secrets are null."""
    call.enter(project)
    if not type:
        raise Told("Connection type parameter is required!")
    every = call.every("Connection", project)
    return envelope.found(shapes.plain(one) for one in every if one.spec.get("type") == type)


@serve("GET", "/projects/{project}/connections/{name}/", "A connection")
def connection(call: Call, project: Name, name: Name) -> Response:
    """One, in a list of one; secrets are null."""
    return envelope.found([shapes.plain(call.look("Connection", project, name, _NO_CONNECTION))])
