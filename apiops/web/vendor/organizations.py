"""Organisations of clients (vendor document, 2.11): bodies without an envelope, statuses of their
own, and no list.
"""

from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel

from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Failure, Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body

_KIND: Final = "CredentialOrganization"
_BASE: Final = "/projects/{project}/credential-organizations/"
_NAMES: Final = ("nameDefault", "nameSecondary", "parentOrganizationCode")


class Organization(BaseModel):
    """CredentialOrganizationDTO; the values of secret facts are null."""

    code: str
    nameDefault: str | None = None  # noqa: N815 - the vendor's name
    nameSecondary: str | None = None  # noqa: N815 - the vendor's name
    parentOrganizationCode: str | None = None  # noqa: N815 - the vendor's name
    metadata: list[dict[str, Any]] = []


_SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": Organization, "description": "the organisation"}
}
_MADE: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": Organization, "description": "made"},
    409: {"model": Failure, "description": "the code is taken"},
}
_GONE: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "deleted"}}

routes, serve = door.family()


@serve("POST", _BASE, "Organisation of clients: make one", _MADE)
def make(call: Call, project: Name, body: Body) -> Response:
    """Its code must be free."""
    call.enter(project)
    code = body.get("code")
    if not isinstance(code, str) or not code:
        raise Told("code value can not be empty!")
    if call.find(_KIND, project, code) is not None:
        raise Told(f"Credential organization ({code}) already exists!", 409)
    call.put(ResourceId(_KIND, project, code), _spec(body, {}))
    return envelope.bare(_shows(_look(call, project, code)), 201)


@serve("GET", f"{_BASE}{{code}}", "Organisation of clients: one", _SHOWN)
def one(call: Call, project: Name, code: Name) -> Response:
    """By its code."""
    return envelope.bare(_shows(_look(call, project, code)))


@serve("PUT", f"{_BASE}{{code}}", "Organisation of clients: change it", _SHOWN)
def put(call: Call, project: Name, code: Name, body: Body) -> Response:
    """Names that are blank stay; facts that are left out go."""
    before = _look(call, project, code)
    if body.get("code") not in (None, "", code):
        raise Told(f"code in path ({code}) does not match code in body ({body['code']})!")
    call.put(before.id, _spec(body, before.spec), before)
    return envelope.bare(_shows(_look(call, project, code)))


@serve("DELETE", f"{_BASE}{{code}}", "Organisation of clients: delete it, for good", _GONE)
def delete(call: Call, project: Name, code: Name) -> Response:
    """With its facts."""
    before = _look(call, project, code)
    call.do(Action.DELETE, before.id, before=before)
    return Response(status_code=204)


def _look(call: Door, project: str, code: str) -> LiveResource:
    call.enter(project)
    found = call.find(_KIND, project, code)
    if found is None:
        raise Told(f"Credential organization ({code}) is not found!", 404)
    return found


def _spec(body: Body, before: JsonObject) -> Body:
    own = {k: v for k, v in shapes.spec(body, before).items() if k != "code"}
    kept = {name: before.get(name) for name in _NAMES if not own.get(name)}
    return {**own, **kept}


def _shows(one: LiveResource) -> Body:
    spec = shapes.hidden(one.spec)
    named = {name: spec[name] for name in _NAMES if spec.get(name)}
    return {"code": one.id.name, **named, "metadata": spec.get("metadata") or []}
