"""Resources in the vendor's shape, and bodies in it as specs."""

from typing import Any, Final

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
            {"visible": False, **value, "environmentName": name} for name, value in values.items()
        ],
    }


def proxy_in_list(one: LiveResource) -> dict[str, Any]:
    """ApiProxyInfoDTO."""
    return _there(
        name=one.id.name,
        description=one.spec.get("description"),
        type=_api_type(one.spec),
        relativePath=next(iter(paths(one.spec)), None),
    )


def proxy(one: LiveResource) -> dict[str, Any]:
    """ApiProxyDTO, with where it runs."""
    deployments = [
        {
            "environmentName": at.environment,
            "deployed": True,
            "redeployRequired": at.digest != one.digest,
        }
        for at in one.deployments
    ]
    return _there(
        name=one.id.name,
        description=one.spec.get("description"),
        apiType=_api_type(one.spec),
        clientRoute=one.spec.get("clientRoute"),
        deploymentList=deployments,
    )


def _api_type(spec: JsonObject) -> str:
    """What it speaks, which the vendor shows, of how it is made, which a manifest says."""
    made = str(spec.get("type", ""))
    return "SOAP" if made == "WSDL" else made if made in _SPEAKS else "REST"


_SPEAKS: Final = frozenset({"AI", "MCP", "A2A"})


def _there(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


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
