"""Spec of rate limit control lists."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apiops.model.kinds.parts import Condition, HttpMethod, Operator, Part, Variable, about

Messages = Annotated[int, Field(ge=0)]
Length = Annotated[int, Field(ge=1)]
Interval = Literal["ONE_SECOND", "ONE_MINUTE", "ONE_HOUR", "ONE_DAY", "ONE_MONTH"]
CacheError = Literal["FAIL", "CONTINUE"]
Window = Literal["FIXED", "SLIDING"]


class AudienceRule(Part):
    """A test of the identity; one that holds is enough."""

    operator: Operator = about("How it is compared.", ...)
    value: str = about("With what it is compared.", ...)


class EndpointLimit(Part):
    """How often one endpoint may be called."""

    apiProxyName: str = about("The proxy, by name.", ...)
    endpointName: str = about("Path of the endpoint; ALL, with the method ALL: all of them.", ...)
    endpointHTTPMethod: HttpMethod = about("HTTP method of the endpoint.", ...)
    permittedMessageCount: Messages = about("Calls per interval.", ...)
    timeIntervalPeriodLength: Length = about("How many intervals are one.", ...)
    timeInterval: Interval = about("The interval.", ...)
    timeIntervalWindowType: Window = about("Whether the interval moves along.", ...)
    cacheConnectionTimeoutInSeconds: Messages = about(
        "How long to wait for the counters, in seconds.", ...
    )
    cacheErrorHandlingType: CacheError = about("What happens without the counters.", ...)
    targetVariable: Variable | None = about("What tells one caller from another.")
    targetIdentityValue: str | None = about("The caller that is meant (absent: each).")
    showRateLimitStatisticsInResponseHeader: bool = about("Tell callers what is left.", False)
    enabled: bool = about("Whether it is in use.", True)


class RlclSpec(Part):
    """How often which clients may call what."""

    description: str = about("What it is for, in words.", "")
    enabled: bool = about("Whether it is in use.", True)
    executionOrder: Literal[
        "BEFORE_PROXY_GROUP",
        "AFTER_PROXY_GROUP",
        "BEFORE_API_PROXY",
        "AFTER_API_PROXY",
        "BEFORE_API_METHOD",
        "AFTER_API_METHOD",
    ] = about("When it is looked at.", "BEFORE_API_PROXY")
    cacheConnectionTimeoutInSeconds: Messages = about(
        "How long to wait for the counters, in seconds.", 3
    )
    cacheErrorHandlingType: CacheError | None = about("What happens without the counters.")
    timeIntervalWindowType: Window | None = about("Whether intervals move along.")
    showRateLimitStatisticsInResponseHeader: bool = about("Tell callers what is left.", False)
    identitySource: Literal["VARIABLE", "AUTH_RESOLVED"] | None = about(
        "Who the caller is: a part of the message, or whom a policy has authenticated."
    )
    targetVariable: Variable | None = about("The part of the message (VARIABLE).")
    targetAudienceRuleList: list[AudienceRule] = about("Callers that are meant (empty: all).", [])
    outOfTargetAction: Literal["BLOCK", "GENERAL_QUOTA"] | None = about(
        "What happens to others: refused, or limited together."
    )
    generalQuotaMode: Literal["TOTAL", "PER_IDENTITY"] | None = about(
        "Whether others are counted together or each (GENERAL_QUOTA)."
    )
    generalQuotaPermittedMessageCount: Messages | None = about("Their calls per interval.")
    generalQuotaTimeIntervalPeriodLength: Length | None = about("How many intervals are one.")
    generalQuotaTimeInterval: Interval | None = about("The interval.")
    credentials: list[str] = about("Clients that it holds for, by name (empty: all).", [])
    endpoints: list[EndpointLimit] = about("Limits of single endpoints.", [])
    condition: Condition | None = about("When it applies (absent: always).")

    @model_validator(mode="after")
    def _quota_is_complete(self) -> Self:
        """Vendor document, 2.15."""
        needed = (
            "generalQuotaPermittedMessageCount",
            "generalQuotaTimeIntervalPeriodLength",
            "generalQuotaTimeInterval",
        )
        missing = [name for name in needed if getattr(self, name) is None]
        if self.outOfTargetAction == "GENERAL_QUOTA" and missing:
            raise ValueError(f"outOfTargetAction GENERAL_QUOTA needs {missing[0]}")
        return self

    @model_validator(mode="after")
    def _identity_fits(self) -> Self:
        """The Manager would change it silently; then every plan would show a difference."""
        if self.identitySource == "AUTH_RESOLVED":
            if self.executionOrder != "AFTER_API_METHOD":
                raise ValueError(
                    "identitySource AUTH_RESOLVED needs executionOrder AFTER_API_METHOD: "
                    "before that, nobody is authenticated"
                )
            if self.targetVariable is not None:
                raise ValueError("identitySource AUTH_RESOLVED has no targetVariable")
        return self

    @model_validator(mode="after")
    def _each_endpoint_once(self) -> Self:
        endpoints = [
            (one.apiProxyName, one.endpointName, one.endpointHTTPMethod, one.targetIdentityValue)
            for one in self.endpoints
        ]
        if len(set(endpoints)) < len(endpoints):
            raise ValueError("the same endpoint is limited twice")
        return self
