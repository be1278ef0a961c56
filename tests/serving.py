"""A real server on the loopback address, in a thread of this process or in a child of its own.

with served(opened) as url:                 the app of an open `Serving`, in a thread
with Child("manager", "serve", …) as it:    `apiops manager serve` as a process; it.url, it.log
"""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import uvicorn
from fastapi import FastAPI

from apiops.manager.embedded import EmbeddedManager
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.token import Holder
from apiops.web.serve import Patient
from tests import process


@contextmanager
def served(app: FastAPI, http: type[Patient] = Patient, **more: Any) -> Iterator[str]:
    """The URL of a real uvicorn that serves an app until the end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app,
            http=http,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            **more,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class Child:
    """`apiops …serve` as a process, ready when this is entered; stopped as a service would be."""

    def __init__(
        self,
        *arguments: str | Path,
        cwd: Path,
        scheme: str = "http",
        program: str = "apiops",
        **variables: str,
    ):
        self._words = process.command(*arguments, program=program)
        self._cwd = cwd
        self._scheme = scheme
        self._variables = variables
        self.port = 0

    def __enter__(self) -> Self:
        place = Path(tempfile.mkdtemp())  # a socket's path has 107 bytes at most
        notices = place / "notices"
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.bind(str(notices))
        written, name = tempfile.mkstemp(".log", "server", self._cwd.parent)
        self._log = Path(name)
        self._process = subprocess.Popen(
            self._words,
            cwd=self._cwd,
            env=process.environment(**self._variables, NOTIFY_SOCKET=str(notices)),
            stdin=subprocess.DEVNULL,
            stderr=written,
        )
        os.close(written)
        self._told.settimeout(process.PATIENCE)
        try:
            said = self._told.recv(1000).decode()
        except TimeoutError:
            self._process.kill()
            raise AssertionError(self.log) from None
        finally:
            shutil.rmtree(place)
        assert said.startswith("READY=1")
        self.port = int(said.split()[-1])
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGCONT)  # whoever was stopped hears the other first
            self._process.wait(process.PATIENCE)
        self._told.close()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log's lines that are JSON."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def limit(self, size: int) -> None:
        """A disk that is full, as the server sees it: no file may grow beyond `size` bytes."""
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, size))

    def halted(self) -> int:
        """Wait until it is stopped or killed; by which signal, or the exit code."""
        how = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert how is not None
        return how.si_status

    def go_on(self) -> None:
        """Let it run that was stopped."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """As the kernel would end it."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(process.PATIENCE)


def a_token(
    manager: EmbeddedManager, holder: str, *scopes: str, kind: Holder = Holder.PERSON, **more: Any
) -> str:
    """A token that ayse made."""
    context = AuditContext("ayse", "ayse", Reason("For the test"), "run-token", Source.CONSOLE)
    life = more.pop("life", timedelta(days=1))
    _, secret = manager.tokens.create(kind, holder, "test", scopes, life, context, **more)
    return secret.reveal().decode()
