"""Access tokens: what a caller over HTTP shows, and who that makes them.

A token never says more than what its holder may: a person's token has that person's rights, a
service's token has none (it submits what others signed), a worker's reads one environment.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


class Holder(StrEnum):
    """What holds a token."""

    PERSON = "person"
    SERVICE = "service"
    WORKER = "worker"


SCOPES: Final = {
    "read": "look at what its holder may look at",
    "write": "change by hand what its holder may change: subscriptions, and in the vendor's shape",
    "plan": "submit commits and see the plan that they make",
    "apply": "submit commits and have the plan carried out",
    "approve": "give its holder's word for a plan, or take it back",
    "override": "override guards in a submission",
    "attest": "hand in the forge's evidence of merges with a submission",
    "audit": "query the audit log, as far as its holder may",
    "keys": "list, rotate and retire the Manager's keys, as far as its holder may",
    "tokens": "make, list and revoke tokens, as far as its holder may",
    "bundle": "fetch the configuration of one environment, secrets opened (workers only)",
}
"""What a token may be used for."""

ALLOWED: Final = {
    Holder.PERSON: frozenset(SCOPES) - {"bundle", "attest"},
    Holder.SERVICE: frozenset({"plan", "apply", "override", "attest"}),
    Holder.WORKER: frozenset({"bundle"}),
}
"""The scopes that a holder's token can have at all."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as it is listed: everything but itself.

    `principal` is a user's name, `service:NAME` or `worker@ENVIRONMENT`; `environment` is a
    worker's, `repository` the only lineage that a service may submit for (None: any).
    """

    id: str
    principal: str
    name: str
    kind: Holder
    scopes: tuple[str, ...]
    maker: str
    created: datetime
    expires: datetime
    environment: str | None = None
    repository: str | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenList:
    """Tokens as they are listed, `at` a moment."""

    tokens: tuple[AccessToken, ...]
    at: datetime

    def state(self, token: AccessToken) -> str:
        """Whether a token counts, and why not."""
        if token.revoked is not None:
            return "revoked"
        return "expired" if token.expires <= self.at else "counts"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: a token that was shown and found good, and from where."""

    token: AccessToken
    address: str = field(default="", compare=False)

    @property
    def principal(self) -> str:
        """Whose rights count."""
        return self.token.principal
