"""A file's text with its path: turns offsets into places and places into errors.

Every refusal of this package is made here, so that none can quote what it read: a message names
the file, the place and the keys, never a value.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from apiops.errors import SecretError
from apiops.model.diagnostic import Location

MAX_BYTES: Final = 1 << 20
"""The largest file that is read, 1 MiB."""


@dataclass(frozen=True)
class Source:
    """The decoded text of a file, and its path as it is shown."""

    path: str
    text: str

    def __repr__(self) -> str:
        return f"Source(path={self.path!r})"

    @cached_property
    def _lines(self) -> list[int]:
        starts = [0]
        for index, character in enumerate(self.text):
            if character == "\n":
                starts.append(index + 1)
        return starts

    def at(self, offset: int) -> Location:
        """The place of a character."""
        line = bisect_right(self._lines, offset)
        return Location(self.path, line, offset - self._lines[line - 1] + 1)

    def refuse(
        self, code: str, message: str, *, hint: str = "", offset: int | None = None
    ) -> SecretError:
        """The error to raise, placed at `offset` (None: the file as a whole)."""
        location = Location(self.path) if offset is None else self.at(offset)
        return SecretError(message, code=code, hint=hint, location=location)


def decode(path: str, content: bytes) -> Source:
    """The file as text, without a byte order mark. Raises SecretError if too large or not UTF-8."""
    check_size(path, content)
    text = _utf8(content)
    if text is None:
        raise SecretError(
            f"{path} is not UTF-8 text",
            code="AO415",
            hint="save the file as UTF-8, or give it a name without .yaml, .json or .env to "
            "treat it as binary",
            location=Location(path),
        )
    return Source(path, text)


def check_size(path: str, content: bytes) -> None:
    """Refuse a file above the cap with SecretError."""
    if len(content) > MAX_BYTES:
        raise SecretError(
            f"{path} has {len(content)} bytes; secret files are read up to {MAX_BYTES}",
            code="AO414",
            hint="split the file, or keep large material outside of Git",
            location=Location(path),
        )


def splice(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    """The text with every `(start, end, replacement)` carried out; edits must not overlap."""
    parts, at = [], 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2]):
        parts += [text[at:start], replacement]
        at = end
    return "".join([*parts, text[at:]])


def _utf8(content: bytes) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
