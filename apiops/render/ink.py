"""Text for a terminal: lines of styled pieces, with colour added last or not at all.

Every text renderer fills a `Page`. The page is the one place through which all text passes, so
it is here that control characters and terminal escapes in names and values are made harmless: a
line has only printable characters, whatever a file or a commit message holds. Colour adds and
never carries meaning: the page without colour reads the same.
"""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from apiops.render import layout
from apiops.render.layout import Ink, Line, Part

NARROWEST: Final = 40
"""Columns below which nobody can be helped."""


_ORDER: Final = re.compile(r"##(?=\w*\[)")

Piece = str | tuple[str, Ink]
"""Text, or text with what it is."""


def clean(text: str) -> str:
    r"""The text with every unprintable character written as its escape (`\x1b`, `\u202e`).

    Build servers take `##[…]` and `##vso[…]` for orders wherever a line has them: their two signs
    are set apart.
    """
    if not text.isprintable():
        text = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
        )
    return _ORDER.sub("# #", text) if "##" in text else text


class Page:
    """Lines of pieces, written from top to bottom."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def line(
        self,
        *pieces: Piece,
        aside: str | None = None,
        then: str | None = None,
        most: int | None = None,
        whole: bool = False,
    ) -> None:
        """Add a line; no pieces make an empty one. The rest is as in `layout.Line`."""
        parts = [(piece, None) if isinstance(piece, str) else piece for piece in pieces]
        cleaned = tuple((clean(text), ink) for text, ink in parts if text)
        aside = None if aside is None else clean(aside)
        self._lines.append(Line(cleaned, aside, then, most, whole))

    def gap(self) -> None:
        """Add an empty line, unless the page is empty or ends with one."""
        if self._lines and self._lines[-1].parts:
            self._lines.append(Line(()))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add columns below headings, each as wide as its widest cell."""
        lines = [headings, *rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
        for number, line in enumerate(lines):
            text = "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
            self.line((text.rstrip(), Ink.QUIET) if number == 0 else text.rstrip())

    def text(self, *, colour: bool = False, width: int | None = None) -> str:
        """The page, each line ended by a line feed; `width` is a terminal's, for wrapping."""
        rows = (_drawn(row, colour=colour).rstrip() for row in layout.lay(self._lines, width))
        return "\n".join(rows).rstrip("\n") + "\n"


def _drawn(row: tuple[Part, ...], *, colour: bool) -> str:
    if not colour:
        return "".join(text for text, _ in row)
    from rich.color import ColorSystem
    from rich.style import Style

    return "".join(
        Style.parse(ink).render(text, color_system=ColorSystem.STANDARD) if ink else text
        for text, ink in row
    )


def width(stream: TextIO) -> int | None:
    """The columns of the terminal that `stream` goes to, or None: then nothing is wrapped.

    Who pretends a terminal (`FORCE_COLOR`) may say how wide it is (`COLUMNS`). CI never wraps.
    """
    pretended = {"FORCE_COLOR", "COLUMNS"} <= os.environ.keys()
    if "CI" in os.environ or not (pretended or stream.isatty()):
        return None
    return max(shutil.get_terminal_size().columns, NARROWEST)


_PRETENDED: Final = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""What makes rich take for a terminal what is none."""


def wanted(stream: TextIO, *, choice: str = "auto") -> bool:
    """Whether to colour what goes to `stream`; `choice` is `auto`, `always` or `never`.

    With `auto`, rich judges: a terminal, `NO_COLOR`, `FORCE_COLOR` and `TERM` count.
    """
    if choice != "auto":
        return choice == "always"
    if not stream.isatty() and not any(map(os.environ.get, _PRETENDED)):
        return False  # so rich would say, and to import it takes as long as a whole answer
    from rich.console import Console

    console = Console(file=stream)
    return console.color_system is not None and not console.no_color
