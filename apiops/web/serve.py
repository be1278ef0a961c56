"""Run the app under uvicorn: where it listens, with which TLS, and what it tells the system.

It listens on the loopback address unless told otherwise, and beyond that only with TLS or when a
proxy in front is said to end TLS. A socket that the service manager opened (LISTEN_FDS) is taken
as it is, and the service manager is told when we are ready (NOTIFY_SOCKET).
"""

import asyncio
import ipaddress
import logging
import os
import socket
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from apiops.errors import UsageError
from apiops.web import app
from apiops.web.witness import Keeping, Witness
from apiops.wiring.serving import Serving

_FIRST_PASSED: Final = 3


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen and how. `behind_proxy` names the addresses whose word on the client counts.

    `client_ca` makes every client show a certificate of that authority.
    """

    host: str = "127.0.0.1"
    port: int = 8443
    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    behind_proxy: str = ""


def check(listening: Listening) -> None:
    """Refuse to be reachable in the clear. Raises UsageError AO790."""
    pair = (listening.tls_cert, listening.tls_key)
    if (pair[0] is None) != (pair[1] is None) or (listening.client_ca and pair[0] is None):
        raise UsageError(
            "TLS needs a certificate and its key", code="AO790", hint="--tls-cert and --tls-key"
        )
    for file in (*pair, listening.client_ca):
        if file is not None and not file.is_file():
            raise UsageError(f"there is no file {file}", code="AO790", hint="check the TLS files")
    if pair[0] is None and not listening.behind_proxy and not _loopback(listening.host):
        raise UsageError(
            f"listening on {listening.host} without TLS would show tokens to the network",
            code="AO790",
            hint="give --tls-cert and --tls-key, or --behind-proxy ADDRESS if a proxy ends TLS",
        )


def serve(serving: Serving, listening: Listening, keeping: Keeping | None = None) -> None:
    """Serve until a signal says stop; what is running is finished first, a checkpoint too."""
    check(listening)
    _log()
    served = app.create(serving)
    config = uvicorn.Config(
        served,
        host=listening.host,
        port=listening.port,
        fd=passed_socket(),
        http=Patient,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(listening.behind_proxy),
        forwarded_allow_ips=listening.behind_proxy or None,
        limit_concurrency=1000,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=60,
        h11_max_incomplete_event_size=64 * 1024,
        ssl_certfile=listening.tls_cert,
        ssl_keyfile=listening.tls_key,
        ssl_ca_certs=None if listening.client_ca is None else str(listening.client_ca),
        ssl_cert_reqs=ssl.CERT_REQUIRED if listening.client_ca else ssl.CERT_NONE,
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as fault:
        raise UsageError(
            f"the TLS files cannot be used: {getattr(fault, 'reason', None) or fault.strerror}",
            code="AO790",
            hint="the certificate and its key must go together, in PEM, without a passphrase",
        ) from None
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    count = served.state.metrics.checkpoint
    Server(config, Witness(serving.manager, keeping, count) if keeping else None).run()


class Server(uvicorn.Server):
    """uvicorn's server, which tells the service manager when it is ready."""

    def __init__(self, config: uvicorn.Config, witness: Witness | None = None) -> None:
        super().__init__(config)
        self._witness = witness

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell. Raises UsageError AO791 when the address cannot be had."""
        try:
            await super().startup(sockets)
        except SystemExit:  # uvicorn's way to say that it cannot listen
            raise UsageError(
                f"cannot listen on {self.config.host} port {self.config.port}",
                code="AO791",
                hint="another program may have it, or the port needs a right that we lack",
            ) from None
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                logging.getLogger("apiops.web").info('{"event":"listening","port":%d}', port)
                _notify(f"READY=1\nSTATUS=listening on {host} port {port}")
        if self._witness is not None:
            self._witness.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is running; the last checkpoint has all of it."""
        await super().shutdown(sockets)
        if self._witness is not None:
            await asyncio.to_thread(self._witness.stop)


class Patient(H11Protocol):
    """HTTP/1.1 that waits, but not for ever: for a request's head, and for answers to be taken.

    A connection that is idle between two requests ends by uvicorn's keep-alive, which the first
    byte of the next head ends; a body that comes slowly is answered by the guard.
    """

    head_seconds: ClassVar[float] = 15.0
    """How long the head of a request may take to arrive, from its first byte."""
    taking_seconds: ClassVar[float] = 60.0
    """How long a client may leave what waits for it unread before it is cut off."""

    _head: asyncio.TimerHandle
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for a head, and be told of anything that is left unread, however little.

        A connection that is closed lives on until the last byte of it is taken.
        """
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=1)  # with 0 asyncio's TLS pauses without a cause
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on for the rest of a head, or no more if it is complete."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # None before the first head is complete
        if cycle is not None and not cycle.response_complete:
            self._head.cancel()
        elif self._head.cancelled():
            self._wait()

    def pause_writing(self) -> None:
        """Begin to wait for a client that reads slowly."""
        super().pause_writing()
        self._taking = self.loop.call_later(self.taking_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._head.cancel()
        if self._taking is not None:
            self._taking.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._head = self.loop.call_later(self.head_seconds, self.transport.close)


def passed_socket() -> int | None:
    """The socket that the service manager opened for this process, if it did (sd_listen_fds)."""
    mine = os.environ.get("LISTEN_PID") == str(os.getpid())
    return _FIRST_PASSED if mine and os.environ.get("LISTEN_FDS") == "1" else None


def _notify(text: str) -> None:
    """Tell the service manager (sd_notify); nobody may be listening."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
        told.connect("\0" + address[1:] if address[0] == "@" else address)
        told.send(text.encode())


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _log() -> None:
    """Our lines are JSON already; those of the server are put into JSON. All go to stderr."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    for name, level in (("apiops.web", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


class Lines(logging.Formatter):
    """One JSON object a line: time, level, and the event. No exception's text, no value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        import orjson

        head: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
        }
        message = record.getMessage()
        try:
            body = orjson.loads(message)
        except orjson.JSONDecodeError:
            body = {"event": "server", "message": message}
        if record.exc_info and record.exc_info[0] is not None:
            body["fault"] = record.exc_info[0].__name__
            body["at"] = _place(record.exc_info[2])
        return orjson.dumps(head | body).decode()


def _place(trace: Any) -> list[str]:
    """Where an exception was raised, file and line alone: its text may hold a value."""
    import traceback

    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)][-8:]
