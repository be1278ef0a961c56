"""The progress line: what a run is doing, on stderr, and gone when it is done.

On a terminal it is one live line that appears when a run has lasted 300 ms; elsewhere, in CI for
one, it is a line per station of the line. With `-q` there is nothing.
"""

import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self, TextIO

from apiops.ports import Event
from apiops.render import ink

DELAY: Final = 0.3
"""Seconds before the live line appears: a run that is faster needs none."""

_ERASE: Final = "\r\x1b[K"


class Progress:
    """An Observer that tells people how far a run is; close it before anything else is shown."""

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        delay: float = DELAY,
        follow: Callable[[Event], None] | None = None,
    ) -> None:
        self._stream = stream
        self._tell = follow
        self._quiet = quiet
        self._live = _is_terminal(stream)
        self._timer = threading.Timer(delay, self._begin)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._station = ""
        self._text = ""
        self._drawing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def notice(self, event: Event) -> None:
        """Tell what is going on, first to whoever follows."""
        if self._tell is not None:
            self._tell(event)
        if self._quiet:
            return
        if self._live:
            self._follow(event)
        elif event.station != self._station:
            self._write(f"{_words(event)}\n")
        self._station = event.station

    def close(self) -> None:
        """Take the live line away, so that what is shown next stands alone."""
        self._timer.cancel()
        with self._lock:
            if self._drawing and self._text:
                self._write(_ERASE)
            self._text = ""

    def _follow(self, event: Event) -> None:
        with self._lock:
            if not self._station:
                self._timer.start()
            self._text = _words(event)
            if self._drawing:
                self._draw()

    def _begin(self) -> None:
        with self._lock:
            self._drawing = True
            if self._text:
                self._draw()

    def _draw(self) -> None:
        self._write(_ERASE + self._text[: shutil.get_terminal_size().columns - 1])

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _is_terminal(stream: TextIO) -> bool:
    """Whether a live line can be drawn: not in CI, which shows every state of it."""
    return stream.isatty() and "CI" not in os.environ and os.environ.get("TERM") != "dumb"


def _words(event: Event) -> str:
    count = f" {event.done:,}/{event.total:,}" if event.total and event.done else ""
    return ink.clean(f"{event.station}: {event.message}{count}")
