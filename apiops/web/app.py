"""The app: routes, errors and limits put together over one served Manager."""

from typing import Final

from fastapi import FastAPI, Request, Response

from apiops import __version__
from apiops.errors import ApiopsError
from apiops.web import (
    bundle,
    evidence,
    health,
    keys,
    leases,
    native,
    oauth,
    problems,
    submissions,
    subscriptions,
    suspension,
    vendor,
)
from apiops.web.guard import HEADERS, Guard, Limits
from apiops.web.identity import Attempts
from apiops.web.metrics import Metrics
from apiops.wiring.serving import Serving

DESCRIPTION: Final = """The Manager of apiops: what signed commits describe, applied with their
committers' rights, every change audited. Errors are problem details (RFC 9457)."""


def unforeseen(request: Request, _fault: Exception) -> Response:
    """What nobody foresaw is told as a bug, and nothing of what it was; the log has the rest.

    It is answered outside of the guard, which has lost the request by then.
    """
    fault = ApiopsError(
        "something went wrong that nobody foresaw",
        code="AO901",
        hint="report it with the id of this request, by which the log has it",
    )
    response = problems.said(request.url.path, fault, request.state.id)
    response.headers.update({**HEADERS, "X-Request-Id": request.state.id})
    return response


def create(serving: Serving, limits: Limits | None = None) -> FastAPI:
    """The app for one Manager."""
    app = FastAPI(
        title="apiops Manager",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    metrics = Metrics()
    app.state.serving = serving
    app.state.attempts = Attempts()
    app.state.metrics = metrics
    app.state.verify = oauth.Verifier(serving.manager)
    parts = (
        submissions,
        evidence,
        native,
        keys,
        subscriptions,
        suspension,
        leases,
        bundle,
        oauth,
        vendor,
        health,
    )
    for routes in (part.routes for part in parts):
        app.include_router(routes)
    problems.install(app)
    app.add_exception_handler(Exception, unforeseen)
    app.add_middleware(Guard, limits=limits or Limits(), metrics=metrics)
    return app
