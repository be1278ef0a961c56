"""API proxies: create, re-parse, settings, endpoints, policies, deploy (§2.5, §2.6)."""

import json
import re
from typing import Any

import yaml

from tests.standin.more import check_jwks
from tests.standin.wire import NO_RIGHT, Call, Refused, Saved, Text, route
from tests.standin.world import Json, Proxy

X = "/projects/{p}/apiProxies/{x}"
VIEW, MANAGE, DEPLOY = (f"API_MANAGEMENT.{v}" for v in ("VIEW", "MANAGE", "DEPLOY_UNDEPLOY"))
CREATIONS = ("OPEN_API", "SWAGGER", "WSDL", "REVERSE_PROXY", "EMPTY_API")
WRAPPED = {
    "cors": "corsSettings", "cache": "cacheSettings", "idempotency": "idempotencySettings",
    "ntlm": "ntlmSettings", "json-error-template": "jsonErrorResponseTemplate",
    "xml-error-template": "xmlErrorResponseTemplate", "forwarded-ip-header": "forwardedIpHeaderParam",
    "grpc": "grpcSettings", "websocket": "websocketSettings",
}  # fmt: skip
MERGED = ("grpc", "websocket")
FLAT = (
    "connection",
    "circuit-breaker",
    "mtls",
    "proxy-server",
    "keys",
    "error-handling",
    "custom-message",
    "maintenance-mode",
)
NOT_FOR_AI = (
    "connection",
    "circuit-breaker",
    "mtls",
    "ntlm",
    "proxy-server",
    "error-handling",
    "custom-message",
)
PIPELINES = {
    "REQUEST": "requestPolicyList",
    "RESPONSE": "responsePolicyList",
    "ERROR": "errorPolicyList",
}
OPENED = ("deploy", "deployTargetEnvironmentNameList")
EMPTY_RULE = {"conditionRuleList": [{"conditionCriteria": "AND", "conditionRuleList": []}]}


def proxy_of(call: Call) -> Proxy:
    found = call.project.proxies.get(call.names["x"])
    if found is None:
        raise Refused(f"ApiProxy (name: {call.names['x']}) was not found!")
    return found


def staged(call: Call, proxy: Proxy, operation: Json | None = None, default: bool = False) -> Saved:
    """The deployable body (§2.3): save first, then deploy where asked (§1.5)."""
    asked = call.body if operation is None else operation
    asked = asked if isinstance(asked, dict) else {}
    names = asked.get("deployTargetEnvironmentNameList") or []
    if operation is not None:
        names = asked.get("deployTargetEnvironmentNameList", asked.get("environmentNameList")) or []
    proxy.touch()
    if not asked.get("deploy", default) or not names:
        return Saved()
    call.need(DEPLOY)
    return Saved(deployment=call.world.result({name: deploy(call, proxy, name) for name in names}))


def check_environments(call: Call, names: Any) -> None:
    """§2.3: names are checked before anything is written."""
    for name in names or []:
        if name not in call.world.environments:
            raise Refused(f"Environment ({name}) is not found!")


def deploy(
    call: Call,
    proxy: Proxy,
    environment: str,
    description: str | None = None,
    persistent: bool = False,
) -> bool:
    """§2.5.6: a snapshot to every worker, and a row of history with the next revision."""
    good = call.world.deploys(proxy.name, environment)
    proxy.deployed[environment] = {"deployed": True, "redeployRequired": not good}
    proxy.history.insert(0, {
        "revision": len(proxy.history) + 1, "username": call.user.name,
        "deploymentTime": "2026-01-05T09:00:00Z", "environment": environment, "deploy": True,
        "description": description or "Deployed by APIOPS Api", "persistent": persistent,
    })  # fmt: skip
    return good


# --- reading ---------------------------------------------------------------------------------


@route("GET", "/projects/{p}/apiProxies/", VIEW)
def listed(call: Call) -> Any:
    proxies = sorted(call.project.proxies.values(), key=lambda one: one.name)
    return [
        {
            "name": one.name, "description": one.description, "type": one.kind,
            "relativePath": (routed(call, one)["relativePathList"] or [None])[0],
            "soapToRest": one.soap_to_rest,
        }
        for one in proxies
    ]  # fmt: skip


