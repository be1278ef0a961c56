"""`apiops …` that sends itself a signal in the middle of an apply, once, or whose clock is ahead.

    with served(world, signal="SIGSTOP", at="applied") as server:     after the first unit's commit
    with served(world, signal="SIGKILL", at="writing") as server:     before it
    with served(world, ahead=str(seconds)) as server:                 for the Manager it is later

The moments are found from outside, by SQLAlchemy's events: apiops itself knows nothing of it.
"""

import os
import signal
import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Pool, event

from apiops.cli import main
from apiops.manager import connect, embedded

FATE = "FATE_"
"""How the names of the variables begin that say what shall happen."""


class _Fate:
    """Waits for the transaction that records an applied revision."""

    def __init__(self, name: str, at: str) -> None:
        self._signal = signal.Signals[name]
        self._at = at
        self._over = False

    def listen(self) -> None:
        connect.SILENT = timedelta(seconds=5)  # others need not wait for minutes
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Pool, "checkin", self._given_back)

    def _executed(self, connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("INSERT INTO applied"):
            connection.info[FATE] = True
            if self._at == "writing":
                self._befall()

    def _given_back(self, _driver: Any, record: Any) -> None:
        if record.info.pop(FATE, False):
            self._befall()

    def _befall(self) -> None:
        if not self._over:
            self._over = True
            # Sent to the process, it might find this thread a few statements further on.
            signal.pthread_kill(threading.get_ident(), self._signal)


def _fated() -> None:
    told = {n.removeprefix(FATE): text for n, text in os.environ.items() if n.startswith(FATE)}
    if "SIGNAL" in told:
        _Fate(told["SIGNAL"], told["AT"]).listen()
    ahead = timedelta(seconds=float(told.get("AHEAD", 0)))
    defaults = embedded.open_manager.__kwdefaults__
    defaults["clock"] = lambda: embedded.now() + ahead


if __name__ == "__main__":
    _fated()
    main.main()
