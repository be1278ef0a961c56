"""Text for a terminal: lines of styled pieces, with colour added last or not at all.

Every text renderer fills a `Page`. The page is the one place through which all text passes, so
it is here that control characters and terminal escapes in names and values are made harmless: a
line has only printable characters, whatever a file or a commit message holds. Colour adds and
never carries meaning: the page without colour reads the same.
"""

from enum import StrEnum
from typing import TextIO


class Ink(StrEnum):
    """What a piece of text is; the value is the rich style that it is drawn in."""

    ADD = "green"
    CHANGE = "yellow"
    REMOVE = "red"
    MOVE = "cyan"
    GOOD = "bold green"
    BAD = "bold red"
    CARE = "bold yellow"
    STRONG = "bold"
    QUIET = "dim"


Piece = str | tuple[str, Ink]
"""Text, or text with what it is."""


def clean(text: str) -> str:
    r"""The text with every unprintable character written as its escape (`\x1b`, `\u202e`)."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


class Page:
    """Lines of pieces, written from top to bottom."""

    def __init__(self) -> None:
        self._lines: list[list[tuple[str, Ink | None]]] = []

    def line(self, *pieces: Piece) -> None:
        """Add a line; no pieces make an empty one."""
        parts = [(piece, None) if isinstance(piece, str) else piece for piece in pieces]
        self._lines.append([(clean(text), ink) for text, ink in parts if text])

    def gap(self) -> None:
        """Add an empty line, unless the page is empty or ends with one."""
        if self._lines and self._lines[-1]:
            self._lines.append([])

    def text(self, *, colour: bool = False) -> str:
        """The page, each line ended by a line feed."""
        drawn = (_drawn(line, colour=colour).rstrip() for line in self._lines)
        return "\n".join(drawn).rstrip("\n") + "\n"


def _drawn(line: list[tuple[str, Ink | None]], *, colour: bool) -> str:
    if not colour:
        return "".join(text for text, _ in line)
    from rich.color import ColorSystem
    from rich.style import Style

    return "".join(
        Style.parse(ink).render(text, color_system=ColorSystem.STANDARD) if ink else text
        for text, ink in line
    )


def wanted(stream: TextIO, *, choice: str = "auto") -> bool:
    """Whether to colour what goes to `stream`; `choice` is `auto`, `always` or `never`.

    With `auto`, rich judges: a terminal, `NO_COLOR`, `FORCE_COLOR` and `TERM` count.
    """
    if choice != "auto":
        return choice == "always"
    from rich.console import Console

    console = Console(file=stream)
    return console.color_system is not None and not console.no_color
