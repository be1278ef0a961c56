"""Certificates (vendor document, 2.12): public, so they are shown whole.

Whatever names one goes on naming it: nothing hangs on an id that a replacement would change.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import Query, Response

from apiops.model import plaintext
from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor import door, uploads
from apiops.web.vendor.door import Call, Door, Name
from apiops.web.vendor.shapes import Body
from apiops.web.vendor.uploads import Sent, Upload

_KIND: Final = "Certificate"
_ABSENT: Final = "Certificate (name: {}) is not found!"
_BASE: Final = "/projects/{project}/certificates/"
_NEEDED: Final = ("alias", "certificateDescription", "environmentList")

routes, serve = door.family()


@serve("GET", _BASE, "Certificate: all of a project")
def every(call: Call, project: Name) -> Response:
    """With what is in them."""
    return envelope.found(_shown(call, call.every(_KIND, project)))


@serve("GET", f"{_BASE}{{name}}/", "Certificate: one, in a list of one")
def one(call: Call, project: Name, name: Name) -> Response:
    """With what is in it."""
    return envelope.found(_shown(call, [call.look(_KIND, project, name, _ABSENT)]))


@serve("POST", _BASE, "Certificate: make one",
       openapi_extra=uploads.form("pemEncodedFile", "certificateName", *_NEEDED))  # fmt: skip
def make(call: Call, project: Name, sent: Upload) -> Response:
    """The same one in each of the environments."""
    call.enter(project)
    name = sent.text("certificateName")
    if call.find(_KIND, project, name) is not None:
        raise Told(f"Certificate (name: {name}) is already exist!")
    return _put(call, ResourceId(_KIND, project, name), sent, "pemEncodedFile", {})


@serve("PUT", f"{_BASE}{{name}}/", "Certificate: replace it",
       openapi_extra=uploads.form("pemEncodedFile", *_NEEDED))  # fmt: skip
def put(call: Call, project: Name, name: Name, sent: Upload) -> Response:
    """In the environments that are named; it is taken from all others."""
    before = call.look(_KIND, project, name, _ABSENT)
    return _put(call, before.id, sent, "pemEncodedFile", {}, before)


@serve("POST", f"{_BASE}import-file/", "Certificate: make one, or replace some environments'",
       openapi_extra=uploads.form("certificateFile", "certificateName", "alias", "environmentList",
                                  also=("certificateDescription",)))  # fmt: skip
def import_file(call: Call, project: Name, sent: Upload) -> Response:
    """The environments that are not named keep theirs."""
    call.enter(project)
    name = sent.text("certificateName")
    before = call.find(_KIND, project, name)
    id = before.id if before else ResourceId(_KIND, project, name)
    held = before.spec["environments"] if before else {}
    return _put(call, id, sent, "certificateFile", held, before)


@serve("DELETE", f"{_BASE}{{name}}/", "Certificate: delete it, for good")
def delete(
    call: Call,
    project: Name,
    name: Name,
    linked: Annotated[str, Query(alias="jwkDeleteAction", max_length=20)] = "NULLIFY",
) -> Response:
    """The JWKs that were taken from it stay."""
    before = call.look(_KIND, project, name, _ABSENT)
    if linked != "NULLIFY":
        raise Told(f"jwkDeleteAction {linked} is not done here: delete the JWKs by their names!")
    call.do(Action.DELETE, before.id, before=before)
    return envelope.done()


def _put(
    call: Door,
    id: ResourceId,
    sent: Sent,
    field: str,
    held: JsonObject,
    before: LiveResource | None = None,
) -> Response:
    alias = sent.text("alias")
    content = _certificate(sent.file(field), field)
    digest = hashlib.sha256(content).hexdigest()
    row = {"alias": alias, "file": f"{id.name}.pem", "fileDigest": digest}
    environments = dict.fromkeys(sent.environments(), row)
    _demand_free(call, id, alias, environments)
    was = before.spec.get("description", "") if before else ""
    described = sent.texts.get("certificateDescription", was)
    spec = {"description": described, "environments": {**held, **environments}}
    call.put(id, spec, before, {digest: content})
    return envelope.done()


def _demand_free(call: Door, id: ResourceId, alias: str, environments: Mapping[str, Any]) -> None:
    """An alias is one certificate's in an environment. Raises Told."""
    for other in call.every(_KIND, id.project or ""):
        rows = other.spec["environments"].items() if other.id != id else ()
        if any(row["alias"] == alias for place, row in rows if place in environments):
            raise Told(
                f"Alias ({alias}) is already used for another certificate, try changing this value!"
            )


def _certificate(content: bytes, field: str) -> bytes:
    """Certificates as PEM, and nothing private beside them: the file is not sealed. Raises Told."""
    if plaintext.seems(content.decode("latin-1")):
        raise Told(f"{field} can not hold a private key!")
    with suppress(ValueError):
        x509.load_pem_x509_certificates(content)
        return content
    with suppress(ValueError):
        return x509.load_der_x509_certificate(content).public_bytes(Encoding.PEM)
    raise Told(f"{field} holds no certificate!")


def _shown(call: Door, every: list[LiveResource]) -> Iterator[Body]:
    """What is in the certificates is read from their files."""
    rows = [row for one in every for row in one.spec["environments"].values()]
    contents = call.manager.files({row["fileDigest"] for row in rows if "fileDigest" in row})
    for one in every:
        yield {
            "name": one.id.name,
            "description": one.spec.get("description", ""),
            "certificateEnvironmentList": [
                {"environmentName": name, "alias": row.get("alias")}
                | _facts(contents.get(row.get("fileDigest", ""), b""))
                for name, row in one.spec["environments"].items()
            ],
        }


def _facts(content: bytes) -> Body:
    """Of the first certificate of a file; nothing, where a manifest named a file that has none."""
    with suppress(ValueError):
        found = x509.load_pem_x509_certificates(content)[0]
        der = found.public_bytes(Encoding.DER)
        return {
            "startDate": found.not_valid_before_utc.isoformat(),
            "endDate": found.not_valid_after_utc.isoformat(),
            "subjectDn": found.subject.rfc4514_string(),
            "sha1Thumbprint": hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
            "base64EncodedContent": base64.b64encode(der).decode(),
        }
    return {}
