"""Settings, AI routings and traffic logs of a proxy (vendor document, 2.5.3, 2.5.4, 2.5.8).

No setting can be read back, so what was written last is what is compared with, and what is sent
is what differs from it. Each call says `deploy: false`.
"""

from typing import Any, Final

from apiops.errors import ManagerError
from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Absent, bare_path, path
from apiops.remote.vendor.codec import MISSING, Job, Place, at

WRAPPED: Final = {
    "cors": ("cors", "corsSettings"),
    "cache": ("cache", "cacheSettings"),
    "idempotency": ("idempotency", "idempotencySettings"),
    "ntlm": ("ntlm", "ntlmSettings"),
    "jsonErrorTemplate": ("json-error-template", "jsonErrorResponseTemplate"),
    "xmlErrorTemplate": ("xml-error-template", "xmlErrorResponseTemplate"),
    "forwardedIpHeader": ("forwarded-ip-header", "forwardedIpHeaderParam"),
    "grpc": ("grpc", "grpcSettings"),
    "websocket": ("websocket", "websocketSettings"),
}
"""Settings that are sent as one object, which replaces the one before."""

FLAT: Final = {
    "connection": "connection",
    "circuitBreaker": "circuit-breaker",
    "mtls": "mtls",
    "proxyServer": "proxy-server",
    "keys": "keys",
    "errorHandling": "error-handling",
    "customMessage": "custom-message",
    "maintenanceMode": "maintenance-mode",
}
"""Settings of which only the fields that are sent change."""

NAMED: Final = frozenset({"cors", "cache"})
"""Those of them that have a name, which is their own."""
_OFF: Final[dict[str, dict[str, Any]]] = {
    "cors": {"corsActive": False},
    "cache": {"cacheActive": False, "handlingAction": "CONTINUE"},
    "idempotency": {"idempotencyActive": False},
    "ntlm": {"enabled": False},
    "jsonErrorTemplate": {"jsonErrorResponseTemplateActive": False},
    "xmlErrorTemplate": {"xmlErrorResponseTemplateActive": False},
    "forwardedIpHeader": {"forwardedIpHeaderParamActive": False},
    "connection": {"connectionSettingsEnabled": False},
    "circuitBreaker": {"circuitBreakerEnabled": False},
    "mtls": {"enabled": False},
    "proxyServer": {"proxyEnabled": False},
    "errorHandling": {"errorHandlingType": "DEFAULT"},
    "customMessage": {"buildCustomMessage": False},
    "maintenanceMode": {"enabled": False},
}
"""What a setting that was taken back is set to."""

ROUTINGS: Final = {
    "aiRouting": "ai-routing",
    "mcpRouting": "mcp-routing",
    "a2aRouting": "a2a-routing",
}


def _where(job: Job, *more: str) -> str:
    return path("projects", job.place.project, "apiProxies", job.id.name, *more)


def write(job: Job) -> None:
    """Every setting that differs."""
    _metadata(job)
    if job.differs("clientRoute"):
        _patch(job, "client-route", {"clientRoute": job.plain["clientRoute"]})
    if job.differs("routing.addresses"):
        _patch(job, "addresses", {"routingAddressList": at(job.plain, "routing.addresses") or []})
    _routing_status(job)
    for name, (step, wrapper) in WRAPPED.items():
        if job.differs(f"settings.{name}"):
            inner: JsonObject = at(job.plain, f"settings.{name}") or _OFF.get(name, {})
            named = {"name": name} if name in NAMED else {}
            _patch(job, step, {wrapper: {**named, **inner}})
    for name, step in FLAT.items():
        if job.differs(f"settings.{name}"):
            _patch(job, step, _flat(name, at(job.plain, f"settings.{name}") or _OFF.get(name, {})))
    if job.differs("settings.specAccess"):
        _spec_access(job)


def _patch(job: Job, step: str, body: JsonObject) -> None:
    if body:
        job.send("PATCH", _where(job, "settings", step), {**body, "deploy": False})


def _routing_status(job: Job) -> None:
    """Two flags; one that was taken back is as at the beginning."""
    flags = {"enabled": ("routingEnabled", True), "echoEnabled": ("echoEnabled", False)}
    sent = {}
    for name, (field, usual) in flags.items():
        if job.differs(f"routing.{name}"):
            wanted = at(job.plain, f"routing.{name}")
            sent[field] = usual if wanted is None else wanted
    _patch(job, "routing-status", sent)


_LISTED_AS: Final = {
    "categoryList": [],
    "sharingType": "BOTH",
    "direction": "REQUEST_RESPONSE",
    "requestBodyReadBehavior": "ALWAYS_READ",
    "responseBodyReadBehavior": "ALWAYS_READ",
    "disableDirectAccessToGateways": False,
    "backendProxyApplyPolicies": False,
}
"""What a field that was taken back is set to; the others are cleared by an empty text."""


