"""A proxy that meddles: it stands between client and Manager and spoils what it is told to.

with Meddler(standin.port) as meddler:
    meddler.spoil("reset-after", 3)        the fourth write from now
    gateway.address = meddler.url
"""

import http.client
import socket
import struct
import threading
from collections.abc import Mapping

from tests.servers import Handler, Loopback

AFTER = (
    "reset-after",
    "hang-after",
    "500-after",
    "html-502-after",
    "html-200-after",
    "truncated",
    "stalled",
    "duplicated",
    "empty-200",
)
"""The server has carried it out, and the client does not get to know."""

BEFORE = ("reset-before", "404-before", "500-before", "429-before", "503-before")
"""The server never heard of it."""

NOTHING: Mapping[str, str] = {}
HARMLESS = ("wrong-type",)

HELD = "held-after"
"""The server has carried it out, and the client waits for the answer until `let_go` is set."""
PAGE = b"<html><body><h1>Bad Gateway</h1></body></html>"


class Meddler(Loopback):
    """Counts writes (everything but GET), or reads, from the last `spoil` on."""

    def __init__(self, port: int) -> None:
        super().__init__(_Handler)
        self.upstream = port
        self._lock = threading.Lock()
        self._fault = ""
        self._at: range = range(0)
        self._reads = False
        self._writes = 0
        self.spoilt = 0
        self.arrived = threading.Event()
        self.let_go = threading.Event()

    @property
    def writes(self) -> int:
        """Requests of the kind that is spoilt since the last `spoil`."""
        return self._writes

    def spoil(self, fault: str = "", at: int = 0, times: int = 1, *, reads: bool = False) -> None:
        with self._lock:
            self._reads = reads
            self._fault, self._at, self._writes, self.spoilt = fault, range(at, at + times), 0, 0

    def due(self, method: str) -> str:
        """The fault for this request, if it is its turn."""
        with self._lock:
            if (method == "GET") is not self._reads:
                return ""
            number = self._writes
            self._writes += 1
            if self._fault and number in self._at:
                self.spoilt += 1
                return self._fault
            return ""


class _Handler(Handler):
    timeout = 60

    def answered(self) -> None:
        body = self.body()
        fault = self.server.owner.due(self.command)
        if fault in BEFORE:
            self._instead(fault.removesuffix("-before"))
            return
        status, kind, content = self._forward(body)
        if fault == HELD:
            self.server.owner.arrived.set()
            self.server.owner.let_go.wait(self.timeout)
        if fault in AFTER:
            self._spoilt(fault, status, kind, content)
        else:
            self._answer(status, "text/plain" if fault == "wrong-type" else kind, content)

    def _forward(self, body: bytes) -> tuple[int, str, bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.owner.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        upstream.request(self.command, self.path, body=body, headers=headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        return answer.status, answer.headers.get("Content-Type") or "", content

    def _instead(self, fault: str) -> None:
        if fault == "reset":
            self._reset()
        elif fault == "500":
            self._answer(
                500,
                "application/json",
                b'{"status":"FAILURE","resultMessage":"An unexpected error occurred"}',
            )
        else:
            self._answer(int(fault), "text/html", PAGE, {"Retry-After": "0"})

    def _spoilt(self, fault: str, status: int, kind: str, content: bytes) -> None:
        if fault == "reset-after":
            self._reset()
        elif fault == "hang-after":
            self.connection.recv(1)  # until the client has had enough
            self.close_connection = True
        elif fault == "500-after":
            self._instead("500")
        elif fault == "html-502-after":
            self._answer(502, "text/html", PAGE)
        elif fault == "html-200-after":
            self._answer(200, "text/html", PAGE)
        elif fault == "duplicated":
            self._answer(status, kind, content + content)
        elif fault == "empty-200":
            self._answer(200, kind, b"")
        else:
            self._half(status, kind, content)
            if fault == "truncated":
                self._reset()
            else:
                self.connection.recv(1)  # until the client has had enough
                self.close_connection = True

    def _half(self, status: int, kind: str, content: bytes) -> None:
        self.head(status, {"Content-Type": kind}, len(content))
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()

    def _answer(
        self, status: int, kind: str, content: bytes, more: Mapping[str, str] = NOTHING
    ) -> None:
        self.say(status, {"Content-Type": kind, **more}, content)

    def _reset(self) -> None:
        """A TCP reset, as from a machine that lost its power."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
