"""Policies of a proxy (vendor document, 2.6).

A manifest has one list for each pipeline; the Manager has one for each pipeline *and* place (all
endpoints, or one of them), where the order counts. Both ways lead through `Slot`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Absent, path
from apiops.remote.vendor.codec import Job, covered, same

PIPELINES: Final = {
    "request": ("REQUEST", "requestPolicyList"),
    "response": ("RESPONSE", "responsePolicyList"),
    "error": ("ERROR", "errorPolicyList"),
}
_OWN: Final = frozenset({"type", "name", "description", "active"})
_NOISE: Final = frozenset({"parentErrorType", "id", "_class"})
APART: Final = _OWN | _NOISE | {"policyCondition", "errorMessageList"}
"""Fields of a policy that are no fields of its type."""
_NO_RULES: Final[tuple[Any, ...]] = (
    None,
    {},
    {"conditionRuleList": []},
    {"conditionRuleList": [{"conditionCriteria": "AND", "conditionRuleList": []}]},
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a pipeline: all endpoints (no endpoint named), or one."""

    pipeline: str
    endpoint: str = ""
    method: str = ""

    def operation(self, order: int | None = None) -> dict[str, Any]:
        """`operationMetadata`; `deploy` is true unless it says otherwise (1.10 #11)."""
        scope: dict[str, Any] = {"targetScope": "ALL"}
        if self.endpoint:
            scope = {
                "targetScope": "ENDPOINT",
                "targetEndpoint": self.endpoint,
                "targetEndpointHTTPMethod": self.method,
            }
        placed = {} if order is None else {"order": order}
        target = PIPELINES[self.pipeline][0]
        return {**scope, "targetPipeline": target, "deploy": False, **placed}


Slots = dict[Slot, list[JsonObject]]


def has_any(whole: JsonObject) -> bool:
    """Whether a proxy, read with its policies, has one."""
    places = [whole, *(whole.get("endpointList") or ())]
    return any(place.get(field) for place in places for _, field in PIPELINES.values())


def seen(raw: JsonObject, written: JsonObject | None, *, known: bool) -> dict[str, Any]:
    """The pipelines, in the order that was written as far as places allow. Unless the proxy is
    `known`, a secret that is not shown is a hole: an update without it would empty it (5.3).
    """
    bodies: JsonObject = raw.get("policies") or {}
    written = written or {}
    wanted = slots(written)
    held = {
        slot: _named(rows if known else _uncovered(rows), short, wanted.get(slot, []))
        for slot, rows, short in _rows(bodies, raw)
    }
    return {
        pipeline: _joined(pipeline, held, written.get(pipeline) or ()) for pipeline in PIPELINES
    }


def _uncovered(rows: Sequence[JsonObject]) -> list[JsonObject]:
    return [{**row, **covered("policies", row)} for row in rows]


def _rows(bodies: JsonObject, raw: JsonObject) -> Iterator[tuple[Slot, Any, Any]]:
    """Each place with its bodies and, beside them, the short rows, which have names (1.10 #39)."""
    for pipeline, (_, field) in PIPELINES.items():
        yield Slot(pipeline), bodies.get(field) or (), raw.get(field) or ()
        shown = {(e["endpoint"], e["httpMethod"]): e for e in raw.get("endpointList") or ()}
        for endpoint in bodies.get("endpointList") or ():
            key = (endpoint["endpoint"], endpoint["httpMethod"])
            short = shown.get(key, {}).get(field) or ()
            yield Slot(pipeline, *key), endpoint.get(field) or (), short


def _named(
    rows: Sequence[JsonObject], short: Sequence[JsonObject], wanted: Sequence[JsonObject]
) -> list[JsonObject]:
    named: list[JsonObject] = []
    for index, row in enumerate(rows):
        name = row.get("name") or (short[index].get("name") if index < len(short) else None)
        if name is None and index < len(wanted) and wanted[index]["type"] == row["type"]:
            name = wanted[index]["name"]
        name = name or f"{row['type']}-{index + 1}"
        twin = next((w for w in wanted if fold(w) == name.casefold()), None)
        policy = _policy(row, twin["name"] if twin else name)
        if twin and not twin.get("errorMessageList"):
            del policy["errorMessageList"]  # none means the type's standard ones (2.3)
        named.append(policy)
    return named


def _policy(row: JsonObject, name: str) -> dict[str, Any]:
    """A row as a manifest says it; a null says nothing, for secrets are null (5.2)."""
    condition = row.get("policyCondition")
    inner = {key: value for key, value in row.items() if key not in APART if value is not None}
    return {
        "name": name,
        "type": row["type"],
        "description": row.get("description"),
        "active": row.get("active"),
        "condition": None if condition in _NO_RULES else condition,
        "errorMessageList": row.get("errorMessageList"),
        "spec": inner,
    }


