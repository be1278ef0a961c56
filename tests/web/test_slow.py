"""Clients that send slowly, stop in the middle, or do not take what they asked for."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from apiops.web.serve import Patient
from tests.serving import served
from tests.web.conftest import Api

MUCH = 50_000_000
"""Bytes that no pair of socket buffers holds."""


class Hasty(Patient):
    """A server that waits for a fifth of a second."""

    head_seconds = 0.2
    taking_seconds = 0.2


@contextmanager
def connected(app: Any) -> Iterator[socket.socket]:
    """A connection to a server that waits for little, and that gives the test up after 30 s."""
    with served(app, http=Hasty) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as peer:
            yield peer


def answered(peer: socket.socket) -> bytes:
    """One answer of the length that it says."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += peer.recv(10_000)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    while len(body) < length:
        body += peer.recv(10_000)
    return head


def test_a_head_that_does_not_end_is_not_waited_for(api: Api) -> None:
    with connected(api.app) as peer:
        assert b"" == peer.recv(1000), "nothing was sent"
    with connected(api.app) as peer:
        peer.sendall(b"GET /livez HTTP/1.1\r\nHost:")
        assert b"" == peer.recv(1000)


def test_nor_is_the_head_of_a_later_request_of_the_same_connection(api: Api) -> None:
    whole = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(api.app) as peer:
        for _ in range(3):
            peer.sendall(whole)
            assert answered(peer).startswith(b"HTTP/1.1 200")
        peer.sendall(whole[:9])
        assert b"" == peer.recv(1000)
    with connected(api.app) as peer:  # the beginning of the next came with the end of this
        peer.sendall(whole + whole[:9])
        assert answered(peer).startswith(b"HTTP/1.1 200")
        peer.sendall(whole[9:12])
        assert b"" == peer.recv(1000)


def test_a_client_that_does_not_take_its_answer_is_cut_off() -> None:
    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * MUCH, "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})  # waits for what is before it
        ended.set()

    ended = threading.Event()
    with connected(large) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(30), "the server goes on waiting"
        taken = sum(map(len, iter(lambda: peer.recv(1_000_000), b"")))
    assert taken < MUCH


def test_a_client_that_sends_slowly_is_not_waited_for(api: Api) -> None:
    parts = urlsplit(api.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as peer:
        head = f"POST /v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.tokens['ayse']}"
        peer.sendall(f"{head}\r\nContent-Length: 1000\r\n\r\n{{".encode())
        said = peer.recv(10_000)
    assert said.startswith(b"HTTP/1.1 408"), said


def test_the_little_that_a_client_leaves_unread_keeps_no_connection() -> None:
    """Less than what makes a server pause, and the connection is closed behind it already."""

    class Narrow(Hasty):
        def connection_made(self, transport: Any) -> None:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    async def small(scope: Any, receive: Any, send: Any) -> None:
        length = [(b"content-length", b"50000")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"x" * 50_000})

    lost = threading.Event()
    with served(small, http=Narrow, timeout_graceful_shutdown=1) as url, socket.socket() as peer:
        parts = urlsplit(url)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        peer.settimeout(30)
        peer.connect((parts.hostname, parts.port))
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert lost.wait(10), "the server goes on waiting"
