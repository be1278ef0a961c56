"""Native `/v1`: what the Manager holds, its log and its tokens."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from apiops.manager.tokens import LONGEST
from apiops.manager.views import MOST
from apiops.model import codec
from apiops.model.audit import AuditEntry, AuditQuery
from apiops.model.kinds import KINDS
from apiops.model.resource import LiveResource, ResourceId
from apiops.model.token import AccessToken, Caller, Holder
from apiops.web import problems
from apiops.web.identity import Calling, context, require
from apiops.wiring.serving import Serving

routes = APIRouter(prefix="/v1", responses=problems.answers(400, 401, 403, 404, 413, 422, 429, 503))

Text = Annotated[str | None, Query(max_length=250)]
Name = Annotated[str, Path(max_length=250)]
TokenId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


class Standing(BaseModel):
    """A resource by digest alone."""

    kind: str
    project: str | None
    name: str
    digest: str
    serial: int
    owner: str | None
    environments: list[str]


class State(BaseModel):
    """Every resource that the caller may look at."""

    resources: list[Standing]


class Trail(BaseModel):
    """Audit entries, newest first. `next` is the `before` of the page after, null at the end."""

    entries: list[Any]
    next: int | None


class TokenWish(BaseModel):
    """A token to be made. `holder` is a user, a service, or a worker's environment."""

    kind: Holder = Holder.PERSON
    holder: str = Field(max_length=128)
    name: str = Field(max_length=100)
    scopes: list[str] = Field(max_length=20)
    days: int = Field(default=90, ge=1, le=LONGEST.days)
    repository: str | None = Field(default=None, max_length=40)
    reason: str = Field(default="", max_length=250)


class TokenShown(BaseModel):
    """A token, shown this once, and what is listed of it."""

    secret: str
    token: AccessToken


class TokenList(BaseModel):
    """Tokens without their secrets."""

    tokens: list[AccessToken]


@routes.get("/state", summary="The live state by digest", tags=["state"])
def state(request: Request, calling: Calling, project: Text = None, kind: Text = None) -> State:
    """Compare with what you know, and fetch only the documents whose digest differs."""
    require(calling, "read")
    rows = _serving(request).manager.views.standing(calling.principal)
    return State(
        resources=[
            Standing(
                kind=row.id.kind,
                project=row.id.project,
                name=row.id.name,
                digest=row.digest,
                serial=row.serial,
                owner=row.owner,
                environments=list(row.environments),
            )
            for row in rows
            if project in (None, row.id.unit) and kind in (None, row.id.kind)
        ]
    )


@routes.get(
    "/projects/{project}/{kind}/{name:path}",
    summary="A resource of a project",
    tags=["state"],
    responses={200: {"model": LiveResource, "description": "the resource"}},
)
def resource(request: Request, calling: Calling, project: Name, kind: Name, name: Name) -> Response:
    """The document as the Manager holds it; secrets are leaves with a fingerprint."""
    return _document(request, calling, ResourceId(kind, project, name))


@routes.get(
    "/system/{kind}/{name:path}",
    summary="A resource of the System tier",
    tags=["state"],
    responses={200: {"model": LiveResource, "description": "the resource"}},
)
def system(request: Request, calling: Calling, kind: Name, name: Name) -> Response:
    """The document as the Manager holds it; secrets are leaves with a fingerprint."""
    return _document(request, calling, ResourceId(kind, None, name))


def _document(request: Request, calling: Caller, id: ResourceId) -> Response:
    require(calling, "read")
    found = None
    if id.kind in KINDS and "\0" not in str(id):
        found = _serving(request).manager.views.resource(calling.principal, id)
    if found is None:
        raise problems.unknown()
    return said(found, found.digest)


@routes.get("/audit", summary="The audit log", tags=["audit"], response_model=Trail)
def audit(
    request: Request,
    calling: Calling,
    principal: Text = None,
    project: Text = None,
    environment: Text = None,
    kind: Text = None,
    name: Text = None,
    commit: Annotated[str | None, Query(pattern="^[0-9a-f]{4,40}$")] = None,
    run: Text = None,
    action: Text = None,
    outcome: Text = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    """Entries of the projects and tiers whose log you may view, newest first, page by page."""
    require(calling, "audit")
    query = AuditQuery(
        principal=principal,
        project=project,
        environment=environment,
        kind=kind,
        name=name,
        commit=commit,
        run=run,
        action=action,
        outcome=outcome,
        since=since,
        until=until,
        before=before,
        limit=limit,
    )
    found = _serving(request).manager.views.entries(calling.principal, query)
    more = found[-1].seq if len(found) == limit else None
    return said({"entries": [codec.dump(entry) for entry in found], "next": more})


@routes.get(
    "/audit/{number}",
    summary="One audit entry",
    tags=["audit"],
    responses={200: {"model": AuditEntry, "description": "the entry"}},
)
def entry(
    request: Request, calling: Calling, number: Annotated[int, Path(ge=1, lt=2**63)]
) -> Response:
    """What was before, what is after, who and why."""
    require(calling, "audit")
    found = _serving(request).manager.views.entry(calling.principal, number)
    if found is None:
        raise problems.unknown()
    return said(found)


@routes.get("/tokens", summary="Tokens", tags=["tokens"])
def tokens(request: Request, calling: Calling) -> TokenList:
    """Your own; all, for those who may manage the System tier's identities."""
    require(calling, "tokens")
    return TokenList(tokens=list(_serving(request).manager.tokens.list(calling.principal)))


@routes.post("/tokens", summary="Make a token", tags=["tokens"])
def create(request: Request, calling: Calling, wish: TokenWish) -> TokenShown:
    """The secret is in this answer and nowhere else, ever."""
    require(calling, "tokens")
    if calling.principal == wish.holder:  # a leaked token must not become a stronger one
        for scope in wish.scopes:
            require(calling, scope)
    made, secret = _serving(request).manager.tokens.create(
        kind=wish.kind,
        holder=wish.holder,
        name=wish.name,
        scopes=wish.scopes,
        life=timedelta(days=wish.days),
        repository=wish.repository,
        context=context(calling, wish.reason or f"Make token {wish.name}"),
    )
    return TokenShown(secret=secret.reveal().decode(), token=made)


@routes.delete("/tokens/{id}", summary="Revoke a token", tags=["tokens"], response_model=None)
def revoke(request: Request, calling: Calling, id: TokenId) -> Response:
    """From now on it does not count."""
    require(calling, "tokens")
    known = {token.id for token in _serving(request).manager.tokens.list(calling.principal)}
    if id not in known:
        raise problems.unknown()
    _serving(request).manager.tokens.revoke(id, context(calling, f"Revoke token {id}"))
    return Response(status_code=204)


def _serving(request: Request) -> Serving:
    serving: Serving = request.app.state.serving
    return serving


def said(value: Any, etag: str = "") -> Response:
    """A value as JSON, with its digest as ETag if it has one."""
    tree = value if isinstance(value, dict) else codec.dump(value)
    headers = {"ETag": f'"{etag}"'} if etag else None
    return Response(orjson.dumps(tree), media_type="application/json", headers=headers)
