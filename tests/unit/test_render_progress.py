"""The progress line draws late, cleans up after itself, and keeps quiet when told to."""

import io
from collections.abc import Callable

import pytest

from apiops.cli.progress import Progress
from apiops.ports import Event

LOAD = Event("load", "reading the specifications")
APPLY = Event("apply", "applying \x1b[2Jpayments", 2, 3)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def a_terminal_outside_of_ci(environ: Callable[..., None]) -> None:
    environ(CI=None, TERM="xterm", COLUMNS="40")


def test_a_fast_run_shows_nothing() -> None:
    stream = Terminal()
    with Progress(stream, delay=60) as progress:
        progress.notice(LOAD)

    assert "" == stream.getvalue()


def test_a_slow_station_is_shown_without_another_notice() -> None:
    stream = Terminal()
    progress = Progress(stream, delay=0)
    progress.notice(LOAD)
    progress._timer.join()

    assert "\r\x1b[Kload: reading the specifications" == stream.getvalue()


def test_the_line_is_replaced_cleaned_and_taken_away() -> None:
    stream = Terminal()
    with Progress(stream, delay=0) as progress:
        progress.notice(LOAD)
        progress._timer.join()
        progress.notice(APPLY)

    *_, replaced, erased = stream.getvalue().split("\r\x1b[K")
    assert r"apply: applying \x1b[2Jpayments 2/3" == replaced
    assert "" == erased


def test_a_line_is_never_wider_than_the_terminal() -> None:
    stream = Terminal()
    progress = Progress(stream, delay=0)
    progress.notice(Event("load", "x" * 100))
    progress._timer.join()

    assert 39 == len(stream.getvalue().removeprefix("\r\x1b[K"))


def test_elsewhere_a_fast_run_shows_nothing_either() -> None:
    stream = io.StringIO()
    with Progress(stream, delay=60) as progress:
        progress.notice(LOAD)
        progress.notice(APPLY)

    assert "" == stream.getvalue()


def test_elsewhere_each_station_of_a_slow_run_is_one_line() -> None:
    stream = io.StringIO()
    with Progress(stream, delay=0) as progress:
        progress.notice(LOAD)
        progress._timer.join()
        for event in (LOAD, APPLY, APPLY):
            progress.notice(event)

    assert ["load: reading the specifications", r"apply: applying \x1b[2Jpayments 2/3"] == (
        stream.getvalue().splitlines()
    )


def test_ci_gets_lines_even_on_a_terminal(environ: Callable[..., None]) -> None:
    environ(CI="true")
    stream = Terminal()
    with Progress(stream, delay=60) as progress:
        for event in (LOAD, LOAD, APPLY, APPLY):
            progress.notice(event)

    assert ["load: reading the specifications", r"apply: applying \x1b[2Jpayments 2/3"] == (
        stream.getvalue().splitlines()
    )


def test_quiet_is_quiet() -> None:
    stream = io.StringIO()
    Progress(stream, quiet=True).notice(LOAD)

    assert "" == stream.getvalue()


def test_a_stream_that_is_gone_stops_nobody() -> None:
    stream = io.StringIO()
    progress = Progress(stream, delay=0)
    stream.close()

    progress.notice(LOAD)
    progress._timer.join()
    progress.notice(APPLY)
