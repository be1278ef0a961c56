"""Markdown as lines: escaping, tables, folds, and the cut that keeps a comment postable.

Names and values from files go into code spans, where nothing is interpreted; sentences are
escaped, so that neither HTML nor a link nor an @mention in them comes to life.
"""

import re
from collections.abc import Iterable
from html import escape
from itertools import pairwise
from typing import Final

from apiops.render.ink import clean

LIMIT: Final = 60_000
"""Bytes of a document; forges refuse comments above some 64 kB."""

_ACTIVE: Final = re.compile(r"([\\`*_\[\]~]|^/)")
"""What Markdown acts on; GitLab takes a line that begins with a slash for an order to itself."""

_REFERENCE: Final = re.compile(r"""@|[#!$%&^~](?=[\w"])|(?<=GH)-(?=\d)|:(?=//)|(?i:(?<=www)\.)""")
"""Where a forge begins to see a mention, an issue, a label or an address in plain text."""

_PIPE: Final = re.compile(r"(\\*)\|")

_BREAK: Final = "<!-- -->"
"""Shows nothing and holds the two halves of a reference apart."""


def code(text: str) -> str:
    """The text as a code span; its fence is longer than any run of backticks inside."""
    plain = clean(text)
    if not plain:
        return ""
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence = "`" * (longest + 1)
    room = " " if longest else ""
    return f"{fence}{room}{plain}{room}{fence}"


def prose(text: str) -> str:
    """The text as a sentence in which nothing is Markdown, HTML, a link or a mention."""
    plain = clean(text)
    ends = [match.end() for match in _REFERENCE.finditer(plain)]
    halves = (plain[a:b] for a, b in pairwise([0, *ends, len(plain)]))
    return _BREAK.join(escape(_ACTIVE.sub(r"\\\1", half), quote=False) for half in halves)


def marked(text: str) -> str:
    """Text of our own (from schemas and codes), where code spans are meant and stay."""
    parts = text.split("`")
    return "`".join(part if number % 2 else prose(part) for number, part in enumerate(parts))


def marker(kind: str, target: str) -> str:
    """A hidden first line, by which a bot finds its own comment: one per kind and target."""
    known = "".join(char if char.isalnum() else "-" for char in target)
    return f"<!-- apiops:{kind}:{known} -->"


class Paper:
    """Lines of Markdown, written from top to bottom."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def line(self, text: str = "") -> None:
        """Add a line as it is."""
        self._lines.append(text)

    def paragraph(self, text: str) -> None:
        """Add a line with an empty one after it."""
        self._lines += [text, ""]

    def table(self, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Add a table; its cells are Markdown already."""
        titles = list(headings)
        self._lines += [_row(titles), _row("---" for _ in titles)]
        self._lines += [_row(row) for row in rows]
        self._lines.append("")

    def block(self, text: str, language: str) -> None:
        """Add a block of code; its fence is longer than any run of backticks inside."""
        longest = max((len(run) for run in re.findall("`+", text)), default=0)
        fence = "`" * max(longest + 1, 3)
        self._lines += [f"{fence}{language}", *map(clean, text.splitlines()), fence, ""]

    def fold(self, summary: str) -> None:
        """Begin a fold; the summary is prose."""
        self._lines += [f"<details><summary>{summary}</summary>", ""]

    def unfold(self) -> None:
        """End the fold."""
        self._lines += ["</details>", ""]

    def text(self, *, pointer: str) -> str:
        """The document, cut at a line border below LIMIT; `pointer` says where the rest is."""
        whole = "\n".join(self._lines).rstrip("\n") + "\n"
        return whole if len(whole.encode()) <= LIMIT else self._cut(pointer)

    def _cut(self, pointer: str) -> str:
        room = LIMIT - len(pointer.encode()) - 200
        kept: list[str] = []
        for line in self._lines:
            room -= len(line.encode()) + 1
            if room < 0:
                break
            kept.append(line)
        folds = sum(line.startswith("<details>") for line in kept)
        folds -= sum(line == "</details>" for line in kept)
        kept += ["", *["</details>", ""] * folds]
        kept.append(f"**Cut here: {len(self._lines) - len(kept):,} more lines.** {pointer}")
        return "\n".join(kept) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_PIPE.sub(_escaped, cell) for cell in cells) + " |"


def _escaped(pipe: re.Match[str]) -> str:
    """A pipe that ends no cell: one backslash before it, itself not escaped by another."""
    before = pipe[1]
    return before + "\\" * (len(before) % 2) + "\\|"
