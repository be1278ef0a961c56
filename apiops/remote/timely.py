"""Connections that end at a deadline.

A timeout of a socket begins anew with every byte that comes. So who sends a header, or the size of
a chunk, byte by byte keeps a reader for hours: here the connection is cut when the time is over.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class Watch:
    """One call's time. `over` says that it is up."""

    def __init__(self, ends: float) -> None:
        """`ends` is by the monotonic clock (seconds)."""
        self._ends = ends
        self._timer: threading.Timer | None = None

    @property
    def over(self) -> bool:
        """Whether nothing that comes now counts any more."""
        return time.monotonic() >= self._ends

    def begin(self, connection: socket.socket) -> None:
        """Cut this connection when the time is up."""
        left = min(max(0.0, self._ends - time.monotonic()), threading.TIMEOUT_MAX)
        self._timer = threading.Timer(left, _cut, (connection,))
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """Leave the connection alone."""
        if self._timer is not None:
            self._timer.cancel()


_CURRENT: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def until(ends: float) -> Iterator[Watch]:
    """Whatever is asked inside, by this thread, is cut at `ends` (monotonic clock, seconds)."""
    watch = Watch(ends)
    token = _CURRENT.set(watch)
    try:
        yield watch
    finally:
        watch.end()
        _CURRENT.reset(token)


def _cut(connection: socket.socket) -> None:
    """Wake its reader. Not by the method of TLS, which would take the cipher from under it."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    def getresponse(self) -> Any:
        _watched(self)
        return super().getresponse()


class _Secure(HTTPSConnection):
    def getresponse(self) -> Any:
        _watched(self)
        return super().getresponse()


def _watched(connection: HTTPConnection) -> None:
    watch = _CURRENT.get()
    if watch is not None and connection.sock is not None:
        watch.begin(connection.sock)


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


POOLS = {"http": _PlainPool, "https": _SecurePool}
"""Scheme → the pool whose connections can be cut."""
