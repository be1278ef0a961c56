"""Groups of proxies, shared policies and rate limits (vendor document, 2.7, 2.8, 2.15)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from apiops.model.resource import JsonObject
from apiops.remote.vendor import references
from apiops.remote.vendor.api import Refused, bare_path, path
from apiops.remote.vendor.codec import MISSING, Found, Job, Place, same, taken
from apiops.remote.vendor.shared import Listed, gone, there


class Groups:
    """ApiProxyGroup: of it the list shows a description; its route no read shows (2.8)."""

    kind = "ApiProxyGroup"
    right = "API_MANAGEMENT"

    def found(self, place: Place) -> Iterable[Found]:
        """One list."""
        items = place.api.items(path("projects", place.project, "apiProxyGroups"))
        return [Found(one["name"], one) for one in items]

    def detailed(self, place: Place, one: Found, _written: JsonObject | None) -> Found:
        """Its members, and where it runs."""
        base = ("projects", place.project, "apiProxyGroups", one.name)
        members = place.api.items(bare_path(*base, "proxies", "forpromotion"))
        rows = place.api.items(path(*base, "environments"))
        running = {
            row["name"]: not row.get("redeployRequired") for row in rows if row.get("deployed")
        }
        names = [member["name"] for member in members]
        return replace(one, raw={**one.raw, "members": names}, running=running)

    def seen(self, _place: Place, one: Found, _written: JsonObject | None) -> JsonObject:
        """Description and members."""
        return taken(one.raw, "description", "members")

    def create(self, job: Job) -> None:
        """The group, then its members; deploying is a step of its own."""
        where = path("projects", job.place.project, "apiProxyGroups")
        job.make("POST", where, self._body(job), lambda: there(self, job))
        self._members(replace(job, before={}))

    def update(self, job: Job) -> None:
        """What differs."""
        if job.differs("description", "clientRoute"):
            job.send("PUT", path("projects", job.place.project, "apiProxyGroups"), self._body(job))
        self._members(job)

    def delete(self, job: Job) -> None:
        """Its members stay."""
        gone(job, path("projects", job.place.project, "apiProxyGroups", job.id.name))

    def _body(self, job: Job) -> dict[str, Any]:
        return {
            "name": job.id.name,
            "description": job.plain.get("description", ""),
            "clientRoute": job.plain["clientRoute"],
        }

    def _members(self, job: Job) -> None:
        """Both ways may be repeated (2.8)."""
        before, after = set(job.before.get("members") or ()), set(job.after.get("members") or ())
        base = ("projects", job.place.project, "apiProxyGroups", job.id.name, "apiProxies")
        for name in sorted(before - after):
            gone(job, path(*base, name))
        for name in sorted(after - before):
            job.send("POST", path(*base, name))


@dataclass(frozen=True, slots=True)
class SharedPolicies(Listed):
    """GlobalPolicy, PolicyGroup: POST makes one more each time, and takes secrets only encrypted
    by the Manager itself; PUT takes them plain (2.7). So one is made without, then put.
    """

    kind: str
    segment: str
    right: str = "API_MANAGEMENT"

    def found(self, place: Place) -> Iterable[Found]:
        """Names and classes; nothing more is shown."""
        items = place.api.items(path("projects", place.project, self.segment))
        return [Found(one["name"], one) for one in items]

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """What it is, for whoever adopts it."""
        if written is not None:
            return {}
        shown = {
            "_class": one.raw.get("policyType"),
            "targetPipeline": one.raw.get("targetPipeline"),
        }
        return {name: value for name, value in shown.items() if value is not None}

    def create(self, job: Job) -> None:
        """Only if there is none: a second POST would make a twin."""
        job = references.with_ids(job)
        if not self._twins(job):
            where = path("projects", job.place.project, self.segment)
            body = _without_secrets(job.after, self._body(job))
            job.make("POST", where, body, lambda: bool(self._twins(job)))
        self._put(job)

    def update(self, job: Job) -> None:
        """The whole of it, into every proxy that has it."""
        self._put(references.with_ids(job))

    def _put(self, job: Job) -> None:
        if self._twins(job) > 1:
            raise Refused(
                f"{job.id} is there more than once, so nobody knows which is meant",
                code="AO763",
                hint="delete all but one in the console, then run again",
            )
        where = path("projects", job.place.project, self.segment, job.id.name)
        job.send("PUT", where, self._body(job))

    def delete(self, job: Job) -> None:
        """From every proxy that has it (7 #27)."""
        gone(job, path("projects", job.place.project, self.segment, job.id.name))

    def _body(self, job: Job) -> dict[str, Any]:
        own = {} if self.kind == "GlobalPolicy" else {"_class": "policy-group"}
        return {**own, "description": "", **job.plain, "name": job.id.name}

    def _twins(self, job: Job) -> int:
        name = job.id.name.casefold()
        return sum(one.name.casefold() == name for one in self.found(job.place))


def _without_secrets(leaves: Any, node: Any) -> Any:
    """The body without the values that stand where `leaves` has a leaf."""
    if isinstance(node, Mapping):
        held = leaves if isinstance(leaves, Mapping) else {}
        return {
            key: _without_secrets(held.get(key), value)
            for key, value in node.items()
            if not (isinstance(held.get(key), Mapping) and set(held[key]) == {"$secret"})
            and value is not MISSING
        }
    if isinstance(node, list):
        beside = leaves if isinstance(leaves, list | tuple) else ()
        return [
            _without_secrets(beside[index] if index < len(beside) else None, item)
            for index, item in enumerate(node)
        ]
    return node


_LISTS: Final = ("credentials", "endpoints", "condition")
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})
"""What says that there is no such fact; 0 is one, and lets nobody through."""

