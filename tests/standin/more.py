"""Keys, models, knowledge, presets, groups, shared policies, rate limits (§2.7, §2.8, §2.12, §2.15–§2.19)."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from tests.standin.shared import everywhere
from tests.standin.wire import Call, Refused, Saved, route
from tests.standin.world import Json

KINDS: dict[str, Json] = {
    "llm-models": {"what": "Model catalog entry", "right": "AI_DEVELOPMENT"},
    "llm-provider-definitions": {"what": "Provider definition", "right": "AI_DEVELOPMENT"},
    "vector-dbs": {"what": "Vector DB connection", "right": "AI_DEVELOPMENT"},
    "knowledge-bases": {"what": "Knowledge base", "right": "AI_DEVELOPMENT"},
    "ai-dlp-presets": {"what": "AI DLP preset", "right": "AI_DEVELOPMENT"},
    "ai-privacy-presets": {"what": "AI privacy preset", "right": "AI_DEVELOPMENT"},
    "ai-prompt-guard-presets": {"what": "AI prompt-guard preset", "right": "AI_DEVELOPMENT"},
    "ai-prompt-decorator-presets": {
        "what": "AI prompt-decorator preset",
        "right": "AI_DEVELOPMENT",
    },
}
"""Named items whose POST makes or replaces (7 #11)."""


def held(call: Call, segment: str) -> dict[str, Json]:
    return call.project.more.setdefault(segment, {})


def check_jwks(call: Call, sent: Json) -> None:
    """§2.2: JOSE policies refer to JWKs by ids."""
    ids = {one.get("id") for one in call.project.more.get("jwks", {}).values()}
    for field in ("jwkIdForValidationAndSign", "jwkIdForDecryptionAndEncryption"):
        if sent.get(field) and sent[field] not in ids:
            raise Refused(f"JWK with id ({sent[field]}) is not found!")


def known(call: Call, segment: str, what: str) -> str:
    """Names mean the same in any case (§1.7)."""
    for name in held(call, segment):
        if name.casefold() == call.names["n"].casefold():
            return name
    raise Refused(f"{what} (name: {call.names['n']}) was not found!")


def upserted(
    segment: str,
    what: str,
    right: str,
    stored: Callable[[Call, Json], Json],
    shown: Callable[[Json], Json],
) -> None:
    base = f"/projects/{{p}}/{segment}"

    @route("GET", f"{base}/", f"{right}.VIEW")
    def listed(call: Call) -> Any:
        built_in = {"id": "0" * 24, "name": f"built-in {segment}", "builtIn": True}
        family = segment.removeprefix("ai-").removesuffix("-presets")
        everybodys = call.world.presets.get(family, {}).values()
        return [built_in, *everybodys, *(shown(one) for one in held(call, segment).values())]

    @route("POST", f"{base}/{{n}}/", f"{right}.MANAGE")
    def post(call: Call) -> Any:
        twins = [
            name for name in held(call, segment) if name.casefold() == call.names["n"].casefold()
        ]
        return keep(call, twins[0] if twins else call.names["n"])

    @route("PUT", f"{base}/{{n}}/", f"{right}.MANAGE")
    def put(call: Call) -> Any:
        return keep(call, known(call, segment, what))

    def keep(call: Call, name: str) -> Saved:
        inside = call.body.get("name", name)
        if inside.casefold() != name.casefold():
            raise Refused(f"{what} name in path ({name}) does not match name in body ({inside})!")
        was = held(call, segment).get(name, {"id": call.world.id(), "builtIn": False})
        held(call, segment)[name] = {
            **stored(call, was),
            "id": was["id"],
            "builtIn": False,
            "name": name,
        }
        return Saved()

    @route("DELETE", f"{base}/{{n}}/", f"{right}.MANAGE")
    def drop(call: Call) -> Any:
        del held(call, segment)[known(call, segment, what)]
        return Saved()


def plain(call: Call, _was: Json) -> Json:
    return {k: v for k, v in call.body.items() if v is not None}


def preset(call: Call, _was: Json) -> Json:
    """§2.19: what is omitted is emptied, blank words are the system's."""
    filled = {"enabled": True, "description": None}
    if "prompt-decorator" in call.path:
        filled |= {"role": "system", "position": "PREPEND"}
    if "privacy" in call.path:
        filled |= {"maskMode": "FIXED", "maskPattern": "***", "maskVisibleCharCount": 4}
    return {**filled, **plain(call, {})}


def model(call: Call, _was: Json) -> Json:
    if not call.body.get("providerCode") or not call.body.get("modelId"):
        raise Refused("providerCode and modelId are required")
    return {"isDeprecated": False, "capabilities": [], **plain(call, {})}


def knowledge(call: Call, was: Json) -> Json:
    """§2.17: references must be there."""
    if call.body.get("vectorDbRef") not in held(call, "vector-dbs"):
        raise Refused('400 BAD_REQUEST "Knowledge base has no VectorDB configured"')
    filled = {
        "chunkSize": 1000,
        "chunkOverlap": 200,
        "collectionName": f"kb_{was['id']}",
        "description": None,
    }
    return {**filled, **plain(call, {}), "documents": was.get("documents", []), "status": "ACTIVE"}


def vector(call: Call, was: Json) -> Json:
    """§5.3: a blank secret keeps what is held."""
    if call.body.get("_class") != "vector-db":
        raise Refused("Vector DB connection body can not be empty!")
    sent = plain(call, {})
    transport = {**sent["transport"]}
    for name in ("password", "apiKey", "apiSecret"):
        kept = was.get("transport", {}).get(name)
        if not transport.get(name) and kept:
            transport[name] = kept
    return {
        "enabled": True,
        "description": None,
        "distanceMetric": "COSINE",
        "maxBatchSize": 100,
        **sent,
        "transport": transport,
    }


def vector_shown(one: Json) -> Json:
    """Read flat."""
    transport = one["transport"]
    flat = {k: v for k, v in one.items() if k not in ("transport", "_class")}
    pool = transport.get("pool") or {}
    if transport["family"] == "jdbc":
        flat |= {"jdbcUrl": transport.get("jdbcUrl"), "jdbcUsername": transport.get("username")}
        flat |= {f"pool{key[0].upper()}{key[1:]}": value for key, value in pool.items()}
    elif transport["family"] == "redis":
        flat |= {"redisUri": transport.get("uri"), "redisUsername": transport.get("username")}
    else:
        names = ("endpoint", "apiVersion", "authScheme", "authHeaderName", "regionCode")
        flat |= {name: transport.get(name) for name in names}
    flat |= {
        name: transport[name]
        for name in ("connectTimeoutMs", "requestTimeoutMs")
        if name in transport
    }
    return flat | {
        "jdbcPasswordSet": bool(transport.get("password")), "redisPasswordSet": bool(transport.get("password")),
        "apiKeySet": bool(transport.get("apiKey")), "apiSecretSet": bool(transport.get("apiSecret")),
    }  # fmt: skip


STORED = {"llm-models": model, "vector-dbs": vector, "knowledge-bases": knowledge}
SHOWN = {
    "vector-dbs": vector_shown,
    "knowledge-bases": lambda one: (
        {k: v for k, v in one.items() if k != "documents"} | {"docCount": len(one["documents"])}
    ),
}
for _segment, _facts in KINDS.items():
    _stored = STORED.get(_segment, preset if _segment.endswith("presets") else plain)
    upserted(_segment, _facts["what"], _facts["right"], _stored, SHOWN.get(_segment, dict))

D = "/projects/{p}/knowledge-bases/{n}"


def base_of(call: Call) -> Json:
    return held(call, "knowledge-bases")[known(call, "knowledge-bases", "Knowledge base")]


@route("GET", D + "/documents/", "AI_DEVELOPMENT.VIEW")
def documents(call: Call) -> Any:
    return base_of(call)["documents"]


@route("POST", D + "/documents/", "AI_DEVELOPMENT.MANAGE")
def upload(call: Call) -> Any:
    """The same content twice is one document."""
    content = call.files["file"]
    digest = hashlib.sha256(content).hexdigest()
    rows = base_of(call)["documents"]
    if all(row["sha256"] != digest for row in rows):
        rows.append(
            {"id": call.world.id(), "fileName": "document", "sha256": digest, "status": "PENDING"}
        )
    return Saved()


@route("DELETE", D + "/documents/{d}/", "AI_DEVELOPMENT.MANAGE")
def forget(call: Call) -> Any:
    base = base_of(call)
    kept = [row for row in base["documents"] if row["id"] != call.names["d"]]
    if len(kept) == len(base["documents"]):
        raise Refused('404 NOT_FOUND "Document not found"', 404)
    base["documents"] = kept
    return Saved()


@route("POST", D + "/reindex/", "AI_DEVELOPMENT.MANAGE")
def reindex(call: Call) -> Any:
    base_of(call)["indexed"] = base_of(call).get("indexed", 0) + 1
    return Saved()


# --- keys, keystores, JWKs (§2.12) -----------------------------------------------------------


def take_name(call: Call, segment: str) -> None:
    """§2.1: a name in the body renames."""
    was, name = call.names["n"], call.body.get("name") or call.names["n"]
    rows = held(call, segment)
    if name != was and name in rows:
        raise Refused(f"{name} is already exist!")
    if name != was:
        rows[name] = rows.pop(was)


def listed_together(
    segment: str, what: str, check: Callable[[Call], None], shown: Callable[[Json], Json]
) -> None:
    base = f"/projects/{{p}}/{segment}"

    @route("GET", f"{base}/", "SECRETS.VIEW")
    def listed(call: Call) -> Any:
        rows = [shown(one) for one in held(call, segment).values()]
        return reduced(rows) if "keystores-reduced" in call.world.quirks else rows

    @route("POST", f"{base}/", "SECRETS.MANAGE")
    def post(call: Call) -> Any:
        name = call.body.get("name")
        if name in held(call, segment):
            raise Refused(
                f"{what} (name: {name}) is already exist! Try update operation if want to change its value."
            )
        check(call)
        held(call, segment)[name] = {"id": call.world.id(), "description": None, **plain(call, {})}
        return everywhere(call)

    @route("PUT", f"{base}/{{n}}/", "SECRETS.MANAGE")
    def put(call: Call) -> Any:
        """Merged; the list, when sent, replaces."""
        one = held(call, segment).get(call.names["n"])
        if one is None:
            raise Refused(f"{what} (name: {call.names['n']}) is not found!")
        if segment != "jwks":
            check(call)
        take_name(call, segment)
        one.update(plain(call, {}))
        return everywhere(call)

    @route("DELETE", f"{base}/{{n}}/", "SECRETS.MANAGE")
    def drop(call: Call) -> Any:
        if held(call, segment).pop(call.names["n"], None) is None:
            raise Refused(f"{what} (name: {call.names['n']}) is not found!")
        return everywhere(call)


def key(call: Call) -> None:
    if call.body.get("keyType") == "SECRET_KEY" and call.body.get("algorithm") not in (
        "AES",
        "DES",
        "DESede",
        "RSA",
    ):
        raise Refused(
            "algorithm is required for SECRET_KEY! Supported values: AES, DES, DESede, RSA"
        )
    for row in call.body["cryptoKeyInfoEnvironmentList"]:
        base64_of(row.get("content"), call)


def keystore(call: Call) -> None:
    for row in call.body["keyStoreEnvironmentList"]:
        base64_of(row.get("file"), call)
        if row.get("keyStoreType") not in ("JKS", "PKCS12"):
            raise Refused(
                f"Unknown keyStoreType ({row.get('keyStoreType')})! Supported values: JKS, PKCS12"
            )


def base64_of(content: Any, call: Call) -> None:
    if not content:
        raise Refused("content value can not be empty!")
    if not content.startswith("-----BEGIN"):
        try:
            base64.b64decode(content, validate=True)
        except ValueError:
            raise Refused(
                f"Key content is neither PEM nor valid Base64 for key type {call.body.get('keyType')}!"
            ) from None


def jwk(call: Call) -> None:
    if not call.body.get("sourceType"):
        raise Refused("Source type is required!")


def key_shown(one: Json) -> Json:
    rows = [
        {k: v for k, v in row.items() if k != "content"}
        for row in one["cryptoKeyInfoEnvironmentList"]
    ]
    return {**one, "cryptoKeyInfoEnvironmentList": rows}


def keystore_shown(one: Json) -> Json:
    """1.10 #49: file and password come back encrypted."""
    rows = [
        {**row, "file": "ENCRYPTED", "password": "ENCRYPTED"}
        for row in one["keyStoreEnvironmentList"]
    ]
    return {**one, "keyStoreEnvironmentList": rows}


def reduced(rows: list[Json]) -> list[Json]:
    """1.10 #49: openapi has neither file nor password."""
    field = "keyStoreEnvironmentList"
    return [
        one
        if field not in one
        else {
            **one,
            field: [
                {k: v for k, v in row.items() if k not in ("file", "password")}
                for row in one[field]
            ],
        }
        for one in rows
    ]


listed_together("keys", "Key", key, key_shown)
listed_together("keystores", "Keystore", keystore, keystore_shown)
listed_together(
    "jwks",
    "JWK",
    jwk,
    lambda one: {k: one.get(k) for k in ("id", "name", "description", "sourceType")},
)


@route("POST", "/projects/{p}/jwks/generate", "SECRETS.MANAGE")
def generate(call: Call) -> Any:
    """New material each time."""
    if call.body["name"] in held(call, "jwks"):
        raise Refused(f"JWK (name: {call.body['name']}) is already exist!")
    held(call, "jwks")[call.body["name"]] = {
        "id": call.world.id(),
        "description": None,
        **call.body,
    }
    return everywhere(call)


# --- shared policies (§2.7) ------------------------------------------------------------------


def always_creates(segment: str, what: str) -> None:  # noqa: C901 - four calls of a few lines each
    base = f"/projects/{{p}}/{segment}"

    def rows(call: Call) -> list[Json]:
        return call.project.shared.setdefault(segment, [])

    @route("GET", f"{base}/", "API_MANAGEMENT.VIEW")
    def listed(call: Call) -> Any:
        return [in_list(one) for one in rows(call)]

    def in_list(one: Json) -> Json:
        if segment == "globalPolicies":
            return {
                "id": one["id"],
                "name": one["name"],
                "policyType": one["_class"],
                "policyTypeLabel": one["_class"],
            }
        return {"id": one["id"], "name": one["name"], "targetPipeline": one.get("targetPipeline")}

    @route("POST", f"{base}/", "API_MANAGEMENT.MANAGE")
    def post(call: Call) -> Any:
        """A duplicate name is no fault; a secret is taken as ciphertext."""
        if not call.body.get("_class"):
            raise Refused("Policy snapshot could not be parsed.")
        if "clientSecret" in call.body:
            raise Refused("Policy snapshot could not be parsed.")
        check_jwks(call, call.body)
        rows(call).append({"id": call.world.id(), **call.body})
        return Saved([in_list(rows(call)[-1])])

    @route("PUT", f"{base}/{{n}}/", "API_MANAGEMENT.MANAGE")
    def put(call: Call) -> Any:
        for one in rows(call):
            if one["name"].casefold() == call.names["n"].casefold():
                if one["_class"] != call.body.get("_class"):
                    raise Refused("Policy type in body does not match the existing policy's type.")
                check_jwks(call, call.body)
                kept = one["id"]
                one.clear()
                one.update({"id": kept, **call.body})
                return Saved([in_list(one)])
        raise Refused(f"{what} (name: {call.names['n']}) was not found!")

    @route("DELETE", f"{base}/{{n}}/", "API_MANAGEMENT.MANAGE")
    def drop(call: Call) -> Any:
        kept = [one for one in rows(call) if one["name"].casefold() != call.names["n"].casefold()]
        if len(kept) == len(rows(call)):
            raise Refused(f"{what} (name: {call.names['n']}) was not found!")
        call.project.shared[segment] = kept
        return Saved()


always_creates("globalPolicies", "Global policy")
always_creates("policyGroups", "Policy group")


# --- groups of proxies (§2.8) ----------------------------------------------------------------

G = "/projects/{p}/apiProxyGroups"


def group_of(call: Call) -> Json:
    found = held(call, "groups").get(call.names["g"])
    if found is None:
        raise Refused(
            f"API Proxy Group ({call.names['g']}) is not found or user does not have privilege to access it!"
        )
    return found


@route("GET", G + "/", "API_MANAGEMENT.VIEW")
def groups(call: Call) -> Any:
    return [
        {k: one.get(k) for k in ("id", "name", "description")}
        for one in held(call, "groups").values()
    ]


@route("POST", G + "/", "API_MANAGEMENT.MANAGE")
def add_group(call: Call) -> Any:
    name = call.body["name"]
    if name in held(call, "groups"):
        raise Refused(
            f"ApiProxyGroup: ({name}) is already created! If you want to udate it use update endpoint!"
        )
    if not (call.body.get("clientRoute") or {}).get("relativePathList"):
        raise Refused("clientRoute value needs at least one relativePath!")
    held(call, "groups")[name] = {
        "id": call.world.id(),
        **call.body,
        "members": [],
        "running": {},
        "history": [],
    }
    return Saved()


@route("PUT", G + "/", "API_MANAGEMENT.MANAGE")
def put_group(call: Call) -> Any:
    call.names["g"] = call.body["name"]
    group = group_of(call)
    group.update(call.body)
    flag(group)
    return Saved()


@route("DELETE", G + "/{g}/", "API_MANAGEMENT.MANAGE")
def drop_group(call: Call) -> Any:
    group_of(call)
    del held(call, "groups")[call.names["g"]]
    return Saved()


@route("POST", G + "/{g}/apiProxies/{x}/", "API_MANAGEMENT.MANAGE")
def join(call: Call) -> Any:
    group = group_of(call)
    if call.names["x"] not in call.project.proxies:
        raise Refused(
            f"ApiProxy ({call.names['x']}) is not found or user does not have privilege to access it!"
        )
    if call.names["x"] not in group["members"]:
        group["members"].append(call.names["x"])
        flag(group)
    return Saved()


@route("DELETE", G + "/{g}/apiProxies/{x}/", "API_MANAGEMENT.MANAGE")
def leave(call: Call) -> Any:
    group = group_of(call)
    if call.names["x"] in group["members"]:
        group["members"].remove(call.names["x"])
        flag(group)
    return Saved()


@route("GET", G + "/{g}/proxies/forpromotion", "API_MANAGEMENT.VIEW")
def members(call: Call) -> Any:
    return [{"id": "0" * 24, "name": name} for name in sorted(group_of(call)["members"])]


@route("GET", G + "/{g}/environments/", "API_MANAGEMENT.VIEW")
def group_environments(call: Call) -> Any:
    return [
        {
            "name": name,
            "type": "TEST",
            "accessUrl": None,
            "deployed": True,
            "redeployRequired": again,
        }
        for name, again in group_of(call)["running"].items()
    ]


@route("POST", G + "/{g}/environments/{e}/", "API_MANAGEMENT.DEPLOY_UNDEPLOY")
def deploy_group(call: Call) -> Any:
    group = group_of(call)
    good = call.world.deploys(call.names["g"], call.names["e"])
    group["running"][call.names["e"]] = not good
    group["history"].append((call.body or {}).get("description"))
    return Saved(deployment=call.world.result({call.names["e"]: good}))


@route("DELETE", G + "/{g}/environments/{e}/", "API_MANAGEMENT.DEPLOY_UNDEPLOY")
def undeploy_group(call: Call) -> Any:
    group_of(call)["running"].pop(call.names["e"], None)
    return Saved(deployment=call.world.result({call.names["e"]: True}))


def flag(group: Json) -> None:
    group["running"] = dict.fromkeys(group["running"], True)


# --- rate limits (§2.15) ---------------------------------------------------------------------

R = "/projects/{p}/rlcl"
LISTS = {"credentials": "credentialNameList", "endpoints": "endpointRateLimitList"}


def limit_of(call: Call) -> Json:
    found = held(call, "rlcl").get(call.names["n"])
    if found is None:
        raise Refused(f"RLCL ({call.names['n']}) is not found!")
    return found


@route("GET", R + "/", "IDENTITY.VIEW")
def limits(call: Call) -> Any:
    """1.10 #54: neither the method nor the cache fields of an endpoint are shown."""
    hidden = ("endpointHTTPMethod", "cacheConnectionTimeoutInSeconds", "cacheErrorHandlingType")
    return [
        {
            **limit_shown(call, one),
            "endpointRateLimitList": [
                {"endpointId": "0" * 24, **{k: v for k, v in row.items() if k not in hidden}}
                for row in one["endpointRateLimitList"]
            ],
        }
        for one in held(call, "rlcl").values()
    ]


def limit_shown(call: Call, one: Json) -> Json:
    """1.10 #44: the page of this read says IGNORE; #54: openapi has not all fields."""
    shown = dict(one)
    if "limits-say-ignore" in call.world.quirks and one.get("cacheErrorHandlingType"):
        shown["cacheErrorHandlingType"] = one["cacheErrorHandlingType"].replace(
            "CONTINUE", "IGNORE"
        )
    if "limits-in-brief" in call.world.quirks:
        later = ("identitySource", "targetAudienceRuleList", "outOfTargetAction")
        shown = {
            key: value
            for key, value in shown.items()
            if key not in later and not key.startswith("generalQuota")
        }
    return shown


@route("POST", R + "/", "IDENTITY.MANAGE")
def add_limit(call: Call) -> Any:
    name = call.body["name"]
    if name in held(call, "rlcl"):
        raise Refused(f"An RLCL with same name ({name}) already exists in project!")
    filled = {
        "enabled": True, "executionOrder": "BEFORE_API_PROXY", "cacheConnectionTimeoutInSeconds": 3,
        "showRateLimitStatisticsInResponseHeader": False, "credentialNameList": [], "endpointRateLimitList": [],
        "condition": {"conditionRuleList": [{"conditionCriteria": "AND", "conditionRuleList": []}]},
    }  # fmt: skip
    held(call, "rlcl")[name] = {"id": call.world.id(), **filled, **plain(call, {})}
    return everywhere(call)


@route("PUT", R + "/{n}/", "IDENTITY.MANAGE")
def put_limit(call: Call) -> Any:
    limit_of(call).update(plain(call, {}))
    return everywhere(call)


@route("DELETE", R + "/{n}/", "IDENTITY.MANAGE")
def drop_limit(call: Call) -> Any:
    limit_of(call)
    del held(call, "rlcl")[call.names["n"]]
    return everywhere(call)


@route("PUT", R + "/{n}/{list}/", "IDENTITY.MANAGE")
def put_list(call: Call) -> Any:
    one, name = limit_of(call), call.names["list"]
    if name == "condition":
        one["condition"] = call.body
        return everywhere(call)
    items = call.body.get(LISTS[name])
    if not items:
        raise Refused(f"{LISTS[name]} value can not be empty!")
    if name == "credentials":
        for username in items:
            if username not in call.project.credentials:
                raise Refused(f"Credential with name ({username}) is not found in project!")
    else:
        for row in items:
            if row["apiProxyName"] not in call.project.proxies:
                raise Refused(
                    f"API Proxy with name ({row['apiProxyName']}) is not found in project!"
                )
    one[LISTS[name]] = items
    return everywhere(call)


@route("DELETE", R + "/{n}/{list}/", "IDENTITY.MANAGE")
def clear_list(call: Call) -> Any:
    one, name = limit_of(call), call.names["list"]
    if name == "condition":
        one["condition"] = {
            "conditionRuleList": [{"conditionCriteria": "AND", "conditionRuleList": []}]
        }
    else:
        gone = call.body.get(LISTS[name]) or []
        one[LISTS[name]] = [row for row in one[LISTS[name]] if row not in gone]
    return everywhere(call)
