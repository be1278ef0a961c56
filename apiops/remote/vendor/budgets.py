"""AI budgets (vendor document, 2.18): written by the ids of what they are for, read by names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apiops.errors import ManagerError
from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import path
from apiops.remote.vendor.codec import Found, Job, Place, same
from apiops.remote.vendor.shared import Listed

_SHOWN: Final = {
    "PROJECT": "PROJECT",
    "API_PROXY": "API_PROXY",
    "CREDENTIAL_ORG": "CREDENTIAL_ORGANIZATION",
    "CREDENTIAL_BINDING": "CREDENTIAL_ALLOWED_API_PROXY",
}
"""What reads call a target → what writes call it."""

_LISTS: Final = ("softCapPercents", "modelBudgets", "providerBudgets")
_ORGANIZATION: Final = "CREDENTIAL_ORGANIZATION"


@dataclass(frozen=True, slots=True)
class _Node:
    """Something that can have a budget: its id, and its target as manifests say it."""

    id: str
    target: JsonObject


class Budgets(Listed):
    """AiBudget: one for each target, which PUT sets. None ever goes: a delete switches it off."""

    kind = "AiBudget"
    right = "AI_BUDGETS"
    recalls = True

    def found(self, place: Place) -> Iterable[Found]:
        """The rules, under the names of the manifests that have the same target. One that is off
        and that nobody wrote is none.
        """
        rows = place.api.items(path("projects", place.project, "ai-budgets", "scope-rules"))
        if not rows:
            return []
        nodes = {(node.target["type"], node.id): node for node in _nodes(place)}
        providers = _providers(place, by="id") if _uses_providers(rows) else {}
        found = []
        for row in rows:
            node = nodes.get((_SHOWN.get(str(row.get("entityType")), ""), str(row.get("id"))))
            if node is None:
                continue
            budget = _named(row.get("budget") or {}, providers)
            name = self._name(place, node.target)
            if name or budget.get("enabled"):
                raw = {"target": node.target, "budget": budget}
                found.append(Found(name or _called(node.target), {**row, **raw}))
        return found

    def _name(self, place: Place, target: JsonObject) -> str:
        ours = place.known.get(self.kind, {}).items()
        return next((name for name, spec in ours if same(spec.get("target"), target)), "")

    def seen(self, _place: Place, one: Found, _written: JsonObject | None) -> JsonObject:
        """Target, limits and whose limits count; how much is used says nothing here."""
        return {name: one.raw.get(name) for name in ("target", "budget", "budgetSource")}

    def create(self, job: Job) -> None:
        """Set."""
        self.update(job)

    def update(self, job: Job) -> None:
        """All of it: a list that is left out would stay."""
        target, budget = job.plain["target"], dict(job.plain.get("budget") or {})
        budget |= {name: [] for name in _LISTS if name not in budget}
        if budget["providerBudgets"]:
            ids = _providers(job.place, by="name")
            budget["providerBudgets"] = [
                {**one, "providerRef": _found(job, ids, one["providerRef"])}
                for one in budget["providerBudgets"]
            ]
        self._put(job, target, budget, job.plain.get("budgetSource"))

    def delete(self, job: Job) -> None:
        """Off; without its target it is gone already."""
        if _id(job.place, job.before["target"]):
            self._put(job, job.before["target"], {"enabled": False}, None)

    def _put(self, job: Job, target: JsonObject, budget: JsonObject, source: str | None) -> None:
        ids = {_called(target): _id(job.place, target)}
        body = {
            "targetType": target["type"],
            "targetId": _found(job, ids, _called(target)),
            "budget": budget,
        }
        more = {"budgetSource": source} if source else {}
        job.send("PUT", path("projects", job.place.project, "ai-budgets"), {**body, **more})


def _nodes(place: Place) -> list[_Node]:
    """All that can have a budget: the project, its organisations and proxies, and below each proxy
    the clients that may call it.
    """
    tops = place.api.items(path("projects", place.project, "ai-budgets", "hierarchy"))
    return [node for top in tops for node in _below(top, {})]


def _below(node: JsonObject, above: JsonObject) -> Iterator[_Node]:
    kind = _SHOWN.get(str(node.get("nodeType")), "")
    target: dict[str, Any] = {"type": kind}
    if kind == "CREDENTIAL_ALLOWED_API_PROXY":
        target |= {"name": above.get("name"), "credential": node.get("name")}
    elif kind != "PROJECT":
        target["name"] = node.get("code") if kind == _ORGANIZATION else node.get("name")
    if kind and node.get("nodeId"):
        yield _Node(str(node["nodeId"]), target)
    for child in node.get("children") or ():
        yield from _below(child, node)


def _id(place: Place, target: JsonObject) -> str | None:
    return next((node.id for node in _nodes(place) if same(node.target, target)), None)


def _providers(place: Place, *, by: str) -> dict[str, str]:
    other = "name" if by == "id" else "id"
    rows = place.api.items(path("projects", place.project, "llm-providers"))
    return {str(row.get(by)): str(row.get(other)) for row in rows}


def _uses_providers(rows: Iterable[JsonObject]) -> bool:
    return any((row.get("budget") or {}).get("providerBudgets") for row in rows)


def _named(budget: JsonObject, providers: Mapping[str, str]) -> dict[str, Any]:
    """The budget with names in the place of ids."""
    named = [
        {**one, "providerRef": providers.get(str(one.get("providerRef")), one.get("providerRef"))}
        for one in budget.get("providerBudgets") or ()
    ]
    return {**budget, "providerBudgets": named}


def _called(target: JsonObject) -> str:
    """A name for a budget that has no manifest yet."""
    parts = (target.get("credential"), target.get("name"))
    return "-".join(part for part in parts if part) or "project"


def _found(job: Job, ids: Mapping[str, str | None], name: str) -> str:
    found = ids.get(name)
    if not found:
        raise ManagerError(
            f"{job.id} is about {name}, whose id the Manager does not say",
            code="AO766",
            hint="create it first, in this project",
        )
    return found