@route("GET", "/projects/{p}/apiProxies/forpromotion", VIEW)
def for_promotion(call: Call) -> Any:
    """§2.5.5; its deploy list names environments and not whether they are up to date."""
    return [
        {
            "id": one.id, "name": one.name, "description": one.description, "type": one.kind,
            "enumProxyCreationType": one.creation, "clientRoute": routed(call, one),
            "categoryList": one.metadata.get("categoryList", []),
            "apiProxyDeployList": [{"environmentName": e} for e, d in one.deployed.items() if d["deployed"]],
        }
        for one in call.project.proxies.values()
    ]  # fmt: skip


@route("GET", X + "/", VIEW)
def got(call: Call) -> Any:
    one = proxy_of(call)
    with_policies = call.query.get("withPolicies") == "true"
    sharing = one.metadata.get("sharingType", "BOTH")
    if "sharing-in-other-words" in call.world.quirks:
        sharing = {
            "BOTH": "PUBLIC",
            "EXTERNAL": "PUBLIC",
            "INTERNAL": "ORGANIZATION",
            "NONE": "PROJECT",
        }[sharing]
    return [{
        "name": one.name, "description": one.description,
        "type" if "type-in-get" in call.world.quirks else "apiType": one.kind,
        "categoryList": one.metadata.get("categoryList", []), "sharingType": sharing,
        "clientRoute": routed(call, one),
        "routing": {
            "routingEnabled": one.routing.get("routingEnabled", True),
            "routingAddressList": one.routing.get("routingAddressList", []),
        },
        "endpointList": [endpoint_row(call, one, e, "short" if with_policies else "") for e in one.endpoints],
        "deploymentList": [{"environmentName": e, **d} for e, d in sorted(one.deployed.items()) if d["deployed"]],
        **(policy_lists(call, one, ("ALL", ""), "short") if with_policies else {}),
    }]  # fmt: skip


@route("GET", X + "/policies/", VIEW)
def policies(call: Call) -> Any:
    one = proxy_of(call)
    tree = {
        "name": one.name,
        **policy_lists(call, one, ("ALL", ""), "body"),
        "endpointList": [endpoint_row(call, one, e, "body") for e in one.endpoints],
    }
    return [{"apiProxy": tree} if "policies-wrapped" in call.world.quirks else tree]


@route("GET", X + "/endpoints/", VIEW)
def endpoints(call: Call) -> Any:
    one = proxy_of(call)
    return [{"id": e["id"], **endpoint_row(call, one, e, "")} for e in one.endpoints]


@route("GET", X + "/environments/{e}/deploy-status/", VIEW)
def deploy_status(call: Call) -> Any:
    one = proxy_of(call)
    record = one.deployed.get(call.names["e"], {"deployed": False, "redeployRequired": False})
    revisions = [h["revision"] for h in one.history if h["environment"] == call.names["e"]]
    return [{**record, "revision": max(revisions, default=None), "lastDeployTime": None}]


@route("GET", X + "/deploy-histories/", VIEW)
def histories(call: Call) -> Any:
    return proxy_of(call).history


def routed(call: Call, one: Proxy) -> Json:
    """7 #21: a project with a path of its own puts it before the proxy's."""
    route_ = dict(one.client_route)
    paths = route_.get("relativePathList") or []
    if "project-path-in-routes" in call.world.quirks and call.project.path:
        paths = [call.project.path + path for path in paths]
    filled = {
        "methodList": [],
        "hostList": [],
        "headerList": [],
        "bufferRequest": True,
        "bufferResponse": True,
    }
    return {
        **filled,
        **{k: v for k, v in route_.items() if v is not None},
        "relativePathList": paths,
    }


def endpoint_row(call: Call, one: Proxy, endpoint: Json, policies_: str) -> Json:
    """§2.5.7: written as `name`, read as `endpoint`; neither cache nor wsa come back."""
    row = {
        "endpoint": endpoint["name"], "description": endpoint.get("description"),
        "active": endpoint["active"], "httpMethod": endpoint["httpMethod"],
        "backendResourceUrl": endpoint.get("backendResourceUrl"),
        "backendHttpMethod": endpoint.get("backendHttpMethod"),
    }  # fmt: skip
    if policies_:
        row |= policy_lists(call, one, (endpoint["name"], endpoint["httpMethod"]), policies_)
    return row


