"""How fast we may go: fewer calls at once while the Manager is slow, none when it is gone.

The rule is the network's own: one call more at once after as many good answers as there are, half
as many after a refusal. After several lost answers in a row nothing is sent any more in this run.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from apiops.errors import ManagerUnavailable

MOST: Final = 8
"""Calls at once when all is well."""

SLOW: Final = 5.0
"""An answer that takes longer (seconds) counts as a sign of too much."""

LOST: Final = 5
"""So many lost answers in a row open the circuit."""

_BUSY: Final = frozenset({429, 503})


class Pace:
    """Shared by all calls to one Manager; threads wait here for their turn."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self.clock = clock
        self._allowed = float(most)
        self._running = 0
        self._lost = 0
        self._turned = threading.Condition()

    @property
    def allowed(self) -> int:
        """How many calls may run at once now."""
        return max(1, int(self._allowed))

    @contextmanager
    def turn(self) -> Iterator["_Turn"]:
        """Wait for a turn. Raises ManagerUnavailable AO765 when the circuit is open."""
        with self._turned:
            self._refuse_open()
            while self._running >= self.allowed:
                self._turned.wait()
                self._refuse_open()
            self._running += 1
        try:
            yield _Turn(self, self.clock())
        finally:
            with self._turned:
                self._running -= 1
                self._turned.notify()

    def _refuse_open(self) -> None:
        if self._lost >= LOST:
            raise ManagerUnavailable(
                f"the last {LOST} answers of the Manager got lost, so nothing more is sent",
                code="AO765",
                hint="look at the Manager and the network, then run again: it goes on from here",
            )

    def tell(self, *, good: bool, lost: bool) -> None:
        """Learn from one call."""
        with self._turned:
            self._lost = self._lost + 1 if lost else 0
            if good:
                self._allowed = min(self._most, self._allowed + 1 / max(1.0, self._allowed))
            else:
                self._allowed = max(1.0, self._allowed / 2)


class _Turn:
    """One call while it runs."""

    def __init__(self, pace: Pace, began: float) -> None:
        self._pace = pace
        self._began = began

    def answered(self, status: int) -> None:
        """There was an answer."""
        slow = self._pace.clock() - self._began > SLOW
        self._pace.tell(good=not slow and status not in _BUSY, lost=False)

    def lost(self) -> None:
        """There was none, or not all of it."""
        self._pace.tell(good=False, lost=True)
