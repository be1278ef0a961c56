"""The loop of a scheduled sync: when to run next, and how to stop.

It knows nothing of what a run does but its exit code. Intervals are jittered, so that replicas
and neighbours do not come at once; what is unavailable is tried again sooner, and ever later. The
first signal lets the run in hand finish, a second one interrupts it.
"""

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

from apiops.errors import Exit

JITTER: Final = 0.1
"""Part of an interval by which it is lengthened or shortened at random."""

FIRST_RETRY: Final = 5.0
"""Seconds after the first failure that is worth a retry; doubled with each that follows."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The seconds between the end of a run and the beginning of the next."""

    interval: float

    def pause(self, failures: int, chance: float) -> float:
        """How long to wait after so many failures in a row that are worth a retry.

        `chance` lies between 0 and 1. A retry never waits longer than the interval.
        """
        steady = self.interval if not failures else FIRST_RETRY * 2 ** min(failures - 1, 30)
        return min(steady, self.interval) * (1 + JITTER * (2 * chance - 1))


def run(
    once: Callable[[], Exit],
    schedule: Schedule,
    stop: threading.Event,
    wait: Callable[[float], None],
) -> Exit:
    """Run `once` until `stop` is set; gives the exit code of the last run.

    `wait` gets the seconds to the next run, and returns early when `stop` is set.
    """
    dice = random.SystemRandom()
    failures = 0
    while True:
        code = once()
        failures = failures + 1 if code is Exit.UNAVAILABLE else 0
        if stop.is_set():
            return code
        wait(schedule.pause(failures, dice.random()))
        if stop.is_set():
            return code


@contextmanager
def draining(stop: threading.Event) -> Iterator[None]:
    """While open, the first SIGTERM or SIGINT sets `stop`, and the second interrupts."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
