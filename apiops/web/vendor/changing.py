"""Changes of a proxy, deployed at once where their bodies ask for that (vendor document, 2.5.3).

Whoever may not deploy there changes nothing. Otherwise the change is saved first and deployed then,
as by two calls.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import Response

from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.vendor import deploying
from apiops.web.vendor.door import Door
from apiops.web.vendor.shapes import Body

KIND: Final = "ApiProxy"
ABSENT: Final = "ApiProxy (name: {}) was not found!"
DEPLOYING: Final = ("deploy", "deployTargetEnvironmentNameList")
"""The fields of a body that say where its change is deployed."""


def look(call: Door, project: str, name: str) -> LiveResource:
    """The proxy. Raises Told."""
    return call.look(KIND, project, name, ABSENT)


def bare(one: LiveResource) -> dict[str, Any]:
    """Its spec without where it runs."""
    return {name: value for name, value in one.spec.items() if name != "deployments"}


def save(
    call: Door,
    id: ResourceId,
    spec: JsonObject,
    body: Body,
    before: LiveResource | None = None,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Response:
    """Make the proxy, or make it so; deploy it where the body says. Raises Told, AccessDenied."""
    places = _places(call, id, body)
    call.put(id, spec, before, files)
    return deploying.deployed_after(call, id, *places) if places else envelope.done()


def _places(call: Door, id: ResourceId, body: Body) -> list[str]:
    """Where to deploy; before anything is saved it is known that all of it may be."""
    named = body.get("deployTargetEnvironmentNameList") or []
    if not body.get("deploy") or not isinstance(named, list):
        return []
    return [deploying.demand(call, id, name) for name in dict.fromkeys(map(str, named))]
