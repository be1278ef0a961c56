"""When a scheduled sync runs again, and how it stops."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from apiops.controller import loop
from apiops.controller.loop import Schedule
from apiops.errors import Exit


def waits(*codes: Exit, interval: float = 300) -> list[float]:
    """The pauses after runs that end so; the loop is stopped in the last."""
    stop, left, told = threading.Event(), list(codes), []

    def wait(seconds: float) -> None:
        told.append(seconds)
        if not left:
            stop.set()

    assert codes[-1] is loop.run(lambda: left.pop(0), Schedule(interval), stop, wait)
    return told


def near(seconds: float) -> object:
    return pytest.approx(seconds, rel=loop.JITTER)


def test_the_interval_is_jittered_and_no_longer_than_a_tenth_off() -> None:
    told = waits(*[Exit.OK] * 40)
    assert [near(300)] * 40 == told
    assert 1 < len(set(told))


def test_what_is_unavailable_is_tried_again_sooner_and_ever_later() -> None:
    told = waits(*[Exit.UNAVAILABLE] * 8)
    assert [near(s) for s in (5, 10, 20, 40, 80, 160, 300, 300)] == told


def test_what_only_a_person_can_mend_waits_the_interval() -> None:
    told = waits(Exit.INVALID, Exit.USAGE, Exit.REFUSED, Exit.SECRETS)
    assert [near(300)] * 4 == told


def test_a_run_that_got_through_ends_the_haste() -> None:
    told = waits(Exit.UNAVAILABLE, Exit.UNAVAILABLE, Exit.DENIED, Exit.UNAVAILABLE)
    assert [near(s) for s in (5, 10, 300, 5)] == told


def test_a_retry_never_waits_longer_than_the_interval() -> None:
    assert [near(3)] == waits(Exit.UNAVAILABLE, interval=3)


def test_a_thousand_failures_are_no_overflow() -> None:
    assert near(60) == Schedule(60).pause(1000, 0.5)


def test_whoever_stops_a_run_waits_for_no_other() -> None:
    stop = threading.Event()

    def once() -> Exit:
        stop.set()
        return Exit.DENIED

    assert Exit.DENIED is loop.run(once, Schedule(1), stop, pytest.fail)


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    yield
    assert before == {n: signal.getsignal(n) for n in before}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_interrupts(handlers: None, number: int) -> None:
    stop = threading.Event()
    with loop.draining(stop):
        os.kill(os.getpid(), number)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
