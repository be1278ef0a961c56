"""Policies that proxies share, alone and in groups (vendor document, 2.7).

The vendor's POST makes one more of the same name each time, and takes secrets encrypted by its own
key. Here a name is there once, and every secret is taken as a PUT takes it: plain, to be sealed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Response

from apiops.model.plan import Action
from apiops.model.resource import LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import door
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_SERVERS: Final = frozenset({"id", "projectId", "projectName", "global", "canBeDeleted"})
"""Fields of a snapshot that the Manager owns."""
_FLAG: Final = "HasVariable"
"""The end of the names of the Manager's own marks (5.1)."""
_GROUP: Final = "policy-group"
_OF_ONE: Final = ("oneWay", "trace", "buildCustomMessage", "customMessageTemplate",
                  "customMessageContentType", "customMessageHttpStatusCode")  # fmt: skip
"""What a snapshot of a group says of itself as of any policy, and a group has no use for."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A kind of them. `shows` is the stub that reads have, `takes` the spec that a body means."""

    kind: str
    segment: str
    called: str
    shows: Callable[[LiveResource], Body]
    takes: Callable[[Body], Body]

    @property
    def path(self) -> str:
        """Of the list."""
        return f"/projects/{{project}}/{self.segment}/"

    def look(self, call: Door, project: str, name: str) -> LiveResource:
        """One of them, in any case. Raises Told."""
        return call.look(self.kind, project, name, f"{self.called} (name: {{}}) was not found!")

    def named(self, body: Body, name: str = "") -> str:
        """The name in a body, which is that of the path where there is one. Raises Told."""
        said = body.get("name") or name
        if not isinstance(said, str) or not said:
            raise Told("name value can not be empty!")
        if name and said.casefold() != name.casefold():
            raise Told(f"{self.called} name in path ({name}) does not match name in body ({said})!")
        return said


def _policy(one: LiveResource) -> Body:
    """GlobalPolicyManagementDTO."""
    class_ = one.spec.get("_class")
    name = one.id.name
    return {"id": name, "name": name, "policyType": class_, "policyTypeLabel": class_}


def _group(one: LiveResource) -> Body:
    """PolicyGroupManagementDTO."""
    name = one.id.name
    return {"id": name, "name": name, "targetPipeline": one.spec.get("targetPipeline")}


def _takes_policy(body: Body) -> Body:
    if not isinstance(body.get("_class"), str):
        raise Told("Policy snapshot could not be parsed.")
    return _snapshot(body, "name")


def _takes_group(body: Body) -> Body:
    if body.get("_class") not in (None, _GROUP):
        raise Told("The supplied snapshot is not a policy group.")
    idle = {field for field in _OF_ONE if not body.get(field)}
    spec = _snapshot(body, "name", "_class", *idle)
    rows = spec.get("policyList")
    if isinstance(rows, list):
        spec["policyList"] = [_snapshot(one) if isinstance(one, dict) else one for one in rows]
    return spec


def _snapshot(body: Body, *without: str) -> Body:
    """A policy as manifests say it; one that does not say that it is in use is not (2.7)."""
    own = _SERVERS.union(without)
    kept = {k: v for k, v in body.items() if k not in own and not k.endswith(_FLAG)}
    return {**kept, "active": False if kept.get("active") is None else kept["active"]}


POLICY: Final = Shared("GlobalPolicy", "globalPolicies", "Global policy", _policy, _takes_policy)
GROUP: Final = Shared("PolicyGroup", "policyGroups", "Policy group", _group, _takes_group)

routes, serve = door.family()


def _reads(kind: Shared) -> None:
    @serve("GET", kind.path, f"{kind.called}: all of a project")
    def every(call: Call, project: Name) -> Response:
        return envelope.found(kind.shows(one) for one in call.every(kind.kind, project))

    @serve("GET", f"{kind.path}{{name}}/", f"{kind.called}: one, in a list of one")
    def one(call: Call, project: Name, name: Name) -> Response:
        return envelope.found([kind.shows(kind.look(call, project, name))])


def _writes(kind: Shared) -> None:
    @serve("POST", kind.path, f"{kind.called}: make one")
    def make(call: Call, project: Name, body: Body) -> Response:
        call.enter(project)
        name = kind.named(body)
        if call.find(kind.kind, project, name) is not None:
            raise Told(f"{kind.called} (name: {name}) already exists!")
        call.put(ResourceId(kind.kind, project, name), kind.takes(body))
        return envelope.found([kind.shows(kind.look(call, project, name))])

    @serve("PUT", f"{kind.path}{{name}}/", f"{kind.called}: replace it")
    def put(call: Call, project: Name, name: Name, body: Body) -> Response:
        before = kind.look(call, project, name)
        kind.named(body, name)
        spec = kind.takes(body)
        if spec.get("_class") != before.spec.get("_class"):
            raise Told("Policy type in body does not match the existing policy's type.")
        call.put(before.id, spec, before)
        return envelope.found([kind.shows(kind.look(call, project, name))])

    @serve("DELETE", f"{kind.path}{{name}}/", f"{kind.called}: delete it, for good")
    def delete(call: Call, project: Name, name: Name) -> Response:
        before = kind.look(call, project, name)
        call.do(Action.DELETE, before.id, before=before)
        return envelope.done()


for _kind in (POLICY, GROUP):
    _reads(_kind)
    _writes(_kind)
