"""Organisations of clients (§2.11) and AI budgets (§2.18)."""

from typing import Any

from tests.standin.wire import Bare, Call, Refused, route
from tests.standin.world import Json

OWNERS = "/projects/{p}/credential-organizations"
BUDGETS = "/projects/{p}/ai-budgets"
SHOWN = {
    "PROJECT": "PROJECT",
    "API_PROXY": "API_PROXY",
    "CREDENTIAL_ORGANIZATION": "CREDENTIAL_ORG",
    "CREDENTIAL_ALLOWED_API_PROXY": "CREDENTIAL_BINDING",
}
"""§2.18: the same four targets in the words of writes and of reads."""


def organizations(call: Call) -> dict[str, Json]:
    return call.project.more.setdefault("organizations", {})


def organization_of(call: Call) -> Json:
    """§1.4: 404, whose body the pages do not show."""
    found = organizations(call).get(call.names["code"])
    if found is None:
        nothing = "organizations-bare-404" in call.world.quirks
        raise Refused("" if nothing else "organization not found", 404)
    return found


def shown(one: Json) -> Bare:
    facts = [
        {**fact, "value": None if fact.get("secret") else fact.get("value")}
        for fact in one["metadata"]
    ]
    return Bare({k: v for k, v in one.items() if k != "id"} | {"metadata": facts})


@route("GET", OWNERS + "/{code}", "IDENTITY.VIEW")
def get(call: Call) -> Any:
    return shown(organization_of(call))


@route("POST", OWNERS + "/", "IDENTITY.MANAGE")
def post(call: Call) -> Any:
    code = call.body["code"]
    if code in organizations(call):
        raise Refused(f"organization with code {code} already exists", 409)
    organizations(call)[code] = {"id": call.world.id(), **stored(call, {})}
    return Bare(shown(organizations(call)[code]).tree, 201)


@route("PUT", OWNERS + "/{code}", "IDENTITY.MANAGE")
def put(call: Call) -> Any:
    held = organization_of(call)
    held.update(stored(call, held))
    return shown(held)


@route("DELETE", OWNERS + "/{code}", "IDENTITY.MANAGE")
def drop(call: Call) -> Any:
    organization_of(call)
    del organizations(call)[call.names["code"]]
    return Bare(None, 204)


def stored(call: Call, was: Json) -> Json:
    """§2.11: blank names keep, facts are replaced as a whole, a parent must be there."""
    sent = call.body
    parent = sent.get("parentOrganizationCode")
    if parent and parent not in organizations(call):
        raise Refused(f"parent organization {parent} not found")
    flags = {"secret": False, "includeInJwt": False, "includeInTokenResponse": False}
    return {
        "code": was.get("code") or sent["code"],
        "nameDefault": sent.get("nameDefault") or was.get("nameDefault"),
        "nameSecondary": sent.get("nameSecondary") or was.get("nameSecondary"),
        "parentOrganizationCode": parent,
        "metadata": [
            {**flags, "jwtClaimName": None, **fact} for fact in sent.get("metadata") or []
        ],
    }


def nodes(call: Call) -> Json:
    """The project with its organisations and proxies, and below each proxy who may call it."""
    proxies = [
        {
            "nodeType": "API_PROXY", "nodeId": proxy.id, "name": proxy.name,
            "children": [
                {"nodeType": "CREDENTIAL_BINDING", "nodeId": f"{name}@{proxy.id}", "name": name, "children": []}
                for name, one in call.project.credentials.items()
                if any(row["name"] == proxy.name for row in one["access"])
            ],
        }
        for proxy in call.project.proxies.values()
    ]  # fmt: skip
    owners = [
        {"nodeType": "CREDENTIAL_ORG", "nodeId": one["id"], "code": code, "name": one["nameDefault"], "children": []}
        for code, one in organizations(call).items()
    ]  # fmt: skip
    return {
        "nodeType": "PROJECT", "nodeId": call.project.id, "name": call.project.name,
        "children": [*owners, *proxies],
    }  # fmt: skip


def flat(node: Json) -> list[Json]:
    return [node, *(one for child in node["children"] for one in flat(child))]


@route("GET", BUDGETS + "/hierarchy/", "AI_BUDGETS.VIEW")
def hierarchy(call: Call) -> Any:
    return [nodes(call)]


@route("GET", BUDGETS + "/scope-rules/", "AI_BUDGETS.VIEW")
def rules(call: Call) -> Any:
    """What is gone takes its budget with it."""
    held = call.project.more.get("budgets", {})
    return [
        {
            "entityType": node["nodeType"], "id": node["nodeId"], "entityName": node["name"],
            "usagePercent": 17.5, **held[node["nodeId"]],
        }
        for node in flat(nodes(call))
        if node["nodeId"] in held
    ]  # fmt: skip


@route("PUT", BUDGETS + "/", "AI_BUDGETS.MANAGE")
def set_budget(call: Call) -> Any:
    """§2.18: fields are replaced; a list that is null stays, an empty one clears."""
    kind, target = call.body.get("targetType"), call.body.get("targetId")
    if kind not in SHOWN or not target:
        raise Refused("targetType and targetId are required!")
    if (SHOWN[kind], target) not in [(n["nodeType"], n["nodeId"]) for n in flat(nodes(call))]:
        raise Refused(f"Target with id ({target}) was not found!")
    budgets = call.project.more.setdefault("budgets", {})
    was = budgets.get(target, {}).get("budget", {})
    lists = ("softCapPercents", "modelBudgets", "providerBudgets")
    sent = {k: v for k, v in call.body["budget"].items() if v is not None}
    known = {one["id"] for one in call.project.providers.values()}
    for one in sent.get("providerBudgets") or ():
        if one["providerRef"] not in known:
            raise Refused(f"Provider ({one['providerRef']}) was not found!")
    base = {"enabled": False, "hardCapPercent": 100, "overflowAction": "BLOCK"}
    kept = {name: was.get(name) or [] for name in lists}
    budgets[target] = {
        "budget": {**base, **kept, **sent},
        "budgetSource": call.body.get("budgetSource") or "INHERIT",
    }
    return []
