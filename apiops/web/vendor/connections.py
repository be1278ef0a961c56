"""Connections (vendor document, 2.9)."""

from typing import Annotated, Final

from fastapi import Query, Response

from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import named
from apiops.web.vendor.door import Call, Name
from apiops.web.vendor.named import Named

CONNECTION: Final = Named(
    "Connection",
    "connections",
    "Connection",
    absent="Connection (name: {}) was not found!",
    nameless="Connection name can not be empty!",
)

routes, serve = named.family(CONNECTION, lists=False)


@serve("GET", CONNECTION.path, "Connection: all of one type")
def connections(
    call: Call, project: Name, type: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """All of one type; secrets are null."""
    call.enter(project)
    if not type:
        raise Told("Connection type parameter is required!")
    every = named.listed(call, CONNECTION, project)
    return envelope.found(one for one in every if one.get("type") == type)