def _metadata(job: Job) -> None:
    """Description and the listing; "" and [] clear."""
    if not job.differs("description", "metadata"):
        return
    before: JsonObject = job.before.get("metadata") or {}
    after: JsonObject = job.plain.get("metadata") or {}
    changed = {name: value for name, value in after.items() if value != before.get(name)}
    changed |= {name: _LISTED_AS.get(name, "") for name in before.keys() - after.keys()}
    if job.differs("description"):
        changed["description"] = job.plain.get("description", "")
    _patch(job, "metadata", changed)


def _flat(name: str, inner: JsonObject) -> dict[str, Any]:
    """A field that is left out stays; so does a secret whose value nobody gave."""
    names = {"keyStore": "keyStoreName", "trustStore": "trustStoreName"} if name == "mtls" else {}
    sent = {names.get(key, key): v for key, v in inner.items() if v is not MISSING}  # 1.10 #29
    if sent.get("enumErrorThresholdType") == "PERCENTAGE":
        sent["enumErrorThresholdType"] = "PERCENT"  # what settings call it (1.10 #32)
    return sent


def _spec_access(job: Job) -> None:
    access: JsonObject = at(job.plain, "settings.specAccess") or {}
    if access.get("type"):
        checked = access.get("checkApiProxyPermission")
        query = None if checked is None else {"checkApiProxyPermission": str(checked).lower()}
        where = _where(job, "settings", "spec-access-type", access["type"])
        job.send("PATCH", where, {"deploy": False}, query=query)


def write_routing(job: Job) -> None:
    """The routing of an AI kind, as a whole."""
    for name, step in ROUTINGS.items():
        if job.differs(name) and job.plain.get(name) is not None:
            routing = dict(job.plain[name])
            if routing.get("exposedTools"):
                routing["exposedTools"] = _tools(job, routing["exposedTools"])
            job.send("PUT", _where(job, step), routing)


def _tools(job: Job, tools: list[JsonObject]) -> list[dict[str, Any]]:
    """Tools name their proxy; the Manager wants its id (2.2)."""
    where = bare_path("projects", job.place.project, "apiProxies", "forpromotion")
    ids = {one["name"]: one.get("id") for one in job.api.items(where)}
    sent = []
    for tool in tools:
        name = tool["apiProxyName"]
        if not ids.get(name):
            raise ManagerError(
                f"{job.id} exposes the proxy {name}, whose id the Manager does not say",
                code="AO766",
                hint="create that proxy first, in this project",
            )
        rest = {key: value for key, value in tool.items() if key != "apiProxyName"}
        sent.append({"proxyId": ids[name], **rest})
    return sent


def traffic_read(place: Place, proxy: str, environment: str) -> JsonObject | None:
    """The log settings of one environment; None for none."""
    base = ("projects", place.project, "apiProxies", proxy, "trafficLogSettings", environment)
    try:
        rows = place.api.items(path(*base))
    except Absent:
        return None
    return rows[0] if rows else None


def traffic_seen(raw: JsonObject) -> dict[str, Any]:
    """The flags; connectors may be keyed by ids and are not compared (2.5.8)."""
    own = frozenset({"connectorSettingsMap", "methodOverrideList", "id", "environmentId"})
    return {
        name: None if row is None else {k: v for k, v in row.items() if k not in own}
        for name, row in raw["trafficLog"].items()
    }


def write_traffic(job: Job) -> None:
    """Log settings, environment by environment; they deploy themselves."""
    wanted: JsonObject = job.plain.get("trafficLog") or {}
    for name, log in wanted.items():
        if not job.differs(f"trafficLog.{name}"):
            continue
        body = {k: v for k, v in log.items() if k not in ("connectors", "methods")}
        if "connectors" in log:
            body["connectorSettingsMap"] = log["connectors"] or {}
        if "methods" in log:
            body["methodOverrideList"] = _methods(job, log["methods"] or [])
        job.send("PUT", _where(job, "trafficLogSettings", name), body)


def _methods(job: Job, methods: list[JsonObject]) -> list[dict[str, Any]]:
    """Endpoints are named; the Manager wants their ids (2.2)."""
    rows = job.api.items(_where(job, "endpoints"))
    ids = {(row["endpoint"], row["httpMethod"]): row.get("id") for row in rows}
    return [
        {
            "apiMethodId": ids.get((one["endpoint"], one["httpMethod"])),
            "apiMethodName": one["endpoint"],
            "connectorSettingsMap": one["connectors"],
        }
        for one in methods
    ]
