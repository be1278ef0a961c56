"""Credentials: what they are, may call and carry (vendor document, 2.10)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Absent, path
from apiops.remote.vendor.codec import Found, Job, Place, same, taken, unknown
from apiops.remote.vendor.shared import gone, there

_OWN: Final = ("description", "email", "fullName", "roleNameList", "enabled", "ipList")
_SLOTS: Final = {
    "certificate": ("certificate",),
    "keystore": ("keystore",),
    "truststore": ("truststore",),
    "secretKey": ("secretKey",),
    "privateKey": ("privateKey",),
    "publicKey": ("publicKey",),
    "jwkValidation": ("jwk", "validation"),
    "jwkEncryption": ("jwk", "encryption"),
}
_FACT: Final = ("key", "secret", "includeInJwt", "includeInTokenResponse", "jwtClaimName")
_UNIT: Final = {"SECOND": "SECONDS"}


class Credentials:
    """Credential. Every PUT sets the password, so a password alone goes by PATCH."""

    kind = "Credential"
    right = "IDENTITY"

    def found(self, place: Place) -> Iterable[Found]:
        """One list; in `admin` it has every project's, which no field tells apart (7 #35)."""
        items = place.api.items(path("projects", place.project, "credentials"))
        return [Found(one["username"], one) for one in items]

    def detailed(self, place: Place, one: Found, written: JsonObject | None) -> Found:
        """What it may call stands in no list; it is read where we wrote something there."""
        if written is not None and not written.get("access"):
            return one
        rows = place.api.items(path("projects", place.project, "credentials", one.name, "access"))
        return replace(one, raw={**one.raw, "access": rows})

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """Neither password nor assignments nor token come back; facts may (1.10 #55)."""
        raw = one.raw
        seen = taken(raw, *_OWN, "expireDate")
        if written is None:
            seen["password"] = unknown()
        if raw.get("metadata") is not None:
            seen["metadata"] = [fact(row, known=written is not None) for row in raw["metadata"]]
        if "access" in raw:
            seen["access"] = [taken(row, "name", "type") for row in raw["access"]]
        return seen

    def create(self, job: Job) -> None:
        """The credential, then what it may call and carry."""
        where = path("projects", job.place.project, "credentials")
        job.make("POST", where, self._body(job), lambda: there(self, job))
        self._rest(replace(job, before={}))

    def update(self, job: Job) -> None:
        """What differs, by the narrowest call."""
        if job.differs(*_OWN, "expireDate", "metadata"):
            job.send("PUT", path("projects", job.place.project, "credentials"), self._body(job))
        elif job.differs("password"):
            where = path("projects", job.place.project, "credentials", job.id.name)
            job.send("PATCH", where, {"password": job.plain["password"]})
        self._rest(job)

    def delete(self, job: Job) -> None:
        """Its grants go with it."""
        gone(job, path("projects", job.place.project, "credentials", job.id.name))

    def _body(self, job: Job) -> dict[str, Any]:
        spec = job.plain
        return {
            "username": job.id.name,
            "password": spec["password"],
            "email": spec["email"],
            "fullName": spec["fullName"],
            "description": spec.get("description", ""),
            "roleNameList": spec.get("roleNameList") or [],
            "enabled": spec.get("enabled", True),
            "ipList": spec.get("ipList") or [],
            "expireDate": spec.get("expireDate"),
            "metadata": spec.get("metadata") or [],
        }

    def _rest(self, job: Job) -> None:
        self._assign(job)
        if job.differs("token"):
            self._token(job)
        if job.differs("access"):
            self._grant(job)

    def _assign(self, job: Job) -> None:
        before: Mapping[str, Any] = job.before.get("assignments") or {}
        after: Mapping[str, Any] = job.plain.get("assignments") or {}
        base = ("projects", job.place.project, "credentials", job.id.name)
        for slot, steps in _SLOTS.items():
            if before.get(slot) == after.get(slot):
                continue
            if after.get(slot):
                job.send("PUT", path(*base, *steps, after[slot]))
            else:
                gone(job, path(*base, *steps))  # an empty slot is a 400 (2.10)

    def _token(self, job: Job) -> None:
        """Neither can be read, so it is reset and set: then it is what is written here."""
        where = path("projects", job.place.project, "credentials", job.id.name, "token")
        job.send("DELETE", where)
        if job.plain.get("token"):
            sent = {k: _UNIT.get(v, v) if k.endswith("Unit") else v
                    for k, v in job.plain["token"].items()}  # fmt: skip
            job.send("PUT", where, sent)

    def _grant(self, job: Job) -> None:
        """A grant is revoked and made anew where its end changes; the rest is left alone."""
        where = path("projects", job.place.project, "credentials", job.id.name, "access")
        before = {_pair(one): one for one in job.before.get("access") or ()}
        after = {_pair(one): one for one in job.after.get("access") or ()}
        changed = {pair for pair, one in after.items() if not same(before.get(pair), one)}
        for pair in sorted((before.keys() - after.keys()) | (changed & before.keys())):
            try:
                job.send("DELETE", where, {"credentialAccessList": [_named(pair)]})
            except Absent:
                continue
        for pair in sorted(changed):
            one = after[pair]
            row = _named(pair) | (
                {"expireTime": one["expireTime"]} if one.get("expireTime") else {}
            )
            granted = partial(self._may, job, pair)
            job.make("PUT", where, {"credentialAccessList": [row]}, granted)

    def _may(self, job: Job, pair: tuple[str, str]) -> bool:
        where = path("projects", job.place.project, "credentials", job.id.name, "access")
        return any(_pair(one) == pair for one in job.api.items(where))


def fact(row: JsonObject, *, known: bool) -> dict[str, Any]:
    """A secret fact is shown as null, which says nothing; where nobody knows it, it is a hole."""
    shown = taken(row, *_FACT)
    if row.get("secret"):
        return shown if known else shown | {"value": unknown()}
    return shown | {"value": row.get("value")}


def _pair(one: JsonObject) -> tuple[str, str]:
    return (one["name"], one.get("type") or "API_PROXY")


def _named(pair: tuple[str, str]) -> dict[str, Any]:
    return {"name": pair[0], "type": pair[1]}
