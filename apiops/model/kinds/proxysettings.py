"""The settings of an API proxy, one class per setting (vendor document, 2.5.3).

A setting left out is unmanaged. Of those that are given, some are merged field by field
(`Merged`) and some replace what was there (`Part`), as the vendor's API does.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apiops.model.kinds.parts import (
    ErrorMessage,
    HttpMethod,
    HttpStatus,
    Merged,
    Part,
    Port,
    Seconds,
    SecretText,
    Variable,
    about,
)

Storage = Literal["LOCAL", "DISTRIBUTED"]
Count = Annotated[int, Field(ge=0)]


class Cors(Part):
    """Which web pages of other origins may call the API. Replaced as a whole."""

    name: str = about("Name that the Manager asks for.", "cors")
    description: str | None = about("What it is for, in words.")
    corsActive: bool = about("Whether it is in use.", False)
    allowOriginList: list[str] = about("Origins that may call; `*` is any.", [])
    allowMethodList: list[HttpMethod] = about("Methods that they may use.", [])
    allowHeaderList: list[str] = about("Headers that they may send.", [])
    exposeHeaderList: list[str] = about("Headers that they may read.", [])
    allowCredentials: Literal["true", "false"] = about(
        "Whether they may send cookies. A text in quotes, as the Manager has it.", "false"
    )
    maxAge: Seconds = about("How long browsers may remember the answer, in seconds.", 3600)

    @model_validator(mode="after")
    def _not_everybody_with_cookies(self) -> Self:
        if "*" in self.allowOriginList and self.allowCredentials == "true":
            raise ValueError("origin * cannot go with allowCredentials: name the origins")
        return self


class Cache(Part):
    """Keeps responses and uses them again. Replaced as a whole."""

    name: str = about("Name that the Manager asks for.", "cache")
    description: str | None = about("What it is for, in words.")
    cacheActive: bool = about("Whether it is in use.", False)
    cacheOnlyHttpGetRequests: bool = about("Only for GET.", True)
    cacheKeyType: Literal["QUERY_PARAMS", "CUSTOM"] | None = about(
        "What tells one response from another: query parameters, or the variables below."
    )
    cacheStorageType: Storage | None = about("LOCAL: per worker. DISTRIBUTED: shared by all.")
    capacity: Count | None = about("How many responses to keep.")
    ttl: Seconds | None = about("How long to keep a response, in seconds.")
    handlingAction: Literal["CONTINUE", "STOP"] = about(
        "When the cache does not answer: go on without it, or refuse the request.", ...
    )
    invalidationRequiresAuthn: bool = about("Only clients that log in may empty it.", False)
    cacheNullValue: bool = about("Keep empty responses too.", False)
    variableList: list[Variable] = about("The variables (CUSTOM).", [])


class Idempotency(Part):
    """Carries out a repeated request once. Replaced as a whole."""

    idempotencyActive: bool = about("Whether it is in use.", False)
    keyType: Literal["HEADER", "CUSTOM"] | None = about("Where the key is read from.")
    headerName: str = about("Header that holds the key (HEADER).", "Idempotency-Key")
    variableList: list[Variable] = about("Variables that make the key (CUSTOM).", [])
    keyRequired: bool = about("Refuse requests without a key.", False)
    missingKeyHttpStatus: HttpStatus = about("HTTP status of that refusal.", 400)
    applicableHttpMethods: list[HttpMethod] = about(
        "Methods that it is about.", ["POST", "PUT", "PATCH", "DELETE"]
    )
    payloadHashEnabled: bool = about("A repeated key must come with the same body.", True)
    processingTimeoutInSeconds: Seconds = about("How long the first may take, in seconds.", 60)
    retentionInDays: Annotated[int, Field(ge=1, le=30)] = about(
        "How long responses are remembered, in days, 1 to 30.", 7
    )
    cacheStorageType: Storage = about("LOCAL: per worker. DISTRIBUTED: shared.", "DISTRIBUTED")
    handlingAction: Literal["CONTINUE", "STOP"] | None = about(
        "When the memory does not answer: go on without it, or refuse the request."
    )
    cacheConnectionTimeoutInSeconds: Seconds = about("How long to wait for it, in seconds.", 3)
    conflictHttpStatus: HttpStatus = about("HTTP status while the first is not done.", 409)
    mismatchHttpStatus: HttpStatus = about("HTTP status when the body differs.", 422)
    replayCompletedResponse: bool = about("Send the first response again.", True)
    conflictMessage: str | None = about("Message while the first is not done.")
    mismatchMessage: str | None = about("Message when the body differs.")
    missingKeyMessage: str | None = about("Message when the key is missing.")
    errorContentType: str | None = about("Content type of these messages.")
    conflictBodyEnabled: bool = about("Send a message while the first is not done.", True)
    mismatchBodyEnabled: bool = about("Send a message when the body differs.", True)
    missingKeyBodyEnabled: bool = about("Send a message when the key is missing.", True)


class Connection(Merged):
    """How the gateway connects to the backend."""

    connectionSettingsEnabled: bool | None = about("Use these instead of the general ones.")
    connectTimeout: Seconds | None = about("How long connecting may take, in seconds.")
    readTimeout: Seconds | None = about("How long the backend may be silent, in seconds.")
    connectionRequestTimeout: Seconds | None = about(
        "How long to wait for a connection of the pool, in seconds."
    )
    validateAfterInactivity: Count | None = about(
        "Idle time after which a connection is tested, in milliseconds; the Manager starts "
        "with 2000."
    )
    idleConnectionTimeout: Seconds | None = about(
        "Idle time after which a connection is closed, in seconds; the Manager starts with 30."
    )
    redirectsEnabled: bool | None = about("Follow redirects.")
    maxRedirects: Count | None = about("Most redirects.")
    relativeRedirectsAllowed: bool | None = about("Follow relative redirects.")
    disableContentCompression: bool | None = about("Do not ask for compressed bodies.")
    enableStreaming: bool | None = about("Pass bodies on while they come.")
    retryCount: Count | None = about("How often to try again at the same backend.")
    failoverRetryCount: Count | None = about("How often to go to the next backend.")
    ignoreRoutingError: bool | None = about("Go on with the response pipeline after a failure.")
    queryEncodingMode: Literal["STANDARD", "RFC3986", "PASSTHROUGH"] | None = about(
        "How query parameters are encoded."
    )
    connectionPoolManagementType: Literal["GENERAL", "CUSTOM", "NONE"] | None = about(
        "Which pool is used."
    )
    customConnectionPoolSize: Count | None = about("Size of the pool (CUSTOM).")
    hopByHopHeaders: list[str] | None = about("Headers that are not passed on.")
    sendUserAgentToBackend: bool | None = about("Pass the client's user agent on.")
    userAgentValue: str | None = about("User agent to send instead.")
    doNotRouteZeroValueContentLength: bool | None = about("Leave out a Content-Length of 0.")
    enableDownload: bool | None = about("Pass files on as they are.")
    useByteArrayForCompressedResponse: bool | None = about("Keep compressed responses as bytes.")


class CircuitBreaker(Merged):
    """Stops calling a backend that keeps failing."""

    circuitBreakerEnabled: bool | None = about("Whether it is in use.")
    errorWindow: Seconds | None = about("Window in which failures are counted, in seconds.")
    errorThresholdValue: Count | None = about("Failures after which the circuit opens.")
    enumErrorThresholdType: Literal["COUNT", "PERCENT", "PERCENTAGE"] | None = about(
        "Whether the threshold is a number or a share."
    )
    sleepWindow: Seconds | None = about("How long the circuit stays open, in seconds.")
    halfOpenEnabled: bool | None = about("Let one request through to try.")


class Mtls(Merged):
    """Mutual TLS with the backend."""

    enabled: bool | None = about("Whether it is in use.")
    keyStore: str | None = about("Keystore with the gateway's key, by name.")
    trustStore: str | None = about("Truststore, by name.")
    supportedProtocolList: (
        list[Literal["TLS_1_3", "TLS_1_2", "TLS_1_1", "TLS_1_0", "SSL_3_0"]] | None
    ) = about("Versions of TLS that are allowed.")
    hostnameVerifierType: Literal["NOOP", "DEFAULT", "STRICT", "BROWSER_COMPAT"] | None = about(
        "How the backend's name is checked; NOOP is not at all."
    )
    disableSslValidation: bool | None = about("Do not check the backend's certificate.")


class Ntlm(Part):
    """NTLM login at the backend. Replaced as a whole."""

    enabled: bool = about("Whether it is in use.", False)
    domain: str | None = about("Domain.")
    username: str | None = about("User name.")
    password: SecretText | None = about("Password.")
    workstation: str | None = about("Workstation.")


class ProxyServer(Merged):
    """An HTTP proxy between gateway and backend."""

    proxyEnabled: bool | None = about("Whether it is in use.")
    proxyFromHeaderEnabled: bool | None = about("Take its address from a header of the request.")
    proxyHost: str | None = about("Host.")
    proxyPort: Port | None = about("Port.")
    proxyAuthorizationNeeded: bool | None = about("Log in there.")
    proxyUsername: str | None = about("User name.")
    proxyPassword: SecretText | None = about("Password.")


class JsonErrorTemplate(Part):
    """How errors are written in JSON. Replaced as a whole."""

    jsonErrorResponseTemplateActive: bool = about("Whether it is in use.", False)
    jsonValue: str | None = about(
        "Template with #CORRELATIONID#, #FAULTCODE#, #FAULTMESSAGE#, #FAULTSTATUSCODE# and "
        "#RESPONSEFROMAPI#; quote it, or YAML takes the # for a comment."
    )
    contentType: str | None = about("Content type.")
    permitSpecialChars: bool = about("Leave special characters as they are.", False)


class XmlErrorTemplate(Part):
    """How errors are written in XML. Replaced as a whole."""

    xmlErrorResponseTemplateActive: bool = about("Whether it is in use.", False)
    xmlValue: str | None = about("Template with the same places as the JSON template.")
    contentType: str | None = about("Content type.")
    permitSpecialChars: bool = about("Leave special characters as they are.", False)


class ForwardedIpHeader(Part):
    """Which header holds the client's address. Replaced as a whole."""

    forwardedIpHeaderParamActive: bool = about("Whether it is in use.", False)
    value: str = about("Name of the header.", "X-Forwarded-For")
    xffOrder: Literal["FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "LAST"] | None = about(
        "Which of its addresses is the client's."
    )


