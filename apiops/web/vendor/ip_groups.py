"""IP groups (vendor document, 2.14)."""

from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel

from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import door
from apiops.web.vendor.door import Call, Name

_NO_IP_GROUP: Final = "IP Group ({}) is not found!"

routes, serve = door.family()


class IpGroup(BaseModel):
    """IPGroupMetadataDTO."""

    name: str | None = None
    description: str | None = None
    ipList: list[str] | None = None  # noqa: N815 - the vendor's name


@serve("GET", "/projects/{project}/ipGroups/", "IP groups")
def ip_groups(call: Call, project: Name) -> Response:
    """All of the project, by name."""
    return envelope.found(_shape(one) for one in call.every("IpGroup", project))


@serve("GET", "/projects/{project}/ipGroups/{name}/", "An IP group")
def ip_group(call: Call, project: Name, name: Name) -> Response:
    """One, in a list of one."""
    return envelope.found([_shape(call.look("IpGroup", project, name, _NO_IP_GROUP))])


@serve("POST", "/projects/{project}/ipGroups/", "Make an IP group")
def make_ip_group(call: Call, project: Name, body: IpGroup) -> Response:
    """The name must be free."""
    call.enter(project)
    if not body.name:
        raise Told("ipGroupName value can not be empty!")
    id = ResourceId("IpGroup", project, body.name)
    if any(one.id == id for one in call.every("IpGroup", project)):
        raise Told(f"An IP Group with same name ({body.name}) already exists in project!")
    call.do(Action.CREATE, id, spec=_spec(body))
    return envelope.done()


@serve("PUT", "/projects/{project}/ipGroups/{name}/", "Replace an IP group")
def put_ip_group(call: Call, project: Name, name: Name, body: IpGroup) -> Response:
    """What the body leaves out is emptied."""
    before = call.look("IpGroup", project, name, _NO_IP_GROUP)
    call.do(Action.UPDATE, before.id, before=before, spec=_spec(body))
    return envelope.done()


@serve("DELETE", "/projects/{project}/ipGroups/{name}/", "Delete an IP group")
def delete_ip_group(call: Call, project: Name, name: Name) -> Response:
    """For good."""
    before = call.look("IpGroup", project, name, _NO_IP_GROUP)
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


def _shape(one: LiveResource) -> dict[str, Any]:
    """IPGroupMetadataDTO as it is read."""
    return {
        "name": one.id.name,
        "description": one.spec.get("description"),
        "ipList": one.spec.get("ipList") or [],
    }


def _spec(body: IpGroup) -> JsonObject:
    """The spec that a body means. Raises Told in the vendor's words."""
    if body.ipList is None:
        raise Told("ipList value can not be empty!")
    described = {} if body.description is None else {"description": body.description}
    return {**described, "ipList": body.ipList}
