"""Variables, IP groups, connections, certificates (vendor document, 2.9, 2.12–2.14)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Absent, Upload, path
from apiops.remote.vendor.codec import (
    Found,
    Job,
    Place,
    complete,
    covered,
    same,
    taken,
    told,
    unknown,
)

CONNECTION_TYPES: Final = (
    *("activeMq", "database", "elasticsearch", "email", "ftp", "graylog", "kafka", "ldap"),
    *("linux-script", "logback", "rabbitMq", "snmp", "syslog", "webhook"),
)
"""A list of connections is of one type (2.9)."""

_OWNED: Final = frozenset({"id", "name", "projectId", "projectName", "environmentId"})
"""Fields of an answer that belong to the Manager."""


class Listed:
    """A kind of which the list shows all that there is to see, unless it `asks` for more.

    What is found of it is the same whatever the book has, unless it `recalls`.
    """

    asks = False
    recalls = False

    def detailed(self, _place: Place, one: Found, _written: JsonObject | None) -> Found:
        """Nothing more to see."""
        return one


class Variables(Listed):
    """EnvironmentVariable."""

    kind = "EnvironmentVariable"
    right = "GLOBAL_SETTINGS"

    def found(self, place: Place) -> Iterable[Found]:
        """One list; in `admin` it has every project's (7 #35)."""
        items = place.api.items(path("projects", place.project, "environmentVariables"))
        return [
            Found(one["name"], one)
            for one in items
            if one.get("projectName") in (None, place.project)
        ]

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """A secret value is null in every read (5.2)."""
        raw = one.raw
        values = {
            value["environmentName"]: _shown(value, "value")
            for value in raw.get("environmentValueList") or []
        }
        if written is None:
            for name, value in values.items():
                value.setdefault("value", unknown(name))
        values = complete((written or {}).get("values"), values)
        seen = taken(raw, "description", "global", "globalVisible") | {"values": values}
        if raw.get("globalValue") is not None or not raw.get("global"):
            seen["globalValue"] = raw.get("globalValue")
        elif written is None:
            seen["globalValue"] = unknown()
        return seen

    def create(self, job: Job) -> None:
        """POST refuses a name that is there."""
        where = path("projects", job.place.project, "environmentVariables", job.id.name)
        job.make("POST", where, self._body(job), lambda: there(self, job))

    def update(self, job: Job) -> None:
        """Values that are left out of the list go (2.13)."""
        where = path("projects", job.place.project, "environmentVariables", job.id.name)
        job.send("PUT", where, self._body(job))

    def delete(self, job: Job) -> None:
        """From all environments at once."""
        gone(job, path("projects", job.place.project, "environmentVariables", job.id.name))

    def _body(self, job: Job) -> dict[str, Any]:
        spec = job.plain
        values = spec.get("values") or {}
        return {
            "name": job.id.name,
            "description": spec.get("description", ""),
            "global": spec.get("global", False),
            "globalValue": spec.get("globalValue"),
            "globalVisible": spec.get("globalVisible", True),
            "environmentValueList": [
                {"environmentName": name, "value": one["value"], "visible": _visible(one)}
                for name, one in values.items()
            ],
        }


def _visible(value: JsonObject) -> bool:
    return bool(value.get("visible", False))


def _shown(value: JsonObject, field: str) -> dict[str, Any]:
    """A value with its switch; a hidden one is not shown at all."""
    shown = {"visible": value.get("visible")}
    return shown if value.get(field) is None else {field: value[field], **shown}


class IpGroups(Listed):
    """IpGroup. A list that is left out would be emptied, so all is sent (2.14)."""

    kind = "IpGroup"
    right = "GLOBAL_SETTINGS"

    def found(self, place: Place) -> Iterable[Found]:
        """One list."""
        items = place.api.items(path("projects", place.project, "ipGroups"))
        return [Found(one["name"], one) for one in items]

    def seen(self, _place: Place, one: Found, _written: JsonObject | None) -> JsonObject:
        """Everything is shown."""
        return {"description": one.raw.get("description"), "ipList": one.raw.get("ipList") or []}

    def create(self, job: Job) -> None:
        """POST refuses a name that is there."""
        where = path("projects", job.place.project, "ipGroups")
        job.make("POST", where, self._body(job), lambda: there(self, job))

    def update(self, job: Job) -> None:
        """Description and the whole list."""
        where = path("projects", job.place.project, "ipGroups", job.id.name)
        job.send("PUT", where, self._body(job))

    def delete(self, job: Job) -> None:
        """From all environments at once."""
        gone(job, path("projects", job.place.project, "ipGroups", job.id.name))

    def _body(self, job: Job) -> dict[str, Any]:
        spec = job.plain
        return {
            "name": job.id.name,
            "description": spec.get("description", ""),
            "ipList": spec.get("ipList") or [],
        }


