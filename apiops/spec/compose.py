"""The slow path of reading: one YAML document, event by event, with positions.

It is the truth that the fast path is tested against. It names every fault it can (duplicate
keys, tags, merge keys, keys that are not text, numbers that JSON cannot carry) and goes on; it
stops only where the text itself ends its meaning (syntax) or a cap is reached. Events come from
libyaml one at a time, so a hostile document is left at the cap, not after it was built.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from apiops.model.diagnostic import Diagnostic, Location
from apiops.spec import scalars
from apiops.spec.paths import Path

DEPTH: Final = 64
"""How deep mappings and lists may nest."""

NODES: Final = 50_000
"""How many values one document may have, aliases expanded."""

SCALAR: Final = 262_144
"""How many characters one value may have."""

_SHOWN = 40
"""How much of an unusable number is quoted back."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, and its key (0: it has none): 1-based line and column, and width."""

    line: int
    column: int
    width: int = 1
    key_line: int = 0
    key_column: int = 0
    key_width: int = 1


@dataclass(slots=True)
class Composed:
    """One document: its tree as far as it could be read, places by path, and what is wrong.

    `plain` has the source text of the plain scalars by path. `whole` is False when reading
    ended early.
    """

    tree: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    plain: dict[Path, str] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)
    whole: bool = True


class _Ended(Exception):
    """Reading this document ends here; the finding says why."""


@dataclass(slots=True)
class _Frame:
    """A collection that is being read. `key` is None while a mapping waits for its next key."""

    items: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    key: str | None = None
    key_place: tuple[int, int, int] = (0, 0, 1)
    repeated: bool = False


def document(text: str, first_line: int = 0, *, nodes: int = NODES) -> Composed:
    """Compose the one document in `text`, whose first line is line `first_line` + 1 of its file.

    It may have so many `nodes`.
    """
    return _Composer(first_line, nodes).run(text)


