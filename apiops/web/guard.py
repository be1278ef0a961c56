"""Around every request: its id, its limits, its log line, its metrics, and the answer's headers.

Pure ASGI, so that a body is measured while it arrives and nothing of it is kept here.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apiops.errors import AccessDenied, ApiopsError, UsageError
from apiops.web import problems
from apiops.web.metrics import Metrics

LOG: Final = logging.getLogger("apiops.web")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS: Final = "max-age=31536000"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, of a submission's body, and seconds for a body to arrive."""

    body: int = 1024 * 1024
    submission: int = 68 * 1024 * 1024
    seconds: float = 60.0


class Guard:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, *, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._limits)
        try:
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                exchange.stop(_null())  # no name has it, and no database takes it
            with suppress(_Stopped):
                if not exchange.stopped:
                    await self._app(scope, exchange.receive, exchange.send)
            await exchange.say_why()
        finally:
            exchange.log(self._metrics)


class _Stopped(Exception):
    """A request that goes beyond a limit."""


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self.id = uuid.uuid4().hex
        self.status = 0
        self._scope = scope
        self._receive = receive
        self._send = send
        self._state: MutableMapping[str, Any] = scope.setdefault("state", {})
        self._state["id"] = self.id
        submits = scope["method"] == "POST" and scope["path"].startswith("/v1/targets/")
        self._left = limits.submission if submits else limits.body
        self._seconds = limits.seconds
        self._began = time.monotonic()
        self._complete = False
        self._fault: ApiopsError | None = None
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > self._left):
                self._left = -1

    async def receive(self) -> Message:
        """The next piece of the body, if it comes in time and is not too much."""
        if self._left < 0:
            raise self.stop(_too_large())
        if self._complete:  # nothing but the end of the connection can come now
            return await self._receive()
        left = self._seconds - (time.monotonic() - self._began)
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.001))
        except TimeoutError:
            raise self.stop(_too_slow(self._seconds)) from None
        self._left -= len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._left < 0:
            raise self.stop(_too_large())
        return message

    @property
    def stopped(self) -> bool:
        """Whether a limit was passed."""
        return self._fault is not None

    def stop(self, fault: ApiopsError) -> Exception:
        """Answer with this, whatever the app makes of it."""
        self._fault = fault
        return _Stopped(fault.code)

    async def say_why(self) -> None:
        """Answer a request that was stopped, whatever the app made of that."""
        if self._fault is not None and not self.status:
            response = problems.said(self._scope["path"], self._fault, self.id)
            response.headers["Connection"] = "close"
            self._fault = None
            await response(self._scope, self._receive, self.send)

    async def send(self, message: Message) -> None:
        """Send on; the answer's start gets our headers. Of a stopped request nothing is sent on."""
        if self._fault is not None and not self.status:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = self.id
            if self._scope["scheme"] == "https":
                headers["Strict-Transport-Security"] = HSTS
        await self._send(message)

    def log(self, metrics: Metrics) -> None:
        """One line of JSON without values: no query, no body, no header."""
        seconds = time.monotonic() - self._began
        route = getattr(self._scope.get("route"), "path", "(none)")
        metrics.answered(self._scope["method"], route, self.status or 500, seconds)
        client = self._scope.get("client")
        line = {
            "event": "request",
            "request": self.id,
            "method": self._scope["method"],
            "route": route,
            "status": self.status or 500,
            "seconds": round(seconds, 6),
            "address": client[0] if client else "",
            "token": self._state.get("token", ""),
            "run": self._state.get("run", ""),
        }
        LOG.info("%s", orjson.dumps(line).decode())


def _null() -> ApiopsError:
    return UsageError(
        "the address has a null character in it", code="AO787", hint="no name has one"
    )


def _too_large() -> ApiopsError:
    return UsageError(
        "the body is larger than this endpoint takes",
        code="AO783",
        hint="submit a long history in steps; everything else is small",
    )


def _too_slow(seconds: float) -> ApiopsError:
    return AccessDenied(
        f"the body did not arrive within {seconds:g} seconds",
        code="AO786",
        hint="try again over a better connection",
    )
