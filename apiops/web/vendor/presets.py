"""AI presets, of a project and of all (vendor document, 2.19): four families with a list each. They
are one kind here, so a name is there once in all of them.
"""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Response

from apiops.model.plan import Action
from apiops.model.resource import LiveResource, ResourceId
from apiops.web import envelope, identity
from apiops.web.envelope import Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_KIND: Final = "AiPreset"
_FAMILIES: Final = {
    "dlp": "DLP",
    "privacy": "privacy",
    "prompt-guard": "prompt-guard",
    "prompt-decorator": "prompt-decorator",
}
"""Family → as the vendor's words have it."""
_ALL: Final = "admin"
"""What the vendor calls the project of presets that are all projects'."""
_TAKEN: Final = (
    "A preset with this name already exists in the visible scope (built-in, admin-shared, or this "
    "project)"
)

routes, serve = door.family()


def _in(project: Name) -> str:
    return project


def _everywhere() -> None:
    return None


def _every(call: Door, project: str | None, family: str) -> list[LiveResource]:
    if project is not None:
        call.enter(project)
    identity.require(call.calling, "read")
    call.find(_KIND, project, "x")  # whoever may not see such things is told that
    found = call.manager.views.resources(call.calling.principal, _KIND, project)
    return [one for one in found if one.spec.get("family") == family]


def _look(call: Door, project: str | None, family: str, name: str) -> LiveResource:
    same = (one for one in _every(call, project, family) if _is(one, name))
    found = next(same, None)
    if found is None:
        raise Told(f"AI {_FAMILIES[family]} preset (name: {name}) was not found!")
    return found


def _is(one: LiveResource, name: str) -> bool:
    return one.id.name.casefold() == name.casefold()


def _shows(one: LiveResource) -> Body:
    spec = {k: v for k, v in shapes.plain(one).items() if k != "family"}
    return {**spec, "id": one.id.name, "builtIn": False, "projectId": one.id.project or _ALL}


def _spec(body: Body, family: str, name: str) -> Body:
    """What a body means; what it leaves out is cleared. Raises Told."""
    said = body.get("name")
    if said is not None and str(said).casefold() != name.casefold():
        raise Told(
            f"AI {_FAMILIES[family]} preset name in path ({name}) does not match name in body "
            f"({said})!"
        )
    own = {k: v for k, v in shapes.spec(body, {}).items() if k != "builtIn"}
    return {**own, "family": family}


def _is_taken(call: Door, project: str | None, name: str) -> bool:
    """Whether one of another family, or one for all projects, has the name."""
    ids = [ResourceId(_KIND, place, name) for place in (project, None)]
    return bool(call.manager.read("", "", among=ids).resources)


def _family(family: str, base: str, where: Callable[..., str | None]) -> None:
    """The calls of one family in one place."""
    called, path = f"AI {_FAMILIES[family]} preset", f"{base}ai-{family}-presets/"

    @serve("GET", path, f"{called}: all")
    def every(call: Call, project: Annotated[str | None, Depends(where)]) -> Response:
        return envelope.found(_shows(one) for one in _every(call, project, family))

    @serve("GET", f"{path}{{name}}/", f"{called}: one, in a list of one")
    def one(call: Call, project: Annotated[str | None, Depends(where)], name: Name) -> Response:
        return envelope.found([_shows(_look(call, project, family, name))])

    @serve("POST", f"{path}{{name}}/", f"{called}: make or replace it")
    def make(
        call: Call, project: Annotated[str | None, Depends(where)], name: Name, body: Body
    ) -> Response:
        before = next((one for one in _every(call, project, family) if _is(one, name)), None)
        id = before.id if before else ResourceId(_KIND, project, name)
        if before is None and call.may(Action.CREATE, id) and _is_taken(call, project, name):
            raise Told(_TAKEN)
        call.put(id, _spec(body, family, name), before)
        return envelope.done()

    @serve("PUT", f"{path}{{name}}/", f"{called}: replace it")
    def put(
        call: Call, project: Annotated[str | None, Depends(where)], name: Name, body: Body
    ) -> Response:
        before = _look(call, project, family, name)
        call.put(before.id, _spec(body, family, name), before)
        return envelope.done()

    @serve("DELETE", f"{path}{{name}}/", f"{called}: delete it, for good")
    def delete(call: Call, project: Annotated[str | None, Depends(where)], name: Name) -> Response:
        before = _look(call, project, family, name)
        call.do(Action.DELETE, before.id, before=before)
        return envelope.done()


for _name in _FAMILIES:
    _family(_name, "/projects/{project}/", _in)
    _family(_name, "/settings/", _everywhere)
