"""Spec of subscriptions: a client asks to call a proxy, somebody decides.

Who asked and who decided stands nowhere in it: whoever signed the commit that says so did, and
the audit has it. A field could only claim it.
"""

from typing import Literal, Self

from pydantic import model_validator

from apiops.model.kinds.parts import Part, about


class Target(Part):
    """What the client asks for."""

    name: str = about("The proxy or group, by name.", ...)
    type: Literal["API_PROXY", "API_PROXY_GROUP"] = about("Which of the two.", "API_PROXY")


class SubscriptionSpec(Part):
    """A request, and what became of it. Once approved, the credential may call the target."""

    credential: str = about("The client, by name. It cannot change later.", ...)
    target: Target = about("What it asks for. It cannot change later.", ...)
    plan: str | None = about("Plan of the portal that was chosen, by name.")
    purpose: str = about("What the client wants it for, in words.", "")
    state: Literal["REQUESTED", "APPROVED", "REJECTED", "REVOKED"] = about(
        "REQUESTED may become APPROVED or REJECTED, APPROVED may become REVOKED; after REJECTED "
        "or REVOKED it must be REQUESTED anew.",
        "REQUESTED",
    )
    reason: str | None = about("Why it was decided so (all but REQUESTED).")
    expireTime: str | None = about("When the access ends, ISO 8601 in UTC (absent: never).")

    @model_validator(mode="after")
    def _decisions_have_reasons(self) -> Self:
        if self.state != "REQUESTED" and not (self.reason or "").strip():
            raise ValueError(f"a subscription that is {self.state} needs a reason")
        return self
