"""Generated states of a project, as manifests describe them: what a hypothesis test draws from."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from apiops.model.kinds import ai, proxy, proxysettings, trafficlog
from apiops.model.kinds import models as kinds_models
from apiops.model.resource import Resource
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

COMMON = {"description": words, "deployToWorker": flags, "enabled": flags}
connections = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("syslog"), "syslogServerHostname": st.just("logs.example")},
        optional={**COMMON, "syslogPort": st.sampled_from([514, 6514]), "syslogSslEnabled": flags},
    ),
    st.fixed_dictionaries(
        {"type": st.just("database"), "dbType": st.just("POSTGRES"), "jdbcUrl": st.just("jdbc:x")},
        optional={**COMMON, "password": st.just(secret("pw")), "maxPoolSize": st.integers(1, 9)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("webhook"), "fullUrl": st.just("https://hook.example")},
        optional={
            **COMMON,
            "timeout": st.sampled_from([2, 5]),
            "headerList": st.lists(
                st.sampled_from(
                    [
                        {"name": "Content-Type", "value": "application/json"},
                        {"name": "X-Token", "value": secret("t")},
                    ]
                ),
                unique_by=lambda header: header["name"],
            ),
        },
    ),
)

# A key that is taken away takes the provider with it, which the Manager refuses while a proxy uses
# it: so each has one.
providers = st.fixed_dictionaries(
    {
        "providerType": st.sampled_from(["OPENAI", "ANTHROPIC", "VLLM"]),
        "apiKey": st.sampled_from([secret("key"), secret("other")]),
    },
    optional={
        "description": words,
        "enabled": flags,
        "endpoint": st.just("https://models.example"),
        "region": st.just("eu"),
        "allowedModelIds": lists("m1", "m2"),
        "providerRpmLimit": st.integers(1, 9),
        "metadata": st.just(
            [{"key": "a", "value": "b"}, {"key": "s", "value": secret("x"), "secret": True}]
        ),
    },
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
        {"type": "policy-ws-security-username", "spec": {"username": "u", "password": secret("w")}},
    ]
)


@st.composite
def pipelines(draw: st.DrawFn, endpoints: list[tuple[str, str]]) -> dict[str, Any]:
    wanted = draw(st.lists(st.sampled_from(["p1", "p2", "P3", "p4"]), unique=True, max_size=4))
    placed: dict[str, list[dict[str, Any]]] = {}
    for name in wanted:
        policy = {"name": name, **draw(POLICIES), **draw(some(description=words, active=flags))}
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
    asked = draw(some(backendApiVersion=words.filter(bool))) if kind == "WSDL" else {}
    return {"source": source | made | asked, "endpoints": endpoints}, ends


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
        own = some(active=flags, description=words, backendResourceUrl=st.just("/z"), cache=CACHE)
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


credentials = st.fixed_dictionaries(
    {
        "email": st.just("a@bank.example"),
        "fullName": names,
        "password": st.sampled_from([secret("one"), secret("two"), "${VARIABLE}"]),
    },
    optional={
        "description": words,
        "roleNameList": lists("R1", "R2"),
        "enabled": flags,
        "ipList": lists("10.0.0.1", "10.0.0.2"),
        "expireDate": st.sampled_from(["2027-12-31T23:59:59Z", "2028-01-01T00:00:00Z"]),
        "metadata": st.sampled_from(
            [
                [{"key": "a", "value": "b"}],
                [{"key": "s", "value": secret("x"), "secret": True, "includeInJwt": True}],
            ]
        ),
        "token": st.just(
            {"tokenNeverExpires": False, "tokenExpiresInAmount": 5, "tokenExpiresInUnit": "MINUTES"}
        ),
    },
)

DESCRIBED = {"description": words}
keys = st.one_of(
    st.fixed_dictionaries(
        {
            "keyType": st.just("SECRET_KEY"),
            "algorithm": st.just("AES"),
            "environments": st.sampled_from(
                [
                    {"dev": {"content": secret("QUJD")}},
                    {
                        "dev": {"content": secret("REVG"), "alias": "a"},
                        "production": {"content": secret("QUJD")},
                    },
                ]
            ),
        },
        optional=DESCRIBED,
    ),
)
keystores = st.fixed_dictionaries(
    {
        "environments": st.sampled_from(
            [
                {
                    "dev": {
                        "keyStoreType": kind,
                        "alias": "a",
                        "file": secret("QUJD"),
                        "password": secret("p"),
                    }
                }
                for kind in ("JKS", "PKCS12")
            ]
        )
    },
    optional=DESCRIBED,
)
jwks = st.one_of(
    st.fixed_dictionaries(
        {"source": st.just({"type": "COPY_PASTE", "jwkStr": secret("{}")})}, optional=DESCRIBED
    ),
    st.fixed_dictionaries(
        {"generate": st.just({"type": "EC", "ec": {"curveType": "P256"}})}, optional=DESCRIBED
    ),
)
when = st.sampled_from(["2027-12-31T23:59:59Z", "2028-01-01T00:00:00Z"])
models = spec(kinds_models.LlmModelSpec, providerDefinition=None, deprecatedAt=when, sunsetAt=when)
definitions = spec(kinds_models.LlmProviderDefinitionSpec)
vectors = st.one_of(
    st.fixed_dictionaries(
        {
            "dbType": st.just("PGVECTOR"),
            "transport": st.fixed_dictionaries(
                {"family": st.just("jdbc"), "jdbcUrl": st.just("jdbc:x")},
                optional={
                    "username": words,
                    "password": st.just(secret("p")),
                    "pool": some(minimumIdle=st.integers(1, 3)),
                },
            ),
        },
        optional={**DESCRIBED, "enabled": flags, "embeddingDimension": st.integers(1, 9)},
    ),
    st.fixed_dictionaries(
        {
            "dbType": st.just("QDRANT"),
            "transport": st.fixed_dictionaries(
                {"family": st.just("http"), "endpoint": st.just("https://q")},
                optional={"apiKey": st.just(secret("k"))},
            ),
        },
        optional={**DESCRIBED, "maxBatchSize": st.integers(1, 9)},
    ),
)
presets = st.one_of(
    st.fixed_dictionaries(
        {"family": st.just("dlp"), "ruleValue": st.just("a+"), "action": st.just("BLOCK")},
        optional={**DESCRIBED, "enabled": flags, "category": words},
    ),
    st.fixed_dictionaries(
        {"family": st.just("prompt-decorator"), "content": st.just("Be kind.")},
        optional={"role": st.sampled_from(["system", "user"]), "position": st.just("PREPEND")},
    ),
)
shared = st.fixed_dictionaries(
    {"_class": st.just("oidc-auth"), "active": flags},
    optional={**DESCRIBED, "issuer": st.just("https://i"), "clientSecret": st.just(secret("s"))},
)
policy_groups = st.fixed_dictionaries(
    {
        "active": flags,
        "targetPipeline": st.sampled_from(["REQUEST", "ERROR"]),
        "policyList": st.lists(
            st.sampled_from(
                [
                    {"_class": "ip-white", "name": "a", "active": True},
                    {"_class": "cache", "name": "b", "active": False},
                ]
            ),
            unique_by=lambda one: one["name"],
        ),
    },
    optional=DESCRIBED,
)
LIMIT = {
    "endpointName": "ALL", "endpointHTTPMethod": "ALL", "permittedMessageCount": 5, "timeIntervalPeriodLength": 1,
    "timeInterval": "ONE_MINUTE", "cacheConnectionTimeoutInSeconds": 3, "cacheErrorHandlingType": "FAIL", "timeIntervalWindowType": "FIXED",
}  # fmt: skip

facts = st.sampled_from(
    [
        [{"key": "a", "value": "b"}],
        [{"key": "s", "value": secret("x"), "secret": True, "includeInJwt": True}],
    ]
)
shown = words.filter(bool)
organizations = some(nameDefault=shown, nameSecondary=shown, metadata=facts)
budgets = st.fixed_dictionaries(
    {},
    optional={
        "enabled": flags,
        "tokensPerDay": st.integers(1, 9),
        "usdPerHour": st.sampled_from([0.5, 2.0]),
        "softCapPercents": lists(50, 80),
        "overflowAction": st.sampled_from(["BLOCK", "ALERT_ONLY"]),
        "modelBudgets": st.sampled_from([[], [{"modelId": "m1", "tokensPerDay": 5}]]),
    },
)

NAMED = {
    "Key": (keys, ["k1"]),
    "Keystore": (keystores, ["s1"]),
    "Jwk": (jwks, ["j1"]),
    "LlmModel": (models, ["own/m1", "own/m2"]),
    "LlmProviderDefinition": (definitions, ["own"]),
    "VectorDb": (vectors, ["v1"]),
    "AiPreset": (presets, ["x1"]),
    "GlobalPolicy": (shared, ["sso"]),
    "PolicyGroup": (policy_groups, ["base"]),
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
def owners(draw: st.DrawFn, apis: list[str], *, providers: bool) -> list[Resource]:
    """Organisations, one perhaps above the other, and budgets of what there is."""
    codes = draw(st.sampled_from([[], ["bank"], ["bank", "branch"]]))
    found = []
    for code in codes:
        above = {"parentOrganizationCode": "bank"} if code == "branch" and draw(flags) else {}
        found.append(a_resource("CredentialOrganization", code, **draw(organizations), **above))
    targets = {
        "all": {"type": "PROJECT"},
        **{f"of {api}": {"type": "API_PROXY", "name": api} for api in apis},
        **{f"of {code}": {"type": "CREDENTIAL_ORGANIZATION", "name": code} for code in codes},
    }
    for name in draw(st.lists(st.sampled_from(sorted(targets)), unique=True, max_size=2)):
        budget = draw(budgets)
        if providers and draw(flags):
            budget["providerBudgets"] = [{"providerRef": "l1", "usdPerDay": 1.5}]
        found.append(a_resource("AiBudget", name, target=targets[name], budget=budget))
    return found


@st.composite
def states(draw: st.DrawFn, gateway: Gateway) -> list[Resource]:
    """A project with some of everything."""
    found = [
        a_resource(kind, name, **draw(spec))
        for kind, (spec, some_names) in NAMED.items()
        for name in draw(st.lists(st.sampled_from(some_names), unique=True))
    ]
    found += [
        a_resource("Certificate", name, **draw(certificates(gateway, name)))
        for name in draw(lists("cert one", "cert2"))
    ]
    apis = draw(st.lists(st.sampled_from(["api one", "api2"]), unique=True))
    found += [
        a_resource("ApiProxy", name, **draw(proxies(gateway, name, apis, found))) for name in apis
    ]
    kinds = {resource.id.kind for resource in found}
    if {"VectorDb", "LlmProvider"} <= kinds:
        more = some(
            chunkSize=st.sampled_from([1000, 500]),
            description=words,
            documents=st.just([a_document(gateway)]),
        )
        bases = {"vectorDbRef": "v1", "embeddingProviderRef": "l1", **draw(more)}
        found.append(a_resource("KnowledgeBase", "kb", **bases))
    if draw(flags):
        members = {"members": draw(lists(*apis)) if apis else [], **draw(some(description=words))}
        runs = {"deployments": [{"environment": e} for e in draw(lists(*ENVIRONMENTS))]}
        found.append(
            a_resource("ApiProxyGroup", "all", clientRoute=draw(ROUTES), **members, **runs)
        )
    if draw(flags):
        endpoints = [{**LIMIT, "apiProxyName": api} for api in draw(lists(*apis))] if apis else []
        more = some(
            enabled=flags, description=words, cacheConnectionTimeoutInSeconds=st.integers(1, 5)
        )
        found.append(a_resource("Rlcl", "slow", endpoints=endpoints, **draw(more)))
    found += draw(owners(apis, providers="LlmProvider" in kinds))
    for name in draw(lists("app", "web")):
        spec = draw(credentials)
        if apis and draw(flags):
            spec["access"] = [{"name": api} for api in draw(lists(*apis))]
        found.append(a_resource("Credential", name, **spec))
    return found
