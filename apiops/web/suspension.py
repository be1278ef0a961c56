"""Suspending a target over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, BaseModel, Field

from apiops.model.resource import Target
from apiops.model.token import Caller
from apiops.reconcile import suspension
from apiops.web import problems
from apiops.web.identity import Calling, context, require
from apiops.web.moments import in_utc
from apiops.wiring.serving import Serving

routes = APIRouter(
    prefix="/v1/targets/{target}",
    tags=["targets"],
    responses=problems.answers(400, 401, 403, 404, 413, 422, 429, 503),
)

Name = Annotated[str, Path(max_length=100, description="as the server's apiops.toml names it")]
Why = Annotated[
    str, Field(min_length=1, max_length=1000, pattern="^[^\\x00]*[^\\s\\x00][^\\x00]*$")
]


class Resuming(BaseModel):
    """Why it goes on."""

    reason: Why


class Suspending(BaseModel):
    """Why nothing is to be applied, and when that ends by itself (left out: never)."""

    reason: Why
    until: AwareDatetime | None = None


class Said(BaseModel):
    """The entry of the log that says so."""

    entry: int


@routes.post("/suspend", summary="Suspend a target")
def suspend(request: Request, calling: Calling, target: Name, order: Suspending) -> Said:
    """Nothing is applied to it until somebody resumes it, or until then."""
    serving, here = reached(request, calling, target)
    until = in_utc(order.until, serving.manager.now())
    by = context(calling, order.reason)
    return Said(entry=suspension.say(serving.manager, here, by, until=until))


@routes.post("/resume", summary="Resume a target")
def resume(request: Request, calling: Calling, target: Name, order: Resuming) -> Said:
    """The next run carries out what waits."""
    serving, here = reached(request, calling, target)
    by = context(calling, order.reason)
    return Said(entry=suspension.say(serving.manager, here, by, resumes=True))


def reached(request: Request, calling: Caller, name: str) -> tuple[Serving, Target]:
    """A target that the server knows, for somebody who changes it. Raises AccessDenied."""
    require(calling, "write")
    serving: Serving = request.app.state.serving
    settings = serving.targets.get(name)
    if settings is None:
        raise problems.unknown()
    return serving, Target(settings.name, settings.environment)
