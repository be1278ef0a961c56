"""Generated states of a project, as manifests describe them: what a hypothesis test draws from."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from apiops.model.kinds import ai, knowledge, parts, proxy, proxysettings, trafficlog
from apiops.model.resource import Resource
from tests.remote import clients, items
from tests.remote.connections import connections
from tests.remote.gateway import ENVIRONMENTS, Gateway, a_resource, secret
from tests.remote.shapes import spec, words

names = st.sampled_from(["alpha", "beta", "gamma delta", "d-4"])
flags = st.booleans()


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def lists(*items: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(items), unique=True)


@st.composite
def variables(draw: st.DrawFn) -> dict[str, Any]:
    if draw(flags):
        hidden = draw(flags)
        value = secret(draw(words) + "s") if hidden else draw(words) + "v"
        more = (
            {"globalVisible": False}
            if hidden
            else draw(some(globalVisible=flags.map(lambda _: True)))
        )
        return {"global": True, "globalValue": value, **more, **draw(some(description=words))}
    values = {}
    for name in draw(st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, unique=True)):
        visible = draw(flags)
        values[name] = {"value": draw(words) + "v" if visible else secret("s"), "visible": visible}
    return {"values": values, **draw(some(description=words))}


ip_groups = st.fixed_dictionaries(
    {"ipList": lists("10.0.0.1", "10.0.0.0/8", "203.0.113.7")}, optional={"description": words}
)

# A key that is taken away takes the provider with it, which the Manager refuses while a proxy uses
# it: so each has all of them.
providers = spec(
    ai.LlmProviderSpec,
    needed=("apiKey", "apiSecret", "serviceAccountJson"),
    providerDefinition=None,
    supportedModels=st.lists(
        spec(ai.SupportedModel, deprecatedAt=items.when, sunsetAt=items.when),
        max_size=2,
        unique_by=lambda one: one["modelId"],
    ),
    metadata=st.sampled_from(
        [
            [{"key": "a", "value": "b"}],
            [{"key": "a", "value": "b"}, {"key": "s", "value": secret("x"), "secret": True}],
        ]
    ),
)

ROUTES = st.fixed_dictionaries(
    {"relativePathList": st.lists(st.sampled_from(["/aa", "/bb", "/cc"]), min_size=1, unique=True)},
    optional={
        "methodList": lists("GET", "POST"),
        "headerList": st.just([{"name": "X-A", "value": "b"}]),
        "bufferResponse": flags,
        "hostList": lists("a.example", "b.example"),
        "bufferRequest": flags,
    },
)
ADDRESSES = st.lists(
    st.fixed_dictionaries(
        {
            "address": st.sampled_from(
                ["https://a.example", "https://b.example", "https://c.example"]
            )
        },
        optional={
            "weight": st.integers(0, 100),
            "description": words,
            "addressType": st.sampled_from(["PRIMARY", "CANARY"]),
            "healthCheckPath": st.just("/health"),
            "healthMonitoringEnabled": flags,
            "soapType": st.sampled_from(["SOAP11", "SOAP12", "HTTP"]),
        },
    ),
    max_size=3,
    unique_by=lambda address: address["address"],
)


def ready(flag: str, *needed: str) -> Callable[[dict[str, Any]], bool]:
    """What the Manager refuses: something switched on without what it takes."""
    return lambda one: not one.get(flag) or all(one.get(name) for name in needed)


SETTINGS = spec(
    proxysettings.Settings,
    cors=spec(proxysettings.Cors, name=words.filter(bool)),
    connection=spec(proxysettings.Connection).filter(
        lambda one: (
            one.get("connectionPoolManagementType") != "CUSTOM"
            or bool(one.get("customConnectionPoolSize"))
        )
    ),
    mtls=spec(proxysettings.Mtls, keyStore=st.just("s1"), trustStore=st.just("s1")).filter(
        ready("enabled", "keyStore")
    ),
    ntlm=spec(proxysettings.Ntlm).filter(ready("enabled", "domain", "username", "password")),
    proxyServer=spec(proxysettings.ProxyServer).filter(
        ready("proxyEnabled", "proxyHost", "proxyPort")
    ),
    keys=spec(proxysettings.Keys).filter(bool),
    grpc=None,
    websocket=None,
)
AGENT_SETTINGS = SETTINGS.map(
    lambda one: {name: inner for name, inner in one.items() if name not in proxy.ROUTED_ONLY}
)
METADATA = spec(proxy.ProxyMetadata)
CACHE = spec(proxy.EndpointCache)
WSA = spec(proxy.WsAddressing)
AI = spec(ai.AiRouting, needed=("llmProviderRefName", "modelId"))
A2A = spec(ai.A2aRouting)
CONNECTOR = spec(trafficlog.ConnectorLog)
POLICIES = st.sampled_from(
    [
        {"type": "policy-max-message-size", "spec": {"maxMessageSize": 10}},
        {"type": "policy-max-message-size", "spec": {"maxMessageSize": 20}},
        {
            "type": "policy-api-based-throttling",
            "spec": {"messageCountForInterval": 5, "throttlingInterval": "ONE_MINUTE"},
        },
        {"type": "policy-api-based-throttling", "spec": {"cacheErrorHandlingType": "CONTINUE"}},
        {"type": "policy-ws-security-username", "spec": {"username": "u", "password": secret("w")}},
    ]
)


ERRORS = st.lists(spec(parts.ErrorMessage), max_size=2, unique_by=lambda one: one["errorType"])


@st.composite
def pipelines(draw: st.DrawFn, endpoints: list[tuple[str, str]]) -> dict[str, Any]:
    wanted = draw(st.lists(st.sampled_from(["p1", "p2", "P3", "p4"]), unique=True, max_size=4))
    placed: dict[str, list[dict[str, Any]]] = {}
    for name in wanted:
        more = some(description=words, active=flags, errorMessageList=ERRORS)
        policy = {"name": name, **draw(POLICIES), **draw(more)}
        if endpoints and draw(flags):
            path, method = draw(st.sampled_from(endpoints))
            policy["at"] = {"endpoint": path, "httpMethod": method}
        if draw(flags):
            policy["condition"] = {
                "conditionRuleList": [{"conditionCriteria": "NOT", "conditionRuleList": []}]
            }
        placed.setdefault(draw(st.sampled_from(["request", "response", "error"])), []).append(
            policy
        )
    return placed


DOCUMENTS = (
    "openapi: 3.0.3\npaths:\n  /a: {get: {summary: A}, post: {}}\n",
    "openapi: 3.0.3\npaths:\n  /a: {get: {summary: A}, post: {}}\n  /b: {put: {}}\n",
)


WSDL = (
    '<definitions><operation name="GetOrder"/><operation name="PutOrder"/></definitions>',
    '<definitions><operation name="GetOrder"/></definitions>',
)
URL = "https://docs.example/api.yaml"
PARSED = {"OPEN_API": DOCUMENTS, "SWAGGER": DOCUMENTS, "WSDL": WSDL}
LOGIN = spec(proxy.SourceAuthorization)
BALANCED = spec(proxy.Routing, addresses=None)
Ends = list[tuple[str, str]]


@st.composite
def documented(draw: st.DrawFn, gateway: Gateway, kind: str) -> tuple[dict[str, Any], Ends]:
    """A proxy of a document, uploaded or fetched, and the endpoints of every such document."""
    text = draw(st.sampled_from(PARSED[kind]))
    made = {"soapToRest": True} if kind == "WSDL" and draw(flags) else {}
    if kind != "WSDL" and draw(flags):
        gateway.world.documents[URL] = DOCUMENTS[0]
        source = {"url": URL, **draw(some(authorization=st.lists(LOGIN, max_size=1)))}
    else:
        source = {"file": "api.yaml", "fileDigest": gateway.file(text)}
    ends = [("GetOrder", "POST")] if kind == "WSDL" else [("/a", "GET"), ("/a", "POST")]
    more = {"wsa": WSA} if kind == "WSDL" and not made else {}
    shown = some(active=flags, description=words, cache=CACHE, **more)
    said = ends if kind == "WSDL" else draw(lists(*ends))
    endpoints = [{"name": n, "httpMethod": m, **draw(shown)} for n, m in said]
    soap = some(backendApiVersion=shown, enableWSA=flags, enableWSRM=flags)
    asked = draw(soap) if kind == "WSDL" else {}
    return {"source": source | made | asked, "endpoints": endpoints}, ends


METHODS = st.sampled_from(["GET", "POST", "PUT"])


@st.composite
def proxies(
    draw: st.DrawFn, gateway: Gateway, name: str, apis: list[str], shared: list[Resource]
) -> dict[str, Any]:
    there = {one.id.kind for one in shared}
    agents = ["MCP", *(["AI", "AI", "A2A", "A2A"] if "LlmProvider" in there else [])]
    connections = [one.id.name for one in shared if one.id.kind == "Connection"]
    kind = draw(st.sampled_from(["REVERSE_PROXY", "EMPTY_API", *PARSED, *agents]))
    one: dict[str, Any] = {
        "type": kind,
        "clientRoute": draw(ROUTES),
        **draw(some(description=words, metadata=METADATA)),
    }
    ends: Ends = []
    if kind in PARSED:
        more, ends = draw(documented(gateway, kind))
        one |= more
    elif kind == "EMPTY_API":
        ends = draw(lists(("/x", "GET"), ("/x", "POST"), ("/y", "GET")))
        there_too = {"backendResourceUrl": st.just("/z"), "backendHttpMethod": METHODS}
        own = some(active=flags, description=words, cache=CACHE, **there_too)
        one["endpoints"] = [{"name": n, "httpMethod": m, **draw(own)} for n, m in ends]
    if kind in agents:
        one |= draw(agent(kind, [other for other in apis if other < name]))
        one |= draw(some(settings=AGENT_SETTINGS))
    else:
        one |= draw(some(settings=SETTINGS))
        if draw(flags):
            one["routing"] = {"addresses": draw(ADDRESSES), **draw(BALANCED)}
    if draw(flags):
        one["policies"] = draw(pipelines(ends))
    if draw(flags):
        one["trafficLog"] = draw(logs(connections, ends))
    if draw(flags):
        kept = some(persistent=flags)
        one["deployments"] = [{"environment": e, **draw(kept)} for e in draw(lists(*ENVIRONMENTS))]
    return one


def agent(kind: str, others: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """The routings of an AI kind; tools are made of other proxies."""
    tools = spec(ai.ExposedTool, apiProxyName=st.sampled_from(others or ["none"]))
    most = 2 if others else 0
    exposed = st.lists(tools, max_size=most, unique_by=lambda tool: tool["toolName"])
    return {
        "AI": st.fixed_dictionaries({"aiRouting": AI}),
        "MCP": st.fixed_dictionaries({"mcpRouting": spec(ai.McpRouting, exposedTools=exposed)}),
        "A2A": st.fixed_dictionaries({"aiRouting": AI, "a2aRouting": A2A}),
    }[kind]


def logs(connections: list[str], ends: Ends) -> st.SearchStrategy[dict[str, Any]]:
    """What is logged, where, and for which connections."""
    receive = st.fixed_dictionaries({}, optional=dict.fromkeys(connections, CONNECTOR))
    at = st.sampled_from(ends or [("none", "GET")])
    method = st.builds(
        lambda end, each: {"endpoint": end[0], "httpMethod": end[1], "connectors": each},
        at,
        receive,
    )
    one = spec(
        trafficlog.TrafficLog,
        needed=("methods",),
        connectors=receive,
        methods=st.lists(method, max_size=1 if ends else 0),
    )
    return some(**dict.fromkeys(ENVIRONMENTS, one))


NAMED = {
    "Keystore": (items.keystores, ["s1"]),
    "Jwk": (items.jwks, ["j1"]),
    "LlmModel": (items.models, ["own/m1", "own/m2"]),
    "LlmProviderDefinition": (items.definitions, ["own"]),
    "VectorDb": (items.vectors, ["v1"]),
    "AiPreset": (items.ai_presets, ["x1"]),
    "GlobalPolicy": (items.shared, ["sso"]),
    "PolicyGroup": (items.policy_groups, ["base"]),
    "EnvironmentVariable": (variables(), ["V_ONE", "V_TWO"]),
    "IpGroup": (ip_groups, ["g1", "g2"]),
    "Connection": (connections, ["c1", "c2"]),
    "LlmProvider": (providers, ["l1"]),
}


@st.composite
def certificates(draw: st.DrawFn, gateway: Gateway, name: str) -> dict[str, Any]:
    """An alias is unique in an environment, over all certificates (2.12)."""
    places = {}
    for environment in draw(st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, unique=True)):
        inside = draw(st.sampled_from(["QUJD", "REVG"]))
        pem = f"-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n"
        alias = f"{name}-{draw(st.sampled_from('ab'))}"
        places[environment] = {"alias": alias, "file": "x.pem", "fileDigest": gateway.file(pem)}
    return {"environments": places, **draw(some(description=words))}


def a_document(gateway: Gateway) -> dict[str, Any]:
    return {"file": "guide.md", "fileDigest": gateway.file("# Guide")}


@st.composite
def states(draw: st.DrawFn, gateway: Gateway) -> list[Resource]:
    """A project with some of everything."""
    found = [
        a_resource(kind, name, **draw(spec))
        for kind, (spec, some_names) in NAMED.items()
        for name in draw(st.lists(st.sampled_from(some_names), unique=True))
    ]
    found += [a_resource("Key", name, **draw(items.keys(gateway))) for name in draw(lists("k1"))]
    found += [
        a_resource("Certificate", name, **draw(certificates(gateway, name)))
        for name in draw(lists("cert one", "cert2"))
    ]
    apis = draw(st.lists(st.sampled_from(["api one", "api2"]), unique=True))
    found += [
        a_resource("ApiProxy", name, **draw(proxies(gateway, name, apis, found))) for name in apis
    ]
    found += draw(bases(gateway, found))
    if draw(flags):
        members = {"members": draw(lists(*apis)) if apis else [], **draw(some(description=words))}
        runs = {"deployments": [{"environment": e} for e in draw(lists(*ENVIRONMENTS))]}
        found.append(
            a_resource("ApiProxyGroup", "all", clientRoute=draw(ROUTES), **members, **runs)
        )
    found += draw(clients.clients(found))
    return [draw(following(one, found)) for one in found]


@st.composite
def bases(draw: st.DrawFn, gateway: Gateway, found: list[Resource]) -> list[Resource]:
    """A knowledge base, where there is what it takes."""
    if not {"VectorDb", "LlmProvider"} <= {one.id.kind for one in found}:
        return []
    said = spec(
        knowledge.KnowledgeBaseSpec,
        vectorDbRef=st.just("v1"),
        embeddingProviderRef=st.just("l1"),
        chunkSize=st.sampled_from([1000, 500]),
        chunkOverlap=st.sampled_from([50, 200]),
        documents=None,
    )
    documents = some(documents=st.just([a_document(gateway)]))
    return [a_resource("KnowledgeBase", "kb", **draw(said), **draw(documents))]


@st.composite
def following(draw: st.DrawFn, one: Resource, found: list[Resource]) -> Resource:
    """Models and providers may follow a definition of the project's own."""
    there = any(other.id.kind == "LlmProviderDefinition" for other in found)
    if one.id.kind not in ("LlmModel", "LlmProvider") or not there or not draw(flags):
        return one
    return one.with_spec({**one.spec, "providerDefinition": "own"})