class _Composer:
    """Turns the events of one document into a tree."""

    def __init__(self, first_line: int, most: int) -> None:
        self._first_line = first_line
        self._most = most
        self._out = Composed()
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Any] = {}
        self._nodes = 0

    def run(self, text: str) -> Composed:
        events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
        try:
            for event in events:
                self._take(event)
        except _Ended:
            self._out.whole = False
        except yaml.MarkedYAMLError as fault:
            self._out.whole = False
            self._syntax(fault, text)
        return self._out

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            frame = self._stack.pop()
            if frame.anchor:
                self._anchors[frame.anchor] = frame.items
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and () in self._out.places:
            self._find("AO101", "a second document must begin with ---", event, end=True)

    # --- values

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        if len(event.value) > SCALAR:
            self._find("AO115", f"this value has more than {SCALAR:,} characters", event, end=True)
        if "\0" in event.value:
            self._find("AO118", "this value contains a NUL character", event)
        plain = event.implicit[0] and not event.tag
        if self._stack and self._awaits_key(self._stack[-1]):
            self._key(event, plain)
            return
        value: Any = event.value
        if plain:
            value = self._resolve(event)
        path = self._attach(value, event)
        if plain:
            self._out.plain.setdefault(path, event.value)
        if event.anchor:
            self._anchors[event.anchor] = value

    def _resolve(self, event: Any) -> scalars.Scalar:
        try:
            return scalars.resolve(event.value)
        except ValueError as reason:
            shown = event.value if len(event.value) <= _SHOWN else event.value[:_SHOWN] + "…"
            self._find(
                "AO114",
                f"the number {shown} cannot be used: {reason}",
                event,
                hint="put it in quotes if it is meant as text",
            )
            return str(event.value)

    def _open(self, event: Any, items: dict[str, Any] | list[Any]) -> None:
        self._refuse_tag(event)
        if self._stack and self._awaits_key(self._stack[-1]):
            self._find("AO105", "a key is a list or a mapping; keys must be text", event, end=True)
        if len(self._stack) >= DEPTH:
            self._find("AO111", f"nested deeper than {DEPTH} levels", event, end=True)
        path = self._attach(items, event)
        self._stack.append(_Frame(items, path, event.anchor))

    def _alias(self, event: Any) -> None:
        if self._stack and self._awaits_key(self._stack[-1]):
            self._find("AO105", "a key is an alias; keys must be text", event, end=True)
        value: Any = None
        if event.anchor in self._anchors:
            value = self._copy(self._anchors[event.anchor], len(self._stack), event)
        else:
            self._find(
                "AO113",
                f"no anchor &{event.anchor} stands before this alias",
                event,
                hint="an anchor must be complete, and in the same document, before *it is used",
            )
        self._attach(value, event)

    def _copy(self, value: Any, depth: int, event: Any) -> Any:
        """What an alias stands for, copied and counted, so that no bomb can expand."""
        self._count(event)
        if depth > DEPTH:
            self._find("AO111", f"nested deeper than {DEPTH} levels", event, end=True)
        if isinstance(value, dict):
            return {key: self._copy(child, depth + 1, event) for key, child in value.items()}
        if isinstance(value, list):
            return [self._copy(child, depth + 1, event) for child in value]
        return value

    # --- structure

    @staticmethod
    def _awaits_key(frame: _Frame) -> bool:
        return isinstance(frame.items, dict) and frame.key is None

    def _key(self, event: Any, plain: bool) -> None:
        frame = self._stack[-1]
        key: str = event.value
        if plain and key == "<<":
            self._find(
                "AO106",
                "merge keys (<<) are not part of YAML 1.2",
                event,
                hint="write the fields out, or use an alias for a whole value",
            )
        elif plain and not isinstance(self._resolve(event), str):
            self._find(
                "AO105",
                f"the key {key or '(empty)'} is not text",
                event,
                hint=f'put it in quotes: "{key}"',
            )
        frame.key, frame.repeated = key, key in frame.items
        frame.key_place = self._span(event)
        if frame.repeated:
            before = self._out.places.get((*frame.path, key))
            where = f" (first on line {before.key_line})" if before else ""
            self._find(
                "AO102",
                f'the key "{key}" is given twice{where}',
                event,
                hint="remove one of the two",
            )

    def _attach(self, value: Any, event: Any) -> Path:
        """Put a value where it belongs and note its place; its path."""
        self._count(event)
        line, column, width = self._span(event)
        if not self._stack:
            self._out.tree = value
            self._out.places[()] = Place(line, column, width)
            return ()
        frame = self._stack[-1]
        if isinstance(frame.items, list):
            path: Path = (*frame.path, len(frame.items))
            frame.items.append(value)
            self._out.places.setdefault(path, Place(line, column, width))
            return path
        key = frame.key or ""
        path = (*frame.path, key)
        if not frame.repeated:
            frame.items[key] = value
        self._out.places.setdefault(path, Place(line, column, width, *frame.key_place))
        frame.key, frame.repeated = None, False
        return path

    def _count(self, event: Any) -> None:
        self._nodes += 1
        if self._nodes > self._most:
            self._find(
                "AO112", f"this document has more than {self._most:,} values", event, end=True
            )

    # --- findings

    def _span(self, event: Any) -> tuple[int, int, int]:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if start.line == end.line else 1
        return self._first_line + start.line + 1, start.column + 1, max(width, 1)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._find(
                "AO104",
                f"the tag {tag} is not allowed",
                event,
                hint="remove the tag; quote the value if it is meant as text",
            )

    def _find(
        self, code: str, message: str, event: Any, *, hint: str = "", end: bool = False
    ) -> None:
        line, column, width = self._span(event)
        location = Location("", line, column)
        self._out.findings.append(Diagnostic(code, message, location, hint=hint, width=width))
        if end:
            raise _Ended

    def _syntax(self, fault: yaml.MarkedYAMLError, text: str) -> None:
        mark = fault.problem_mark or fault.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        code, message, hint = _explained(fault, text, line, column)
        location = Location("", self._first_line + line + 1, column + 1)
        self._out.findings.append(Diagnostic(code, message, location, hint=hint))


def _explained(
    fault: yaml.MarkedYAMLError, text: str, line: int, column: int
) -> tuple[str, str, str]:
    """Code, message and hint for what libyaml says."""
    lines = text.splitlines()
    rest = lines[line][column:] if line < len(lines) else ""
    if "\t" in str(fault.problem) + rest[:1] or "tab" in str(fault.problem):
        return "AO103", "a tab stands where only spaces may", "indent with spaces"
    problem = str(fault.problem or "this is not YAML")
    context = f" {fault.context}" if fault.context else ""
    hint = _HINTS.get(problem, "")
    if rest[:1] in ("@", "`", "%") and "cannot start any token" in problem:
        problem, hint = f"a value cannot begin with {rest[0]}", "put the value in quotes"
    return "AO101", problem + context, hint


_HINTS = {
    "mapping values are not allowed in this context": (
        "check the indentation, and quote values that contain a colon and a space"
    ),
    "could not find expected ':'": "check that every key is followed by a colon and a space",
    "did not find expected key": "check the indentation of this line against the one above",
    "found unexpected end of stream": "close the quotation mark or bracket opened before",
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the mapping with }",
}
