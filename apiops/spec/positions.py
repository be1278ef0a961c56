"""Where a field stands in its file: composed on demand, for documents with something to report.

A load that finds nothing wrong composes nothing: positions cost more than all the rest.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from apiops.model import plaintext
from apiops.model.diagnostic import Location
from apiops.spec import compose, read
from apiops.spec.paths import Path

_SENSITIVE: Final = re.compile(
    r"(?i)pass|secret|token|key|credential|private|pwd|auth|ENC\[|[A-Za-z0-9+/=_-]{24,}"
)
_BLIND: Final = compose.Place(0, 0)

_AT_HAND: Final = 4
"""Files whose text is kept taken apart: findings come file by file, thousands from one at worst."""


@dataclass(frozen=True, slots=True)
class Source:
    """One document as it was written: file, blob id, index in the file, and its tree."""

    path: str
    blob: str
    index: int
    tree: Any

    @property
    def sops(self) -> Mapping[str, Any] | None:
        """The metadata that sops put beside the values, if the document is a sops file."""
        sops = self.tree.get("sops") if isinstance(self.tree, Mapping) else None
        return sops if isinstance(sops, Mapping) else None

    @property
    def folder(self) -> str:
        """The folder that relative paths in this document start from."""
        return self.path.rpartition("/")[0]


class Positions:
    """Places of fields, by blob and document; each document is composed at most once."""

    def __init__(self, content: Callable[[str], bytes]) -> None:
        self._content = content
        self._composed: dict[tuple[str, int], compose.Composed] = {}

    @cached_property
    def _parts(self) -> Callable[[str], list[tuple[int, str]]]:
        """Made when it is needed: for nearly all files of a range nothing is ever reported."""
        return lru_cache(maxsize=_AT_HAND)(self._split)

    @cached_property
    def _lines(self) -> Callable[[str], list[str]]:
        return lru_cache(maxsize=_AT_HAND)(self._split_lines)

    def place(self, source: Source, path: Path) -> compose.Place:
        """Where the field stands, or the nearest field above it that is written."""
        places = self._compose(source).places
        for length in range(len(path), -1, -1):
            place = places.get(path[:length])
            if place is not None:
                return place
        return _BLIND

    def location(self, source: Source, path: Path, *, on_key: bool = False) -> Location:
        """The field's place in its file: its value, or its key where it has one."""
        place = self.place(source, path)
        if on_key and place.key_line:
            return Location(source.path, place.key_line, place.key_column)
        return Location(source.path, place.line, place.column)

    def beginning(self, source: Source) -> Location:
        """Where a document begins: what `location` says of it as a whole, found by its text."""
        before, text = self._part(source)
        start = read.beginning(text)
        line = before + text.count("\n", 0, start) + 1
        return Location(source.path, line, start - text.rfind("\n", 0, start))

    def plain(self, source: Source) -> Mapping[Path, str]:
        """The source text of the plain (unquoted) scalars of a document."""
        return self._compose(source).plain

    def excerpt(self, blob: str, line: int) -> str:
        """The line of the file, or nothing if it may hold a secret."""
        lines = self._lines(blob)
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        return "" if _SENSITIVE.search(text) or plaintext.seems(text) else text

    def _compose(self, source: Source) -> compose.Composed:
        key = (source.blob, source.index)
        if key not in self._composed:
            line, text = self._part(source)
            self._composed[key] = compose.document(text, line)
        return self._composed[key]

    def _part(self, source: Source) -> tuple[int, str]:
        """The document's own text, and how many lines of its file stand before it."""
        parts = self._parts(source.blob)
        return parts[source.index] if source.index < len(parts) else (0, "")

    def _split(self, blob: str) -> list[tuple[int, str]]:
        return read.split(read.decoded(self._content(blob)))

    def _split_lines(self, blob: str) -> list[str]:
        return read.decoded(self._content(blob)).splitlines()
