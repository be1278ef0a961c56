"""The vendor's way of answering: its envelope, its status codes, its wording.

Almost everything that goes wrong is a 400 there, and what is missing and what is not for the
caller to see share one sentence. The words are those of the vendor's document, appendix D.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson
from fastapi import Response
from pydantic import BaseModel

from apiops.errors import AccessDenied, ApiopsError, ManagerUnavailable

FORBIDDEN: Final = "User does not have required permission for this operation!"
NO_DEPLOY: Final = "User does not have required permission to deploy/undeploy API Proxy!"
NO_TOKEN: Final = "Empty Key! Client must be authenticated to access this resource."  # noqa: S105 - words
BAD_TOKEN: Final = "Token is not valid!"  # noqa: S105 - words
BROKEN: Final = "An unexpected error occurred"
UNKNOWN: Final = (
    "The connection to the database was lost during the commit: whether the change was stored is "
    "not known. Read it again before you repeat the call."
)


class Success(BaseModel):
    """What every good answer looks like."""

    status: str
    success: bool
    resultList: list[dict[str, Any]] = []  # noqa: N815 - the vendor's name
    resultCount: int = 0  # noqa: N815 - the vendor's name
    resultMessage: str | None = None  # noqa: N815 - the vendor's name
    deploymentResult: dict[str, Any] | None = None  # noqa: N815 - the vendor's name


class Failure(BaseModel):
    """What every bad answer looks like."""

    status: str
    resultMessage: str  # noqa: N815 - the vendor's name


class Told(ApiopsError):
    """A failure in the vendor's own words."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message, code="AO789")
        self.status = status


def found(items: Iterable[dict[str, Any]]) -> Response:
    """A list, or one object in a list of one."""
    rows = list(items)
    tree = {"status": "SUCCESS", "success": True, "resultList": rows, "resultCount": len(rows)}
    return _said(tree, 200)


def bare(tree: dict[str, Any], status: int = 200) -> Response:
    """An object as it is, where the vendor has no envelope (1.3)."""
    return _said(tree, status)


def done(message: str = "", deployed: dict[str, Any] | None = None) -> Response:
    """A change that was carried out."""
    tree: dict[str, Any] = {"status": "SUCCESS", "success": True}
    if message:
        tree["resultMessage"] = message
    if deployed is not None:
        tree["deploymentResult"] = deployed
    return _said(tree, 200)


def failure(fault: ApiopsError, status: int) -> Response:
    """An error of ours as the vendor would say it; `status` is what the native API answers."""
    if isinstance(fault, Told):
        return _said({"status": "FAILURE", "resultMessage": fault.message}, fault.status)
    if status in (401, 413, 408, 429):
        words = BAD_TOKEN if status == 401 else fault.message
        return _said({"status": "FAILURE", "resultMessage": words}, status)
    if fault.code == "AO734":
        return _said({"status": "FAILURE", "resultMessage": UNKNOWN}, 500)
    if isinstance(fault, AccessDenied):
        words = FORBIDDEN
    elif isinstance(fault, ManagerUnavailable) or status >= 500:
        return _said({"status": "FAILURE", "resultMessage": BROKEN}, 500)
    else:
        words = fault.message
    return _said({"status": "FAILURE", "resultMessage": words}, 400)


def unissued(fault: ApiopsError, status: int) -> Response:
    """An error of ours where tokens are issued (RFC 6749, 5.2)."""
    return _said({"error": "invalid_request", "error_description": fault.message}, status)


def _said(tree: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(tree), status, media_type="application/json;charset=UTF-8")