def policy_lists(call: Call, one: Proxy, place: tuple[str, str], shape: str) -> Json:
    return {
        field: [
            policy_row(call, p, shape) for p in one.policies.get((place[0], place[1], pipeline), [])
        ]
        for pipeline, field in PIPELINES.items()
    }


def policy_row(call: Call, policy: Json, shape: str) -> Json:
    """§2.6: short rows with a proxy, bodies in the list; secrets are null (§5.2)."""
    if "policy-types-of-old" in call.world.quirks:
        policy = {**policy, "type": OLD_TYPES.get(policy["type"], policy["type"])}
    if "throttling-says-allow" in call.world.quirks and "cacheErrorHandlingType" in policy:
        said = policy["cacheErrorHandlingType"].replace("CONTINUE", "ALLOW")
        policy = {**policy, "cacheErrorHandlingType": said}
    if shape == "short":
        return {key: policy.get(key) for key in ("type", "name", "description", "active")}
    row = {key: (None if key in SECRETS else value) for key, value in policy.items()}
    if "policies-nameless" in call.world.quirks:
        row.pop("name")
    return row


SECRETS = frozenset({"password", "clientSecret", "unPassword", "bearerToken"})
OLD_TYPES = {"policy-api-based-throttling": "policy-throttling"}
"""1.10 #42: what an example of the list calls them."""


# --- create, re-parse, delete ----------------------------------------------------------------


@route("POST", "/projects/{p}/apiProxies/url/", MANAGE)
@route("POST", "/projects/{p}/apiProxies/file/", MANAGE)
def create(call: Call) -> Any:
    sent = parse_body(call)
    name = sent["apiProxyName"]
    if name in call.project.proxies:
        raise Refused(f"ApiProxy (name: {name}) is already exist!")
    if sent.get("apiProxyCreationType") not in CREATIONS:
        raise Refused("apiProxyCreationType value can not be empty!")
    check_route(sent.get("clientRoute"))
    check_environments(call, sent.get("deployTargetEnvironmentNameList"))
    creation = sent["apiProxyCreationType"]
    proxy = Proxy(
        call.world.id(), name, "SOAP" if creation == "WSDL" and not sent.get("soapToRest") else "REST", creation,
        sent.get("apiProxyDescription"), sent["clientRoute"], {}, bool(sent.get("soapToRest")),
    )  # fmt: skip
    take_routing(call, proxy, sent.get("routingInfo"))
    read_document(call, proxy, sent)
    call.project.proxies[name] = proxy
    return staged(call, proxy, sent)


@route("PUT", "/projects/{p}/apiProxies/url/", MANAGE)
@route("PUT", "/projects/{p}/apiProxies/file/", MANAGE)
def reparse(call: Call) -> Any:
    """§2.5.2: endpoints become those of the document; policies and settings stay."""
    sent = parse_body(call)
    name = sent["apiProxyName"]
    proxy = call.project.proxies.get(name)
    if proxy is None:
        raise Refused(
            f"ApiProxy (name: {name}) can not be reparsed because it is not exist. First create it!"
        )
    if sent.get("apiProxyCreationType") != proxy.creation:
        raise Refused("Creation type can not be changed!")
    check_environments(call, sent.get("deployTargetEnvironmentNameList"))
    if sent.get("apiProxyDescription"):
        proxy.description = sent["apiProxyDescription"]
    if sent.get("clientRoute"):
        proxy.client_route = sent["clientRoute"]
    take_routing(call, proxy, sent.get("routingInfo"))
    if sent.get("reParse", True):
        read_document(call, proxy, sent)
    return staged(call, proxy, sent)


def parse_body(call: Call) -> Json:
    if "metadata" in call.files:
        return json.loads(call.files["metadata"])
    if not isinstance(call.body, dict) or not call.body.get("apiProxyName"):
        raise Refused("apiProxyName value can not be empty!")
    return call.body


def check_route(route_: Any) -> None:
    matchers = ("relativePathList", "methodList", "hostList", "headerList")
    if not isinstance(route_, dict) or not any(route_.get(name) for name in matchers):
        raise Refused("Client route must have at least one valid route configuration")


