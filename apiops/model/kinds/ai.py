"""Specs around models: providers, and how AI, MCP and A2A proxies route."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from apiops.model.kinds.models import AuthScheme, ModelFacts
from apiops.model.kinds.parts import MutualTls, Part, PossibleSecret, SecretText, about

RetryDelay = Literal["NO_DELAY", "FIXED", "EXPONENTIAL_BACKOFF"]
Share = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class SupportedModel(ModelFacts):
    """A model that a provider offers."""

    modelId: str = about("Id of the model at the provider.", ...)


class Metadata(Part):
    """A fact kept beside the provider."""

    key: str = about("Name of the fact.", ...)
    value: PossibleSecret | None = about("The fact; a secret when `secret` is true.")
    secret: bool = about("Whether nobody may read it.", False)


class LlmProviderSpec(Part):
    """An account at a model vendor, or a model server of one's own."""

    description: str = about("What it is for, in words.", "")
    enabled: bool = about("Whether it is in use.", True)
    providerType: Literal[
        "OPENAI",
        "ANTHROPIC",
        "AZURE_OPENAI",
        "BEDROCK",
        "VERTEX",
        "COHERE",
        "MISTRAL",
        "DEEPSEEK",
        "GROQ",
        "MOONSHOT",
        "ZHIPU",
        "QWEN_DASHSCOPE",
        "VLLM",
        "OLLAMA",
        "CUSTOM_OPENAI_COMPAT",
        "VOYAGE",
        "OTHER",
    ] = about("The provider; it fills in endpoint, version and scheme that are left out.", ...)
    endpoint: str | None = about("Base URL of the provider's API.")
    apiVersion: str | None = about("Version of the provider's API.")
    organizationId: str | None = about("Organisation to account to.")
    authScheme: AuthScheme | None = about("How the gateway authenticates.")
    authHeaderName: str | None = about("Header of the key (API_KEY_HEADER, CUSTOM).")
    apiKey: SecretText | None = about("The key.")
    apiSecret: SecretText | None = about("The second half of the key, where there is one.")
    region: str | None = about("Region (BEDROCK, VERTEX).")
    serviceAccountJson: SecretText | None = about("Service account, as JSON text (VERTEX).")
    supportedModels: list[SupportedModel] = about("Models that it offers.", [])
    providerRpmLimit: Count | None = about("Most requests per minute.")
    providerTpmLimit: Count | None = about("Most tokens per minute.")
    coldStartRetryEnabled: bool | None = about("Try again while the model server starts.")
    deploymentType: Literal["CLOUD", "ON_PREM"] | None = about("Where it runs.")
    providerDefinition: str | None = about(
        "The definition that it follows, by name, where it is one of this project's."
    )
    allowedModelIds: list[str] = about("Models that may be used (empty: all).", [])
    metadata: list[Metadata] = about("Further facts.", [])


class FailoverTarget(Part):
    """Where a request goes when the provider before fails."""

    llmProviderRefName: str = about("Provider, by name.", ...)
    modelId: str = about("Model.", ...)
    credentialRef: str | None = about("Stored credential to use, by name.")
    timeoutMs: Count | None = about("How long to wait, in milliseconds.")
    orderIndex: Count | None = about("Place in the chain.")
    displayName: str | None = about("Name to show.")


class PoolTarget(Part):
    """One of the providers that requests are spread over."""

    llmProviderRefName: str = about("Provider, by name.", ...)
    modelId: str = about("Model.", ...)
    weight: Count | None = about("Share of the requests (WEIGHTED).")
    displayName: str | None = about("Name to show.")


class ConditionalRoute(Part):
    """A provider for requests of some kind."""

    name: str = about("Name of the route.", ...)
    condition: dict[str, Any] | str | None = about("When it is taken.")
    llmProviderRefName: str = about("Provider, by name.", ...)
    modelId: str = about("Model.", ...)
    semanticUtterances: list[str] = about("Sentences that requests must be like.", [])
    semanticThreshold: Annotated[float, Field(ge=0, le=1)] | None = about("How like, from 0 to 1.")


