"""API proxies (vendor document, 2.5)."""

from typing import Annotated, Any, Final

from fastapi import Query, Response

from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource
from apiops.web import envelope
from apiops.web.vendor import deploying, door, endpoints, pipelines
from apiops.web.vendor.deploying import Deployment
from apiops.web.vendor.door import Call, Name

_NO_PROXY: Final = "ApiProxy (name: {}) was not found!"
_LISTED: Final = ("categoryList", "sharingType")
_SPEAKS: Final = frozenset({"AI", "MCP", "A2A"})

routes, serve = door.family()


@serve("GET", "/projects/{project}/apiProxies/", "API proxies")
def proxies(call: Call, project: Name) -> Response:
    """All of the project, by name."""
    return envelope.found(_in_list(one) for one in call.every("ApiProxy", project))


@serve("GET", "/projects/{project}/apiProxies/forpromotion", "API proxies, and how they were made")
def for_promotion(call: Call, project: Name) -> Response:
    """All of the project, by name."""
    return envelope.found(
        {
            **_in_list(one),
            "id": one.id.name,
            "enumProxyCreationType": one.spec.get("type"),
            "clientRoute": one.spec.get("clientRoute"),
            "apiProxyDeployList": [{"environmentName": at.environment} for at in one.deployments],
        }
        for one in call.every("ApiProxy", project)
    )


@serve("GET", "/projects/{project}/apiProxies/{name}/", "An API proxy")
def proxy(
    call: Call,
    project: Name,
    name: Name,
    policies: Annotated[bool, Query(alias="withPolicies")] = False,
) -> Response:
    """One, in a list of one, with where it is deployed; `withPolicies`: which it has, in short."""
    found = call.look("ApiProxy", project, name, _NO_PROXY)
    rows = endpoints.shown(call, found)
    more = pipelines.inside(found, rows, pipelines.short) if policies else {"endpointList": rows}
    return envelope.found([_shape(found) | more])


@serve("DELETE", "/projects/{project}/apiProxies/{name}/", "Delete an API proxy")
def delete_proxy(call: Call, project: Name, name: Name) -> Response:
    """With its deployments."""
    before = call.look("ApiProxy", project, name, _NO_PROXY)
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


@serve("GET", "/projects/{project}/apiProxies/{name}/environments/{environment}/deploy-status/",
        "Whether an API proxy runs in an environment")  # fmt: skip
def deploy_status(call: Call, project: Name, name: Name, environment: Name) -> Response:
    """The Manager's own record."""
    found = call.look("ApiProxy", project, name, _NO_PROXY)
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


@serve("POST", "/projects/{project}/apiProxies/{name}/environments/{environment}/",
        "Deploy an API proxy")  # fmt: skip
def deploy(
    call: Call, project: Name, name: Name, environment: Name, body: Deployment | None = None
) -> Response:
    """As it is now; doing it again deploys what has changed since."""
    del body
    before = call.look("ApiProxy", project, name, _NO_PROXY)
    return deploying.deployed(call, Action.DEPLOY, before, environment)


@serve("DELETE", "/projects/{project}/apiProxies/{name}/environments/{environment}/",
        "Undeploy an API proxy")  # fmt: skip
def undeploy(
    call: Call, project: Name, name: Name, environment: Name, body: Deployment | None = None
) -> Response:
    """Take it away from an environment."""
    del body
    before = call.look("ApiProxy", project, name, _NO_PROXY)
    return deploying.deployed(call, Action.UNDEPLOY, before, environment)


def _in_list(one: LiveResource) -> dict[str, Any]:
    """ApiProxyInfoDTO."""
    return _there(
        name=one.id.name,
        description=one.spec.get("description"),
        type=_api_type(one.spec),
        relativePath=next(iter(_paths(one.spec)), None),
    )


def _shape(one: LiveResource) -> dict[str, Any]:
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
        routing=_routing(one.spec),
        **{name: (one.spec.get("metadata") or {}).get(name) for name in _LISTED},
    )


def _routing(spec: JsonObject) -> dict[str, Any] | None:
    """Where requests go; the routings of AI kinds are not shown (2.5.5)."""
    held = spec.get("routing")
    if held is None:
        return None
    enabled = held.get("enabled")
    addresses = held.get("addresses") or []
    return {"routingEnabled": enabled is not False, "routingAddressList": addresses}


def _api_type(spec: JsonObject) -> str:
    """What it speaks, which the vendor shows, of how it is made, which a manifest says."""
    made = str(spec.get("type", ""))
    return "SOAP" if made == "WSDL" else made if made in _SPEAKS else "REST"


def _there(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _paths(spec: JsonObject) -> list[str]:
    """The relative paths of a proxy, the first being its own."""
    route = spec.get("clientRoute")
    found = route.get("relativePathList") if isinstance(route, dict) else None
    return list(found or ())
