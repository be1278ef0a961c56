"""What several threads want of the book at once, done in one transaction by one of them.

Each waits until its own is on the disk, as if it had gone alone; the disk is waited for once.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from apiops.errors import ApiopsError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Asked(Generic[Item, Result]):
    """What one thread wants, and what became of it: it has the turn when it looks."""

    item: Item
    done: bool = False
    result: Result | None = None
    fault: BaseException | None = None

    def ended(self, result: Result | None, fault: BaseException | None = None) -> None:
        """Say what became of it."""
        self.done, self.result, self.fault = True, result, fault


class Together(Generic[Item, Result]):
    """Does `work` for all items that are there when its turn comes."""

    def __init__(
        self, turn: threading.Lock, work: Callable[[Sequence[Item]], Sequence[Result]]
    ) -> None:
        """`turn` is held while there is work; others may share it. `work` does all or nothing."""
        self._turn = turn
        self._work = work
        self._adding = threading.Lock()
        self._waiting: list[_Asked[Item, Result]] = []

    def do(self, item: Item) -> Result:
        """What became of it. Raises what `work` raises for it alone."""
        mine: _Asked[Item, Result] = _Asked(item)
        with self._adding:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                self._all()
        if mine.fault is not None:
            raise mine.fault
        return cast("Result", mine.result)

    def _all(self) -> None:
        with self._adding:
            taken, self._waiting = self._waiting, []
        try:
            try:
                self._some(taken)
            except ApiopsError:
                if len(taken) == 1:
                    raise
                self._each(taken)
        except BaseException as fault:  # nobody waits for ever for one that was interrupted
            for one in taken:
                if not one.done:
                    one.ended(None, fault)
            raise

    def _each(self, taken: Sequence[_Asked[Item, Result]]) -> None:
        """One by one: what cannot be done is nobody else's fault."""
        for one in taken:
            try:
                self._some([one])
            except ApiopsError as fault:
                one.ended(None, fault)

    def _some(self, taken: Sequence[_Asked[Item, Result]]) -> None:
        results = self._work([one.item for one in taken])
        for one, result in zip(taken, results, strict=True):
            one.ended(result)