def take_routing(call: Call, proxy: Proxy, info: Json | None) -> None:
    if info is None:
        return
    proxy.routing.update({k: v for k, v in info.items() if v is not None})
    if "routingAddressList" in info:
        proxy.routing["routingAddressList"] = addresses_of(call, info["routingAddressList"] or [])


def addresses_of(call: Call, items: list[Json]) -> list[Json]:
    weight = 100 if "weight-of-100" in call.world.quirks else 1
    filled = (
        {"addressType": "PRIMARY", "healthMonitoringEnabled": False}
        if "defaults-filled" in call.world.quirks
        else {}
    )
    for item in items:
        if not item.get("address"):
            raise Refused("Address is required")
    return [
        {"weight": weight, **filled, **{k: v for k, v in item.items() if v is not None}}
        for item in items
    ]


def read_document(call: Call, proxy: Proxy, sent: Json) -> None:
    if proxy.creation in ("REVERSE_PROXY", "EMPTY_API"):
        return
    text = (
        call.files["specFile"].decode()
        if "specFile" in call.files
        else call.world.documents.get(sent.get("specUrl"))
    )
    if text is None:
        raise Refused(f"The specification at {sent.get('specUrl')} could not be read!")
    proxy.text = text
    proxy.parses += 1
    found = operations(text)
    known = {(e["name"], e["httpMethod"]): e for e in proxy.endpoints}
    proxy.endpoints = [
        {**known.get(key, {"id": call.world.id(), "active": True}), "name": key[0], "httpMethod": key[1],
         "backendResourceUrl": key[0], "backendHttpMethod": key[1], "description": described}
        for key, described in found.items()
    ]  # fmt: skip
    for place in [p for p in proxy.policies if p[0] != "ALL" and (p[0], p[1]) not in found]:
        del proxy.policies[place]


def operations(text: str) -> dict[tuple[str, str], str | None]:
    """The operations of an OpenAPI document or a WSDL."""
    if text.lstrip().startswith("<"):
        return {
            (name, "POST"): None for name in re.findall(r"<(?:\w+:)?operation name=\"(\w+)\"", text)
        }
    tree = yaml.safe_load(text)
    return {
        (path, method.upper()): operation.get("summary")
        for path, item in (tree.get("paths") or {}).items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "delete", "patch", "head", "options")
    }


@route("POST", "/projects/{p}/apiProxies/{flavour}/{x}/", MANAGE)
def create_ai(call: Call) -> Any:
    """§2.5.1: AI, MCP, A2A; these creates never deploy, and PASSTHROUGH is refused."""
    flavour, name, sent = call.names["flavour"].upper(), call.names["x"], call.body
    if flavour not in ("AI", "MCP", "A2A"):
        raise Refused("An unexpected error occurred", 404)
    if name in call.project.proxies:
        raise Refused(f"ApiProxy (name: {name}) is already exist!")
    if not sent.get("relativePath"):
        raise Refused("relativePath value in clientRoute object can not be empty!")
    if sent.get("routingMode") == "PASSTHROUGH":
        raise Refused("PASSTHROUGH needs backendServers")
    if flavour == "MCP" and not sent.get("routingMode"):
        raise Refused("routingMode value can not be empty!")
    proxy = Proxy(
        call.world.id(), name, flavour, flavour, sent.get("description"),
        {"relativePathList": [sent["relativePath"]]}, {},
    )  # fmt: skip
    if flavour == "A2A":
        proxy.routings["ai-routing"] = {}
    call.project.proxies[name] = proxy
    return Saved()


def routing_handler(path: str, kinds: tuple[str, ...]) -> None:
    @route("PUT", X + f"/{path}/", MANAGE)
    def put(call: Call) -> Any:
        proxy = proxy_of(call)
        refused = path == "ai-routing" and "agents-without-ai-routing" in call.world.quirks
        if proxy.kind not in kinds or (refused and proxy.kind == "A2A"):  # 1.10 #58
            raise Refused(f"{path} is not for {proxy.kind} proxies")
        for tool in call.body.get("exposedTools") or []:
            if tool.get("proxyId") not in {one.id for one in call.project.proxies.values()}:
                raise Refused(f"Api Proxy ({tool.get('proxyId')}) is not found!")
        provider = call.body.get("semanticEmbeddingProviderRef")
        if provider and provider not in {one["id"] for one in call.project.providers.values()}:
            raise Refused(f"LLM provider with id ({provider}) is not found!")
        kept = proxy.routings.get(path, {})
        sent = dict(call.body)
        if not sent.get("proxyPassword") and kept.get("proxyPassword"):
            sent["proxyPassword"] = kept["proxyPassword"]
        proxy.routings[path] = sent
        proxy.touch()
        return Saved()


