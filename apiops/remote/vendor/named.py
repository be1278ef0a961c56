"""Kinds whose calls all have the same form: a list, and an item by its name (vendor document, 2.12,
2.16, 2.17, 2.19). What differs from kind to kind is which fields go where.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from apiops.model.resource import JsonObject
from apiops.model.secret import leaf_of
from apiops.plan.settle import UNSET
from apiops.remote.vendor import ai
from apiops.remote.vendor.api import Upload, bare_path, path
from apiops.remote.vendor.codec import Found, Job, Place, at, complete, taken, unknown
from apiops.remote.vendor.shared import Listed, gone, there

_OWNED: Final = frozenset(
    {
        *("id", "name", "projectId", "projectName", "builtIn", "_class", "lastUpdatedAt"),
        *("createdAt", "updatedAt", "status", "docCount", "chunkCount", "usedByRefs"),
    }
)


@dataclass(frozen=True, slots=True)
class Named(Listed):
    """A kind with `segment/` for the list and `segment/NAME/` for one.

    With `together` one is made by POST to the list, otherwise by POST to its own name.
    """

    kind: str
    right: str
    segment: str
    together: bool = False

    def found(self, place: Place) -> Iterable[Found]:
        """One list; what is built in is nobody's (7 #36)."""
        items = place.api.items(path("projects", place.project, self.segment))
        return [Found(one["name"], one) for one in items if not one.get("builtIn")]

    def seen(self, _place: Place, one: Found, _written: JsonObject | None) -> JsonObject:
        """All that is shown, without what is the Manager's own."""
        return {name: value for name, value in one.raw.items() if name not in _OWNED}

    def body(self, job: Job) -> dict[str, Any]:
        """What is sent."""
        return {"description": "", **job.plain, "name": job.id.name}

    def create(self, job: Job) -> None:
        """Made by its name, or in the list."""
        steps = () if self.together else (job.id.name,)
        where = path("projects", job.place.project, self.segment, *steps)
        job.make("POST", where, self.body(job), lambda: there(self, job))

    def update(self, job: Job) -> None:
        """All of it."""
        job.send("PUT", self._where(job), self.body(job))

    def delete(self, job: Job) -> None:
        """Gone, whoever uses it."""
        gone(job, self._where(job))

    def _where(self, job: Job, *more: str) -> str:
        return path("projects", job.place.project, self.segment, job.id.name, *more)