class Keys(Merged):
    """Keys of the proxy, for scripts and policies."""

    publicKey: SecretText | None = about("Public key; the Manager keeps it encrypted too.")
    secretKey: SecretText | None = about("Secret key.")


class ErrorHandling(Merged):
    """Which answers of the backend count as errors."""

    errorHandlingType: Literal["DEFAULT", "ADVANCED", "STATUS_CODE_LIST"] | None = about(
        "How errors are told from answers."
    )
    statusCodeList: list[HttpStatus] | None = about("HTTP statuses (STATUS_CODE_LIST).")
    customizeErrorMessageEnabled: bool | None = about("Send the messages below instead.")
    errorMessageList: list[ErrorMessage] | None = about("Error messages.")


class CustomMessage(Merged):
    """A message that is sent instead of the backend's."""

    buildCustomMessage: bool | None = about("Whether it is in use.")
    customMessageTemplate: str | None = about("Template of the message.")
    customMessageContentType: str | None = about("Content type.")
    customMessageHttpStatusCode: HttpStatus | None = about("HTTP status.")


class MaintenanceMode(Merged):
    """Answers every request with a message while the backend is down on purpose."""

    enabled: bool | None = about("Whether it is in use.")
    httpStatusCode: HttpStatus | None = about("HTTP status.")
    contentType: str | None = about("Content type.")
    message: str | None = about("Message.")


