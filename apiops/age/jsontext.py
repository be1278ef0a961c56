"""JSON as sops reads and writes it, with the span of every value.

Strings are scanned by the standard library; the rest is read here, because spans, duplicate keys
and the exact spelling of numbers are needed. Integers are integers, as sops has it since 3.13.2;
`numbers_are_floats` tells the reader that older releases saw floats.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apiops.age import value
from apiops.age.source import Source
from apiops.age.tree import ENVELOPE, MAX_DEPTH, MAX_LEAVES, End, Leaf, Node, Parsed, Span
from apiops.age.value import Kind, Scalar
from apiops.errors import SecretError

numbers_are_floats: Final = True

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: Final[Mapping[str, Scalar | None]] = {
    "true": Scalar(Kind.BOOL, b"True"),
    "false": Scalar(Kind.BOOL, b"False"),
    "null": None,
}
_DECODER: Final = json.JSONDecoder()
_LONGEST: Final = 20
"""Digits of the longest 64-bit integer, with its sign."""


@dataclass(slots=True)
class _Reader:
    """A descent over the text; `at` is the offset of the next character."""

    source: Source
    at: int = 0
    leaves: int = 0
    envelopes: list[Span] = field(default_factory=list)

    def node(self, keys: tuple[str | int, ...]) -> Node:
        """The value that begins here."""
        self.blank()
        if len(keys) > MAX_DEPTH:
            raise self.source.refuse("AO414", f"deeper than {MAX_DEPTH} levels", offset=self.at)
        character = self.peek()
        if character == "{":
            return self._object(keys)
        if character == "[":
            return self._array(keys)
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise self.source.refuse(
                "AO414", f"more than {MAX_LEAVES} values in one file", offset=self.at
            )
        start = self.at
        scalar = self._scalar(character)
        return Leaf(0, keys, scalar, start, self.at, flow=True)

    def blank(self) -> None:
        """Skip blanks."""
        matched = _BLANK.match(self.source.text, self.at)
        self.at = matched.end() if matched else self.at

    def peek(self) -> str:
        """The next character, empty at the end."""
        return self.source.text[self.at : self.at + 1]

    def wrong(self) -> SecretError:
        """The error for text that is not JSON here."""
        return self.source.refuse("AO415", "not valid JSON", offset=self.at)

    def _object(self, keys: tuple[str | int, ...]) -> Node:
        found: dict[str, Node] = {}
        self.at += 1
        self.blank()
        while self.peek() != "}":
            self._separator(first=not found)
            start = self.at
            key = self._string()
            if key in found:
                raise self.source.refuse("AO417", f"the key {key!r} occurs twice", offset=start)
            self.blank()
            if self.peek() != ":":
                raise self.wrong()
            self.at += 1
            found[key] = self.node((*keys, key))
            if not keys and key == ENVELOPE:
                self.envelopes.append(Span(start, self.at))
            self.blank()
        self.at += 1
        return found

    def _array(self, keys: tuple[str | int, ...]) -> Node:
        found: list[Node] = []
        self.at += 1
        self.blank()
        while self.peek() != "]":
            self._separator(first=not found)
            found.append(self.node((*keys, len(found))))
            self.blank()
        self.at += 1
        return found

    def _separator(self, *, first: bool) -> None:
        if not first:
            if self.peek() != ",":
                raise self.wrong()
            self.at += 1
            self.blank()

    def _scalar(self, character: str) -> Scalar | None:
        if character == '"':
            return value.text(self._string())
        for word, scalar in _WORDS.items():
            if self.source.text.startswith(word, self.at):
                self.at += len(word)
                return scalar
        matched = _NUMBER.match(self.source.text, self.at)
        if matched is None:
            raise self.wrong()
        start, self.at = self.at, matched.end()
        return self._number(matched, start)

    def _number(self, matched: re.Match[str], start: int) -> Scalar:
        digits = matched[0]
        if not (matched[1] or matched[2] or digits == "-0") and len(digits) <= _LONGEST:
            number = int(digits)
            if -(1 << 63) <= number < 1 << 63:
                return Scalar(Kind.INT, str(number).encode())
        real = float(digits)
        if real in {float("inf"), float("-inf")}:
            raise self.source.refuse("AO415", "a number too large for a float", offset=start)
        return value.floating(real)

    def _string(self) -> str:
        if self.peek() != '"':
            raise self.wrong()
        text, end = None, self.at
        try:
            text, end = _DECODER.raw_decode(self.source.text, self.at)
            str(text).encode()
        except (json.JSONDecodeError, UnicodeEncodeError):
            text = None
        if text is None:
            raise self.wrong()
        self.at = end
        return str(text)


def read(source: Source) -> Parsed:
    """The tree of a JSON text.

    Raises SecretError: not JSON (AO415), duplicate keys or no object (AO417), too deep or too
    large (AO414).
    """
    reader = _Reader(source)
    root = reader.node(())
    end = reader.at - 1
    reader.blank()
    if reader.at != len(source.text):
        raise reader.wrong()
    if not isinstance(root, dict):
        raise source.refuse("AO417", "the top level of a JSON file must be an object", offset=0)
    return Parsed(source, (root,), (End(end, open=True),), tuple(reader.envelopes))


def spell(leaf: Leaf, scalar: Scalar, source: Source) -> str:
    """The value in JSON. Raises SecretError (AO413) for text that JSON cannot hold."""
    if scalar.kind in {Kind.INT, Kind.FLOAT}:
        return scalar.data.decode()
    if scalar.kind is Kind.BOOL:
        return "true" if scalar.data == b"True" else "false"
    try:
        return json.dumps(scalar.data.decode(), ensure_ascii=False)
    except UnicodeDecodeError:
        fault = source.refuse(
            "AO413",
            f"the value at {leaf.pointer} is binary and cannot be written in JSON",
            hint="decrypt the file as binary",
            offset=leaf.start,
        )
    raise fault


def envelope(tree: Mapping[str, Any]) -> str:
    """The `sops` member, indented by tabs as sops does."""
    body = json.dumps(tree, indent="\t").replace("\n", "\n\t")
    return f'"{ENVELOPE}": {body}'


def attach(parsed: Parsed, envelope: str) -> list[tuple[int, int, str]]:
    """Put the member last into the object."""
    (end,) = parsed.ends
    before = parsed.source.text[: end.offset]
    comma = "," if parsed.documents[0] else ""
    start = len(before.rstrip())
    return [(start, end.offset, f"{comma}\n\t{envelope}\n")]


def detach(parsed: Parsed) -> list[tuple[int, int, str]]:
    """Take the member out, with the comma before it or, if it is first, behind it."""
    text, edits = parsed.source.text, []
    for span in parsed.envelopes:
        before = text[: span.start].rstrip()
        if before.endswith(","):
            edits.append((len(before) - 1, span.end, ""))
            continue
        after = text[span.end :].lstrip()
        skip = len(text) - len(after) + (1 if after.startswith(",") else 0)
        edits.append((span.start, skip, ""))
    return edits
