"""What there is once per Manager (vendor document, 2.20): AI gateway settings, geolocation."""

import hashlib
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from fastapi import File, Form, Response, UploadFile

from apiops.model.resource import LiveResource, ResourceId
from apiops.web import envelope, identity
from apiops.web.envelope import Told
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Door
from apiops.web.vendor.shapes import Body

_ONLY: Final = "default"
"""The name of the only one there is."""

Database = Annotated[UploadFile, File()]
FileName = Annotated[str, Form(alias="fileName", max_length=250)]

routes, serve = door.family()


@serve("GET", "/settings/ai-gateway", "AI gateway: its settings")
def gateway(call: Call) -> Response:
    """Those that somebody set; the rest is as workers have it."""
    found = _held(call, "AiGatewaySettings")
    return envelope.found([shapes.hidden(found.spec) if found else {}])


@serve("PUT", "/settings/ai-gateway", "AI gateway: other settings")
def put_gateway(call: Call, body: Body) -> Response:
    """What is left out, or null, stays."""
    before = _held(call, "AiGatewaySettings")
    if not body:
        raise Told("Request body can not be empty!")
    _save(call, "AiGatewaySettings", before, shapes.filled(body))
    return envelope.done()


@serve("GET", "/settings/geolocation/", "Geolocation: whether it is on")
def geolocation(call: Call) -> Response:
    """And whether there is a database."""
    spec = _spec(_held(call, "Geolocation"))
    status = {"enabled": bool(spec.get("enabled")), "mmdbFileUploaded": bool(spec.get("file"))}
    return envelope.found([status | ({"fileName": spec["file"]} if spec.get("file") else {})])


@serve("PUT", "/settings/geolocation/enable", "Geolocation: on")
def enable(call: Call) -> Response:
    """With the database that is there."""
    return _switch(call, on=True)


@serve("PUT", "/settings/geolocation/disable", "Geolocation: off")
def disable(call: Call) -> Response:
    """The database stays."""
    return _switch(call, on=False)


@serve("PUT", "/settings/geolocation/mmdb", "Geolocation: another database")
def put_database(call: Call, file: Database, called: FileName = "") -> Response:
    """In MaxMind's format; it is kept as it is sent."""
    before = _held(call, "Geolocation")
    content = file.file.read()
    name = PurePosixPath((called or file.filename or "").replace("\\", "/")).name
    if not content or not name:
        raise Told("file value can not be empty!")
    digest = hashlib.sha256(content).hexdigest()
    more = {"enabled": bool(_spec(before).get("enabled")), "file": name, "fileDigest": digest}
    _save(call, "Geolocation", before, more, files={digest: content})
    return envelope.done()


def _held(call: Door, kind: str) -> LiveResource | None:
    identity.require(call.calling, "read")
    return call.find(kind, None, _ONLY)


def _spec(one: LiveResource | None) -> Body:
    return dict(one.spec) if one else {}


def _switch(call: Door, *, on: bool) -> Response:
    before = _held(call, "Geolocation")
    _save(call, "Geolocation", before, {"enabled": on})
    return envelope.done()


def _save(call: Door, kind: str, before: LiveResource | None, more: Body, **files: Any) -> None:
    id = before.id if before else ResourceId(kind, None, _ONLY)
    call.put(id, {**_spec(before), **more}, before, **files)
