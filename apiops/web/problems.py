"""Errors as answers: every one of ours becomes a problem (RFC 9457), and says no more than it did.

A problem carries the error's class beside code and hint, so that a client can raise it again.
"""

from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from apiops import errors
from apiops.errors import AccessDenied, ApiopsError, SpecInvalid
from apiops.model import codec
from apiops.web import envelope

MEDIA: Final = "application/problem+json"

_STATUS: Final[tuple[tuple[type[ApiopsError], int], ...]] = (
    (errors.UsageError, 400),
    (errors.AccessDenied, 403),
    (errors.PlanRefused, 409),
    (errors.Conflict, 409),
    (errors.SourceUnavailable, 503),
    (errors.ManagerUnavailable, 503),
    (errors.SourceError, 422),
    (errors.SpecInvalid, 422),
    (errors.SecretError, 422),
)
"""Error → status; the first that fits."""

_BY_CODE: Final = {
    "AO706": 503,  # a full disk is no bug, and worth another try
    "AO718": 409,  # the lease is held: not our fault, and worth another try
    "AO727": 404,
    "AO781": 401,
    "AO782": 429,
    "AO783": 413,
    "AO784": 404,
    "AO785": 405,
    "AO786": 408,
    "AO787": 400,
    "AO828": 502,
}

_PLAIN: Final = {404: "AO784", 405: "AO785", 400: "AO787"}
VENDOR: Final = "/apiops/"
"""Below it errors are answered as the vendor does."""
TOKENS: Final = "/apiops/auth/token"
"""There they are answered as OAuth says."""
PAUSE: Final = "5"
"""Seconds that a client is asked to wait before it tries again."""


class Problem(BaseModel):
    """What went wrong (RFC 9457), with apiops' code, hint and kind of error."""

    type: str = Field(description="`urn:apiops:` and the code, or about:blank")
    title: str
    status: int
    detail: str
    code: str = Field(description="explained by `apiops explain CODE`")
    error: str = Field(description="the kind of error, as docs/reference/exit-codes.md has them")
    hint: str = ""
    retryable: bool = False
    diagnostics: list[Any] = []
    location: Any = None
    instance: str = Field(default="", description="the request's id, as the log has it")


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for its OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _TITLES[status], "content": {MEDIA: {"schema": schema}}}
        for status in statuses
    }


_TITLES: Final = {
    400: "The request cannot be understood",
    401: "No token that counts",
    403: "Not allowed",
    404: "Not found, or not for you to see",
    405: "No such method here",
    408: "The request took too long to arrive",
    409: "Refused as things stand",
    413: "Too large",
    422: "The content cannot be used",
    429: "Too many failed attempts",
    500: "A bug in apiops",
    502: "What stands behind this server cannot be used",
    503: "Not now",
}


def status_of(fault: ApiopsError) -> int:
    """The status that an error is answered with."""
    known = _BY_CODE.get(fault.code)
    if known is not None:
        return known
    return next((status for kind, status in _STATUS if isinstance(fault, kind)), 500)


def answer(fault: ApiopsError, instance: str = "") -> Response:
    """An error as a problem."""
    status = status_of(fault)
    problem = Problem(
        type=f"urn:apiops:{fault.code}",
        title=_TITLES[status],
        status=status,
        detail=fault.message,
        code=fault.code,
        error=type(fault).__name__,
        hint=fault.hint,
        retryable=fault.retryable,
        diagnostics=[codec.dump(one) for one in fault.diagnostics]
        if isinstance(fault, SpecInvalid)
        else [],
        location=codec.dump(fault.location) if fault.location else None,
        instance=instance,
    )
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = PAUSE
    return Response(orjson.dumps(problem.model_dump()), status, headers, MEDIA)


def said(path: str, fault: ApiopsError, instance: str) -> Response:
    """An error as it is answered at that path."""
    if path.startswith(VENDOR):
        words = envelope.unissued if path == TOKENS else envelope.failure
        return words(fault, status_of(fault))
    return answer(fault, instance)


def unknown() -> ApiopsError:
    """What is not there, and what is not for the caller to see: the two are never told apart."""
    return AccessDenied(
        "there is nothing of that name that you may see",
        code="AO784",
        hint="check the name; ask who owns the project for the right to look",
    )


def install(app: FastAPI) -> None:
    """Let every error of the app be answered as a problem."""

    @app.exception_handler(ApiopsError)
    def ours(request: Request, fault: ApiopsError) -> Response:
        return said(request.url.path, fault, request.state.id)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, fault: RequestValidationError) -> Response:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return ours(request, _misused(f"{where}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    def plain(request: Request, fault: HTTPException) -> Response:
        code = _PLAIN.get(fault.status_code, "AO787")
        if request.url.path.startswith(VENDOR) and code == "AO787":
            return ours(request, _misused(str(fault.detail)[:200]))
        if request.url.path.startswith(VENDOR):
            status = status_of(_misused("", code))
            words = "There is no such address" if status == 404 else str(fault.detail)[:200]
            return envelope.failure(envelope.Told(words, status), status)
        if code == "AO784":
            return answer(unknown(), request.state.id)
        made = answer(_misused(str(fault.detail)[:200], code), request.state.id)
        made.headers.update(fault.headers or {})
        return made


def _misused(why: str, code: str = "AO787") -> ApiopsError:
    return errors.UsageError(why, code=code, hint="GET /v1/openapi.json says what is expected")
