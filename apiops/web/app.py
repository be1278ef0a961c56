"""The app: routes, errors and limits put together over one served Manager."""

from typing import Final

from fastapi import FastAPI

from apiops import __version__
from apiops.web import (
    bundle,
    evidence,
    health,
    keys,
    native,
    oauth,
    problems,
    submissions,
    subscriptions,
    suspension,
    vendor,
)
from apiops.web.guard import Guard, Limits
from apiops.web.identity import Attempts
from apiops.web.metrics import Metrics
from apiops.wiring.serving import Serving

DESCRIPTION: Final = """The Manager of apiops: what signed commits describe, applied with their
committers' rights, every change audited. Errors are problem details (RFC 9457)."""


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
        bundle,
        oauth,
        vendor,
        health,
    )
    for routes in (part.routes for part in parts):
        app.include_router(routes)
    problems.install(app)
    app.add_middleware(Guard, limits=limits or Limits(), metrics=metrics)
    return app
