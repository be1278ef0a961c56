"""API proxies as the Manager shows them, and the order of their calls (vendor document, 2.5).

Seen are description, route, routing, categories, endpoints, policies and where a proxy runs. Not
seen are its settings, its document and the routing of AI kinds: there what was written stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from apiops.model.resource import NOT_SHOWN, JsonObject
from apiops.remote.vendor import endpoints, policies, references, settings
from apiops.remote.vendor.api import Upload, bare_path, path
from apiops.remote.vendor.codec import Found, Job, Place, at, taken
from apiops.remote.vendor.shared import gone

SPECIFIED: Final = frozenset({"OPEN_API", "SWAGGER", "WSDL"})
AGENTS: Final = {"AI": "ai", "MCP": "mcp", "A2A": "a2a"}
_REPARSED: Final = ("source", "routing.loadBalanceAlgorithm")
_PARSE: Final = ("soapToRest", "enableWSA", "enableWSRM", "backendApiVersion")
_ROUTE: Final = (
    *("relativePathList", "methodList", "hostList", "headerList"),
    *("bufferRequest", "bufferResponse"),
)
_ADDRESS: Final = (
    *("address", "description", "weight", "soapType", "addressType"),
    *("healthCheckPath", "healthMonitoringEnabled"),
)


class Proxies:
    """ApiProxy."""

    kind = "ApiProxy"
    right = "API_MANAGEMENT"

    def found(self, place: Place) -> Iterable[Found]:
        """One list, of names and first paths."""
        items = place.api.items(path("projects", place.project, "apiProxies"))
        return [Found(one["name"], one) for one in items]

    def detailed(self, place: Place, one: Found, written: JsonObject | None) -> Found:
        """What lists do not show: one read, and one more for the bodies of policies."""
        base = ("projects", place.project, "apiProxies", one.name)
        (whole,) = place.api.items(path(*base), {"withPolicies": "true"}) or [{}]
        raw: dict[str, Any] = {**one.raw, **whole}
        if policies.has_any(whole):
            (bodies,) = place.api.items(path(*base, "policies")) or [{}]
            raw["policies"] = references.with_names(
                place, bodies.get("apiProxy", bodies)
            )  # 1.10 #38
        if written is None:
            raw["creation"] = _creations(place).get(one.name)
        else:
            raw["trafficLog"] = {
                name: settings.traffic_read(place, one.name, name)
                for name in written.get("trafficLog") or ()
            }
        running = {
            row["environmentName"]: not row.get("redeployRequired")
            for row in whole.get("deploymentList") or ()
            if row.get("deployed")
        }
        return replace(one, raw=raw, running=running)

    def seen(self, place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """What of it is shown (2.5.5)."""
        raw = one.raw
        routing = raw.get("routing") or {}
        seen: dict[str, Any] = {
            "description": raw.get("description"),
            "clientRoute": _route(place, raw.get("clientRoute") or {}, written),
            "metadata": taken(raw, "categoryList", "sharingType"),
            "endpoints": endpoints.seen(raw.get("endpointList") or (), written),
            "policies": policies.seen(
                raw, (written or {}).get("policies"), known=written is not None
            ),
        }
        if written is None:
            seen["type"] = _type(raw)
            if seen["type"] in SPECIFIED:
                ending = "wsdl" if seen["type"] == "WSDL" else "openapi.yaml"
                seen["source"] = {"file": f"{one.name}.{ending}", "fileDigest": NOT_SHOWN}
        if _type(raw) not in AGENTS:
            seen["routing"] = {
                "addresses": [
                    taken(row, *_ADDRESS) for row in routing.get("routingAddressList") or ()
                ],
                "enabled": routing.get("routingEnabled"),
            }
        if raw.get("trafficLog"):
            seen["trafficLog"] = settings.traffic_seen(raw)
        return seen

    def create(self, job: Job) -> None:
        """Made with its document, then everything that creating does not take."""
        job = references.with_ids(job)
        kind = job.after["type"]
        if kind in AGENTS:
            self._create_agent(job, AGENTS[kind])
            made: dict[str, Any] = {}
        else:
            self._parse(job, "POST")
            made = {"routing": {"addresses": at(job.after, "routing.addresses")}}
            made |= {name: job.after.get(name) for name in ("clientRoute", "description")}
        self._rest(replace(job, before=made))

    def update(self, job: Job) -> None:
        """A document that changed is read again; then what differs, by its own call."""
        job = references.with_ids(job) if job.differs("policies", "aiRouting") else job
        anew = job.differs(*_REPARSED) and _parses(job)
        if anew or (job.after["type"] in SPECIFIED and endpoints.takes_back(job)):
            self._parse(job, "PUT")
            job = replace(job, before={**job.before, "endpoints": endpoints.undocumented(job)})
        self._rest(job)

    def delete(self, job: Job) -> None:
        """It is undeployed everywhere, as well as that goes (2.5.9)."""
        gone(job, path("projects", job.place.project, "apiProxies", job.id.name))

    def _rest(self, job: Job) -> None:
        settings.write(job)
        endpoints.write(job)
        policies.write(job)
        settings.write_routing(job)
        settings.write_traffic(job)

    def _parse(self, job: Job, method: str) -> None:
        """POST makes, PUT reads the document again (1.10 #22)."""
        source: Mapping[str, Any] = job.plain.get("source") or {}
        sent = self._parsed(job, source, again=method == "PUT")
        if source.get("file"):
            where = path("projects", job.place.project, "apiProxies", "file")
            content = job.files[source["fileDigest"]]
            name = source["file"].rsplit("/", 1)[-1]
            body: Any = Upload({"metadata": _json(sent)}, {"specFile": (name, content)})
        else:
            where = path("projects", job.place.project, "apiProxies", "url")
            body = sent | {
                "specUrl": source.get("url"),
                "specAuthorizationValueList": source.get("authorization") or [],
            }
        if method == "POST":
            job.make("POST", where, body, lambda: self._there(job))
        else:
            job.send("PUT", where, body)

    def _parsed(self, job: Job, source: JsonObject, *, again: bool) -> dict[str, Any]:
        routing = job.plain.get("routing") or {}
        info = {
            "loadBalanceAlgorithm": routing.get("loadBalanceAlgorithm"),
            "routingAddressList": routing.get("addresses") or [],
        }
        return {
            "apiProxyName": job.id.name,
            "apiProxyDescription": job.plain.get("description", ""),
            "apiProxyCreationType": job.plain["type"],
            "clientRoute": job.plain["clientRoute"],
            "routingInfo": {name: value for name, value in info.items() if value is not None},
            "deploy": False,
            "reParse": again,
            **{name: source[name] for name in _PARSE if name in source},
        }

    def _create_agent(self, job: Job, flavour: str) -> None:
        """Made in the mode that creating takes; its routing is set by a call of its own (2.5.4)."""
        where = path("projects", job.place.project, "apiProxies", flavour, job.id.name)
        sent: dict[str, Any] = {
            "relativePath": job.plain["clientRoute"]["relativePathList"][0],
            "description": job.plain.get("description", ""),
        }
        if flavour == "ai":
            routing = job.plain.get("aiRouting") or {}
            sent |= {
                "llmProviderName": routing.get("llmProviderRefName"),
                "modelId": routing.get("modelId"),
                "streaming": routing.get("streaming", False),
            }
        else:
            sent["routingMode"] = "TOOL_EXPOSE" if flavour == "mcp" else "AGENT_EXPOSE"
            version = (job.plain.get(f"{flavour}Routing") or {}).get("protocolVersion")
            sent |= {"protocolVersion": version} if version else {}
        job.make("POST", where, sent, lambda: self._there(job))

    def _there(self, job: Job) -> bool:
        return any(one.name == job.id.name for one in self.found(job.place))


def _parses(job: Job) -> bool:
    """Whether what differs is for the Manager to read: another path of the same file is not."""
    same_file = at(job.before, "source.fileDigest") == at(job.after, "source.fileDigest")
    watched = ("source.url", "source.authorization", "routing.loadBalanceAlgorithm")
    return not same_file or job.differs(*watched, *(f"source.{name}" for name in _PARSE))


def _creations(place: Place) -> dict[str, str]:
    """What each proxy was made from: only the list for promotions says so (2.5.5)."""
    items = place.api.items(bare_path("projects", place.project, "apiProxies", "forpromotion"))
    return {one["name"]: one.get("enumProxyCreationType") or "" for one in items}


def _type(raw: JsonObject) -> str:
    kind = raw.get("apiType") or raw.get("type") or ""  # 1.10 #20
    return str(kind if kind in AGENTS else raw.get("creation") or "")


def _route(place: Place, raw: JsonObject, written: JsonObject | None) -> dict[str, Any]:
    """The project's own path stands before it (7 #21)."""
    route = taken(raw, *_ROUTE)
    paths = raw.get("relativePathList") or []
    wanted = at(written, "clientRoute.relativePathList")
    bare = [path_.removeprefix(place.path) for path_ in paths]
    if place.path and paths != wanted and (wanted is None or bare == wanted):
        route["relativePathList"] = bare
    return route


def _json(tree: Any) -> str:
    import orjson

    return orjson.dumps(tree).decode()
