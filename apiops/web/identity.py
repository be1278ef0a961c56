"""Who is calling: a bearer token becomes a `Caller`, or the answer is 401.

Failed attempts are counted per address; whoever fails too often waits. What a caller may do is
not decided here: the token's scope says what it may be used for, `access.decide` the rest.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from apiops.errors import AccessDenied
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

    def admit(self, address: str) -> None:
        """Raise AccessDenied AO782 for an address that failed too often lately."""
        with self._lock:
            since, count = self._failures.get(address, (0.0, 0))
        if count >= MOST_FAILURES and self.clock() - since < WINDOW:
            raise AccessDenied(
                "too many tokens that do not count came from your address",
                code="AO782",
                hint="wait a minute, then show the right one",
            )

    def failed(self, address: str) -> None:
        """Count a failure."""
        now = self.clock()
        with self._lock:
            since, count = self._failures.pop(address, (now, 0))
            fresh = now - since >= WINDOW
            self._failures[address] = (now, 1) if fresh else (since, count + 1)
            if len(self._failures) > _MOST_ADDRESSES:
                self._failures.popitem(last=False)


def caller(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(Bearer)]
) -> Caller:
    """The caller of a request. Raises AccessDenied AO781 and AO782."""
    state = request.app.state
    address = request.client.host if request.client else ""
    state.attempts.admit(address)
    token: AccessToken | None = None
    if shown is not None:
        token = state.verify(shown.credentials)
        if token is None:
            state.attempts.failed(address)
            state.metrics.refused.inc()
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


def require(calling: Caller, scope: str) -> None:
    """Refuse a token that is not for this. Raises AccessDenied AO780."""
    if scope not in calling.token.scopes:
        raise AccessDenied(
            f'this token is not for "{scope}"',
            code="AO780",
            hint=f"make one with `apiops manager tokens create --scope {scope}`",
        )
