"""Credentials: what they are, may call and carry (vendor document, 2.10).

Every PUT replaces what a credential is, its password too, and leaves what it may call and carries.
"""

from typing import Any, Final

from fastapi import Response

from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Name
from apiops.web.vendor.shapes import Body

_KIND: Final = "Credential"
_ABSENT: Final = "Credential (username: {}) was not found!"
_BASE: Final = "/projects/{project}/credentials/"
_APART: Final = ("access", "assignments", "token")
"""What has calls of its own."""

_NEEDED: Final = {
    "email": "Credential email can not be empty!",
    "fullName": "Credential full name can not be empty!",
    "password": "Credential password can not be empty!",
}
_SLOTS: Final = {
    "certificate": ("certificate", "Certificate"),
    "keystore": ("keystore", "Keystore"),
    "truststore": ("truststore", "Truststore"),
    "secretKey": ("secretKey", "Secret Key"),
    "privateKey": ("privateKey", "Private Key"),
    "publicKey": ("publicKey", "Public Key"),
    "jwk/validation": ("jwkValidation", "JWK for validation"),
    "jwk/encryption": ("jwkEncryption", "JWK for encryption"),
}
"""Segment of the path → field of the assignments, and what the vendor calls it."""

_TAKEN: Final = (
    "This username is already used by another credential. Credential usernames must be unique "
    "across ALL projects, not only this one, so the credential holding it may live in a different "
    "project. Choose a different username."
)

routes, serve = door.family()


@serve("GET", _BASE, "Credential: all of a project")
def every(call: Call, project: Name) -> Response:
    """Without what they may call and carry; passwords and secret facts are null."""
    return envelope.found(_shows(one) for one in call.every(_KIND, project))


@serve("POST", _BASE, "Credential: make one")
def make(call: Call, project: Name, body: Body) -> Response:
    """The user name must be free in all projects."""
    call.enter(project)
    name = _username(body)
    id = ResourceId(_KIND, project, name)
    call.find(_KIND, project, name)
    if call.may(Action.CREATE, id) and call.manager.views.is_taken(_KIND, name):
        raise Told(_TAKEN)
    call.put(id, _spec(body, {}))
    return envelope.done()


@serve("PUT", _BASE, "Credential: replace it")
def put(call: Call, project: Name, body: Body) -> Response:
    """Which one, the body says."""
    before = call.look(_KIND, project, _username(body), _ABSENT)
    call.put(before.id, _spec(body, before.spec), before)
    return envelope.done()


@serve("PATCH", f"{_BASE}{{name}}/", "Credential: another password")
def patch(call: Call, project: Name, name: Name, body: Body) -> Response:
    """And nothing else."""
    before = call.look(_KIND, project, name, _ABSENT)
    if not body.get("password"):
        raise Told(_NEEDED["password"])
    call.put(before.id, {**before.spec, "password": body["password"]}, before)
    return envelope.done()


@serve("DELETE", f"{_BASE}{{name}}/", "Credential: delete it, for good")
def delete(call: Call, project: Name, name: Name) -> Response:
    """With its grants."""
    before = call.look(_KIND, project, name, _ABSENT)
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


@serve("GET", f"{_BASE}{{name}}/access/", "Credential: what it may call")
def access(call: Call, project: Name, name: Name) -> Response:
    """Proxies and groups of them, without when that ends."""
    before = call.look(_KIND, project, name, _ABSENT)
    return envelope.found(
        {"name": one["name"], "type": one.get("type", "API_PROXY")}
        for one in before.spec.get("access") or ()
    )


@serve("PUT", f"{_BASE}{{name}}/access/", "Credential: let it call more")
def grant(call: Call, project: Name, name: Name, body: Body) -> Response:
    """What it may call already is refused."""
    before = call.look(_KIND, project, name, _ABSENT)
    held = list(before.spec.get("access") or ())
    pairs = {_pair(one) for one in held}
    for one in _accesses(body):
        if _pair(one) in pairs:
            raise Told(
                f"Credential (username:{name}) has already access to API Proxy "
                f"(name:{one['name']})!"
            )
        held.append(one)
    call.put(before.id, {**before.spec, "access": held}, before)
    return envelope.done()


