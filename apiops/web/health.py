"""Alive, ready, and what was counted: for orchestrators and Prometheus, without a token."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from apiops.errors import ApiopsError
from apiops.web import problems
from apiops.wiring.serving import Serving

routes = APIRouter(tags=["health"])
TEXT: Final = "text/plain; charset=utf-8"
_PLAIN: Final = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_TEXT: Final[dict[int | str, dict[str, Any]]] = {200: {**_PLAIN, "description": "Well"}}
_NOT_READY: Final[dict[int | str, dict[str, Any]]] = {
    **_TEXT,
    **problems.answers(400),
    503: {**_PLAIN, "description": "Not ready"},
}


@routes.get("/livez", summary="Is the process alive?", responses=_TEXT, response_class=Response)
def livez() -> Response:
    """Nothing outside of the process is asked."""
    return Response("ok\n", media_type=TEXT)


@routes.get("/readyz", summary="Can it work?", responses=_NOT_READY, response_class=Response)
@routes.get(
    "/healthz", summary="The same as /readyz", responses=_NOT_READY, response_class=Response
)
def readyz(request: Request, *, verbose: bool = False) -> Response:
    """The database answers, at this version's schema, and the key file is the right one."""
    serving: Serving = request.app.state.serving
    checks: dict[str, Callable[[], object]] = {
        "database": serving.manager.ready,
        "folder": serving.inbox.ready,
    }
    lines, good = [], True
    for name, check in checks.items():
        try:
            check()
            lines.append(f"[+] {name} ok")
        except ApiopsError as fault:
            good = False
            lines.append(f"[-] {name} failed: {fault.code}")
    text = "\n".join([*lines, ""] if verbose else ["ok\n" if good else "not ready\n"])
    return Response(text, 200 if good else 503, media_type=TEXT)


@routes.get("/metrics", summary="Prometheus metrics", responses=_TEXT, response_class=Response)
def metrics(request: Request) -> Response:
    """Counts without names."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4")
