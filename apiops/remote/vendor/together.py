"""What several threads want of the book at once, done in one transaction by one of them.

Each waits until its own is on the disk, as if it had gone alone; the disk is waited for once.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from apiops.errors import ApiopsError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """Does `work` for all items that are there when its turn comes."""

    def __init__(
        self, turn: threading.Lock, work: Callable[[Sequence[Item]], Sequence[Result]]
    ) -> None:
        """`turn` is held while there is work; others may share it. `work` does all or nothing."""
        self._turn = turn
        self._work = work
        self._adding = threading.Lock()
        self._waiting: list[tuple[Item, Future[Result]]] = []

    def do(self, item: Item) -> Result:
        """What became of it. Raises what `work` raises for it alone."""
        mine: Future[Result] = Future()
        with self._adding:
            self._waiting.append((item, mine))
        with self._turn:
            if not mine.done():
                self._all()
        return mine.result()

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
            for _, one in taken:
                if not one.done():
                    one.set_exception(fault)
            raise

    def _each(self, taken: Sequence[tuple[Item, "Future[Result]"]]) -> None:
        """One by one: what cannot be done is nobody else's fault."""
        for pair in taken:
            try:
                self._some([pair])
            except ApiopsError as fault:
                pair[1].set_exception(fault)

    def _some(self, taken: Sequence[tuple[Item, "Future[Result]"]]) -> None:
        results = self._work([item for item, _ in taken])
        for (_, one), result in zip(taken, results, strict=True):
            one.set_result(result)
