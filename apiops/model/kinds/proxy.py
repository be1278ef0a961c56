"""Spec of API proxies: source, routes, endpoints, policies, deployments.

Settings are in `proxysettings`, traffic logs in `trafficlog`, the routing of AI kinds in `ai`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from apiops.model.kinds.ai import A2aRouting, AiRouting, McpRouting
from apiops.model.kinds.parts import (
    ClientRoute,
    Condition,
    ErrorMessage,
    HttpMethod,
    Merged,
    Part,
    SecretText,
    about,
    form,
)
from apiops.model.kinds.proxysettings import Settings
from apiops.model.kinds.trafficlog import TrafficLog

PolicyType = Annotated[str, WithJsonSchema({"x-apiops-types": "policies"})]

Url = Annotated[str, form("^https?://|^[$][{]", "must begin with http:// or https://")]

SPECIFIED = frozenset({"OPEN_API", "SWAGGER", "WSDL"})
"""Types whose endpoints come from a document."""

AGENTS = {"AI": "aiRouting", "MCP": "mcpRouting", "A2A": "a2aRouting"}
"""Types of the AI gateway, and the routing that each needs."""


class SourceAuthorization(Part):
    """What the Manager sends when it fetches the document from `url`."""

    keyName: str = about("Name of the header or query parameter.", ...)
    value: SecretText = about("Its value.", ...)
    type: Literal["header", "query"] = about("Where it is sent.", "header")


class Source(Part):
    """The document that describes the API. Its content decides when endpoints are read again."""

    file: str | None = about(
        "Path of the document, relative to this manifest and inside the repository; a ZIP for "
        "WSDL with its schemas. Prefer it to `url`.",
        min_length=1,
    )
    url: Url | None = about("URL from which the Manager fetches it.")
    authorization: list[SourceAuthorization] = about("What is sent along to the URL.", [])
    soapToRest: bool = about("Offer a SOAP API as REST. It cannot change later.", False)
    enableWSA: bool = about("Add WS-Addressing (SOAP).", False)
    enableWSRM: bool = about("Add WS-ReliableMessaging (SOAP).", False)
    backendApiVersion: str | None = about("Version of the backend, shown in deploy histories.")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.file is not None and self.url is not None:
            raise ValueError("name file or url, not both")
        return self


class Address(Part):
    """A backend."""

    address: str = about("URL; the endpoint's path is put after it.", ..., min_length=1)
    description: str | None = about("What it is, in words.")
    weight: Annotated[int, Field(ge=0)] = about("Share of the requests (weighted algorithms).", 1)
    soapType: Literal["SOAP11", "SOAP12", "HTTP"] | None = about("Version of SOAP.")
    addressType: Literal["PRIMARY", "CANARY", "MIRROR", "FAILOVER_ONLY"] | None = about(
        "Whether it takes requests, a trial share, copies, or only what failed elsewhere."
    )
    healthCheckPath: str | None = about("Path that is asked whether the backend is well.")
    healthMonitoringEnabled: bool | None = about("Ask it, and leave out what is not well.")


class Routing(Merged):
    """Where requests go. Not for AI, MCP and A2A proxies: they have routings of their own."""

    loadBalanceAlgorithm: (
        Literal[
            "ROUND_ROBIN",
            "WEIGHTED",
            "WEIGHTED_ROUND_ROBIN",
            "LRU",
            "LEAST_CONNECTIONS",
            "RANDOM",
            "PICK_FIRST",
            "IP_HASH",
            "URL_HASH",
        ]
        | None
    ) = about("How requests are spread. Releases of the Manager differ in what they know.")
    addresses: list[Address] = about("Backends, in order.", [])
    enabled: bool | None = about("Pass requests to a backend at all.")
    echoEnabled: bool | None = about("Answer with the request itself.")


class ProxyMetadata(Merged):
    """How the proxy is listed and read."""

    categoryList: list[str] | None = about("Categories to find it by.")
    sharingType: Literal["BOTH", "NONE", "EXTERNAL", "INTERNAL"] | None = about(
        "Who sees it in the portal."
    )
    requestBodyReadBehavior: (
        Literal["ALWAYS_READ", "READ_IF_POLICY_EXISTS", "NEVER_READ"] | None
    ) = about("When the gateway reads the request's body.")
    responseBodyReadBehavior: (
        Literal["ALWAYS_READ", "READ_IF_POLICY_EXISTS", "NEVER_READ"] | None
    ) = about("When the gateway reads the response's body.")
    direction: Literal["REQUEST_RESPONSE", "REQUEST_ONLY", "RESPONSE_ONLY"] | None = about(
        "Which messages there are."
    )
    disableDirectAccessToGateways: bool | None = about("Reachable through its groups only.")
    globalApiProxySettingName: str | None = about("Settings group that it follows, by name.")
    backendProxyApplyPolicies: bool | None = about("Apply policies to the published document too.")
    fixSoapApiPortType: Literal["SOAP11", "SOAP12"] | None = about("The only version of SOAP.")


class EndpointCache(Part):
    """A cache for one endpoint, as in `settings.cache`."""

    model_config = ConfigDict(extra="allow")

    cacheActive: bool = about("Whether it is in use.", False)


class WsAddressing(Part):
    """WS-Addressing of one endpoint (SOAP)."""

    wsaEnabled: bool = about("Add the headers.", False)
    wsaMustUnderstand: Literal["NONE", "TRUE", "FALSE"] | None = about("Attribute mustUnderstand.")
    wsaVersion: Literal["V200408", "V200508"] | None = about("Version of WS-Addressing.")
    wsaAddDefaultAction: bool | None = about("Take Action from the WSDL.")
    wsaAction: str | None = about("Header Action.")
    wsaAddDefaultTo: bool | None = about("Take To from the address.")
    wsaTo: str | None = about("Header To.")
    wsaReplyTo: str | None = about("Header ReplyTo.")
    wsaGenerateMessageId: bool | None = about("Make a new MessageID.")
    wsaMessageId: str | None = about("Header MessageID.")
    wsaFrom: str | None = about("Header From.")
    wsaFaultTo: str | None = about("Header FaultTo.")
    wsaRelatesTo: str | None = about("Header RelatesTo.")
    wsaRelationShipType: str | None = about("Its attribute RelationshipType.")


class Endpoint(Part):
    """An endpoint. With a `source`, only what differs from the document needs to be said."""

    name: str = about("Path at the gateway, after the proxy's route (SOAP: the operation).", ...)
    httpMethod: HttpMethod = about("HTTP method.", ...)
    description: str | None = about("What it does, in words.")
    backendResourceUrl: str | None = about("Path at the backend.")
    backendHttpMethod: HttpMethod | None = about("HTTP method at the backend.")
    active: bool = about("Whether it answers; if not, the gateway says 404.", True)
    cache: EndpointCache | None = about("Cache for this endpoint.")
    wsa: WsAddressing | None = about("WS-Addressing (SOAP).")


class At(Part):
    """The endpoint that a policy is limited to."""

    endpoint: str = about("Path of the endpoint.", ...)
    httpMethod: HttpMethod = about("HTTP method of the endpoint.", ...)


class Policy(Part):
    """A step of a pipeline. What `spec` holds depends on `type`."""

    name: str = about("Name, unique in the proxy.", ..., min_length=1)
    type: PolicyType = about("What it does. It cannot change later.", ...)
    description: str | None = about("What it is for, in words.")
    active: bool = about("Whether it is in use.", True)
    condition: Condition | None = about("When it applies (absent: always).")
    errorMessageList: list[ErrorMessage] = about("Other error messages than the standard ones.", [])
    at: At | None = about("The endpoint that it is limited to (absent: all).")
    spec: dict[str, Any] = about("The fields of the type; `apiops explain TYPE` lists them.", {})


class Policies(Part):
    """The pipelines. Policies run in the order in which they are written."""

    request: list[Policy] = about("On the way to the backend.", [])
    response: list[Policy] = about("On the way back.", [])
    error: list[Policy] = about("When something failed.", [])

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        """The vendor compares names without case, over all pipelines (2.6)."""
        seen: set[str] = set()
        for policy in (*self.request, *self.response, *self.error):
            name = policy.name.casefold()
            if name in seen:
                raise ValueError(f"two policies have the name {policy.name!r}")
            seen.add(name)
        return self


class Deployment(Part):
    """A place where the proxy runs."""

    environment: str = about("Environment, by name.", ...)
    persistent: bool = about("Keep this revision when old ones are removed.", False)


class ApiProxySpec(Part):
    """An API as clients see it."""

    description: str = about("What it is for, in words.", "")
    type: Literal[
        "OPEN_API", "SWAGGER", "WSDL", "REVERSE_PROXY", "EMPTY_API", "AI", "MCP", "A2A"
    ] = about(
        "What the proxy is made from: a document (OPEN_API, SWAGGER, WSDL), every path of a "
        "backend (REVERSE_PROXY), the endpoints written here (EMPTY_API), a model (AI), tools "
        "(MCP) or an agent (A2A). It cannot change later.",
        ...,
    )
    source: Source | None = about("The document (OPEN_API, SWAGGER, WSDL).")
    clientRoute: ClientRoute = about("Which requests reach the proxy.", ...)
    routing: Routing | None = about("Where requests go.")
    metadata: ProxyMetadata | None = about("How the proxy is listed and read.")
    settings: Settings | None = about("Everything else that can be set; what is left out stays.")
    endpoints: list[Endpoint] = about(
        "Endpoints; with a `source`, only what differs from the document.", []
    )
    policies: Policies | None = about("What happens to messages on their way.")
    aiRouting: AiRouting | None = about("Which model answers (AI, A2A).")
    mcpRouting: McpRouting | None = about("Where tools are found (MCP).")
    a2aRouting: A2aRouting | None = about("How the agent is offered (A2A).")
    trafficLog: dict[str, TrafficLog] | None = about("What is logged, by environment.")
    deployments: list[Deployment] = about("Where the proxy runs.", [])

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        """Vendor document, 2.5.1 and 2.5.4."""
        if self.type in SPECIFIED and (
            self.source is None or (self.source.file is None and self.source.url is None)
        ):
            raise ValueError(f"type {self.type} needs source.file or source.url")
        if self.type not in SPECIFIED and self.source is not None:
            raise ValueError(f"type {self.type} has no source")
        needed = AGENTS.get(self.type)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"type {self.type} needs {needed}")
        if needed is not None and self.routing is not None:
            raise ValueError(f"type {self.type} has {needed} instead of routing")
        allowed = {needed, "aiRouting"} if self.type == "A2A" else {needed}
        for routing in AGENTS.values():
            if routing not in allowed and getattr(self, routing) is not None:
                raise ValueError(f"type {self.type} has no {routing}")
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        endpoints = [(endpoint.name, endpoint.httpMethod) for endpoint in self.endpoints]
        places = [deployment.environment for deployment in self.deployments]
        for what, values in (("endpoint", endpoints), ("deployment", places)):
            if len(set(values)) < len(values):
                raise ValueError(f"the same {what} is written twice")
        return self

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        """Vendor document, 2.5.3: the routing-shaped settings are refused for AI kinds."""
        if self.type in AGENTS and self.settings is not None:
            given = sorted(self.settings.model_fields_set & ROUTED_ONLY)
            if given:
                raise ValueError(f"type {self.type} has no settings.{given[0]}")
        return self


ROUTED_ONLY = frozenset(
    {
        "connection",
        "circuitBreaker",
        "mtls",
        "ntlm",
        "proxyServer",
        "errorHandling",
        "customMessage",
        "grpc",
        "websocket",
    }
)
"""Settings of proxies that have an ordinary backend."""