_USUAL: Final = {
    "description": "",
    "enabled": True,
    "executionOrder": "BEFORE_API_PROXY",
    "cacheConnectionTimeoutInSeconds": 3,
    "showRateLimitStatisticsInResponseHeader": False,
}


class Limits(Listed):
    """Rlcl: its facts, and three lists with calls of their own (2.15)."""

    kind = "Rlcl"
    right = "IDENTITY"

    def found(self, place: Place) -> Iterable[Found]:
        """One list, of everything."""
        items = place.api.items(path("projects", place.project, "rlcl"))
        return [Found(one["name"], one) for one in items]

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """An endpoint is shown without its method (1.10 #54), which what was written there has."""
        own = frozenset({"id", "name", "projectId", "credentialNameList", "endpointRateLimitList"})
        seen: dict[str, Any] = {k: v for k, v in one.raw.items() if k not in own}
        seen["credentials"] = one.raw.get("credentialNameList")
        rows = one.raw.get("endpointRateLimitList") or []
        ours = (written or {}).get("endpoints") or ()
        seen["endpoints"] = [
            _limit(row, ours[index] if index < len(ours) else {}) for index, row in enumerate(rows)
        ]
        if not (seen.get("condition") or {}).get("conditionRuleList"):
            seen["condition"] = None
        return seen

    def create(self, job: Job) -> None:
        """Its facts, then the lists."""
        where = path("projects", job.place.project, "rlcl")
        job.make("POST", where, self._facts(job), lambda: there(self, job))
        self._lists(replace(job, before={}))

    def update(self, job: Job) -> None:
        """What differs. A fact that is left out would stay (7 #8), and no word stands for none, so
        one that is to go takes the list with it: it is made anew.
        """
        before = {k: v for k, v in job.before.items() if k not in _LISTS}
        after = {k: v for k, v in job.after.items() if k not in _LISTS}
        going = (k for k in before.keys() - _USUAL.keys() if after.get(k) in _NOTHING)
        if any(before[k] not in _NOTHING for k in going):
            self.delete(job)
            self.create(job)
            return
        if not same(before, after):
            job.send("PUT", self._where(job), self._facts(job))
        self._lists(job)

    def delete(self, job: Job) -> None:
        """With its lists."""
        gone(job, self._where(job))

    def _facts(self, job: Job) -> dict[str, Any]:
        """What is left out is kept by the Manager, so it is sent as at the beginning."""
        rest = {k: v for k, v in job.plain.items() if k not in _LISTS}
        return {**_USUAL, **rest, "name": job.id.name}

    def _lists(self, job: Job) -> None:
        fields = {"credentials": "credentialNameList", "endpoints": "endpointRateLimitList"}
        for name, field in fields.items():
            if not job.differs(name):
                continue
            wanted, held = job.plain.get(name) or [], job.before.get(name) or []
            if wanted:
                job.send("PUT", self._where(job, name), {field: wanted})
            elif held:
                job.send("DELETE", self._where(job, name), {field: list(held)})
        if job.differs("condition"):
            if job.plain.get("condition"):
                job.send("PUT", self._where(job, "condition"), job.plain["condition"])
            else:
                gone(job, self._where(job, "condition"))

    def _where(self, job: Job, *more: str) -> str:
        return path("projects", job.place.project, "rlcl", job.id.name, *more)


def _limit(row: JsonObject, ours: JsonObject) -> dict[str, Any]:
    shown = {k: v for k, v in row.items() if k != "endpointId" and v is not None}
    hidden = ("endpointHTTPMethod", "cacheConnectionTimeoutInSeconds", "cacheErrorHandlingType")
    return {**{name: ours[name] for name in hidden if name in ours}, **shown}


GROUPED: Final = (
    Groups(),
    SharedPolicies("GlobalPolicy", "globalPolicies"),
    SharedPolicies("PolicyGroup", "policyGroups"),
    Limits(),
)
"""The adapters of these kinds."""
