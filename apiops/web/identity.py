"""Who is calling: a bearer token becomes a `Caller`, or the answer is 401.

Failed attempts are counted per address, and one that fails too often is told to wait. A token that
counts is never told so: behind one address there may be a whole bank, and tokens are random enough
that slowing down its neighbours would protect nobody. What a caller may do is not decided here:
the token's scope says what it may be used for, `access.decide` the rest.
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from apiops.errors import AccessDenied
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.token import AccessToken, Caller

Bearer = HTTPBearer(
    auto_error=False, description="a token of `apiops manager tokens create`, or of OAuth 2"
)

MOST_FAILURES: Final = 20
"""Failed attempts of one address in a window."""
WINDOW: Final = 60.0
"""Seconds."""
_MOST_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class Attempts:
    """Failed attempts by address, the newest last; the oldest are forgotten."""

    clock: Callable[[], float] = time.monotonic
    _failures: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def failed(self, address: str) -> None:
        """Count a failure. Raises AccessDenied AO782 if there were too many lately."""
        now = self.clock()
        with self._lock:
            since, count = self._failures.pop(address, (now, 0))
            if now - since >= WINDOW:
                since, count = now, 0
            self._failures[address] = (since, count + 1)
            if len(self._failures) > _MOST_ADDRESSES:
                self._failures.popitem(last=False)
        if count >= MOST_FAILURES:
            raise AccessDenied(
                "too many tokens that do not count came from your address",
                code="AO782",
                hint="wait a minute, then show the right one",
            )


def caller(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(Bearer)]
) -> Caller:
    """The caller of a request. Raises AccessDenied AO781 and AO782."""
    state = request.app.state
    address = request.client.host if request.client else ""
    token: AccessToken | None = None
    # Of two headers one is read here and perhaps the other by a proxy in front: neither counts.
    if shown is not None and len(request.headers.getlist("authorization")) == 1:
        token = state.verify(shown.credentials)
        if token is None:
            state.metrics.refused.inc()
            state.attempts.failed(address)
    if token is None:
        raise AccessDenied(
            "a token is needed that counts: it is missing, unknown, expired or revoked",
            code="AO781",
            hint="put one into APIOPS_TOKEN, or into the file that `token-file` names",
        )
    request.state.token = token.id
    return Caller(token, address)


Calling = Annotated[Caller, Depends(caller)]
"""A route's caller."""


def context(calling: Caller, why: str) -> AuditContext:
    """What the log says of a caller's deed, beside what was done."""
    return AuditContext(
        actor=calling.principal,
        principal=calling.principal,
        reason=Reason(text=why),
        run=uuid.uuid4().hex,
        source=Source.HTTP,
        address=calling.address,
    )


def require(calling: Caller, scope: str) -> None:
    """Refuse a token that is not for this. Raises AccessDenied AO780."""
    if scope not in calling.token.scopes:
        raise AccessDenied(
            f'this token is not for "{scope}"',
            code="AO780",
            hint=f"make one with `apiops manager tokens create --scope {scope}`",
        )
