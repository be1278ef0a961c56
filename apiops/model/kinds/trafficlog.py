"""What a proxy logs of its traffic, per environment and connection (vendor document, 2.5.8)."""

from pydantic import ConfigDict

from apiops.model.kinds.parts import HttpMethod, Merged, Part, PiiRule, about


class _Flags(Merged):
    logParamRequestFromClient: bool | None = about("Log query parameters as the client sent them.")
    logHeaderRequestFromClient: bool | None = about("Log headers as the client sent them.")
    logBodyRequestFromClient: bool | None = about("Log the body as the client sent it.")
    logParamRequestToTarget: bool | None = about("Log query parameters as sent to the backend.")
    logHeaderRequestToTarget: bool | None = about("Log headers as sent to the backend.")
    logBodyRequestToTarget: bool | None = about("Log the body as sent to the backend.")
    logHeaderResponseFromTarget: bool | None = about("Log headers as the backend sent them.")
    logBodyResponseFromTarget: bool | None = about("Log the body as the backend sent it.")
    logHeaderResponseToClient: bool | None = about("Log headers as sent to the client.")
    logBodyResponseToClient: bool | None = about("Log the body as sent to the client.")


class ConnectorLog(_Flags):
    """What one connection receives; a flag left out is inherited from the environment's."""

    model_config = ConfigDict(json_schema_extra=None)

    enabled: bool = about("Whether it receives anything.", False)
    enableMetadataIdentification: bool | None = about("Log who called.")
    enableMetadataApiProxy: bool | None = about("Log which proxy was called.")
    enableMetadataRequest: bool | None = about("Log facts about the request.")
    enableMetadataResponse: bool | None = about("Log facts about the response.")
    enableMetrics: bool | None = about("Log times and sizes.")
    enableSentAddress: bool | None = about("Log the backend's address.")
    enableBodyFromClient: bool | None = about("Log the client's body.")
    sizeBodyFromClient: int | None = about("How much of it, in bytes.", ge=0)
    enableBodyToTarget: bool | None = about("Log the body sent to the backend.")
    sizeBodyToTarget: int | None = about("How much of it, in bytes.", ge=0)
    enableBodyFromTarget: bool | None = about("Log the backend's body.")
    sizeBodyFromTarget: int | None = about("How much of it, in bytes.", ge=0)
    enableBodyToClient: bool | None = about("Log the body sent to the client.")
    sizeBodyToClient: int | None = about("How much of it, in bytes.", ge=0)
    enablePrivacy: bool = about("Hide personal data by the rules below.", False)
    privacyDefinitionList: list[PiiRule] = about("What to hide, and how.", [])


class MethodLog(Part):
    """Other rules for one endpoint."""

    endpoint: str = about("Path of the endpoint.", ...)
    httpMethod: HttpMethod = about("HTTP method of the endpoint.", ...)
    connectors: dict[str, ConnectorLog] = about("What each connection receives, by its name.", ...)


class TrafficLog(_Flags):
    """What is logged in one environment. A flag left out keeps its value (at first: true)."""

    connectors: dict[str, ConnectorLog] | None = about(
        "What each connection receives, by its name. It must be a log recipient of the environment."
    )
    methods: list[MethodLog] | None = about("Other rules for some endpoints.")
