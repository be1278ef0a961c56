"""Endpoints of a proxy (vendor document, 2.5.7, 7 #13).

Where a document describes the API, its endpoints are the document's, and a manifest says only
what is different: those alone are compared. Otherwise the manifest's list is complete.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Absent, path
from apiops.remote.vendor.codec import Job, same

SPECIFIED: Final = frozenset({"OPEN_API", "SWAGGER", "WSDL"})
_SHOWN: Final = ("description", "active", "backendResourceUrl", "backendHttpMethod")
_CHANGED: Final = ("description", "backendResourceUrl", "backendHttpMethod")

Key = tuple[str, str]


def seen(rows: Iterable[JsonObject], written: JsonObject | None) -> list[dict[str, Any]] | None:
    """The endpoints that are the manifest's business."""
    found = {(row["endpoint"], row["httpMethod"]): row for row in rows}
    ours = {key_of(one): one for one in (written or {}).get("endpoints") or ()}
    if written is not None and written.get("type") in SPECIFIED:
        return [_one(key, found[key], one, only=True) for key, one in ours.items() if key in found]
    order = [*(key for key in ours if key in found), *(key for key in found if key not in ours)]
    return [_one(key, found[key], ours.get(key) or {}, only=False) for key in order]


def _one(key: Key, row: JsonObject, ours: JsonObject, *, only: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {name: row.get(name) for name in _SHOWN if not only or name in ours}
    for name, usual in zip(_CHANGED[1:], key, strict=True):
        if shown.get(name) == usual and name not in ours:
            del shown[name]  # what is sent where a manifest says nothing
    return {"name": key[0], "httpMethod": key[1], **shown}


def key_of(endpoint: JsonObject) -> Key:
    """What identifies an endpoint."""
    return (endpoint["name"], endpoint["httpMethod"])


def takes_back(job: Job) -> bool:
    """Whether a difference from the document was taken back: only reading it again restores it."""
    after = {key_of(one): one for one in job.after.get("endpoints") or ()}
    return any(
        set(one) - set(after.get(key_of(one), {})) for one in job.before.get("endpoints") or ()
    )


def undocumented(job: Job) -> list[dict[str, Any]]:
    """What is left of the endpoints after the document was read again: the parts that no document
    describes. Where there is none, all of them.
    """
    if job.after["type"] not in SPECIFIED:
        return [*(job.before.get("endpoints") or ())]
    kept = ("name", "httpMethod", "active", "cache", "wsa")
    return [
        {name: one[name] for name in kept if name in one}
        for one in job.before.get("endpoints") or ()
    ]


def write(job: Job) -> None:
    """Make, change and drop endpoints until they are as they shall be."""
    if not job.differs("endpoints"):
        return
    before: Mapping[Key, JsonObject] = {key_of(e): e for e in job.before.get("endpoints") or ()}
    after: Mapping[Key, JsonObject] = {key_of(e): e for e in job.plain.get("endpoints") or ()}
    documented = job.after["type"] in SPECIFIED
    for key in sorted(before.keys() - after.keys()):
        if documented:
            _restore(job, key, before[key])
        else:
            _drop(job, key)
    for key, endpoint in after.items():
        if documented or key in before:
            _change(job, key, before.get(key) or {}, endpoint)
        else:
            _make(job, key, endpoint)
            _parts(job, key, {"active": True}, endpoint)


def _where(job: Job, *more: str) -> str:
    return path("projects", job.place.project, "apiProxies", job.id.name, "endpoints", *more)


def _make(job: Job, key: Key, endpoint: JsonObject) -> None:
    body = {
        "name": key[0],
        "httpMethod": key[1],
        "description": endpoint.get("description", ""),
        "backendResourceUrl": endpoint.get("backendResourceUrl") or key[0],
        "backendHttpMethod": endpoint.get("backendHttpMethod") or key[1],
        "deploy": False,
    }
    job.make("POST", _where(job), body, lambda: key in _held(job))


def _held(job: Job) -> set[Key]:
    return {(row["endpoint"], row["httpMethod"]) for row in job.api.items(_where(job))}


def _change(job: Job, key: Key, before: JsonObject, endpoint: JsonObject) -> None:
    documented = job.after["type"] in SPECIFIED
    usual = {"description": "", "backendResourceUrl": key[0], "backendHttpMethod": key[1]}
    wanted = {name: endpoint.get(name, None if documented else usual[name]) for name in _CHANGED}
    held = {name: before.get(name, None if documented else usual[name]) for name in _CHANGED}
    if wanted != held:
        sent = {name: value for name, value in wanted.items() if value is not None}
        body = {"name": key[0], "httpMethod": key[1], **sent, "deploy": False}
        job.send("PATCH", _where(job), body)
    _parts(job, key, before, endpoint)


def _parts(job: Job, key: Key, before: JsonObject, endpoint: JsonObject) -> None:
    """The parts that have calls of their own; neither cache nor wsa come back."""
    identified = {"identifierName": key[0], "identifierHttpMethod": key[1], "deploy": False}
    active = endpoint.get("active", True)
    if before.get("active", True) != active:
        job.send("PATCH", _where(job, "status"), {**identified, "active": active})
    if not same(before.get("cache"), endpoint.get("cache")):
        cache = {"name": "cache", **_OFF, **(endpoint.get("cache") or {"cacheActive": False})}
        job.send("PATCH", _where(job, "cache"), {**identified, "cacheSettings": cache})
    if not same(before.get("wsa"), endpoint.get("wsa")):
        wsa = endpoint.get("wsa") or {"wsaEnabled": False}
        job.send("PATCH", _where(job, "wsa"), {**identified, "wsaSettings": wsa})


def _restore(job: Job, key: Key, before: JsonObject) -> None:
    """The parts that no document describes, as at the beginning; the endpoint may be gone."""
    try:
        _parts(job, key, before, {})
    except Absent:
        return


_OFF: Final = {"handlingAction": "CONTINUE"}


def _drop(job: Job, key: Key) -> None:
    try:
        body = {"name": key[0], "httpMethod": key[1], "deploy": False}
        job.send("POST", _where(job, "delete"), body)
    except Absent:
        return