routing_handler("ai-routing", ("AI", "A2A"))
routing_handler("mcp-routing", ("MCP",))
routing_handler("a2a-routing", ("A2A",))


@route("DELETE", X + "/", MANAGE)
def delete(call: Call) -> Any:
    """§2.5.9: the database first, then undeploy as well as it goes."""
    proxy = proxy_of(call)
    del call.project.proxies[proxy.name]
    outcomes = {
        e: call.world.deploys(proxy.name, e) for e, d in proxy.deployed.items() if d["deployed"]
    }
    return Saved(deployment=call.world.result(outcomes) if outcomes else None)


# --- settings --------------------------------------------------------------------------------


@route("PATCH", X + "/settings/{s}/", MANAGE)
def setting(call: Call) -> Any:
    proxy, name, sent = proxy_of(call), call.names["s"], call.body
    check_environments(call, sent.get("deployTargetEnvironmentNameList"))
    own = {key: value for key, value in sent.items() if key not in OPENED}
    if name in NOT_FOR_AI and proxy.kind in ("AI", "MCP", "A2A"):
        raise Refused(f"Setting ({name}) is not for {proxy.kind} proxies")
    if name in WRAPPED:
        inner = own.get(WRAPPED[name])
        if not isinstance(inner, dict):
            raise Refused(f"{WRAPPED[name]} value can not be empty!")
        check_wrapped(proxy, name, inner)
        proxy.settings[name] = (
            {**proxy.settings.get(name, {}), **inner} if name in MERGED else inner
        )
    elif name in FLAT:
        check_flat(name, own)
        merged = {**proxy.settings.get(name, {}), **{k: v for k, v in own.items() if v is not None}}
        proxy.settings[name] = merged
    elif name == "addresses":
        proxy.routing["routingAddressList"] = addresses_of(
            call, own.get("routingAddressList") or []
        )
    elif name == "routing-status":
        proxy.routing.update(own)
    elif name == "client-route":
        check_route(own.get("clientRoute"))
        proxy.client_route = own["clientRoute"]
    elif name == "metadata":
        take_metadata(call, proxy, own)
    else:
        raise Refused("An unexpected error occurred", 404)
    return staged(call, proxy)


def check_wrapped(proxy: Proxy, name: str, inner: Json) -> None:
    if name == "cors" and (
        not inner.get("name")
        or ("*" in (inner.get("allowOriginList") or []) and inner.get("allowCredentials") == "true")
    ):
        raise Refused("Invalid CORS settings")
    if name == "cache" and not inner.get("handlingAction"):
        raise Refused("handlingAction is required")
    if (
        name == "ntlm"
        and inner.get("enabled")
        and not all(inner.get(k) for k in ("domain", "username", "password"))
    ):
        raise Refused("Domain, username, and password are required when NTLM is enabled")
    if name == "grpc" and proxy.kind != "GRPC":
        raise Refused("API Proxy type is not GRPC")
    if name == "websocket" and proxy.kind != "WEBSOCKET":
        raise Refused("API Proxy type is not WEBSOCKET")


def check_flat(name: str, own: Json) -> None:
    if name == "keys" and not (own.get("publicKey") or own.get("secretKey")):
        raise Refused("At least one key (publicKey or secretKey) must be provided")
    if (
        name == "proxy-server"
        and own.get("proxyEnabled")
        and not (own.get("proxyHost") and own.get("proxyPort"))
    ):
        raise Refused("Proxy host and port are required when proxy is enabled")
    if (
        name == "mtls"
        and own.get("enabled")
        and not (own.get("keyStoreId") or own.get("keyStoreName"))
    ):
        raise Refused("KeyStore ID is required when mTLS is enabled")
    if (
        name == "connection"
        and own.get("connectionPoolManagementType") == "CUSTOM"
        and not own.get("customConnectionPoolSize")
    ):
        raise Refused(
            "Custom connection pool size is required when connectionPoolManagementType is CUSTOM"
        )


