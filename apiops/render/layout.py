"""How lines fit a terminal: words are wrapped where they may be, columns stand where there is room.

Without a width nothing is wrapped: what goes to a file, a pipe or a build log has one line for
each thing that is said, so that it can be searched, and so that no piece of a name can come to
stand at the beginning of a line of its own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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


Part = tuple[str, Ink | None]
"""Text, with what it is."""

WIDEST: Final = 76
"""Where the column of asides begins at the latest."""

GAP: Final = 3
"""Columns between a line and its aside."""

_SPACES: Final = re.compile(" +")
_STEP: Final = 4
_NARROW: Final = 24
"""Columns that continued text needs at least; with less, its indent shrinks."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was said.

    `aside` stands in a column of its own (None: the line has none and does not move the column);
    `then` is what a continued line begins with (None: the line's own indent and a step more);
    `most` columns are enough for running text, on a terminal or not; a `whole` line is never
    wrapped: source text, and what is meant to be copied.
    """

    parts: tuple[Part, ...]
    aside: str | None = None
    then: str | None = None
    most: int | None = None
    whole: bool = False

    @property
    def plain(self) -> str:
        """The text without the aside."""
        return "".join(text for text, _ in self.parts)


def lay(lines: Iterable[Line], width: int | None) -> Iterator[tuple[Part, ...]]:
    """The rows that the lines take, `width` columns wide at most where that can be."""
    lines = tuple(lines)
    column = _column(lines, width)
    for line in lines:
        yield from _rows(line, column, width)


def _column(lines: Iterable[Line], width: int | None) -> int:
    """Where asides begin: beside the longest line, if all of them can still be read there."""
    beside = [line for line in lines if line.aside is not None]
    longest = max((len(line.plain) for line in beside), default=0)
    column = min(longest, WIDEST) + GAP
    if width is None:
        return column
    room = width - max((len(line.aside or "") for line in beside), default=0)
    return max(min(column, room), 2 * _STEP)


def _rows(line: Line, column: int, width: int | None) -> Iterator[tuple[Part, ...]]:
    aside = line.aside or ""
    told = aside.lstrip()
    room = column + len(aside) - len(told) - len(line.plain)
    placed = " " * max(room, GAP) + told
    if not aside:
        yield from _wrapped(line, width)
    elif width is None or len(line.plain) + len(placed) <= width:
        yield (*line.parts, (placed, Ink.QUIET))
    else:
        yield from _wrapped(line, width)
        yield ((" " * column + aside, Ink.QUIET),)


def _wrapped(line: Line, width: int | None) -> Iterator[tuple[Part, ...]]:
    plain = line.plain
    width = min((most for most in (width, line.most) if most), default=len(plain))
    if line.whole or len(plain) <= width:
        yield line.parts
        return
    indent = len(plain) - len(plain.lstrip(" "))
    then = " " * (indent + _STEP) if line.then is None else line.then
    if len(then) > width - _NARROW:
        then = then[:_STEP]
    start, lead, first = 0, "", max(indent, len(then))
    while len(lead) + len(plain) - start > width:
        cut = _cut(plain, start or first, start + width - len(lead))
        if cut is None:
            break
        yield ((lead, None), *_slice(line.parts, start, cut.start()))
        start, lead = cut.end(), then
    yield ((lead, None), *_slice(line.parts, start, len(plain)))


def _cut(plain: str, start: int, end: int) -> re.Match[str] | None:
    """The spaces to break at: between columns if that wastes little, else between words."""
    gaps = [gap for gap in _SPACES.finditer(plain, start) if start < gap.start()]
    inside = [gap for gap in gaps if gap.start() <= end]
    if not inside:
        return gaps[0] if gaps else None  # a word that is too long stands alone
    wide = [gap for gap in inside if len(gap[0]) > 1 and gap.start() - start > (end - start) // 2]
    return wide[-1] if wide else inside[-1]


def _slice(parts: Iterable[Part], start: int, end: int) -> Iterator[Part]:
    at = 0
    for text, ink in parts:
        piece = text[max(start - at, 0) : max(end - at, 0)]
        at += len(text)
        if piece:
            yield piece, ink
