"""What administrators set for everybody: AI gateway, geolocation (§2.20) and shared presets (§2.19)."""

from typing import Any

from tests.standin import more
from tests.standin.wire import Call, Refused, route
from tests.standin.world import Json

RANGES = {
    "defaultConnectTimeoutSeconds": (1, 300),
    "defaultStreamTimeoutSeconds": (1, 3600),
    "defaultRetryCount": (0, 10),
}


def administrator(call: Call, what: str = "access this resource") -> None:
    """§1.4: a 400 in words of its own."""
    if not call.user.admin:
        raise Refused(f"Unauthorized! Only users with ADMIN role can {what}!")


@route("GET", "/settings/ai-gateway")
def gateway(call: Call) -> Any:
    administrator(call)
    return [call.world.gateway]


@route("PUT", "/settings/ai-gateway")
def put_gateway(call: Call) -> Any:
    """§2.20: what is left out stays; a budget is replaced as a whole."""
    administrator(call)
    sent = {k: v for k, v in (call.body or {}).items() if v is not None}
    if not sent:
        raise Refused("Request body can not be empty!")
    for name, (least, most) in RANGES.items():
        if not least <= sent.get(name, least) <= most:
            raise Refused(f"{name} must be between {least} and {most}!")
    for name in ("defaultBudget", "defaultAnonymousBudget"):
        if name in sent:
            sent[name] = {"enabled": False, "hardCapPercent": 100, **sent[name]}
    call.world.gateway.update(sent)
    return [call.world.gateway]


@route("GET", "/settings/geolocation/")
def geolocation(call: Call) -> Any:
    administrator(call)
    held = call.world.geolocation
    return [{k: v for k, v in held.items() if k != "content"}]


@route("PUT", "/settings/geolocation/enable")
def enable(call: Call) -> Any:
    return switched(call, on=True)


@route("PUT", "/settings/geolocation/disable")
def disable(call: Call) -> Any:
    return switched(call, on=False)


def switched(call: Call, *, on: bool) -> Any:
    administrator(call)
    call.world.geolocation["enabled"] = on
    return []


@route("PUT", "/settings/geolocation/mmdb")
def upload(call: Call) -> Any:
    administrator(call)
    if not call.files.get("file"):
        raise Refused("File can not be empty!")
    name = call.files["fileName"].decode()
    call.world.geolocation.update(
        fileName=name, name=name, mmdbFileUploaded=True, content=call.files["file"]
    )
    return []


def shared_presets(family: str, what: str) -> None:
    """§2.19: the same calls on another surface; every project sees what is made here."""
    base = f"/settings/ai-{family}-presets"

    def held(call: Call) -> dict[str, Json]:
        administrator(call, "manage AI presets")
        rows: dict[str, Json] = call.world.presets.setdefault(family, {})
        return rows

    def named(call: Call) -> str:
        if call.names["n"] not in held(call):
            raise Refused(f"{what} (name: {call.names['n']}) was not found!")
        return call.names["n"]

    def keep(call: Call) -> Any:
        name, rows = call.names["n"], held(call)
        was = rows.get(name, {"id": call.world.id()})
        rows[name] = {**more.preset(call, was), "id": was["id"], "builtIn": False, "name": name}
        return []

    @route("GET", f"{base}/")
    def listed(call: Call) -> Any:
        built_in = {"id": "0" * 24, "name": f"built-in {family}", "builtIn": True}
        return [built_in, *held(call).values()]

    @route("POST", f"{base}/{{n}}/")
    def post(call: Call) -> Any:
        return keep(call)

    @route("PUT", f"{base}/{{n}}/")
    def put(call: Call) -> Any:
        named(call)
        return keep(call)

    @route("DELETE", f"{base}/{{n}}/")
    def drop(call: Call) -> Any:
        del held(call)[named(call)]
        return []


for one, words in {
    "dlp": "AI DLP preset",
    "privacy": "AI privacy preset",
    "prompt-guard": "AI prompt-guard preset",
    "prompt-decorator": "AI prompt-decorator preset",
}.items():
    shared_presets(one, words)