def take_metadata(call: Call, proxy: Proxy, own: Json) -> None:
    """§2.5.3: at least one field; a name renames."""
    if not own:
        raise Refused("At least one field must be provided")
    if "description" in own:
        proxy.description = own["description"]
    new = own.get("name")
    if new and new != proxy.name:
        if new in call.project.proxies:
            raise Refused(f"ApiProxy (name: {new}) is already exist!")
        del call.project.proxies[proxy.name]
        proxy.name = new
        call.project.proxies[new] = proxy
    proxy.metadata.update({k: v for k, v in own.items() if k not in ("name", "description")})


@route("PATCH", X + "/settings/spec-access-type/{v}/", MANAGE)
def spec_access(call: Call) -> Any:
    proxy = proxy_of(call)
    if call.names["v"] not in ("PUBLIC", "AUTHENTICATED", "HIDDEN", "BACKEND_PROXY"):
        raise Refused("Invalid spec access type")
    proxy.settings["spec-access-type"] = {
        "type": call.names["v"], "checkApiProxyPermission": call.query.get("checkApiProxyPermission"),
    }  # fmt: skip
    return staged(call, proxy)


# --- endpoints -------------------------------------------------------------------------------


def endpoint_of(proxy: Proxy, name: Any, method: Any) -> Json:
    for endpoint in proxy.endpoints:
        if (endpoint["name"], endpoint["httpMethod"]) == (name, method):
            return endpoint
    raise Refused(f"Endpoint with name ({name}) and HTTP method ({method}) is not found!")


@route("POST", X + "/endpoints/", MANAGE)
def add_endpoint(call: Call) -> Any:
    proxy, sent = proxy_of(call), call.body
    if proxy.kind != "REST":
        raise Refused("Endpoint can only be added to REST API Proxies!")
    for name in ("name", "httpMethod", "backendResourceUrl", "backendHttpMethod"):
        if not sent.get(name):
            raise Refused(f"{name} value can not be empty!")
    if any(
        (e["name"], e["httpMethod"]) == (sent["name"], sent["httpMethod"]) for e in proxy.endpoints
    ):
        raise Refused(f"Endpoint with name ({sent['name']}) already exists!")
    own = {k: v for k, v in sent.items() if k not in OPENED}
    proxy.endpoints.append({"id": call.world.id(), "active": True, **own})
    return staged(call, proxy)


@route("PATCH", X + "/endpoints/", MANAGE)
def change_endpoint(call: Call) -> Any:
    proxy, sent = proxy_of(call), call.body
    endpoint = endpoint_of(proxy, sent.get("name"), sent.get("httpMethod"))
    endpoint.update({k: v for k, v in sent.items() if k not in OPENED and v is not None})
    return staged(call, proxy)


@route("PATCH", X + "/endpoints/{what}/", MANAGE)
def change_part(call: Call) -> Any:
    proxy, sent, what = proxy_of(call), call.body, call.names["what"]
    endpoint = endpoint_of(proxy, sent.get("identifierName"), sent.get("identifierHttpMethod"))
    if what == "status":
        endpoint["active"] = bool(sent["active"])
    elif what == "cache":
        endpoint["cache"] = sent["cacheSettings"]
    elif what == "wsa" and proxy.kind == "SOAP":
        endpoint["wsa"] = sent["wsaSettings"]
    else:
        raise Refused("An unexpected error occurred", 404)
    return staged(call, proxy)


@route("POST", X + "/endpoints/delete/", MANAGE)
def drop_endpoint(call: Call) -> Any:
    proxy, sent = proxy_of(call), call.body
    if proxy.kind != "REST":
        raise Refused("Endpoint can only be deleted from REST API Proxies!")
    endpoint = endpoint_of(proxy, sent.get("name"), sent.get("httpMethod"))
    proxy.endpoints.remove(endpoint)
    for place in [p for p in proxy.policies if p[:2] == (endpoint["name"], endpoint["httpMethod"])]:
        del proxy.policies[place]
    return staged(call, proxy)