@serve("DELETE", f"{_BASE}{{name}}/access/", "Credential: let it call less")
def revoke(call: Call, project: Name, name: Name, body: Body) -> Response:
    """What it may not call anyway is as good."""
    before = call.look(_KIND, project, name, _ABSENT)
    gone = {_pair(one) for one in _accesses(body)}
    left = [one for one in before.spec.get("access") or () if _pair(one) not in gone]
    call.put(before.id, {**before.spec, "access": left}, before)
    return envelope.done()


@serve("PUT", f"{_BASE}{{name}}/token/", "Credential: settings of its tokens")
def set_token(call: Call, project: Name, name: Name, body: Body) -> Response:
    """What the body leaves out stays."""
    before = call.look(_KIND, project, name, _ABSENT)
    token = {**(before.spec.get("token") or {}), **shapes.filled(body)}
    call.put(before.id, {**before.spec, "token": token}, before)
    return envelope.done()


@serve("DELETE", f"{_BASE}{{name}}/token/", "Credential: its tokens as policies say")
def reset_token(call: Call, project: Name, name: Name) -> Response:
    """Whatever was set."""
    before = call.look(_KIND, project, name, _ABSENT)
    rest = {field: value for field, value in before.spec.items() if field != "token"}
    call.put(before.id, rest, before)
    return envelope.done()


def _slot(segment: str, field: str, called: str) -> None:
    """The two calls of something that a credential carries."""

    @serve("PUT", f"{_BASE}{{name}}/{segment}/{{item}}/", f"Credential: give it a {called}")
    def assign(call: Call, project: Name, name: Name, item: Name) -> Response:
        before = call.look(_KIND, project, name, _ABSENT)
        held = {**(before.spec.get("assignments") or {}), field: item}
        call.put(before.id, {**before.spec, "assignments": held}, before)
        return envelope.done()

    @serve("DELETE", f"{_BASE}{{name}}/{segment}/", f"Credential: take its {called} away")
    def take(call: Call, project: Name, name: Name) -> Response:
        before = call.look(_KIND, project, name, _ABSENT)
        held = dict(before.spec.get("assignments") or {})
        if not held.pop(field, None):
            raise Told(f"Credential (username: {name}) does not have a {called} assigned!")
        call.put(before.id, {**before.spec, "assignments": held}, before)
        return envelope.done()


for _segment, (_field, _called) in _SLOTS.items():
    _slot(_segment, _field, _called)


def _shows(one: LiveResource) -> Body:
    """CredentialDTO."""
    shown = {k: v for k, v in shapes.plain(one).items() if k not in (*_APART, "name")}
    return {**shown, "username": one.id.name, "password": None}


def _username(body: Body) -> str:
    name = body.get("username")
    if not isinstance(name, str) or not name:
        raise Told("Credential username can not be empty!")
    return name


def _spec(body: Body, before: JsonObject) -> JsonObject:
    for field, words in _NEEDED.items():
        if not body.get(field):
            raise Told(words)
    own = {k: v for k, v in shapes.spec(body, before).items() if k != "username"}
    return {**own, **{name: before[name] for name in _APART if name in before}}


def _accesses(body: Body) -> list[Body]:
    rows: Any = body.get("credentialAccessList")
    for one in rows if isinstance(rows, list) else (None,):
        for field in ("name", "type"):
            if not isinstance(one, dict) or not one.get(field):
                raise Told(f"Credential access object {field} can not be empty!")
    return [shapes.filled(one) for one in rows]


def _pair(one: Body) -> tuple[Any, Any]:
    return one["name"], one.get("type") or "API_PROXY"
