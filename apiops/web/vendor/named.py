"""Kinds whose calls all have one form: a list, and each one under its name (vendor document, 2.1).

What differs from kind to kind is the words, and which fields go where.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Response

from apiops.model.kinds import KINDS
from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Door, Name, Serve
from apiops.web.vendor.shapes import Body


@dataclass(frozen=True, slots=True)
class Named:
    """A kind with `segment/` for the list and `segment/NAME/` for one.

    `absent`, `exists` and `nameless` are the vendor's words; without `exists` whoever makes one of
    a name that is there replaces it. With `together` one is made by POST to the list. `shows` is
    what a read says of a resource, `takes` the spec that a body means, given the spec before, and
    `files` the files that the spec then refers to, by digest.
    `spares` refuses, in the vendor's words, to delete what is still used. The `tail` is where a
    name stands in a path: one with a slash takes `{name:path}`.
    """

    kind: str
    segment: str
    called: str
    absent: str
    exists: str = ""
    nameless: str = "name value can not be empty!"
    together: bool = False
    shows: Callable[[LiveResource], Body] = shapes.plain
    takes: Callable[[Body, JsonObject], JsonObject] = shapes.spec
    files: Callable[[Body, JsonObject], Mapping[str, bytes]] = lambda _body, _spec: {}
    spares: Callable[[Door, LiveResource], None] = lambda _call, _one: None
    tail: str = "{name}"

    @property
    def path(self) -> str:
        """Of the list."""
        return f"/projects/{{project}}/{self.segment}/"

    @property
    def one(self) -> str:
        """Path of one of them."""
        return f"{self.path}{self.tail}/"

    def _says_another(self, body: Body, name: str) -> bool:
        said = body.get("name")
        if said is None:
            return False
        folds = KINDS[self.kind].folds_case
        return bool(said != name) and not (folds and str(said).casefold() == name.casefold())

    def put(self, call: Door, project: str, name: str, body: Body, *, new: bool) -> Response:
        """Make it or replace it. Raises Told, AccessDenied, SpecInvalid."""
        call.enter(project)
        if not name:
            raise Told(self.nameless)
        if self._says_another(body, name):
            raise Told(
                f"{self.called} name in path ({name}) does not match name in body ({body['name']})!"
            )
        before = call.find(self.kind, project, name)
        if before is None and not new:
            raise Told(self.absent.format(name))
        if before is not None and new and self.exists:
            raise Told(self.exists.format(name))
        spec = self.takes({**body, "name": name}, before.spec if before else {})
        if before is not None:
            self._demand_same(before.spec, spec)
        id = before.id if before else ResourceId(self.kind, project, name)
        call.put(id, spec, before, self.files(body, spec))
        return envelope.done()

    def _demand_same(self, before: JsonObject, spec: JsonObject) -> None:
        """A plan would delete it and make another; here nobody would see that coming."""
        for field in KINDS[self.kind].immutable:
            if spec.get(field) != before.get(field):
                raise Told(f"{self.called} {field} can not be changed!")


def family(*kinds: Named, lists: bool = True) -> tuple[APIRouter, Serve]:
    """The routes of these kinds, and what declares more of them; `lists`: the lists too."""
    routes, serve = door.family()
    for kind in kinds:
        if lists:
            _lists(serve, kind)
        _reads(serve, kind)
        _writes(serve, kind)
    return routes, serve


def listed(call: Door, kind: Named, project: str) -> Iterable[Body]:
    """All of a kind in a project, by name."""
    return (kind.shows(one) for one in call.every(kind.kind, project))


def _lists(serve: Serve, kind: Named) -> None:
    @serve("GET", kind.path, f"{kind.called}: all of a project")
    def every(call: Call, project: Name) -> Response:
        return envelope.found(listed(call, kind, project))


def _reads(serve: Serve, kind: Named) -> None:
    @serve("GET", kind.one, f"{kind.called}: one, in a list of one")
    def one(call: Call, project: Name, name: Name) -> Response:
        return envelope.found([kind.shows(call.look(kind.kind, project, name, kind.absent))])


def _writes(serve: Serve, kind: Named) -> None:
    if kind.together:

        @serve("POST", kind.path, f"{kind.called}: make one")
        def make(call: Call, project: Name, body: Body) -> Response:
            return kind.put(call, project, str(body.get("name") or ""), body, new=True)
    else:

        @serve("POST", kind.one, f"{kind.called}: make one")
        def make_named(call: Call, project: Name, name: Name, body: Body) -> Response:
            return kind.put(call, project, name, body, new=True)

    @serve("PUT", kind.one, f"{kind.called}: replace it")
    def put(call: Call, project: Name, name: Name, body: Body) -> Response:
        return kind.put(call, project, name, body, new=False)

    @serve("DELETE", kind.one, f"{kind.called}: delete it, for good")
    def delete(call: Call, project: Name, name: Name) -> Response:
        before = call.look(kind.kind, project, name, kind.absent)
        kind.spares(call, before)
        call.do(Action.DELETE, before.id, before=before)
        return envelope.done()
