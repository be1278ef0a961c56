"""Connections that end at a deadline.

A timeout of a socket begins anew with every byte that comes. So who sends a header, or the size of
a chunk, byte by byte keeps a reader for hours: here the connection is cut when the time is over.
"""

import math
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

    def __init__(self, dog: "Watchdog", ends: float) -> None:
        """`ends` is by the monotonic clock (seconds)."""
        self.ends = ends
        self._dog = dog
        self._connection: socket.socket | None = None

    @property
    def over(self) -> bool:
        """Whether nothing that comes now counts any more."""
        return time.monotonic() >= self.ends

    def begin(self, connection: socket.socket) -> None:
        """Cut this connection when the time is up."""
        self._connection = connection
        self._dog.watch(self)

    def cut(self) -> None:
        """The time is up."""
        if self._connection is not None:
            _cut(self._connection)


class Watchdog:
    """One thread that looks after all calls of a client: one for each call would cost more than
    the call. It begins with the first of them and sleeps until one may be overdue.
    """

    def __init__(self) -> None:
        self._calls: set[Watch] = set()
        self._turned = threading.Condition()
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def until(self, ends: float) -> Iterator[Watch]:
        """Whatever is asked inside, by this thread, is cut at `ends` (monotonic clock, seconds)."""
        watch = Watch(self, ends)
        token = _CURRENT.set(watch)
        try:
            yield watch
        finally:
            with self._turned:
                self._calls.discard(watch)
            _CURRENT.reset(token)

    def watch(self, watch: Watch) -> None:
        """Cut its connection at its end, unless it is left before."""
        with self._turned:
            self._calls.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="apiops-watch", daemon=True)
                self._thread.start()
            if watch.ends < self._wakes:
                self._turned.notify()

    def close(self) -> None:
        """End the thread."""
        with self._turned:
            thread, self._thread = self._thread, None
            self._turned.notify()
        if thread is not None:
            thread.join()

    def _look(self) -> None:
        with self._turned:
            while self._thread is threading.current_thread():
                for watch in [one for one in self._calls if one.over]:
                    self._calls.discard(watch)
                    watch.cut()
                self._wakes = min((one.ends for one in self._calls), default=math.inf)
                left = self._wakes - time.monotonic()
                self._turned.wait(None if left == math.inf else min(left, threading.TIMEOUT_MAX))


_CURRENT: ContextVar[Watch | None] = ContextVar("watch", default=None)


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