class Connections(Listed):
    """Connection. POST makes or replaces, so it may be repeated (1.10 #47 says otherwise too)."""

    kind = "Connection"
    right = "CONNECTIONS"

    def found(self, place: Place) -> Iterable[Found]:
        """One list for each type."""
        where = path("projects", place.project, "connections")
        return [
            Found(one["name"], _typed(one, type_))
            for type_ in CONNECTION_TYPES
            for one in place.api.items(where, {"type": type_})
        ]

    def seen(self, place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """Lists show secrets as null or stars (1.10 #46): neither says anything. Where nobody knows
        them they are holes, for an update without them would empty them (5.3).
        """
        hidden = covered("connections", one.raw) if written is None else {}
        shown = {
            name: value
            for name, value in one.raw.items()
            if name not in _OWNED and not (value is None and name != "description")
        }
        if written is not None:
            shown = {"description": shown.pop("description", None), **told(shown)}
        if "certificateId" in shown and "certificateId" not in (written or {}):
            shown = _by_name(place, shown, written or {})
        return shown | hidden

    def create(self, job: Job) -> None:
        """The whole of it."""
        where = path("projects", job.place.project, "connections", job.id.name)
        job.make("POST", where, self.body(job), lambda: there(self, job))

    def update(self, job: Job) -> None:
        """The whole of it: what is left out is emptied."""
        name = job.before.get("name", job.id.name)
        where = path("projects", job.place.project, "connections", name)
        job.send("PUT", where, self.body(job))

    def delete(self, job: Job) -> None:
        """Nobody is asked whether it is used (2.9); the plan's order saw to that."""
        gone(job, path("projects", job.place.project, "connections", job.id.name))

    def body(self, job: Job) -> dict[str, Any]:
        """What is sent."""
        return {"description": "", **job.plain, "name": job.id.name, **_certificate(job)}


def _typed(one: JsonObject, type_: str) -> JsonObject:
    """A connection of this type, which its list was asked for: what an Elasticsearch connection is
    for may stand in the same field (1.10 #48).
    """
    own = one.get("type", type_)
    return {**one, "type": type_, **({} if own == type_ else {"elasticsearchType": own})}


def _by_name(place: Place, shown: JsonObject, written: JsonObject) -> dict[str, Any]:
    """An LDAP connection by its certificate's name, as far as that is to be known (2.2): the id
    alone says nothing of what was written, and is all that there is to say of what was not.
    """
    rows = place.read("certificates") if not shown.get("certificateName") else ()
    names = {row["id"]: row["name"] for row in rows if row.get("id")}
    name = shown.get("certificateName") or names.get(shown["certificateId"])
    rest = {key: value for key, value in shown.items() if key != "certificateId"}
    if name:
        return {**rest, "certificateName": name}
    return rest if written.get("certificateName") else dict(shown)


def _certificate(job: Job) -> dict[str, str]:
    """The id of the certificate that an LDAP connection names, where the Manager shows one."""
    named = job.plain.get("certificateName")
    rows = job.place.rows("certificates") if named else ()
    ids = [row["id"] for row in rows if row["name"] == named and row.get("id")]
    return {"certificateId": ids[0]} if ids else {}


class Certificates(Listed):
    """Certificate. `import-file` alone replaces one environment and leaves the others (2.12)."""

    kind = "Certificate"
    right = "SECRETS"

    def found(self, place: Place) -> Iterable[Found]:
        """One list."""
        items = place.api.items(path("projects", place.project, "certificates"))
        return [Found(one["name"], one) for one in items]

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """What is in an environment is told by its thumbprint, which `file` cannot be read from."""
        rows = one.raw.get("certificateEnvironmentList") or []
        environments = {row["environmentName"]: {"alias": row.get("alias")} for row in rows}
        environments = complete((written or {}).get("environments"), environments)
        return {"description": one.raw.get("description"), "environments": environments}

    def create(self, job: Job) -> None:
        """Environment by environment."""
        self.update(job)

    def update(self, job: Job) -> None:
        """The environments that differ; all anew when one is to go, for that has no call."""
        before: Mapping[str, Any] = job.before.get("environments") or {}
        after: Mapping[str, Any] = job.after.get("environments") or {}
        if before.keys() - after.keys():
            self.delete(job)
            before = {}
        described = job.differs("description")
        for name, one in after.items():
            if described or not same(before.get(name), one):
                self._import(job, name, one)

    def delete(self, job: Job) -> None:
        """What refers to it loses it (7 #27)."""
        gone(job, path("projects", job.place.project, "certificates", job.id.name))

    def _import(self, job: Job, environment: str, one: JsonObject) -> None:
        content = job.files[one["fileDigest"]]
        upload = Upload(
            {
                "certificateName": job.id.name,
                "alias": one["alias"],
                "environmentList": environment,
                "certificateDescription": job.after.get("description", ""),
            },
            {"certificateFile": (f"{job.id.name}.pem", content)},
        )
        job.send("POST", path("projects", job.place.project, "certificates", "import-file"), upload)


def there(codec: Any, job: Job) -> bool:
    """Whether the list has it, for a create whose answer got lost."""
    return any(one.name == job.id.name for one in codec.found(job.place))


def gone(job: Job, where: str) -> None:
    """Delete it; that it is not there is as good."""
    try:
        job.send("DELETE", where)
    except Absent:
        return