class Models(Named):
    """LlmModel: its name is `provider/model`, and says both."""

    def body(self, job: Job) -> dict[str, Any]:
        """The code and the id stand beside the name (2.16)."""
        code, _, model = job.id.name.partition("/")
        rest = dict(job.plain)
        follows = ai.definition(job, rest.pop("providerDefinition", None))
        named = {"name": job.id.name, "providerCode": code, "modelId": model}
        return rest | named | follows

    def seen(self, place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """The definition is shown by an id, which says nothing here."""
        seen = Named.seen(self, place, one, written)
        own = ("providerCode", "modelId", "providerDefinitionId")
        return {name: value for name, value in seen.items() if name not in own}


class Definitions(Named):
    """LlmProviderDefinition: its name is its code."""

    def body(self, job: Job) -> dict[str, Any]:
        """Name and code are one."""
        return {**job.plain, "name": job.id.name, "code": job.id.name}

    def seen(self, place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """Without the code."""
        seen = Named.seen(self, place, one, written)
        return {name: value for name, value in seen.items() if name != "code"}


_FLAT: Final = {
    "jdbc": {"jdbcUrl": "jdbcUrl", "jdbcUsername": "username"},
    "redis": {"redisUri": "uri", "redisUsername": "username"},
    "http": {
        name: name
        for name in ("endpoint", "apiVersion", "authScheme", "authHeaderName", "regionCode")
    },
}
_POOL: Final = {
    "poolMinimumIdle": "minimumIdle",
    "poolMaximumPoolSize": "maximumPoolSize",
    "poolConnectionTimeoutMs": "connectionTimeoutMs",
    "poolIdleTimeoutMs": "idleTimeoutMs",
    "poolMaxLifetimeMs": "maxLifetimeMs",
}
_HELD: Final = {
    "jdbc": {"jdbcPasswordSet": "password"},
    "redis": {"redisPasswordSet": "password"},
    "http": {"apiKeySet": "apiKey", "apiSecretSet": "apiSecret"},
}
_TIMES: Final = ("connectTimeoutMs", "requestTimeoutMs")


class Vectors(Named):
    """VectorDb: written nested, read flat (7 #7); a secret that is left out is kept (5.3)."""

    def body(self, job: Job) -> dict[str, Any]:
        """The class says what it is."""
        return {"_class": "vector-db", **Named.body(self, job)}

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """The flat fields as the transport that they were."""
        raw = one.raw
        own = ("description", "enabled", "dbType", "defaultCollectionName", "embeddingDimension")
        family = at(written, "transport.family") or _family(raw)
        transport: dict[str, Any] = {"family": family}
        transport |= {ours: raw.get(theirs) for theirs, ours in _FLAT[family].items()}
        transport |= {name: raw[name] for name in _TIMES if name in raw}
        if family == "jdbc":
            transport["pool"] = {ours: raw.get(theirs) for theirs, ours in _POOL.items()}
        for flag, secret in _HELD[family].items():
            if raw.get(flag) is False:
                transport[secret] = UNSET
            elif written is None and raw.get(flag):
                transport[secret] = unknown()
        return taken(raw, *own, "distanceMetric", "maxBatchSize") | {"transport": transport}


def _family(raw: JsonObject) -> str:
    if raw.get("jdbcUrl"):
        return "jdbc"
    return "redis" if raw.get("redisUri") else "http"


_INDEXED: Final = (
    *("vectorDbRef", "embeddingProviderRef", "embeddingModelId", "collectionName"),
    *("chunkSize", "chunkOverlap"),
)


class Knowledge(Named):
    """KnowledgeBase: its documents are matched by what is in them (2.17)."""

    asks = True

    def detailed(self, place: Place, one: Found, written: JsonObject | None) -> Found:
        """The documents, where we put some there."""
        if written is not None and not written.get("documents"):
            return one
        base = ("projects", place.project, self.segment, one.name, "documents")
        return replace(one, raw={**one.raw, "documents": place.api.items(path(*base))})

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """A document that is there is the one that was written; another is shown by its digest."""
        seen = taken(one.raw, "description", *_INDEXED)
        if "documents" in one.raw:
            ours = {doc.get("fileDigest"): doc for doc in (written or {}).get("documents") or ()}
            held = {doc.get("sha256"): doc for doc in one.raw["documents"] or ()}
            order = [*(d for d in ours if d in held), *(d for d in held if d not in ours)]
            seen["documents"] = [
                ours.get(digest) or {"file": held[digest].get("fileName"), "fileDigest": digest}
                for digest in order
            ]
        return seen

    def body(self, job: Job) -> dict[str, Any]:
        """Without what apiops alone knows."""
        own = ("documents", "reindexOnChange")
        return {k: v for k, v in Named.body(self, job).items() if k not in own}

    def create(self, job: Job) -> None:
        """The base, then its documents."""
        Named.create(self, job)
        self._documents(replace(job, before={}))

    def update(self, job: Job) -> None:
        """Other places, pieces or models mean indexing all anew."""
        if job.differs("description", *_INDEXED):
            Named.update(self, job)
        self._documents(job)
        if job.differs(*_INDEXED) and job.after.get("reindexOnChange", True):
            job.send("POST", self._where(job, "reindex"))

    def _documents(self, job: Job) -> None:
        before = {doc["fileDigest"]: doc for doc in job.before.get("documents") or ()}
        after = {doc["fileDigest"]: doc for doc in job.after.get("documents") or ()}
        where = self._where(job, "documents")
        if before.keys() - after.keys():
            ids = {one.get("sha256"): str(one.get("id")) for one in job.api.items(where)}
            for digest in sorted(before.keys() - after.keys()):
                if ids.get(digest):
                    gone(job, self._where(job, "documents", ids[digest]))
        for digest, document in after.items():
            if digest not in before:
                name = document["file"].rsplit("/", 1)[-1]
                upload = Upload({}, {"file": (name, job.files[digest])})
                job.send("POST", where, upload)  # the same content twice is one (2.17)


class Presets(Listed):
    """AiPreset: four families, each with a list of its own (2.19)."""

    kind = "AiPreset"
    right = "AI_DEVELOPMENT"
    families: Final = ("dlp", "privacy", "prompt-guard", "prompt-decorator")

    def found(self, place: Place) -> Iterable[Found]:
        """One list for each family, without what is built in."""
        return [
            Found(one["name"], {**one, "family": family})
            for family in self.families
            for one in place.api.items(_presets(place, family))
            if not one.get("builtIn")
        ]

    def seen(self, _place: Place, one: Found, _written: JsonObject | None) -> JsonObject:
        """All that is shown."""
        return {name: value for name, value in one.raw.items() if name not in _OWNED}

    def create(self, job: Job) -> None:
        """Made by its name."""
        job.make("POST", self._where(job), self._body(job), lambda: there(self, job))

    def update(self, job: Job) -> None:
        """What is left out is emptied."""
        job.send("PUT", self._where(job), self._body(job))

    def delete(self, job: Job) -> None:
        """What is bound to it keeps a copy (2.19)."""
        gone(job, self._where(job))

    def _body(self, job: Job) -> dict[str, Any]:
        rest = {k: v for k, v in job.plain.items() if k != "family"}
        return {"description": "", **rest, "name": job.id.name}

    def _where(self, job: Job) -> str:
        family = job.after.get("family") or job.before.get("family") or ""
        return _presets(job.place, family, job.id.name)


def _presets(place: Place, family: str, *more: str) -> str:
    """In a project, or for all of them."""
    base = ("projects", place.project) if place.project else ("settings",)
    return path(*base, f"ai-{family}-presets", *more)


class Keys(Named):
    """Key: its material is taken and never shown."""

    rows = "cryptoKeyInfoEnvironmentList"

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """Which environments have one, and under which alias."""
        rows = {row["environmentName"]: self.row(row) for row in one.raw.get(self.rows) or ()}
        if written is None:
            rows = {name: row | self.hidden(one.raw, name) for name, row in rows.items()}
        environments = complete((written or {}).get("environments"), rows)
        seen = taken(one.raw, "description", *self.own)
        return seen | {"environments": environments}

    own: tuple[str, ...] = ("keyType", "algorithm")

    def row(self, row: JsonObject) -> dict[str, Any]:
        """What is shown of one environment."""
        return {"alias": row.get("alias")}

    def hidden(self, raw: JsonObject, environment: str) -> dict[str, Any]:
        """What is held there and nobody knows; a public key is a file, not a secret."""
        if raw.get("keyType") == "PUBLIC_KEY":
            return {"file": f"{environment}.pem"}
        return {"content": unknown(environment)}

    def body(self, job: Job) -> dict[str, Any]:
        """The environments as a list."""
        rest = {k: v for k, v in job.plain.items() if k != "environments"}
        rows = [
            {"environmentName": name, **self.material(job, name, one)}
            for name, one in job.plain["environments"].items()
        ]
        return {"description": "", **rest, "name": job.id.name, self.rows: rows}

    def material(self, job: Job, _environment: str, one: JsonObject) -> dict[str, Any]:
        """The key itself; of a public one, the file (2.12: PEM as base64)."""
        content = one.get("content")
        if one.get("fileDigest"):
            content = base64.b64encode(job.files[one["fileDigest"]]).decode()
        alias = {"alias": one["alias"]} if one.get("alias") else {}
        return {"content": content, **alias}


class Keystores(Keys):
    """Keystore: file and password, both secret."""

    rows = "keyStoreEnvironmentList"
    own = ()

    def row(self, row: JsonObject) -> dict[str, Any]:
        """File and password come back encrypted, which says nothing (5.2)."""
        return {name: row[name] for name in ("alias", "keyStoreType") if name in row}

    def hidden(self, _raw: JsonObject, environment: str) -> dict[str, Any]:
        """Both."""
        return {name: unknown(environment) for name in ("file", "password")}

    def material(self, job: Job, environment: str, one: JsonObject) -> dict[str, Any]:
        """A file that is a secret as a whole is bytes; anything else is base64 already."""
        leaf = leaf_of(at(job.after, f"environments.{environment}.file"))
        file = one.get("file")
        value = job.secrets.get(f"/environments/{environment}/file")
        if leaf is not None and not leaf.pointer and value is not None:
            file = base64.b64encode(value.reveal()).decode()
        return {**{k: v for k, v in one.items() if k != "file"}, "file": file}


class Jwks(Named):
    """Jwk: its material cannot change, so an update is a description."""

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """The list shows no material; the single read, which shows a private key, is not asked."""
        kind = one.raw.get("sourceType")
        text = {"jwkStr": unknown()} if kind == "COPY_PASTE" else {}
        source = {"source": {"type": kind, **text}} if kind and written is None else {}
        return {"description": one.raw.get("description"), **source}

    def create(self, job: Job) -> None:
        """Taken from a source, or made by the Manager: then each call makes another (2.12)."""
        common = self.body(job)
        made = job.plain.get("generate")
        if made is not None:
            where = bare_path("projects", job.place.project, self.segment, "generate")
            body = common | {k: v for k, v in made.items() if k != "generation"}
        else:
            source: Mapping[str, Any] = job.plain["source"]
            where = path("projects", job.place.project, self.segment)
            rest = {k: v for k, v in source.items() if k != "type"}
            body = common | rest | {"sourceType": source["type"]}
        job.make("POST", where, body, lambda: there(self, job))

    def body(self, job: Job) -> dict[str, Any]:
        """All that can change: its name and its description."""
        return {"name": job.id.name, "description": job.plain.get("description", "")}


NAMED: Final = (
    Presets(),
    Definitions("LlmProviderDefinition", "AI_DEVELOPMENT", "llm-provider-definitions"),
    Models("LlmModel", "AI_DEVELOPMENT", "llm-models"),
    Vectors("VectorDb", "AI_DEVELOPMENT", "vector-dbs"),
    Knowledge("KnowledgeBase", "AI_DEVELOPMENT", "knowledge-bases"),
    Keys("Key", "SECRETS", "keys", together=True),
    Keystores("Keystore", "SECRETS", "keystores", together=True),
    Jwks("Jwk", "SECRETS", "jwks", together=True),
)
"""The adapters of these kinds."""
