"""A limit on the whole time of a conversation with a Git server.

libgit2 limits each wait alone, so a server that sends a byte now and then could hold a run for
ever. Nothing of ours is called meanwhile, and the library has no way to be told: when the time is
over, its connection is shut from beside, which it takes for the end of the network.
"""

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from apiops.git.login import over_ssh

_FILES: Final = Path("/dev/fd")
_PORTS: Final = {"https": 443, "ssh": 22}
_AGAIN: Final = 0.5
"""Seconds until whatever was connected after the end is shut as well."""


class Deadline:
    """Whether the time of a conversation is over."""

    def __init__(self, seconds: float, port: int) -> None:
        self.seconds = seconds
        self.over = False
        self._port = port
        self._before = set(_sockets())
        self._done = threading.Event()

    def watch(self) -> None:
        """Wait for the end of the conversation or of its time, and shut what goes on."""
        wait = self.seconds
        while not self._done.wait(wait):
            self.over = True
            for file, inode in set(_sockets()) - self._before:
                _shut(file, inode, self._port)
            wait = _AGAIN

    def end(self) -> None:
        """The conversation is at its end."""
        self._done.set()


@contextmanager
def limited(address: str, seconds: float) -> Iterator[Deadline]:
    """While open, connections to the port of `address` that begin now last so long at most.

    A remote on this machine's own disk has no connection and no limit. Raises ValueError for an
    address with a port that is none.
    """
    port = port_of(address)
    deadline = Deadline(seconds, port)
    if not port:
        yield deadline
        return
    watching = threading.Thread(target=deadline.watch, name="apiops-deadline", daemon=True)
    watching.start()
    try:
        yield deadline
    finally:
        deadline.end()
        watching.join()


def port_of(address: str) -> int:
    """The port of an address; 0 for a path. Raises ValueError for a port that is none."""
    parts = urlsplit(address)
    if parts.scheme in _PORTS:
        return parts.port or _PORTS[parts.scheme]
    return _PORTS["ssh"] if over_ssh(address) else 0


def _sockets() -> Iterator[tuple[int, int]]:
    """The sockets of this process: the number of the file, and what it stands for."""
    with suppress(OSError):
        for entry in _FILES.iterdir():
            with suppress(OSError):
                file = int(entry.name)
                found = os.fstat(file)
                if stat.S_ISSOCK(found.st_mode):
                    yield file, found.st_ino


def _shut(file: int, inode: int, port: int) -> None:
    """End a connection to a port. The file may be another one by now, which is left alone."""
    with suppress(OSError):
        copy = os.dup(file)
        if os.fstat(copy).st_ino != inode:
            os.close(copy)
            return
        with socket.socket(fileno=copy) as found:
            inet = found.family in {socket.AF_INET, socket.AF_INET6}
            if inet and found.getpeername()[1] == port:
                found.shutdown(socket.SHUT_RDWR)
