"""Specs of the System tier: environments, projects, and what there is once per Manager."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apiops.model import moment
from apiops.model.kinds.budget import Budget
from apiops.model.kinds.parts import BasePath, Merged, Moment, Part, about

BodySize = Annotated[int, Field(ge=1, le=2**30)]


class Freeze(Part):
    """A time in which nothing is applied: the end of a year, an election, an audit."""

    begins: Moment = about("Its first moment, ISO 8601 in UTC.", ...)
    ends: Moment = about("The first moment after it.", ...)
    reason: str = about("Why, for whoever is stopped by it.", ..., min_length=1, max_length=200)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if moment.parse(self.begins) >= moment.parse(self.ends):
            raise ValueError("ends must be after begins")
        return self


class EnvironmentSpec(Part):
    """A place where proxies run. `name` is what deployments, variables and grants refer to."""

    description: str = about("What it is for, in words.", "")
    type: Literal["PRODUCTION", "SANDBOX", "TEST"] = about(
        "What it is used for; people and guards are more careful with PRODUCTION.", ...
    )
    accessUrl: str | None = about("Base URL under which its proxies are reached.")
    freezes: list[Freeze] = about(
        "Times in which nothing is applied to its targets. They count as the Manager has them, so "
        "a commit that ends a freeze has to be applied in it, with `--allow freeze`.",
        [],
    )
    approvals: Annotated[int, Field(ge=0, le=5)] = about(
        "How many people, none of whom made the changes, must approve a plan by its digest before "
        "it is applied to its targets. It counts as the Manager has it, so a commit that lowers it "
        "needs as many itself.",
        0,
    )
    breakingChanges: Literal["ALLOW", "TELL", "REFUSE"] = about(
        "What to do with a new OpenAPI document that breaks those who call a proxy by the one "
        "before: nothing, tell of it, or refuse the plan. It counts as the Manager has it.",
        "TELL",
    )


class ProjectSpec(Part):
    """The unit of ownership. Resources name it in `metadata.project`."""

    description: str = about("What it is for, in words.", "")
    relativePath: BasePath | None = about(
        "Path put before the routes of all its proxies, when `enableRelativePath` is true."
    )
    enableRelativePath: bool = about("Put `relativePath` before the routes.", False)
    tags: list[str] = about("Words to find it by.", [])


class AiGatewaySettingsSpec(Merged):
    """What holds for AI proxies that say nothing themselves."""

    defaultConnectTimeoutSeconds: Annotated[int, Field(ge=1, le=300)] | None = about(
        "How long connecting to a model may take, in seconds."
    )
    defaultStreamTimeoutSeconds: Annotated[int, Field(ge=1, le=3600)] | None = about(
        "How long a stream may take, in seconds."
    )
    defaultRetryCount: Annotated[int, Field(ge=0, le=10)] | None = about("How often to try again.")
    maxAiRequestBodyBytes: BodySize | None = about("Largest request, in bytes.")
    maxAiBinaryRequestBodyBytes: BodySize | None = about("Largest binary request, in bytes.")
    maxAiBinaryResponseBodyBytes: BodySize | None = about("Largest binary answer, in bytes.")
    maxToolTurns: Annotated[int, Field(le=100)] | None = about(
        "Most rounds of tool calls in one request (0 or less: no tools)."
    )
    defaultBudget: Budget | None = about("Budget of clients that have none of their own.")
    defaultAnonymousBudget: Budget | None = about("Budget of requests without a client, together.")


class GeolocationSpec(Part):
    """Looking up the country of an address."""

    enabled: bool = about("Whether addresses are looked up.", ...)
    file: str | None = about(
        "Path of the database (MMDB), relative to this manifest and inside the repository.",
        min_length=1,
    )
