"""Resources in the vendor's shape, and bodies in it as specs."""

from typing import Any

from pydantic import BaseModel

from apiops.model.resource import JsonObject, LiveResource
from apiops.model.secret import MARK
from apiops.web.envelope import Told


class IpGroup(BaseModel):
    """IPGroupMetadataDTO."""

    name: str | None = None
    description: str | None = None
    ipList: list[str] | None = None  # noqa: N815 - the vendor's name


def ip_group(one: LiveResource) -> dict[str, Any]:
    """IPGroupMetadataDTO as it is read."""
    return {
        "name": one.id.name,
        "description": one.spec.get("description"),
        "ipList": one.spec.get("ipList") or [],
    }


def ip_spec(body: IpGroup) -> JsonObject:
    """The spec that a body means. Raises Told in the vendor's words."""
    if body.ipList is None:
        raise Told("ipList value can not be empty!")
    described = {} if body.description is None else {"description": body.description}
    return {**described, "ipList": body.ipList}


def variable(one: LiveResource) -> dict[str, Any]:
    """EnvironmentVariableDTO as it is read: hidden values are null."""
    spec = plain(one)
    values = spec.pop("values", None) or {}
    return {
        **spec,
        "projectName": one.id.project,
        "environmentValueList": [
            {"environmentName": name, "value": value.get("value"), "visible": value.get("visible")}
            for name, value in values.items()
        ],
    }


def plain(one: LiveResource) -> dict[str, Any]:
    """The spec, with null where a secret is."""
    return {**_hidden(one.spec), "name": one.id.name}


def _hidden(node: Any) -> Any:
    if isinstance(node, dict):
        return None if MARK in node else {key: _hidden(value) for key, value in node.items()}
    return [_hidden(value) for value in node] if isinstance(node, list) else node


def paths(spec: JsonObject) -> list[str]:
    """The relative paths of a proxy, the first being its own."""
    route = spec.get("clientRoute")
    paths = route.get("relativePathList") if isinstance(route, dict) else None
    return list(paths or ())
