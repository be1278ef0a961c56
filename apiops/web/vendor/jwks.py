"""JSON Web Keys (vendor document, 2.12). Their material cannot change and is in no answer, so a PUT
takes a description, and nothing previews a key.
"""

from dataclasses import replace
from typing import Final

from fastapi import Response

from apiops.model.resource import JsonObject, LiveResource
from apiops.web.envelope import Told
from apiops.web.vendor import named, shapes, uploads
from apiops.web.vendor.door import Call, Name
from apiops.web.vendor.named import Named
from apiops.web.vendor.shapes import Body
from apiops.web.vendor.uploads import Upload


def _shows(one: LiveResource) -> Body:
    """JwkManagementDTO: where it comes from, or how it was made."""
    source, made = one.spec.get("source") or {}, one.spec.get("generate") or {}
    shown = {
        "id": one.id.name,
        "name": one.id.name,
        "description": one.spec.get("description", ""),
        "sourceType": source.get("type"),
        "sourceUrl": source.get("url"),
        "kid": source.get("kid") or made.get("kid"),
        "type": made.get("type"),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _takes(body: Body, before: JsonObject) -> JsonObject:
    if before:
        said = body.get("description")
        return before if said is None else {**before, "description": said}
    rest = shapes.filled(shapes.spec(body, before))
    type_ = rest.pop("sourceType", None)
    if not type_:
        raise Told("Source type is required!")
    if type_ == "URL" and not rest.get("url"):
        raise Told("URL is required for URL source type!")
    return {"description": rest.pop("description", ""), "source": {"type": type_, **rest}}


def _generates(body: Body, before: JsonObject) -> JsonObject:
    rest = shapes.filled(shapes.spec(body, before))
    if not rest.get("type"):
        raise Told("JWK type can not be empty!")
    return {"description": rest.pop("description", ""), "generate": rest}


JWK: Final = Named(
    "Jwk",
    "jwks",
    "JWK",
    absent="JWK (name: {}) is not found! Try create operation.",
    exists="JWK (name: {}) is already exist! Try update operation if want to change its value.",
    nameless="JWK name can not be empty!",
    together=True,
    shows=_shows,
    takes=_takes,
)
_MADE: Final = replace(JWK, exists="JWK (name: {}) is already exist!", takes=_generates)

routes, serve = named.family(JWK)


@serve("POST", f"{JWK.path}generate/", "JWK: have one made")
def generate(call: Call, project: Name, body: Body) -> Response:
    """By whoever runs it: nobody else ever sees it."""
    return _MADE.put(call, project, str(body.get("name") or ""), body, new=True)


_FILE: Final = uploads.form("jwkFile", "jwkName", "kid", also=("jwkDescription",))


@serve("POST", f"{JWK.path}import-file/", "JWK: take it from a file", openapi_extra=_FILE)
def import_file(call: Call, project: Name, sent: Upload) -> Response:
    """As it would be copied and pasted."""
    body = {
        "description": sent.texts.get("jwkDescription"),
        "sourceType": "COPY_PASTE",
        "jwkStr": sent.file("jwkFile").decode(errors="replace"),
        "kid": sent.text("kid"),
    }
    return JWK.put(call, project, sent.text("jwkName"), body, new=True)