def _joined(pipeline: str, held: Slots, written: Sequence[JsonObject]) -> list[JsonObject]:
    queues = {slot: list(rows) for slot, rows in held.items() if slot.pipeline == pipeline}
    joined: list[JsonObject] = []
    for policy in written:
        slot = slot_of(pipeline, policy)
        if queues.get(slot):
            joined.append(_placed(slot, queues[slot].pop(0)))
    joined += [_placed(slot, row) for slot, rows in queues.items() for row in rows]
    return joined


def _placed(slot: Slot, row: JsonObject) -> JsonObject:
    at = {"endpoint": slot.endpoint, "httpMethod": slot.method} if slot.endpoint else None
    return {**row, "at": at}


def slot_of(pipeline: str, policy: JsonObject) -> Slot:
    """Where a policy of a manifest goes."""
    at: Mapping[str, str] = policy.get("at") or {}
    return Slot(pipeline, at.get("endpoint", ""), at.get("httpMethod", ""))


def slots(pipelines: JsonObject) -> Slots:
    """The pipelines of a manifest, place by place."""
    placed: Slots = {}
    for pipeline in PIPELINES:
        for policy in pipelines.get(pipeline) or ():
            placed.setdefault(slot_of(pipeline, policy), []).append(policy)
    return placed


def write(job: Job) -> None:
    """Take away, then go through each place in ascending order: make, move, change (7 #15)."""
    if not job.differs("policies"):
        return
    before, after = slots(job.before.get("policies") or {}), slots(job.after.get("policies") or {})
    sent = slots(job.plain.get("policies") or {})
    kept = {(slot, fold(p), p["type"]) for slot, rows in after.items() for p in rows}
    for slot, rows in before.items():
        for policy in rows:
            if (slot, fold(policy), policy["type"]) not in kept:
                _drop(job, slot, policy["name"])
    for slot, rows in after.items():
        here = {(slot, fold(p), p["type"]) for p in rows}
        held = [p for p in before.get(slot, []) if (slot, fold(p), p["type"]) in here]
        _fill(job, slot, held, rows, sent[slot])


def fold(policy: JsonObject) -> str:
    """Names mean the same in any case (1.7)."""
    return str(policy["name"]).casefold()


def _fill(
    job: Job,
    slot: Slot,
    held: Sequence[JsonObject],
    wanted: Sequence[JsonObject],
    sent: Sequence[JsonObject],
) -> None:
    """Bring one place from `held` to `wanted`."""
    known = {fold(policy): policy for policy in held}
    order = [fold(policy) for policy in held]
    for index, (policy, body) in enumerate(zip(wanted, sent, strict=True)):
        name = fold(policy)
        if name not in known:
            _make(job, slot, body, index + 1)
            order.insert(index, name)
        elif order[index] != name or not same(known[name], policy):
            where = _where(job, policy["name"])
            envelope = {"operationMetadata": slot.operation(index + 1), "policy": sent_as(body)}
            job.send("PUT", where, envelope)
            order.remove(name)
            order.insert(index, name)


def _make(job: Job, slot: Slot, body: JsonObject, order: int) -> None:
    envelope = {"operationMetadata": slot.operation(order), "policy": sent_as(body)}
    job.make("POST", _where(job, body["name"]), envelope, lambda: _there(job, body["name"]))


def _there(job: Job, name: str) -> bool:
    where = path("projects", job.place.project, "apiProxies", job.id.name)
    (whole,) = job.api.items(where, {"withPolicies": "true"}) or [{}]
    places = [whole, *(whole.get("endpointList") or ())]
    rows = (
        row for place in places for _, field in PIPELINES.values() for row in place.get(field) or ()
    )
    return any(str(row.get("name", "")).casefold() == name.casefold() for row in rows)


def sent_as(policy: JsonObject) -> dict[str, Any]:
    """A policy of a manifest as it is sent."""
    body: dict[str, Any] = {
        "type": policy["type"],
        "description": policy.get("description") or "",
        "active": policy.get("active", True),
        **(policy.get("spec") or {}),
    }
    if policy.get("condition"):
        body["policyCondition"] = policy["condition"]
    if policy.get("errorMessageList"):
        body["errorMessageList"] = policy["errorMessageList"]
    return body


def _drop(job: Job, slot: Slot, name: str) -> None:
    try:
        job.send("DELETE", _where(job, name), {"operationMetadata": slot.operation()})
    except Absent:
        return


def _where(job: Job, name: str) -> str:
    return path("projects", job.place.project, "apiProxies", job.id.name, "policies", name)