class AiRouting(Part):
    """Which model answers. It is replaced as a whole: a field left out means its default."""

    llmProviderRefName: str | None = about("Provider, by name.")
    modelId: str | None = about("Model.")
    streaming: bool = about("Send the answer while it is made.", False)
    timeoutSeconds: Count = about("How long the answer may take, in seconds.", 60)
    connectTimeoutSeconds: Count = about("How long connecting may take, in seconds.", 10)
    streamTimeoutSeconds: Count = about("How long a stream may take, in seconds.", 120)
    maxResponseBytes: Count | None = about("Largest answer, in bytes.")
    maxChunks: Count | None = about("Most pieces of a stream.")
    retryCount: Count = about("How often to try again at the same provider.", 0)
    retryDelayType: RetryDelay | None = about("How the wait between tries grows.")
    retryFixedDelayMs: Count = about("Wait between tries, in milliseconds (FIXED).", 500)
    retryInitialDelayMs: Count = about("First wait, in ms (EXPONENTIAL_BACKOFF).", 500)
    retryMaxDelayMs: Count = about("Longest wait, in ms (EXPONENTIAL_BACKOFF).", 10000)
    retryBackoffMultiplier: Share = about("Factor from wait to wait.", 2.0)
    failoverStrategy: Literal["SEQUENTIAL", "ROUND_ROBIN", "CONDITIONAL"] | None = about(
        "How the next provider is chosen after a failure."
    )
    providerFailoverChain: list[FailoverTarget] = about("Providers to fall back on, in order.", [])
    failoverStatusCodeList: list[int] = about("HTTP statuses that count as a failure.", [])
    failoverRetryCount: Count = about("How often to go to the next provider.", 1)
    conditionalLatencyThresholdMs: Count | None = about(
        "Latency that counts as a failure, in milliseconds (CONDITIONAL)."
    )
    primaryPool: list[PoolTarget] = about("Providers that requests are spread over.", [])
    enumAiRoutingAlgorithm: (
        Literal["ROUND_ROBIN", "WEIGHTED", "RANDOM", "LEAST_COST", "PREFIX_AFFINITY", "LRU"] | None
    ) = about("How requests are spread over the pool.")
    leastCostOutputRatio: Share = about("Expected output per input token (LEAST_COST).", 0.25)
    affinityKeyHeader: str = about("Header that keeps a session together.", "session_id")
    affinityLoadFactor: Share = about("How uneven the load may be (PREFIX_AFFINITY).", 1.25)
    conditionalRoutes: list[ConditionalRoute] = about("Providers for requests of some kind.", [])
    semanticEmbeddingProviderRef: str | None = about("Provider of embeddings, by name.")
    semanticEmbeddingModelId: str = about("Model of embeddings.", "text-embedding-3-small")
    circuitBreakerEnabled: bool = about("Stop calling a provider that keeps failing.", False)
    errorWindow: Count = about("Window in which failures are counted, in seconds.", 10)
    errorThresholdValue: Count = about("Failures after which the circuit opens.", 1)
    enumErrorThresholdType: Literal["COUNT", "PERCENTAGE", "PERCENT"] | None = about(
        "Whether the threshold is a number or a share."
    )
    sleepWindow: Count = about("How long the circuit stays open, in seconds.", 10)
    halfOpenEnabled: bool = about("Let one request through to try.", False)
    proxyEnabled: bool | None = about("Go through an HTTP proxy.")
    proxyHost: str | None = about("Host of the HTTP proxy.")
    proxyPort: Annotated[int, Field(ge=1, le=65535)] | None = about("Port of the HTTP proxy.")
    proxyAuthorizationNeeded: bool | None = about("Log in at the HTTP proxy.")
    proxyUsername: str | None = about("User name at the HTTP proxy.")
    proxyPassword: SecretText | None = about("Password at the HTTP proxy.")
    mTLSSettings: MutualTls | None = about("Client certificate and trust for TLS.")
    disableSslValidation: bool | None = about("Do not check the provider's certificate.")
    blockAnonymousRequests: bool = about("Refuse requests without a credential.", False)
    anonymousBudget: dict[str, Any] | None = about("Token budget of such requests together.")

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if not (self.llmProviderRefName or self.primaryPool or self.conditionalRoutes):
            raise ValueError("name llmProviderRefName, or give a primaryPool or conditionalRoutes")
        if self.llmProviderRefName and not self.modelId:
            raise ValueError("llmProviderRefName needs modelId")
        return self


class ExposedTool(Part):
    """A tool that an MCP proxy makes of another proxy's endpoint."""

    apiProxyName: str = about("The other proxy, by name; the Manager's `proxyId`.", ...)
    toolName: str = about("Name of the tool.", ...)
    toolDescription: str | None = about("What the tool does, for the model.")
    overrideSchema: dict[str, Any] | str | None = about("JSON Schema of the arguments.")
    apiMethodHttpMethod: str | None = about("HTTP method of the endpoint.")
    apiMethodPath: str | None = about("Path of the endpoint.")
    requiredScopes: list[str] = about("Scopes that the caller must have.", [])
    argumentConstraints: list[dict[str, Any]] = about("Rules that the arguments must meet.", [])


