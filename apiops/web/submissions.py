"""Submitted commit ranges: the server takes the objects, verifies, judges, plans and applies.

What a client says of the commits counts for nothing: the pack's objects are named by their own
content, signatures are verified here, and the committers' rights are those of the Manager. The
token says only who may hand commits in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile
from pydantic import BaseModel

from apiops.errors import AccessDenied, ApiopsError, SourceError, UsageError
from apiops.manager import views
from apiops.model import codec
from apiops.model.audit import LedgerState
from apiops.model.order import Order
from apiops.model.token import Caller, Holder
from apiops.model.view import Carried, Planned
from apiops.reconcile import within
from apiops.reconcile.runs import InProcess
from apiops.web import problems
from apiops.web.guard import LOG
from apiops.web.identity import Calling, require
from apiops.wiring.serving import Serving

routes = APIRouter(
    prefix="/v1/targets/{target}",
    tags=["runs"],
    responses=problems.answers(400, 401, 403, 404, 409, 413, 422, 429, 502, 503),
)

MAX_REF: Final = 250
MOST_TAGS: Final = 50
Target = Annotated[str, Path(max_length=100, description="as the server's apiops.toml names it")]
FULL_ID: Final = "^[0-9a-f]{40}$"
Pack = Annotated[UploadFile | None, File(description="left out: the server fetches the commit")]
Lineage = Annotated[str, Query(pattern=FULL_ID, description="the repository's first commit")]


class Known(BaseModel):
    """What the Manager has of a repository: submit what leads from there."""

    have: list[str]
    introduced: bool


@dataclass(frozen=True, slots=True)
class _Submission:
    """What a client hands in."""

    caller: Caller
    lineage: str
    head: str
    order: Order
    content: bytes


@routes.get("/known", summary="What the Manager has of a repository")
def known(request: Request, calling: Calling, target: Target, repository: Lineage) -> Known:
    """The commits that were applied: a submission need not carry what leads to them."""
    serving = _serving(request, target)
    admit(calling, "plan", repository)
    ledger = serving.manager.state(repository, target)
    return Known(
        have=_have(serving, repository, ledger), introduced=ledger.introduction is not None
    )


@routes.post(
    "/plans",
    summary="Plan a commit range",
    responses={200: {"model": Planned, "description": "the plan, its verdicts and findings"}},
)
def plan(
    request: Request,
    calling: Calling,
    target: Target,
    repository: Annotated[str, Form(pattern=FULL_ID)],
    head: Annotated[str, Form(pattern=FULL_ID)],
    pack: Pack = None,
    order: Annotated[str, Form(max_length=1024 * 1024)] = "{}",
) -> Response:
    """Show what applying the range would change, and whether its committers may.

    Without a pack the server fetches the commit itself, from the repository that it follows.

    Nothing is written. Units with anything that the token's holder may not see are left out; a
    service identity, which holds no rights, is shown what it submitted whole.
    """
    admit(calling, "plan", repository)
    wish = _order(calling, head, order)
    content = _content(_serving(request, target), target, repository, head, pack)
    submission = _Submission(calling, repository, head, wish, content)
    with _runs(request, target, submission) as runs:
        planned = runs.plan(submission.order)
    request.app.state.metrics.planned()
    return _said(planned)


@routes.post(
    "/runs",
    summary="Apply a commit range",
    responses={200: {"model": Carried, "description": "the plan, and what became of it"}},
)
def apply(
    request: Request,
    calling: Calling,
    target: Target,
    repository: Annotated[str, Form(pattern=FULL_ID)],
    head: Annotated[str, Form(pattern=FULL_ID)],
    pack: Pack = None,
    order: Annotated[str, Form(max_length=1024 * 1024)] = "{}",
) -> Response:
    """Plan the range anew under the lease, and carry it out with its committers' rights.

    Without a pack the server fetches the commit itself, from the repository that it follows.
    Each change's audit entry has its commit as the reason. A denied change freezes its project.
    """
    admit(calling, "apply", repository)
    wish = _order(calling, head, order)
    content = _content(_serving(request, target), target, repository, head, pack)
    submission = _Submission(calling, repository, head, wish, content)
    with _runs(request, target, submission) as runs:
        carried = runs.apply(submission.order)
    if submission.head in carried.report.applied.values():
        serving = _serving(request, target)
        serving.inbox.keep(repository, submission.head, submission.content)
    request.app.state.metrics.applied(carried.report)
    return _said(carried)


@routes.post(
    "/approvals",
    summary="Approve a plan",
    responses={200: {"model": Planned, "description": "the plan, and how far its approval is"}},
)
def approve(
    request: Request,
    calling: Calling,
    target: Target,
    repository: Annotated[str, Form(pattern=FULL_ID)],
    head: Annotated[str, Form(pattern=FULL_ID)],
    pack: Pack = None,
    order: Annotated[str, Form(max_length=1024 * 1024)] = "{}",
    withdraw: Annotated[bool, Form(description="take an approval back")] = False,
) -> Response:
    """Give the word of the token's holder for the plan of a range whose digest the order names.

    The range is planned anew and whole: what is approved is what will be applied. Whoever does not
    hold every right that it needs is told no more than that, and shown is what the token's holder
    may see. A word counts for seven days.
    """
    admit(calling, "plan", repository)
    require(calling, "approve")
    wish = _order(calling, head, order)
    content = _content(_serving(request, target), target, repository, head, pack)
    submission = _Submission(calling, repository, head, wish, content)
    with _runs(request, target, submission, whole=True) as runs:
        planned = runs.approve(submission.order, calling.principal, withdraw=withdraw)
    sees = views.sees(_serving(request, target).manager.grants(), calling.principal).sees
    return _said(replace(planned, view=within.view(planned.view, sees)))


@routes.get(
    "/drift",
    summary="Compare with what was applied last",
    responses={200: {"model": Planned | None, "description": "the plan that would take it back"}},
)
def drift(request: Request, calling: Calling, target: Target, repository: Lineage) -> Response:
    """What somebody changed in the Manager since the last apply; null when there was none."""
    serving = _serving(request, target)
    admit(calling, "plan", repository)
    kept = serving.inbox.kept(repository)
    if kept is None:
        if serving.manager.state(repository, target).applied:
            raise UsageError(
                "the commits that were applied were never submitted here",
                code="AO788",
                hint="apply once through this server, or look for drift from a clone",
            )
        return _said(None)
    sees = views.sees(serving.manager.grants(), _eyes(calling)).sees
    runs = serving.runs(target, kept, sees, calling.address)
    return _said(runs.drift())


def _said(value: Any) -> Response:
    content = orjson.dumps(None if value is None else codec.dump(value))
    return Response(content, media_type="application/json")


def _serving(request: Request, target: str) -> Serving:
    serving: Serving = request.app.state.serving
    if target not in serving.targets:
        raise problems.unknown()
    return serving


def admit(calling: Caller, scope: str, lineage: str) -> None:
    """Whether the token is for this, and for this repository. Raises AccessDenied AO780."""
    require(calling, scope)
    if calling.token.repository not in (None, lineage):
        raise AccessDenied(
            "this token is for another repository",
            code="AO780",
            hint="make one for this repository: apiops manager tokens create --repository",
        )


def _content(
    serving: Serving, target: str, lineage: str, head: str, pack: UploadFile | None
) -> bytes:
    """The pack that was sent, or what the server fetches. Raises UsageError AO787, SourceError."""
    if pack is not None:
        return pack.file.read()
    if serving.mirror is None:
        raise UsageError(
            "there is no pack, and this server fetches from no repository",
            code="AO787",
            hint="send the pack, or start the server with --fetch-from URL",
        )
    ledger = serving.manager.state(lineage, target)
    try:
        return serving.mirror.pack(head, _have(serving, lineage, ledger))
    except SourceError as fault:
        _log(fault.__cause__ if isinstance(fault.__cause__, ApiopsError) else fault)
        raise


def _log(fault: ApiopsError) -> None:
    """For whoever runs the server: why it cannot fetch."""
    line = {"event": "fetch", "result": "failed", "code": fault.code, "message": fault.message}
    LOG.error("%s", orjson.dumps(line).decode())


def _have(serving: Serving, lineage: str, ledger: LedgerState) -> list[str]:
    """The applied commits that are kept here."""
    kept = serving.inbox.kept(lineage)
    return sorted(id for id in _commits(ledger) if kept is not None and kept.has(id))


def _order(calling: Caller, head: str, text: str) -> Order:
    """The order as far as this caller may give it. Raises UsageError AO787, AccessDenied."""
    try:
        order = codec.load(Order, orjson.loads(text))
    except (ValueError, RecursionError) as fault:
        why = "not JSON" if isinstance(fault, orjson.JSONDecodeError) else str(fault)[:200]
        raise UsageError(
            f"the order cannot be read: {why}",
            code="AO787",
            hint="use the apiops version that the server has",
        ) from None
    if len(order.ref) > MAX_REF or not order.ref.isprintable():
        raise UsageError("the ref is no name", code="AO787", hint="name a branch, tag or commit")
    if len(order.tags) > MOST_TAGS:
        raise UsageError(
            "there are too many tags", code="AO787", hint=f"send {MOST_TAGS} tags at most"
        )
    if order.allow:
        require(calling, "override")
    if order.evidence:
        require(calling, "attest")
    if order.introduction and order.approver != calling.principal:
        raise AccessDenied(
            "whoever answers for an introduction submits it with a token of their own",
            code="AO780",
            hint="let the approver make a token and apply the first commit themselves",
        )
    return replace(order, worktree=False, commit=head)


def _eyes(calling: Caller) -> str | None:
    """Whose eyes a plan is shown to: a person's, or a service's, which sees what it submits."""
    return None if calling.token.kind is Holder.SERVICE else calling.principal


@contextmanager
def _runs(
    request: Request, target: str, submission: _Submission, *, whole: bool = False
) -> Iterator[InProcess]:
    """The line over a submission, in a quarantine that ends with it.

    Unless it is `whole`, units with anything that the caller may not see take no part.
    """
    serving = _serving(request, target)
    eyes = None if whole else _eyes(submission.caller)
    sees = views.sees(serving.manager.grants(), eyes).sees
    taken = serving.inbox.taken(submission.lineage, submission.head, submission.content)
    with taken as repository:
        runs = serving.runs(target, repository, sees, submission.caller.address)
        request.state.run = runs.line.run
        yield runs


def _commits(ledger: LedgerState) -> set[str]:
    applied = {one.commit for one in ledger.applied.values()}
    return applied | ({ledger.introduction.commit} if ledger.introduction else set())
