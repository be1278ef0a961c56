"""The vendor-shaped `/apiops/`: what scripts written for the vendor's Manager may call here too.

door.py        one call: who, what they see, how a change is made; and how a route is declared
shapes.py      what the vendor's shapes have in common
places.py      projects, environments, and whether anybody is there
named.py       kinds whose calls all have one form
uploads.py     calls that carry a file
A module for each family of calls stands beside them. Secrets are never in an answer; those that are
sent are sealed before anything else sees them (ADR 41).
"""

from typing import Any, Final

from fastapi import APIRouter

from apiops.web.envelope import Failure
from apiops.web.vendor import (
    ai,
    budgets,
    certificates,
    clients,
    connections,
    endpoints,
    ip_groups,
    jwks,
    keys,
    limits,
    making,
    organizations,
    pipelines,
    places,
    platform,
    presets,
    proxies,
    proxy_groups,
    settings,
    shared_policies,
    variables,
)

FAMILIES: Final = (
    *(places, ip_groups, variables, connections, clients, organizations, limits),
    *(certificates, keys, jwks),
    *(shared_policies, proxy_groups, making, proxies, settings, endpoints, pipelines),
    *(ai, presets, budgets, platform),
)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Failure, "description": words}
    for status, words in (
        (400, "wrong, missing, or not allowed"),
        (401, "no token that counts"),
        (404, "no such address"),
        (405, "no such method there"),
        (408, "too slow"),
        (413, "too large"),
        (429, "too many failed attempts"),
        (500, "not now, or a bug"),
    )
}

routes = APIRouter(tags=["vendor-shaped"], responses=_ANSWERS)
for family in FAMILIES:
    routes.include_router(family.routes)