class BackendServer(Part):
    """A server behind an MCP or A2A proxy. What the Manager finds out itself is left out here."""

    name: str = about("Name.", ...)
    endpoint: str = about("URL.", ...)
    transport: Literal["HTTP_SSE"] | None = about("How messages are carried.")
    authScheme: Literal["BEARER", "OAUTH2_CLIENT_CREDENTIALS", "OAUTH", "MTLS", "NONE"] = about(
        "How the gateway authenticates.", "NONE"
    )
    bearerToken: SecretText | None = about("Token (BEARER).")
    credentialRef: str | None = about("Stored credential to use, by name.")
    tokenEndpoint: str | None = about("URL where tokens are fetched.")
    clientId: str | None = about("Client id.")
    clientSecret: SecretText | None = about("Client secret.")
    scope: str | None = about("Scopes to ask for.")
    mTLSSettings: MutualTls | None = about("Client certificate and trust for TLS.")
    driftPolicy: Literal["WARN_ONLY", "FAIL_CLOSED"] | None = about(
        "When the server's catalogue changes: warn, or refuse to call it."
    )
    allowPrivateNetworkEgress: bool | None = about("The server may be in a private network.")


class AccessRule(Part):
    """Who may use which tools or skills."""

    model_config = ConfigDict(extra="allow")

    principalType: Literal["CREDENTIAL", "ROLE", "ORGANIZATION"] = about(
        "What kind of caller.", ...
    )


class _AgentRouting(Part):
    identityAcl: list[AccessRule] = about("Who may use what (empty: everybody).", [])
    callQuota: dict[str, Any] | None = about("How many calls are allowed.")
    tokenForwardSettings: dict[str, Any] | None = about("Which token is passed to the server.")


class McpRouting(_AgentRouting):
    """Where an MCP proxy finds its tools. It is replaced as a whole."""

    routingMode: Literal["TOOL_EXPOSE", "PASSTHROUGH"] = about(
        "TOOL_EXPOSE makes tools of other proxies; PASSTHROUGH passes calls to MCP servers.", ...
    )
    protocolVersion: Literal["2024-11-05", "2025-06-18", "2026-07-28"] = about(
        "Version of the protocol.", "2025-06-18"
    )
    exposedTools: list[ExposedTool] = about("Tools (TOOL_EXPOSE).", [])
    backendServers: list[BackendServer] = about("MCP servers (PASSTHROUGH).", [], max_length=10)
    allowedToolNames: list[str] = about("Tools that may be called (empty: all).", [])
    toolOutputFilter: dict[str, Any] | None = about("What is taken out of a tool's output.")
    argumentConstraints: list[dict[str, Any]] = about("Rules that the arguments must meet.", [])

    @model_validator(mode="after")
    def _has_servers(self) -> Self:
        if self.routingMode == "PASSTHROUGH" and not self.backendServers:
            raise ValueError("routingMode PASSTHROUGH needs backendServers")
        return self


class Skill(Part):
    """What an agent can do."""

    id: str = about("Id of the skill.", ...)
    name: str = about("Name of the skill.", ...)
    description: str | None = about("What it does, in words.")
    tags: list[str] = about("Words to find it by.", [])


class AgentCard(Part):
    """How an agent presents itself."""

    descriptionOverride: str | None = about("Description to show instead of the proxy's.")
    inputModes: list[str] = about("Media types that it reads.", [])
    outputModes: list[str] = about("Media types that it writes.", [])
    skills: list[Skill] = about("Its skills.", [])


class A2aRouting(_AgentRouting):
    """How an agent is offered. It is replaced as a whole."""

    routingMode: Literal["AGENT_EXPOSE", "PASSTHROUGH"] = about(
        "AGENT_EXPOSE offers this proxy's model; PASSTHROUGH passes calls to agents.",
        "AGENT_EXPOSE",
    )
    protocolVersion: str | None = about("Version of the protocol.")
    agentCard: AgentCard | None = about("How the agent presents itself.")
    pushSettings: dict[str, Any] | None = about("Notifications of finished tasks.")
    backendServers: list[BackendServer] = about("Agents (PASSTHROUGH).", [], max_length=10)
    allowedSkillNames: list[str] = about("Skills that may be called (empty: all).", [])

    @model_validator(mode="after")
    def _has_servers(self) -> Self:
        if self.routingMode == "PASSTHROUGH" and not self.backendServers:
            raise ValueError("routingMode PASSTHROUGH needs backendServers")
        return self
