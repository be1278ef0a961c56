"""Spec of AI budgets: how many tokens and how much money models may cost."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apiops.model.kinds.parts import Merged, Part, about

Tokens = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(gt=0)]
Percent = Annotated[int, Field(ge=0, le=100)]


class _Limits(Part):
    tokensPerHour: Tokens | None = about("Most tokens per hour.")
    tokensPerDay: Tokens | None = about("Most tokens per day.")
    tokensPerMonth: Tokens | None = about("Most tokens per month.")
    monthlyBudgetUsd: Dollars | None = about("Most money per month, in USD.")
    usdPerHour: Dollars | None = about("Most money per hour, in USD.")
    usdPerDay: Dollars | None = about("Most money per day, in USD.")


class ModelBudget(_Limits):
    """What one model may cost."""

    modelId: str = about("The model, by its id.", ...)


class ProviderBudget(_Limits):
    """What one provider may cost."""

    providerRef: str = about("The provider, by name; the Manager's own id is looked up.", ...)


class Budget(_Limits):
    """The limits. The least of all that apply counts."""

    enabled: bool | None = about("Whether it is in use.")
    tokensPerMinute: Tokens | None = about("Most tokens per minute.")
    softCapPercents: list[Percent] | None = about("Shares at which people are warned, in percent.")
    hardCapPercent: Percent | None = about("Share at which the action below is taken, in percent.")
    overflowAction: Literal["BLOCK", "FAILOVER", "ALERT_ONLY", "CHEAPER_MODEL"] | None = about(
        "What happens then."
    )
    cheaperModelId: str | None = about("The model to use instead (CHEAPER_MODEL).")
    modelBudgets: list[ModelBudget] | None = about("Budgets of single models.", max_length=50)
    providerBudgets: list[ProviderBudget] | None = about(
        "Budgets of single providers.", max_length=50
    )

    @model_validator(mode="after")
    def _has_a_cheaper_model(self) -> Self:
        if self.overflowAction == "CHEAPER_MODEL" and not self.cheaperModelId:
            raise ValueError("overflowAction CHEAPER_MODEL needs cheaperModelId")
        return self


class MergedBudget(Merged, Budget):
    """The limits; what is left out stays. The least of all that apply counts."""


class Target(Part):
    """Whose budget it is."""

    type: Literal[
        "PROJECT", "API_PROXY", "CREDENTIAL_ORGANIZATION", "CREDENTIAL_ALLOWED_API_PROXY"
    ] = about(
        "The project itself, a proxy, an organisation of clients, or one client at one proxy.", ...
    )
    name: str | None = about("The proxy or organisation, by name (PROJECT: left out).")
    credential: str | None = about("The client, by name (CREDENTIAL_ALLOWED_API_PROXY).")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.name is None) != (self.type == "PROJECT"):
            needs = "has no" if self.type == "PROJECT" else "needs a"
            raise ValueError(f"a target of type {self.type} {needs} name")
        if (self.credential is not None) != (self.type == "CREDENTIAL_ALLOWED_API_PROXY"):
            needs = "has no" if self.credential is not None else "needs a"
            raise ValueError(f"a target of type {self.type} {needs} credential")
        return self


class AiBudgetSpec(Part):
    """What a project, a proxy or a client may use of models."""

    target: Target = about("Whose budget it is. It cannot change later.", ...)
    budgetSource: Literal["CREDENTIAL", "ORGANIZATION", "INHERIT"] | None = about(
        "Whose limits count for a client at a proxy."
    )
    budget: MergedBudget = about("The limits; what is left out stays.", ...)
