"""Generated states of a project, as manifests describe them: what a hypothesis test draws from."""

from typing import Any

from hypothesis import strategies as st

from apiops.model.resource import Resource
from tests.remote.gateway import ENVIRONMENTS, Gateway, a_resource, secret

words = st.sampled_from(["", "one", "two words", "ğüşiöç", 'with "quotes"'])
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

providers = st.fixed_dictionaries(
    {"providerType": st.sampled_from(["OPENAI", "ANTHROPIC", "VLLM"])},
    optional={
        "description": words,
        "enabled": flags,
        "endpoint": st.just("https://models.example"),
        "apiKey": st.just(secret("key")),
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
SETTINGS = some(
    connection=some(connectTimeout=st.integers(1, 9), readTimeout=st.integers(1, 9)),
    cors=some(corsActive=flags, allowOriginList=lists("https://x", "https://y")),
    circuitBreaker=some(circuitBreakerEnabled=flags, errorWindow=st.integers(1, 9)),
    cache=st.fixed_dictionaries(
        {"handlingAction": st.just("STOP")}, optional={"cacheActive": flags}
    ),
    proxyServer=st.just(
        {"proxyEnabled": True, "proxyHost": "p", "proxyPort": 1, "proxyPassword": secret("p")}
    ),
    maintenanceMode=some(enabled=flags, message=words),
    specAccess=st.just({"type": "AUTHENTICATED", "checkApiProxyPermission": True}),
)
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


@st.composite
def proxies(draw: st.DrawFn, gateway: Gateway) -> dict[str, Any]:
    kind = draw(st.sampled_from(["REVERSE_PROXY", "EMPTY_API", "OPEN_API"]))
    spec: dict[str, Any] = {
        "type": kind,
        "clientRoute": draw(ROUTES),
        **draw(some(description=words)),
    }
    ends: list[tuple[str, str]] = []
    if kind == "OPEN_API":
        text = draw(st.sampled_from(DOCUMENTS))
        spec["source"] = {"file": "api.yaml", "fileDigest": gateway.file(text)}
        ends = [("/a", "GET"), ("/a", "POST")]
        spec["endpoints"] = [
            {"name": name, "httpMethod": method, **draw(some(active=flags, description=words))}
            for name, method in draw(lists(*ends))
        ]
    elif kind == "EMPTY_API":
        ends = draw(lists(("/x", "GET"), ("/x", "POST"), ("/y", "GET")))
        more = some(active=flags, description=words, backendResourceUrl=st.just("/z"))
        spec["endpoints"] = [{"name": n, "httpMethod": m, **draw(more)} for n, m in ends]
    spec |= draw(
        some(
            metadata=some(
                categoryList=lists("a", "b"), sharingType=st.sampled_from(["BOTH", "NONE"])
            )
        )
    )
    if draw(flags):
        spec["routing"] = {"addresses": draw(ADDRESSES), **draw(some(enabled=flags))}
    spec |= draw(some(settings=SETTINGS))
    if draw(flags):
        spec["policies"] = draw(pipelines(ends))
    if draw(flags):
        spec["deployments"] = [{"environment": e} for e in draw(lists(*ENVIRONMENTS))]
    return spec


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
models = some(
    displayName=words,
    contextWindow=st.integers(1, 9),
    capabilities=lists("chat", "tools"),
    isDeprecated=flags,
)
definitions = some(displayName=words, defaultEndpoint=st.just("https://x"))
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
    found += [a_resource("ApiProxy", name, **draw(proxies(gateway))) for name in apis]
    kinds = {resource.id.kind for resource in found}
    if {"VectorDb", "LlmProvider"} <= kinds and draw(flags):
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
