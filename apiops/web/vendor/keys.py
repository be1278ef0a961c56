"""Keys and keystores (vendor document, 2.12): what is in them is taken and never shown.

A PUT merges; a list of environments that is sent replaces the list, and in an environment that was
there before it may leave out the key itself.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from fastapi import Response

from apiops.model import plaintext
from apiops.model.resource import JsonObject, LiveResource
from apiops.web.envelope import Told
from apiops.web.vendor import named, shapes, uploads
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.named import Named
from apiops.web.vendor.shapes import Body
from apiops.web.vendor.uploads import Sent, Upload
from apiops.wiring import sealing

_ROWS: Final = {"Key": "cryptoKeyInfoEnvironmentList", "Keystore": "keyStoreEnvironmentList"}
"""What the vendor calls the environments."""

_NAMELESS: Final = "environmentName value can not be empty!"
_TYPES: Final = ("SECRET_KEY", "PRIVATE_KEY", "PUBLIC_KEY")
_ALGORITHMS: Final = ("AES", "DES", "DESede", "RSA")
_FORMATS: Final = ("JKS", "PKCS12")
_PEM: Final = "-----BEGIN "
_SHOWN: Final = ("alias", "keyStoreType")
"""What is shown of an environment."""

_OWNED: Final = frozenset({"environmentName", "environmentId", "source"})
"""What a row says of itself, and nothing of the key."""


def _shows(one: LiveResource) -> Body:
    """KeyManagementDTO, KeystoreManagementDTO."""
    spec = shapes.plain(one)
    del spec["environments"]
    rows = [
        {"environmentName": name, **{field: row[field] for field in _SHOWN if field in row}}
        for name, row in one.spec["environments"].items()
    ]
    return {"id": one.id.name, **spec, _ROWS[one.id.kind]: rows}


def _takes_key(body: Body, before: JsonObject) -> JsonObject:
    type_ = body.get("keyType") or before.get("keyType")
    _demand("keyType", type_, _TYPES)
    if type_ == "SECRET_KEY":
        algorithm = body.get("algorithm") or before.get("algorithm")
        if not algorithm:
            known = ", ".join(_ALGORITHMS)
            raise Told(f"algorithm is required for SECRET_KEY! Supported values: {known}")
        _demand("algorithm", algorithm, _ALGORITHMS)

    def key(environment: str, row: Body) -> Body:
        if row.get("content") is None:
            return row
        content = _meant(row["content"], type_)
        if type_ != "PUBLIC_KEY":
            return {**row, "content": content}
        digest = hashlib.sha256(content.encode()).hexdigest()
        named = {"file": f"{environment}.pem", "fileDigest": digest}
        return {k: v for k, v in row.items() if k != "content"} | named

    return _merged("Key", body, before, key)


def _takes_keystore(body: Body, before: JsonObject) -> JsonObject:
    def keystore(environment: str, row: Body) -> Body:
        if row.get("keyStoreType") is not None:
            _demand("keyStoreType", row["keyStoreType"], _FORMATS)
        if row.get("password", "-") == "":
            raise Told("password value can not be empty!")
        file = row.get("file")
        if file is not None and not (_is_variable(file) or _bytes(file)):
            raise Told(f"The keystore's file for environment {environment} is not valid Base64!")
        return row

    return _merged("Keystore", body, before, keystore)


def _merged(
    kind: str, body: Body, before: JsonObject, takes: Callable[[str, Body], Body]
) -> JsonObject:
    """What is sent laid over what is there; in an environment too."""
    sent = {name: value for name, value in body.items() if value is not None}
    rows = sent.pop(_ROWS[kind], None)
    spec = {**before, **shapes.spec(sent, before)}
    if rows is not None:
        held = before.get("environments") or {}
        spec["environments"] = {
            name: {**held.get(name, {}), **takes(name, row)} for name, row in _each(rows)
        }
    return spec


def _each(rows: Any) -> Iterator[tuple[str, Body]]:
    """The environments of a list, by name."""
    for row in shapes.rows(rows, _NAMELESS):
        name = row.get("environmentName")
        if not isinstance(name, str) or not name:
            raise Told(_NAMELESS)
        yield name, {k: v for k, v in row.items() if k not in _OWNED and v is not None}


def _demand(field: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise Told(f"Unknown {field} ({value or ''})! Supported values: {', '.join(known)}")


def _meant(text: Any, type_: Any) -> str:
    """A secret key stays base64; the others are PEM, which may come as base64. A variable stays."""
    if isinstance(text, str) and _PEM in text and type_ != "SECRET_KEY":
        return _public(text, type_)
    if _is_variable(text) and type_ != "PUBLIC_KEY":
        return str(text)
    raw = _bytes(text)
    if raw and type_ == "SECRET_KEY":
        return str(text)
    with suppress(UnicodeDecodeError):
        if _PEM in (pem := raw.decode()):
            return _public(pem, type_)
    raise Told(
        f"Key content is neither PEM nor valid Base64 for key type {type_}! "
        "Send the PEM content Base64-encoded."
    )


def _is_variable(text: Any) -> bool:
    return isinstance(text, str) and text != "" and sealing.is_readable(text)


def _public(pem: str, type_: Any) -> str:
    """A public key is kept as it is, so nothing private may be in it. Raises Told."""
    if type_ == "PUBLIC_KEY" and plaintext.seems(pem):
        raise Told("A key of type PUBLIC_KEY can not hold a private key!")
    return pem


def _bytes(text: Any) -> bytes:
    """What base64 stands for; nothing, if it is none."""
    with suppress(ValueError, TypeError, AttributeError):
        return base64.b64decode("".join(text.split()), validate=True)
    return b""


def _files(body: Body, spec: JsonObject) -> Mapping[str, bytes]:
    """Of public keys, by digest."""
    if spec.get("keyType") != "PUBLIC_KEY":
        return {}
    rows = _each(body.get(_ROWS["Key"]))
    texts = (_meant(row["content"], "PUBLIC_KEY") for _, row in rows if "content" in row)
    return {hashlib.sha256(text.encode()).hexdigest(): text.encode() for text in texts}


_EXISTS: Final = " (name: {}) is already exist! Try update operation if want to change its value."

KEY: Final = Named(
    "Key",
    "keys",
    "Key",
    absent="Key (name: {}) is not found!",
    exists=f"Key{_EXISTS}",
    nameless="keyName value can not be empty!",
    together=True,
    shows=_shows,
    takes=_takes_key,
    files=_files,
)
KEYSTORE: Final = Named(
    "Keystore",
    "keystores",
    "Keystore",
    absent="Keystore (name: {}) is not found!",
    exists=f"Keystore{_EXISTS}",
    nameless="keystoreName value can not be empty!",
    together=True,
    shows=_shows,
    takes=_takes_keystore,
)

routes, serve = named.family(KEY, KEYSTORE)


@serve("POST", f"{KEY.path}import-file/", "Key: take it from a file",
       openapi_extra=uploads.form("keyFile", "keyName", "keyType", "environmentList",
                                  also=("algorithm", "alias", "override")))  # fmt: skip
def import_key(call: Call, project: Name, sent: Upload) -> Response:
    """For the environments that are named; the others keep theirs."""
    call.enter(project)
    facts = {"keyType": sent.text("keyType"), "algorithm": sent.texts.get("algorithm") or None}
    content = base64.b64encode(sent.file("keyFile")).decode()
    row = {"content": content, "alias": sent.texts.get("alias") or None}
    return _import(call, project, KEY, sent, facts, row)


@serve("POST", f"{KEYSTORE.path}import-file/", "Keystore: take it from a file",
       openapi_extra=uploads.form("keystoreFile", "keystoreName", "password", "environmentList",
                                  also=("alias", "keyStoreType", "override")))  # fmt: skip
def import_keystore(call: Call, project: Name, sent: Upload) -> Response:
    """For the environments that are named; the others keep theirs."""
    call.enter(project)
    file = base64.b64encode(sent.file("keystoreFile")).decode()
    row = {name: sent.texts.get(name) or None for name in _SHOWN}
    return _import(
        call, project, KEYSTORE, sent, {}, row | {"file": file, "password": sent.text("password")}
    )


def _import(call: Door, project: str, kind: Named, sent: Sent, facts: Body, row: Body) -> Response:
    name = sent.text(f"{kind.segment.removesuffix('s')}Name")
    before = call.find(kind.kind, project, name)
    if before is not None and sent.texts.get("override", "").lower() != "true":
        raise Told(
            f"{kind.called} (name: {name}) is already exist! Send override=true to update it."
        )
    field = _ROWS[kind.kind]
    held = kind.shows(before)[field] if before else []
    rows = {one["environmentName"]: one for one in held}
    rows |= {place: {"environmentName": place, **row} for place in sent.environments()}
    return kind.put(call, project, name, {**facts, field: [*rows.values()]}, new=before is None)
