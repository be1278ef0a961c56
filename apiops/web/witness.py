"""Checkpoints that a served Manager keeps in a file by itself: at the start, at every interval, and
when it stops. They are made one after the other by one thread, and under a lease, so that of
several servers of one Manager only one at a time makes them.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from apiops.errors import ApiopsError
from apiops.manager.embedded import EmbeddedManager
from apiops.wiring import trail

LEASE: Final = "checkpoints"
PATIENCE: Final = 60.0
"""Seconds that a checkpoint in hand may still take when the server stops."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where checkpoints are kept, how often in seconds, and how a file is replaced."""

    file: Path
    every: float
    write: Callable[[Path, bytes], None]


class Witness:
    """Keeps the checkpoint in the file at what the log is."""

    def __init__(
        self, manager: EmbeddedManager, keeping: Keeping, count: Callable[[str], None]
    ) -> None:
        self._manager = manager
        self._keeping = keeping
        self._count = count
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Begin, with a checkpoint of now."""
        self._thread.start()

    def stop(self) -> None:
        """One last checkpoint, then no more."""
        self._stopping.set()
        self._thread.join(PATIENCE)

    def keep(self) -> None:
        """One checkpoint. What goes wrong is logged and counted; the next one tries again."""
        try:
            with self._manager.lease(LEASE, f"{LEASE}-{id(self):x}"):
                trail.witness(self._manager.checkpoints, self._keeping.file, self._keeping.write)
        except ApiopsError as fault:
            self._failed(fault.code, fault.message)
        except OSError as fault:
            self._failed("AO907", f"{self._keeping.file}: {fault.strerror}")
        else:
            self._count("done")

    def _failed(self, code: str, message: str) -> None:
        self._count("failed")
        told = {"event": "checkpoint", "result": "failed", "code": code, "message": message}
        logging.getLogger("apiops.web").error(orjson.dumps(told).decode())

    def _work(self) -> None:
        self.keep()
        while not self._stopping.wait(self._keeping.every):
            self.keep()
        self.keep()