class Grpc(Merged):
    """gRPC channels. Only for gRPC proxies."""

    maxInboundMessageSize: Count | None = about("Largest message, in bytes.")
    maxInboundMetadataSize: Count | None = about("Largest metadata, in bytes.")
    keepAliveTime: Count | None = about("Interval of pings.")
    keepAliveTimeout: Count | None = about("How long to wait for a ping's answer.")
    keepAliveWithoutCalls: bool | None = about("Ping even when there is no call.")
    channelIdleTimeout: Count | None = about("Idle time after which a channel is closed.")
    perRpcBufferLimit: Count | None = about("Buffer of a call, in bytes.")
    maxRetryAttempts: Count | None = about("How often to try again.")
    maxHedgedAttempts: Count | None = about("How many attempts at once.")
    maxTraceEvents: Count | None = about("Trace events kept per channel.")


class Websocket(Merged):
    """WebSocket connections. Only for WebSocket proxies."""

    connectionLostTimeout: Seconds | None = about("Silence after which a connection is lost.")
    reuseAddr: bool | None = about("Reuse local addresses at once.")
    connectTimeout: Count | None = about("How long connecting may take.")
    maxRetries: Count | None = about("How often to try again.")
    retryDelay: Count | None = about("Wait between tries, in milliseconds.")
    autoReconnect: bool | None = about("Connect again when a connection is lost.")
    autoReconnectMaxRetries: Count | None = about("How often to connect again.")
    autoReconnectRetryDelay: Count | None = about("Wait before that, in milliseconds.")


class SpecAccess(Merged):
    """Who may read the proxy's own API description at the gateway."""

    type: Literal["PUBLIC", "AUTHENTICATED", "HIDDEN", "BACKEND_PROXY"] | None = about(
        "Everybody, clients that log in, nobody, or whoever the backend lets."
    )
    checkApiProxyPermission: bool | None = about("The client must have access to the proxy.")


class Settings(Merged):
    """Settings of a proxy; what is left out stays as it is."""

    cors: Cors | None = about("Which web pages of other origins may call.")
    cache: Cache | None = about("Keeps responses.")
    idempotency: Idempotency | None = about("Carries out a repeated request once.")
    connection: Connection | None = about("How the gateway connects to the backend.")
    circuitBreaker: CircuitBreaker | None = about("Stops calling a failing backend.")
    mtls: Mtls | None = about("Mutual TLS with the backend.")
    ntlm: Ntlm | None = about("NTLM login at the backend.")
    proxyServer: ProxyServer | None = about("An HTTP proxy on the way.")
    jsonErrorTemplate: JsonErrorTemplate | None = about("How errors are written in JSON.")
    xmlErrorTemplate: XmlErrorTemplate | None = about("How errors are written in XML.")
    forwardedIpHeader: ForwardedIpHeader | None = about("Where the client's address is.")
    keys: Keys | None = about("Keys of the proxy.")
    errorHandling: ErrorHandling | None = about("Which answers count as errors.")
    customMessage: CustomMessage | None = about("A message instead of the backend's.")
    maintenanceMode: MaintenanceMode | None = about("A message while the backend is down.")
    grpc: Grpc | None = about("gRPC channels.")
    websocket: Websocket | None = about("WebSocket connections.")
    specAccess: SpecAccess | None = about("Who may read the API description.")
