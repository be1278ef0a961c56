"""The runtime's read: a worker fetches the deployed configuration of its environment."""

import base64
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel

from apiops.errors import AccessDenied
from apiops.manager.bundle import Part
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.secret import MARK
from apiops.model.token import Caller
from apiops.web import problems
from apiops.web.identity import Calling, require
from apiops.wiring.serving import Serving

routes = APIRouter(
    prefix="/v1/environments",
    tags=["runtime"],
    responses={
        304: {"description": "as the ETag says you have it"},
        **problems.answers(400, 401, 403, 404, 413, 422, 429, 503),
    },
)


class Resource(BaseModel):
    """A resource as it runs: secrets opened; a secret that is not UTF-8 as {"$base64": …}.

    `outdated` points at secrets that were changed since the deployment: they are null.
    """

    kind: str
    project: str | None
    name: str
    labels: dict[str, str]
    revision: int
    spec: dict[str, Any]
    outdated: list[str]


class Configuration(BaseModel):
    """Everything that runs in an environment."""

    environment: str
    digest: str
    resources: list[Resource]


@routes.get(
    "/{environment}/bundle",
    summary="The deployed configuration of an environment",
    responses={200: {"model": Configuration, "description": "the configuration"}},
)
def bundle(
    request: Request,
    calling: Calling,
    environment: Annotated[str, Path(max_length=128)],
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """For workers of that environment alone. Each fetch is recorded; a 304 opens nothing."""
    require(calling, "bundle")
    serving: Serving = request.app.state.serving
    context = _context(calling, environment)
    try:
        digest = serving.manager.bundles.digest(environment, context)
        if f'"{digest}"' in (if_none_match or ""):
            return Response(status_code=304, headers={"ETag": f'"{digest}"'})
        fetched = serving.manager.bundles.fetch(environment, context)
    except AccessDenied:
        raise problems.unknown() from None
    tree = {
        "environment": environment,
        "digest": fetched.digest,
        "resources": [_resource(part) for part in fetched.parts],
    }
    headers = {"ETag": f'"{fetched.digest}"'}
    return Response(orjson.dumps(tree), media_type="application/json", headers=headers)


def _resource(part: Part) -> dict[str, Any]:
    return {
        "kind": part.id.kind,
        "project": part.id.project,
        "name": part.id.name,
        "labels": dict(part.labels),
        "revision": part.revision,
        "spec": _plain(part.spec, part, ""),
        "outdated": list(part.outdated),
    }


def _plain(node: Any, part: Part, pointer: str) -> Any:
    """The spec with plaintexts where leaves stand, null where there is none to give."""
    if isinstance(node, Mapping):
        if MARK in node:
            value = part.secrets.get(pointer)
            return None if value is None else _text(value.reveal())
        return {key: _plain(v, part, f"{pointer}/{_step(key)}") for key, v in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(v, part, f"{pointer}/{index}") for index, v in enumerate(node)]
    return node


def _text(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"$base64": base64.b64encode(raw).decode()}


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _context(calling: Caller, environment: str) -> AuditContext:
    return AuditContext(
        actor=f"{calling.principal} ({calling.token.name})",
        principal=calling.principal,
        reason=Reason(text=f"Fetch what runs in {environment}"),
        run=uuid.uuid4().hex,
        source=Source.HTTP,
        address=calling.address,
    )
