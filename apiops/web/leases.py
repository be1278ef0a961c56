"""Leases over HTTP: keep a repository's runs off a target while somebody else is at work there."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from apiops.manager.holding import Holding, Place
from apiops.manager.state import Leased
from apiops.model.token import Caller
from apiops.web import problems
from apiops.web.identity import Calling, context, require
from apiops.web.submissions import FULL_ID, admit
from apiops.web.suspension import Name, Said, Why, reached

routes = APIRouter(
    prefix="/v1",
    tags=["runs"],
    responses=problems.answers(400, 401, 403, 404, 409, 413, 422, 429, 503),
)

Lineage = Annotated[str, Field(pattern=FULL_ID, description="the repository's first commit")]
Fence = Annotated[int, Path(ge=1, lt=2**63, description="the number that taking it gave")]


class Lease(BaseModel):
    """A lease that is held."""

    name: str
    holder: str
    fence: int
    expires: datetime


class Leases(BaseModel):
    """Leases that are held."""

    leases: list[Lease]


class Renewing(BaseModel):
    """Whose runs are kept off."""

    repository: Lineage


class Releasing(Renewing):
    """Whose runs may go on, and why."""

    reason: Why


class Taking(Releasing):
    """Whose runs are kept off, and why.

    `job` tells apart those who share a token, as a pipeline's number does: asked again for the same
    job, the lease is the same one. Left out, each is another's.
    """

    job: Annotated[str, Field(max_length=64, pattern="^[A-Za-z0-9._/#-]*$")] = ""


@routes.get("/leases", summary="Leases that are held")
def leases(request: Request, calling: Calling) -> Leases:
    """For those who may look at the System tier; others see none."""
    require(calling, "read")
    found = request.app.state.serving.manager.views.leases(calling.principal)
    return Leases(leases=[_shown(one) for one in found])


@routes.post("/targets/{target}/leases", summary="Take the lease of a target")
def take(request: Request, calling: Calling, target: Name, order: Taking) -> Lease:
    """No run of the repository begins at the target until it is released, or ends: five minutes
    after it was taken or renewed.
    """
    holding, place = _place(request, calling, target, order)
    by = context(calling, order.reason)
    return _shown(holding.take(place, calling.token, order.job, by))


@routes.post("/targets/{target}/leases/{fence}/renew", summary="Renew a lease")
def renew(request: Request, calling: Calling, target: Name, fence: Fence, order: Renewing) -> Lease:
    """It lives another five minutes, for the person who took it."""
    holding, place = _place(request, calling, target, order)
    by = context(calling, f"Renew the lease {fence}")
    return _shown(holding.renew(place, fence, by))


@routes.post("/targets/{target}/leases/{fence}/release", summary="Release a lease")
def release(
    request: Request, calling: Calling, target: Name, fence: Fence, order: Releasing
) -> Said:
    """The next run may begin. Another one's lease, a run's too, is broken, and the log says so:
    whatever its holder still writes is refused.
    """
    holding, place = _place(request, calling, target, order)
    by = context(calling, order.reason)
    return Said(entry=holding.release(place, fence, by))


def _place(
    request: Request, calling: Caller, target: str, order: Renewing
) -> tuple[Holding, Place]:
    admit(calling, "write", order.repository)
    serving, here = reached(request, calling, target)
    return serving.manager.holding, Place(order.repository, here)


def _shown(one: Leased) -> Lease:
    return Lease(name=one.name, holder=one.holder, fence=one.fence, expires=one.expires)
