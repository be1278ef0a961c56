"""The progress line: what a run is doing, on stderr, for those that last longer than 300 ms.

On a terminal it is one live line, gone when the run is done. Elsewhere it is a line for each
station that is reached after those 300 ms; in CI, where a log is read afterwards, for each station
from the first. With `-q` there is nothing.
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
"""Seconds before anything appears: a run that is faster needs no words about it."""

_ERASE: Final = "\r\x1b[K"


class Progress:
    """An Observer that tells people how far a run is; hide it before anything else is shown."""

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
        self._log = "CI" in os.environ
        self._live = not self._log and stream.isatty() and os.environ.get("TERM") != "dumb"
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
        with self._lock:
            if not self._station and not self._log:
                self._timer.start()
            begun = event.station != self._station
            self._station, self._text = event.station, _words(event)
            if (self._drawing or self._log) and (begun or self._live):
                self._draw()

    def close(self) -> None:
        """Draw nothing any more."""
        self._timer.cancel()
        self.hide()

    def hide(self) -> None:
        """Take the live line away, so that what is shown next stands alone."""
        with self._lock:
            if self._live and self._drawing and self._text:
                self._write(_ERASE)
            self._text = ""

    def _begin(self) -> None:
        with self._lock:
            self._drawing = True
            if self._text:
                self._draw()

    def _draw(self) -> None:
        if self._live:
            self._write(_ERASE + self._text[: shutil.get_terminal_size().columns - 1])
        else:
            self._write(f"{self._text}\n")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _words(event: Event) -> str:
    count = f" {event.done:,}/{event.total:,}" if event.total and event.done else ""
    return ink.clean(f"{event.station}: {event.message}{count}")
