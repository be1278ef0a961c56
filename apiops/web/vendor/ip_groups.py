"""IP groups (vendor document, 2.14)."""

from collections.abc import Callable
from typing import Final

from fastapi import Response

from apiops.model.resource import JsonObject, LiveResource
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import named, shapes
from apiops.web.vendor.door import Call, Name
from apiops.web.vendor.named import Named
from apiops.web.vendor.shapes import Body


def _shows(one: LiveResource) -> Body:
    """IPGroupMetadataDTO."""
    spec = one.spec
    return {
        "name": one.id.name,
        "description": spec.get("description"),
        "ipList": spec.get("ipList") or [],
    }


def _takes(body: Body, before: JsonObject) -> JsonObject:
    """The whole list, or none on purpose."""
    if body.get("ipList") is None:
        raise Told("ipList value can not be empty!")
    return shapes.spec(body, before)


IP_GROUP: Final = Named(
    "IpGroup",
    "ipGroups",
    "IP group",
    absent="IP Group ({}) is not found!",
    exists="An IP Group with same name ({}) already exists in project!",
    nameless="ipGroupName value can not be empty!",
    together=True,
    shows=_shows,
    takes=_takes,
)

routes, serve = named.family(IP_GROUP)


@serve("POST", f"{IP_GROUP.path}{{name}}/ips/", "IP group: add addresses")
def add(call: Call, project: Name, name: Name, body: Body) -> Response:
    """One that is there already is no second one."""
    return _change(call, project, name, body, lambda old, new: [*old, *new])


@serve("PUT", f"{IP_GROUP.path}{{name}}/ips/", "IP group: replace its addresses")
def replace(call: Call, project: Name, name: Name, body: Body) -> Response:
    """By others: none at all takes a PUT of the group."""
    return _change(call, project, name, body, lambda _old, new: new)


@serve("DELETE", f"{IP_GROUP.path}{{name}}/ips/", "IP group: take addresses away")
def remove(call: Call, project: Name, name: Name, body: Body) -> Response:
    """One that is not there is as good."""
    return _change(call, project, name, body, lambda old, new: [a for a in old if a not in new])


def _change(
    call: Call,
    project: str,
    name: str,
    body: Body,
    becomes: Callable[[list[str], list[str]], list[str]],
) -> Response:
    before = call.look(IP_GROUP.kind, project, name, IP_GROUP.absent)
    given = body.get("ipList")
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise Told("ipList value can not be empty!")
    addresses = becomes(list(before.spec.get("ipList") or ()), given)
    call.put(before.id, {**before.spec, "ipList": list(dict.fromkeys(addresses))}, before)
    return envelope.done()
