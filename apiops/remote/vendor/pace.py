"""How fast we may go: fewer calls at once while the Manager is slow, none when it is gone.

The rule is the network's own: one call more at once after as many good answers as there are, half
as many after a refusal. When the Manager says how long to wait, nobody begins before. After several
lost answers in a row, and after the run's deadline, nothing is sent any more in this run.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from apiops.errors import ManagerUnavailable
from apiops.remote.answer import Answer

MOST: Final = 8
"""Calls at once when all is well."""

SLOW: Final = 5.0
"""An answer that takes longer (seconds) counts as a sign of too much."""

LOST: Final = 5
"""So many lost answers in a row open the circuit."""

LONGEST_PAUSE: Final = 300.0
"""No `Retry-After` makes us wait longer (seconds) before other calls begin."""

_BUSY: Final = frozenset({429, 503})


class Pace:
    """Shared by all calls to one Manager; threads wait here for their turn."""

    def __init__(
        self,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
        ends: float = math.inf,
    ) -> None:
        """`ends` is the deadline, by that clock."""
        self.most = most
        self.clock = clock
        self._allowed = float(most)
        self._running = 0
        self._lost = 0
        self._ends = ends
        self._not_before = -math.inf
        self._turned = threading.Condition()

    @property
    def allowed(self) -> int:
        """How many calls may run at once now."""
        return max(1, int(self._allowed))

    @contextmanager
    def turn(self) -> Iterator["_Turn"]:
        """Wait for a turn.

        Raises ManagerUnavailable AO765 when the circuit is open, AO742 when the Manager asks to
        wait for longer than there is.
        """
        with self._turned:
            self._refuse()
            while self._running >= self.allowed or self._left > 0:
                self._turned.wait(self._left if self._left > 0 else None)
                self._refuse()
            self._running += 1
        try:
            yield _Turn(self, self.clock())
        finally:
            with self._turned:
                self._running -= 1
                self._turned.notify_all()

    @property
    def _left(self) -> float:
        """How long nobody begins yet (seconds)."""
        return self._not_before - self.clock()

    def _refuse(self) -> None:
        if self._left > 0 and self._not_before >= self._ends:
            raise ManagerUnavailable(
                "the Manager asks to wait until after the run's deadline",
                code="AO742",
                hint="run again later: it goes on from here",
            )
        if self._lost >= LOST:
            raise ManagerUnavailable(
                f"the last {LOST} answers of the Manager got lost, so nothing more is sent",
                code="AO765",
                hint="look at the Manager and the network, then run again: it goes on from here",
            )

    def tell(self, *, good: bool, lost: bool, pause: float = 0.0) -> None:
        """Learn from one answer; `pause` is how long the Manager asks to wait (seconds)."""
        with self._turned:
            if pause:
                self._not_before = max(self._not_before, self.clock() + min(pause, LONGEST_PAUSE))
            self._lost = self._lost + 1 if lost else 0
            if good:
                self._allowed = min(self.most, self._allowed + 1 / max(1.0, self._allowed))
            else:
                self._allowed = max(1.0, self._allowed / 2)


class _Turn:
    """One call while it runs."""

    def __init__(self, pace: Pace, began: float) -> None:
        self._pace = pace
        self._began = began

    def heard(self, answer: Answer) -> None:
        """There was an answer, after which the call may be sent again."""
        now = self._pace.clock()
        slow, busy = now - self._began > SLOW, answer.status in _BUSY
        pause = (answer.pause or 0.0) if busy else 0.0
        self._began = now + pause
        self._pace.tell(good=not (slow or busy), lost=False, pause=pause)

    def lost(self) -> None:
        """There was none, or not all of it."""
        self._pace.tell(good=False, lost=True)