# --- policies --------------------------------------------------------------------------------


def place_of(proxy: Proxy, operation: Json) -> tuple[str, str, str]:
    pipeline = operation.get("targetPipeline")
    if pipeline not in PIPELINES:
        raise Refused("targetPipeline value can not be empty!")
    if operation.get("targetScope") == "ALL":
        return ("ALL", "", pipeline)
    endpoint = endpoint_of(
        proxy, operation.get("targetEndpoint"), operation.get("targetEndpointHTTPMethod")
    )
    return (endpoint["name"], endpoint["httpMethod"], pipeline)


def places_with(proxy: Proxy, name: str) -> list[tuple[tuple[str, str, str], Json]]:
    """Names mean the same in any case (§1.7)."""
    return [
        (place, policy)
        for place, items in proxy.policies.items()
        for policy in items
        if policy["name"].casefold() == name.casefold()
    ]


def stored_policy(call: Call, name: str, sent: Json) -> Json:
    """What is left out is filled in: the empty condition, the type's standard messages (§2.3)."""
    for group in sent.get("ipGroupIdList") or ():
        if group not in [one.get("id") for one in call.project.ip_groups.values()]:
            raise Refused(f"IP Group with id ({group}) is not found!")
    check_jwks(call, sent)
    policy = {"description": None, "active": True, **sent, "name": name}
    condition = policy.get("policyCondition") or {}
    if not condition.get("conditionRuleList"):
        policy["policyCondition"] = EMPTY_RULE
    if not policy.get("errorMessageList"):
        policy["errorMessageList"] = [
            {
                "id": None,
                "errorType": f"ERR_{sent['type'].upper()}",
                "httpStatusCode": 403,
                "customized": False,
            }
        ]
    if "defaults-filled" in call.world.quirks:
        policy = {**DEFAULTS.get(sent["type"], {}), **policy}
    if "endpoints-noisy" in call.world.quirks:
        policy["parentErrorType"] = "API_PROXY"
    return policy


DEFAULTS = {
    "policy-api-based-throttling": {
        "intervalPeriodLength": 1, "intervalWindowType": "FIXED", "cacheConnectionTimeoutInSeconds": 3,
        "cacheErrorHandlingType": "FAIL", "showRateLimitStatisticsInResponseHeader": False,
    },
}  # fmt: skip


def insert(items: list[Json], policy: Json, order: int | None) -> None:
    if order is None or order > len(items):
        items.append(policy)
    else:
        items.insert(max(order - 1, 0), policy)


@route("POST", X + "/policies/{n}/", MANAGE)
def add_policy(call: Call) -> Any:
    proxy, name = proxy_of(call), call.names["n"]
    operation, sent = call.body["operationMetadata"], call.body["policy"]
    check_environments(call, operation.get("deployTargetEnvironmentNameList"))
    if places_with(proxy, name):
        raise Refused(f"A policy with same name ({name}) is already exist in API Proxy!")
    place = place_of(proxy, operation)
    insert(
        proxy.policies.setdefault(place, []),
        stored_policy(call, name, sent),
        operation.get("order"),
    )
    return staged(call, proxy, operation, default=True)


@route("PUT", X + "/policies/{n}/", MANAGE)
def change_policy(call: Call) -> Any:
    """§2.6: replaced as a whole; name and type stay, the place may change."""
    proxy, name = proxy_of(call), call.names["n"]
    operation, sent = call.body["operationMetadata"], call.body["policy"]
    found = places_with(proxy, name)
    if not found:
        raise Refused(f"A policy with name ({name}) does not exist in API Proxy!")
    (was, policy) = found[0]
    if policy["type"] != sent.get("type"):
        raise Refused("Policy type in body does not match the existing policy's type.")
    place = place_of(proxy, operation)
    index = proxy.policies[was].index(policy)
    order = operation.get("order")
    if order is None and place == was:
        order = index + 1
    proxy.policies[was].remove(policy)
    insert(proxy.policies.setdefault(place, []), stored_policy(call, policy["name"], sent), order)
    return staged(call, proxy, operation, default=True)


