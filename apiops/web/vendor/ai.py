"""Models, who offers them, and where knowledge lies (vendor document, 2.16, 2.17).

What is built into the vendor's Manager is nowhere here. An id of a definition is its name.
"""

from typing import Any, Final

from apiops.model.resource import JsonObject, LiveResource
from apiops.spec import marks
from apiops.web.envelope import Told
from apiops.web.vendor import named, shapes
from apiops.web.vendor.door import Door
from apiops.web.vendor.named import Named
from apiops.web.vendor.shapes import Body

_SERVERS: Final = frozenset(
    {
        *("_class", "builtIn", "healthStatus", "lastHealthCheckAt", "lastLatencyMs"),
        *("usedByRefs", "lastUpdatedAt", "createdAt", "updatedAt", "status", "docCount"),
        *("chunkCount", "apiKeySet", "apiSecretSet"),
    }
)
"""Fields of an answer that the Manager owns, and that a script may send back."""

_FOLLOWS: Final = ("providerDefinitionId", "providerDefinition")
"""What the vendor calls the definition that is followed, and what a manifest calls it."""


def _own(body: Body, class_: str = "") -> Body:
    """A body without what is the Manager's own. Raises Told where it is of another class."""
    if body.get("_class") not in (None, class_):
        raise Told(f"The body is of class {body['_class']} and not of {class_}!")
    spec = {k: v for k, v in shapes.spec(body, {}).items() if k not in _SERVERS}
    theirs, ours = _FOLLOWS
    return {ours if k == theirs else k: v for k, v in spec.items()}


def _shown(one: LiveResource, **more: Any) -> Body:
    theirs, ours = _FOLLOWS
    spec = {theirs if k == ours else k: v for k, v in shapes.plain(one).items()}
    return {**spec, "id": one.id.name, "builtIn": False, **more}


def _said_twice(body: Body, **same: str) -> None:
    """Refuse a field that says something else than the name. Raises Told."""
    for field, value in same.items():
        if body.get(field) not in (None, "", value):
            raise Told(f"{field} ({body[field]}) does not match name ({body['name']})!")


def _definition(body: Body, _before: JsonObject) -> Body:
    """Its name is its code."""
    _said_twice(body, code=body["name"])
    return {k: v for k, v in _own(body).items() if k != "code"}


def _model(body: Body, _before: JsonObject) -> Body:
    """Its name is `provider/model`, and says both."""
    code, _, model = body["name"].partition("/")
    _said_twice(body, providerCode=code, modelId=model)
    return {k: v for k, v in _own(body).items() if k not in ("providerCode", "modelId")}


def _shown_model(one: LiveResource) -> Body:
    code, _, model = one.id.name.partition("/")
    return _shown(one, providerCode=code, modelId=model)


_KEYS: Final = ("apiKey", "apiSecret", "serviceAccountJson")


def _provider(body: Body, _before: JsonObject) -> Body:
    """A secret that is blank or left out is kept (5.3)."""
    return {**_own(body, "llm"), **{name: body.get(name) or None for name in _KEYS}}


def _shown_provider(one: LiveResource) -> Body:
    held = {f"{name}Set": bool(one.spec.get(name)) for name in _KEYS[:2]}
    return _shown(one, **dict.fromkeys(_KEYS[:2]), **held)


def _unused(call: Door, one: LiveResource) -> None:
    """Refuse to take a provider away from what uses it. Raises Told."""
    used = [
        f"{called}: {user.id.name}"
        for kind, called in (("ApiProxy", "API Proxy"), ("KnowledgeBase", "Knowledge Base"))
        for user in call.manager.views.resources(call.calling.principal, kind, one.id.project)
        if any(
            (mention.kind, mention.name) == (one.id.kind, one.id.name)
            for mention in marks.references(kind, user.spec)
        )
    ]
    if used:
        raise Told(
            "This LLM provider is in use and cannot be deleted. Remove the references first: "
            + ", ".join(used)
        )


_SECRETS: Final = {"jdbc": ("password",), "redis": ("password",), "http": ("apiKey", "apiSecret")}
"""Family of a transport → what it keeps secret."""
_FLAT: Final = {
    "jdbc": {"jdbcUrl": "jdbcUrl", "username": "jdbcUsername", "password": "jdbcPassword"},
    "redis": {"uri": "redisUri", "username": "redisUsername", "password": "redisPassword"},
    "http": {},
}
"""Family → field of its transport → field of a read; others have one name."""


def _vectors(body: Body, _before: JsonObject) -> Body:
    """Written as it is in a manifest; a secret that is blank or left out is kept (5.3)."""
    spec = _own(body, "vector-db")
    transport = spec.get("transport")
    if not isinstance(transport, dict):
        return spec
    names = _SECRETS.get(str(transport.get("family")), ())
    return {**spec, "transport": {**transport, **{n: transport.get(n) or None for n in names}}}


def _shown_vectors(one: LiveResource) -> Body:
    """Read flat (7 #7)."""
    shown = _shown(one)
    transport, held = shown.pop("transport"), one.spec["transport"]
    family = transport["family"]
    pool = {f"pool{k[0].upper()}{k[1:]}": v for k, v in transport.pop("pool", {}).items()}
    names = _FLAT[family]
    for secret in _SECRETS[family]:
        transport[secret] = None
        shown[f"{names.get(secret, secret)}Set"] = bool(held.get(secret))
    return {**shown, **{names.get(k, k): v for k, v in transport.items()}, **pool}


_APART: Final = ("documents", "reindexOnChange")
"""What a manifest says of a knowledge base and no body of the vendor's."""


def _knowledge(body: Body, before: JsonObject) -> Body:
    return {**_own(body), **{name: before[name] for name in _APART if name in before}}


def _shown_knowledge(one: LiveResource) -> Body:
    shown = {"chunkSize": 1000, "chunkOverlap": 200, **_shown(one)}
    shown["docCount"] = len(one.spec.get("documents") or ())
    return {k: v for k, v in shown.items() if k not in (*_APART, "builtIn")}


def _words(called: str) -> tuple[str, str, str]:
    return called, f"{called} (name: {{}}) was not found!", ""


routes, serve = named.family(
    Named(
        *("LlmProviderDefinition", "llm-provider-definitions", *_words("Provider definition")),
        shows=lambda one: _shown(one, code=one.id.name),
        takes=_definition,
    ),
    Named(
        *("LlmModel", "llm-models", *_words("Model catalog entry")),
        shows=_shown_model,
        takes=_model,
        tail="{name:path}",
    ),
    Named(
        *("LlmProvider", "llm-providers", *_words("LLM provider")),
        shows=_shown_provider,
        takes=_provider,
        spares=_unused,
    ),
    Named(
        *("VectorDb", "vector-dbs", *_words("Vector DB connection")),
        shows=_shown_vectors,
        takes=_vectors,
    ),
    Named(
        *("KnowledgeBase", "knowledge-bases", *_words("Knowledge base")),
        shows=_shown_knowledge,
        takes=_knowledge,
    ),
)
