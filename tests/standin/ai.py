"""LLM providers (§2.16)."""

from typing import Any

from tests.standin.shared import everywhere, named
from tests.standin.wire import Call, Refused, route
from tests.standin.world import Json

L = "/projects/{p}/llm-providers"
VIEW, MANAGE = "AI_DEVELOPMENT.VIEW", "AI_DEVELOPMENT.MANAGE"
SECRETS = ("apiKey", "apiSecret", "serviceAccountJson")
FILLED: dict[str, Json] = {
    "OPENAI": {"endpoint": "https://api.openai.com/v1", "authScheme": "BEARER", "deploymentType": "CLOUD"},
    "ANTHROPIC": {"endpoint": "https://api.anthropic.com", "apiVersion": "2023-06-01", "authScheme": "API_KEY_HEADER",
                  "authHeaderName": "x-api-key", "deploymentType": "CLOUD"},
    "VLLM": {"authScheme": "BEARER", "deploymentType": "ON_PREM"},
}  # fmt: skip
"""Blank fields are filled from the type."""


@route("GET", L + "/", VIEW)
def providers(call: Call) -> Any:
    return [shown(one) for one in call.project.providers.values()]


def shown(one: Json) -> Json:
    """§5.2: null with a flag; no flag for serviceAccountJson, no region."""
    row = {k: v for k, v in one.items() if k not in (*SECRETS, "region")}
    row |= {
        "apiKey": None,
        "apiSecret": None,
        "apiKeySet": bool(one.get("apiKey")),
        "apiSecretSet": bool(one.get("apiSecret")),
    }
    row["metadata"] = [
        {**fact, "value": None if fact.get("secret") else fact.get("value")}
        for fact in one.get("metadata") or []
    ]
    return row | {
        "healthStatus": "UNKNOWN",
        "lastHealthCheckAt": None,
        "lastLatencyMs": None,
        "builtIn": False,
    }


@route("POST", L + "/{n}/", MANAGE)
def post(call: Call) -> Any:
    return store(call, provider(call, required=False))


@route("PUT", L + "/{n}/", MANAGE)
def put(call: Call) -> Any:
    return store(call, provider(call, required=True))


def provider(call: Call, *, required: bool) -> tuple[str, Json]:
    name = named(call, "LLM provider")
    if call.body.get("_class") != "llm":
        raise Refused("LLM provider body can not be empty!")
    for known, held in call.project.providers.items():
        if known.casefold() == name.casefold():
            return known, held
    if required:
        raise Refused(f"LLM provider (name: {name}) was not found!")
    return name, {"id": call.world.id()}


def store(call: Call, found: tuple[str, Json]) -> Any:
    """A blank secret keeps what is held (§5.3)."""
    name, held = found
    sent = {k: v for k, v in call.body.items() if v is not None}
    for secret in SECRETS:
        if not sent.get(secret):
            sent.pop(secret, None)
            if held.get(secret):
                sent[secret] = held[secret]
    base = {
        "enabled": True,
        "description": None,
        "supportedModels": [],
        "allowedModelIds": [],
        "metadata": [],
        "coldStartRetryEnabled": False,
    }
    call.project.providers[name] = {
        **base,
        **FILLED.get(sent.get("providerType"), {}),
        **sent,
        "id": held["id"],
        "name": name,
    }
    return everywhere(call)


@route("DELETE", L + "/{n}/", MANAGE)
def drop(call: Call) -> Any:
    """Refused while it is used."""
    name, _held = provider_of(call)
    users = [
        proxy.name for proxy in call.project.proxies.values()
        if name in str(proxy.routings.get("ai-routing", {}))
    ]  # fmt: skip
    if users:
        used = ", ".join(f"API Proxy: {user}" for user in users)
        raise Refused(
            f"This LLM provider is in use and cannot be deleted. Remove the references first: {used}"
        )
    del call.project.providers[name]
    return everywhere(call)


def provider_of(call: Call) -> tuple[str, Json]:
    for known, held in call.project.providers.items():
        if known.casefold() == call.names["n"].casefold():
            return known, held
    raise Refused(f"LLM provider (name: {call.names['n']}) was not found!")