@route("DELETE", X + "/policies/{n}/", MANAGE)
def drop_policy(call: Call) -> Any:
    proxy, name = proxy_of(call), call.names["n"]
    operation = (call.body or {}).get("operationMetadata") or {}
    place = place_of(proxy, operation)
    kept = [p for p in proxy.policies.get(place, []) if p["name"].casefold() != name.casefold()]
    if len(kept) == len(proxy.policies.get(place, [])):
        raise Refused(f"A policy with name ({name}) does not exist in API Proxy!")
    proxy.policies[place] = kept
    return staged(call, proxy, operation, default=True)


# --- traffic log, deployment -----------------------------------------------------------------


@route("GET", X + "/trafficLogSettings/{e}/", VIEW)
def traffic(call: Call) -> Any:
    found = proxy_of(call).traffic.get(call.names["e"])
    if found is None:
        raise Refused("Traffic log settings not found")
    return [found]


@route("PUT", X + "/trafficLogSettings/{e}/", MANAGE)
def set_traffic(call: Call) -> Any:
    """§2.5.8: null keeps, the first save fills in true; deploys itself."""
    proxy, environment = proxy_of(call), call.names["e"]
    check_environments(call, [environment])
    known = {one["name"] for one in call.project.connections.values()}
    for name in call.body.get("connectorSettingsMap") or {}:
        if name not in known:
            raise Refused(f"Connection with name '{name}' not found in the environment!")
    ids = {e["id"] for e in proxy.endpoints}
    for override in call.body.get("methodOverrideList") or []:
        if override.get("apiMethodId") not in ids:
            raise Refused(f"Method ({override.get('apiMethodId')}) is not found in ApiProxy!")
    flags = dict.fromkeys(LOG_FLAGS, True)
    held = proxy.traffic.get(environment, flags)
    proxy.traffic[environment] = {**held, **{k: v for k, v in call.body.items() if v is not None}}
    return Saved(
        deployment=call.world.result({environment: call.world.deploys(proxy.name, environment)})
    )


LOG_FLAGS = (
    "logParamRequestFromClient", "logHeaderRequestFromClient", "logBodyRequestFromClient",
    "logParamRequestToTarget", "logHeaderRequestToTarget", "logBodyRequestToTarget",
    "logHeaderResponseFromTarget", "logBodyResponseFromTarget", "logHeaderResponseToClient",
    "logBodyResponseToClient",
)  # fmt: skip


@route("POST", X + "/environments/{e}/")
def deploy_call(call: Call) -> Any:
    if not call.user.may(call.names["p"], DEPLOY):
        raise Refused("User does not have required permission to deploy/undeploy API Proxy!")
    name, environment = call.names["x"], call.names["e"]
    if name not in call.project.proxies:
        raise Refused(
            f"ApiProxy with name ({name}) can not be deployed to Environment({environment}) because it is not exist!"
        )
    check_environments(call, [environment])
    asked = call.body or {}
    proxy = call.project.proxies[name]
    good = deploy(call, proxy, environment, asked.get("description"), bool(asked.get("persistent")))
    return Saved(deployment=call.world.result({environment: good}))


@route("DELETE", X + "/environments/{e}/")
def undeploy_call(call: Call) -> Any:
    if "things-before-rights" in call.world.quirks:
        proxy_of(call)
    if not call.user.may(call.names["p"], DEPLOY):
        raise Refused("User does not have required permission to deploy/undeploy API Proxy!")
    proxy, environment = proxy_of(call), call.names["e"]
    check_environments(call, [environment])
    asked = call.body or {}
    good = call.world.deploys(proxy.name, environment)
    proxy.deployed[environment] = {"deployed": False, "redeployRequired": False}
    proxy.history.insert(0, {
        "revision": len(proxy.history) + 1, "username": call.user.name,
        "deploymentTime": "2026-01-05T09:00:00Z", "environment": environment, "deploy": False,
        "description": asked.get("description") or "Undeployed by APIOPS Api", "persistent": False,
    })  # fmt: skip
    return Saved(deployment=call.world.result({environment: good}))


@route("GET", "/test/healthcheck")
def health(_call: Call) -> Any:
    return Text("OK")


@route("GET", "/test/hello/{name}")
def hello(call: Call) -> Any:
    return Text(f"Hello {call.names['name']}")


__all__ = ["NO_RIGHT"]
