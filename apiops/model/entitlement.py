"""What a client of the gateway may call: its own access, and what subscriptions gave it.

A `Credential` lists access that its project gave it; a `Subscription` gives access while it is
approved. Whoever tells a gateway or a Manager what a client may call asks here, so that a
revocation takes effect in one place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apiops.model.resource import JsonObject, ResourceId

CREDENTIAL: Final = "Credential"
SUBSCRIPTION: Final = "Subscription"

_PROXY: Final = "API_PROXY"
_APPROVED: Final = "APPROVED"


@dataclass(frozen=True, slots=True, order=True)
class Entitlement:
    """A proxy or group that a client may call; `until` is ISO 8601 in UTC (empty: no end)."""

    type: str
    name: str
    until: str = ""


def of(
    name: str, credential: Mapping[str, Any], subscriptions: Iterable[Mapping[str, Any]]
) -> tuple[Entitlement, ...]:
    """What the client `name` may call, sorted; of the same target given twice, the longer.

    `credential` and `subscriptions` are specs of one project; subscriptions of other clients
    are passed over.
    """
    given = [(one, one.get("expireTime")) for one in credential.get("access") or ()]
    given += [
        (one["target"], one.get("expireTime"))
        for one in subscriptions
        if one.get("credential") == name and one.get("state") == _APPROVED
    ]
    longest: dict[tuple[str, str], str] = {}
    for target, expires in given:
        key = (target.get("type") or _PROXY, target["name"])
        longest[key] = _longer(longest.get(key, expires or ""), expires or "")
    return tuple(sorted(Entitlement(*key, until) for key, until in longest.items()))


def settled(
    id: ResourceId, spec: JsonObject, subscriptions: Iterable[Mapping[str, Any]]
) -> JsonObject:
    """A credential's spec with all that it may call as its `access`; any other spec as it is.

    `subscriptions` are the specs of its project.
    """
    if id.kind != CREDENTIAL:
        return spec
    access = [
        {"name": one.name, "type": one.type} | ({"expireTime": one.until} if one.until else {})
        for one in of(id.name, spec, subscriptions)
    ]
    return {**spec, "access": access}


def _longer(left: str, right: str) -> str:
    """The later of two ends; no end is later than any."""
    return max(left, right) if left and right else ""
