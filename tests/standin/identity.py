"""Credentials, what they may call, what they carry, their tokens (§2.10)."""

from typing import Any

from tests.standin.shared import everywhere
from tests.standin.wire import Call, Refused, Saved, route
from tests.standin.world import Json

U = "/projects/{p}/credentials/{u}"
VIEW, MANAGE = "IDENTITY.VIEW", "IDENTITY.MANAGE"
REQUIRED = {
    "email": "Credential email can not be empty!", "fullName": "Credential full name can not be empty!",
    "username": "Credential username can not be empty!", "password": "Credential password can not be empty!",
}  # fmt: skip
SLOTS = {
    "certificate": "Certificate", "keystore": "Keystore", "truststore": "Truststore", "secretKey": "Secret Key",
    "privateKey": "Key", "publicKey": "Key", "jwk/validation": "JWK", "jwk/encryption": "JWK",
}  # fmt: skip
TOKEN = {
    "grantType": "PASSWORD", "tokenNeverExpires": True, "refreshTokenAllowed": False,
    "allowUrlParameters": False, "managedFromThisPolicy": True, "jwtSignatureAlgorithm": "RS256", "deletePrevious": False,
}  # fmt: skip


def credential_of(call: Call) -> Json:
    found = call.project.credentials.get(call.names["u"])
    if found is None:
        raise Refused(f"Credential (username: {call.names['u']}) was not found!")
    return found


@route("GET", "/projects/{p}/credentials/", VIEW)
def credentials(call: Call) -> Any:
    return [shown(call, one) for one in call.project.credentials.values()]


def shown(call: Call, one: Json) -> Json:
    """The password is never there; secret facts are null (§5.2)."""
    row = {key: one.get(key) for key in FIELDS} | {"password": None}
    if "credentials-without-metadata" not in call.world.quirks:
        row["metadata"] = [
            {**fact, "value": None if fact.get("secret") else fact.get("value")}
            for fact in one["metadata"]
        ]
    return row


FIELDS = (
    "email",
    "fullName",
    "description",
    "username",
    "roleNameList",
    "enabled",
    "ipList",
    "expireDate",
)


@route("POST", "/projects/{p}/credentials/", MANAGE)
def add(call: Call) -> Any:
    name = checked(call)
    if any(name in project.credentials for project in call.world.projects.values()):
        raise Refused(
            "This username is already used by another credential. Credential usernames must be unique "
            "across ALL projects, not only this one, so the credential holding it may live in a different "
            "project. Choose a different username."
        )
    call.project.credentials[name] = {
        **stored(call.body),
        "access": [],
        "slots": {},
        "token": dict(TOKEN),
    }
    return everywhere(call)


@route("PUT", "/projects/{p}/credentials/", MANAGE)
def put(call: Call) -> Any:
    """Everything is required, the password too; what is left out is emptied."""
    call.names["u"] = checked(call)
    held = credential_of(call)
    held.update(stored(call.body))
    return everywhere(call)


def checked(call: Call) -> str:
    for field, message in REQUIRED.items():
        if not call.body.get(field):
            raise Refused(message)
    return str(call.body["username"])


def stored(sent: Json) -> Json:
    return {
        "description": None, "roleNameList": [], "enabled": True, "ipList": [], "expireDate": None,
        **{k: v for k, v in sent.items() if v is not None},
        "metadata": [
            {"secret": False, "includeInJwt": False, "includeInTokenResponse": False, "jwtClaimName": None, **fact}
            for fact in sent.get("metadata") or []
        ],
    }  # fmt: skip


@route("PATCH", U + "/", MANAGE)
def rotate(call: Call) -> Any:
    if not call.body.get("password"):
        raise Refused("Credential password can not be empty!")
    credential_of(call)["password"] = call.body["password"]
    return everywhere(call)


@route("DELETE", U + "/", MANAGE)
def drop(call: Call) -> Any:
    credential_of(call)
    del call.project.credentials[call.names["u"]]
    return everywhere(call)


@route("GET", U + "/access/", VIEW)
def access(call: Call) -> Any:
    """No expireTime comes back."""
    return [{"name": one["name"], "type": one["type"]} for one in credential_of(call)["access"]]


@route("PUT", U + "/access/", MANAGE)
def grant(call: Call) -> Any:
    held = credential_of(call)
    pairs = {(one["name"], one["type"]) for one in held["access"]}
    for one in asked(call):
        if one["type"] == "API_PROXY" and one["name"] not in call.project.proxies:
            raise Refused(
                f"API Proxy (name:{one['name']}) is not found or user does not have privilege to access it!"
            )
        if (one["name"], one["type"]) in pairs:
            raise Refused(
                f"Credential (username:{held['username']}) has already access to API Proxy (name:{one['name']})!"
            )
    held["access"] += asked(call)
    return everywhere(call)


@route("DELETE", U + "/access/", MANAGE)
def revoke(call: Call) -> Any:
    held = credential_of(call)
    for one in asked(call):
        kept = [
            has
            for has in held["access"]
            if (has["name"], has["type"]) != (one["name"], one["type"])
        ]
        if len(kept) == len(held["access"]) and "revoking-fails-silently" not in call.world.quirks:
            raise Refused(f"Credential has no access to ({one['name']})!")
        held["access"] = kept
    return everywhere(call)


def asked(call: Call) -> list[Json]:
    items = (call.body or {}).get("credentialAccessList") or []
    for one in items:
        if not one.get("name"):
            raise Refused("Credential access object name can not be empty!")
        if not one.get("type"):
            raise Refused("Credential access object type can not be empty!")
    return items


def slot(path: str, what: str) -> None:
    @route("PUT", U + f"/{path}/{{n}}/", MANAGE)
    def assign(call: Call) -> Any:
        held = credential_of(call)
        if path == "certificate" and call.names["n"] not in call.project.certificates:
            raise Refused(f"Certificate (name: {call.names['n']}) is not found!")
        held["slots"][path] = call.names["n"]
        return everywhere(call)

    @route("DELETE", U + f"/{path}/", MANAGE)
    def clear(call: Call) -> Any:
        held = credential_of(call)
        if held["slots"].pop(path, None) is None:
            raise Refused(
                f"Credential (username: {held['username']}) does not have a {what} assigned!"
            )
        return everywhere(call)


for _path, _what in SLOTS.items():
    slot(_path, _what)


@route("PUT", U + "/token/", MANAGE)
def token(call: Call) -> Any:
    held = credential_of(call)
    if call.body.get("tokenExpiresInAmount") is not None and call.body["tokenExpiresInAmount"] < 1:
        raise Refused("Token expiration amount must be at least 1")
    held["token"].update({k: v for k, v in call.body.items() if v is not None})
    return everywhere(call)


@route("DELETE", U + "/token/", MANAGE)
def untoken(call: Call) -> Any:
    credential_of(call)["token"] = dict(TOKEN)
    return everywhere(call)


__all__ = ["Saved"]
