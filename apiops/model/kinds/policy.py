"""Specs of policies that several proxies share. The fields of each class are data."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from apiops.model.kinds.classes import POLICY_CLASSES
from apiops.model.kinds.parts import Condition, HttpStatus, Part, about

PolicyClass = Annotated[str, WithJsonSchema({"type": "string", "enum": list(POLICY_CLASSES)})]


class _SharedPolicy(Part):
    model_config = ConfigDict(extra="allow")

    class_: PolicyClass = about(
        "What it does, by the Manager's name of the class. It cannot change later.",
        ...,
        alias="_class",
    )
    description: str = about("What it is for, in words.", "")
    active: bool = about("Whether it is in use.", ...)
    oneWay: bool = about("Do not wait for its result.", False)
    trace: bool = about("Show what it did in traces.", False)
    policyCondition: Condition | None = about("When it applies (absent: always).")
    buildCustomMessage: bool = about("Answer with the message below when it refuses.", False)
    customMessageTemplate: str | None = about("Template of the message.")
    customMessageContentType: str | None = about("Content type of the message.")
    customMessageHttpStatusCode: HttpStatus | None = about("HTTP status of the message.")


class GlobalPolicySpec(_SharedPolicy):
    """A policy that proxies use by name. The other fields depend on `_class`."""


class GroupedPolicy(_SharedPolicy):
    """A policy in a group. The other fields depend on `_class`."""

    name: str = about("Name, unique in the group.", ..., min_length=1)


class PolicyGroupSpec(Part):
    """Policies that are used as one."""

    description: str = about("What it is for, in words.", "")
    active: bool = about("Whether it is in use.", ...)
    targetPipeline: Literal["REQUEST", "RESPONSE", "ERROR"] = about("Where it runs.", ...)
    order: Annotated[int, Field(ge=1)] | None = about("Place among the groups of a pipeline.")
    makeDefault: bool = about("Put it on every new proxy.", False)
    policyCondition: Condition | None = about("When it applies (absent: always).")
    policyList: list[GroupedPolicy] = about("The policies, in the order in which they run.", [])

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        seen: set[str] = set()
        for policy in self.policyList:
            name = policy.name.casefold()
            if name in seen:
                raise ValueError(f"two policies have the name {policy.name!r}")
            seen.add(name)
        return self
