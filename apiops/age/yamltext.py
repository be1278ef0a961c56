"""YAML as sops reads and writes it, with the span of every scalar.

Parsed from PyYAML's events rather than its values: the typing is go-yaml's (`resolver`), and the
spans let a file be encrypted and decrypted in place, so that the author's layout survives.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from apiops.age import resolver, value
from apiops.age.source import Source
from apiops.age.tree import ENVELOPE, MAX_DEPTH, MAX_LEAVES, End, Gap, Leaf, Node, Parsed, Span
from apiops.age.value import Kind, Scalar
from apiops.errors import SecretError

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
numbers_are_floats: Final = False
_TAIL: Final = re.compile(r"(\r?\n *)+\Z")
_PLAIN: Final = re.compile(r"[A-Za-z_/^(][A-Za-z0-9_/.@+=$^()|*?\\-]*( [A-Za-z0-9_/.@+=-]+)*")
_OLD_BOOLEANS: Final = frozenset(("y", "n", "yes", "no", "on", "off"))
_ESCAPED: Final = re.compile(
    r'["\\]|[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]'
)
_BLOCK_SAFE: Final = re.compile(r"[^ \t\n][\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe]*")
_BYTE: Final = 0xFF
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(slots=True)
class _Frame:
    """A collection that is being read."""

    node: "dict[str, Node] | list[Node]"
    keys: tuple[str | int, ...]
    flow: bool
    indent: int
    key: str | None = None
    key_start: int = 0
    comments: int = 0


@dataclass(slots=True)
class _Reader:
    """Builds trees from events; `last` is the end of the latest scalar or closing bracket.

    A block scalar ends where its last line does: the blank lines behind it are layout.
    """

    source: Source
    documents: list[Node | None] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    envelopes: list[Span] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    path: tuple[str, ...] = ()
    frames: list[_Frame] = field(default_factory=list)
    root: Node | None = None
    open: bool = False
    last: int = 0
    leaves: int = 0

    def take(self, event: Any) -> None:
        """One event."""
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.ScalarEvent):
            if event.style in {"|", ">"}:
                end = start + len(_TAIL.sub("", self.source.text[start:end]))
            self.gap(start)
            self.last = end
            self._scalar(event, start, end)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, start)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(end)
        elif isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
            raise self._refuse("AO416", "a directive (%YAML, %TAG)", start)
        elif isinstance(event, yaml.AliasEvent):
            raise self._refuse("AO416", "an alias (*name)", start)
        elif isinstance(event, yaml.DocumentEndEvent):
            self.documents.append(self.root)
            self.ends.append(End(start, self.open))
            self.root, self.open = None, False

    def gap(self, end: int) -> None:
        """Note what lies between the latest scalar and the one that begins at `end`."""
        keys = self.frames[-1].keys if self.frames else ()
        path = tuple(key for key in keys if isinstance(key, str))
        self.gaps.append(Gap(self.last, end, self.path, path))
        self.path = path

    def _scalar(self, event: Any, start: int, end: int) -> None:
        self._no_anchor(event, start)
        if event.tag is not None:
            raise self._refuse("AO416", "a tag", start)
        scalar = resolver.resolve(event.value) if event.implicit[0] else value.text(event.value)
        frame = self.frames[-1] if self.frames else None
        if frame is not None and isinstance(frame.node, dict) and frame.key is None:
            self._key(frame, event.value, scalar, start)
            return
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise self.source.refuse(
                "AO414", f"more than {MAX_LEAVES} values in one file", offset=start
            )
        flow, indent = (frame.flow, frame.indent) if frame else (False, 0)
        comment = isinstance(frame and frame.node, list) and value.is_comment(event.value)
        keys = self._next_keys(comment=comment)
        self._attach(Leaf(len(self.documents), keys, scalar, start, end, flow, indent))

    def _key(self, frame: _Frame, key: str, scalar: Scalar | None, start: int) -> None:
        if scalar is None or scalar.kind is not Kind.STR:
            raise self.source.refuse(
                "AO417",
                "a key that is not a string",
                hint="put the key in quotes: sops reads string keys only",
                offset=start,
            )
        if key in frame.node:
            raise self.source.refuse("AO417", f"the key {key!r} occurs twice", offset=start)
        frame.key, frame.key_start = key, start

    def _open(self, event: Any, start: int) -> None:
        self._no_anchor(event, start)
        if event.tag is not None:
            raise self._refuse("AO416", "a tag", start)
        if len(self.frames) >= MAX_DEPTH:
            raise self.source.refuse("AO414", f"deeper than {MAX_DEPTH} levels", offset=start)
        if self.frames and isinstance(self.frames[-1].node, dict) and self.frames[-1].key is None:
            raise self.source.refuse("AO417", "a key that is not a string", offset=start)
        node: dict[str, Node] | list[Node] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.frames.append(
            _Frame(node, self._next_keys(), bool(event.flow_style), event.start_mark.column)
        )

    def _close(self, end: int) -> None:
        frame = self.frames.pop()
        if frame.flow:
            self.last = end
        if not self.frames:
            self.open = not frame.flow and frame.indent == 0 and isinstance(frame.node, dict)
        self._attach(frame.node)

    def _next_keys(self, *, comment: bool = False) -> tuple[str | int, ...]:
        if not self.frames:
            return ()
        frame = self.frames[-1]
        if isinstance(frame.node, dict):
            return (*frame.keys, frame.key or "")
        index = len(frame.node) - frame.comments
        frame.comments += comment
        return (*frame.keys, index)

    def _attach(self, node: Node) -> None:
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        if isinstance(frame.node, list):
            frame.node.append(node)
            return
        key, frame.key = frame.key or "", None
        frame.node[key] = node
        if len(self.frames) == 1 and key == ENVELOPE:
            self.envelopes.append(Span(frame.key_start, self.last, len(self.documents)))

    def _no_anchor(self, event: Any, start: int) -> None:
        if event.anchor is not None:
            raise self._refuse("AO416", "an anchor (&name)", start)

    def _refuse(self, code: str, what: str, offset: int) -> SecretError:
        return self.source.refuse(
            code,
            f"{what} in a secrets file",
            hint="write the value out: sops expands aliases and drops tags, so the file would "
            "not say what it seems to say",
            offset=offset,
        )


def read(source: Source) -> Parsed:
    """The documents of a YAML text.

    Raises SecretError: not YAML, anchors, aliases or tags, duplicate or non-string keys, too
    deep, too many values, a document that is neither empty nor a mapping.
    """
    reader = _Reader(source)
    for event in _events(source):
        reader.take(event)
    reader.gap(len(source.text))
    for index, root in enumerate(reader.documents):
        if not isinstance(root, dict | None) and not (isinstance(root, Leaf) and not root.value):
            raise source.refuse(
                "AO417",
                "a document that is not a mapping",
                offset=max(reader.ends[index].offset - 1, 0),
            )
    return Parsed(
        source,
        tuple(reader.documents),
        tuple(reader.ends),
        tuple(reader.envelopes),
        tuple(reader.gaps),
    )


def _events(source: Source) -> Iterator[Any]:
    fault: tuple[str, int] | None = None
    try:
        yield from yaml.parse(source.text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        fault = (_spoken(error.problem), mark.index if mark else 0)
    except yaml.YAMLError:
        fault = ("it has characters that YAML does not allow", 0)
    if fault:
        raise source.refuse("AO415", f"not valid YAML: {fault[0]}", offset=fault[1])


def _spoken(problem: str | None) -> str:
    """The parser's complaint, unless it quotes the text."""
    return problem if problem and "'" not in problem else "the text cannot be parsed here"


def spell(leaf: Leaf, scalar: Scalar, source: Source) -> str:
    """The text that puts a plain value in a token's place, so that it reads back the same."""
    if scalar.kind is not Kind.STR:
        written = scalar.data.decode("latin-1")
        if scalar.kind is Kind.BOOL:
            return written.lower()
        return _FLOAT_WORDS.get(written) or (
            f"{written}.0" if scalar.kind is Kind.FLOAT and "." not in written else written
        )
    return quote(
        scalar.data.decode(errors="surrogateescape"),
        None if leaf.flow or not _ends_line(source, leaf.end) else leaf.indent + 2,
    )


_FLOAT_WORDS: Final = {"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}


def quote(content: str, indent: int | None = None) -> str:
    """A string as a YAML scalar: plain where safe, a literal block at `indent`, else quoted."""
    if _PLAIN.fullmatch(content) and _stays_text(content):
        return content
    if indent is not None and "\n" in content and _fits_block(content):
        header = "|" if content.endswith("\n") else "|-"
        lines = content.removesuffix("\n").split("\n")
        return "\n".join([header, *(" " * indent + line if line else "" for line in lines)])
    return '"' + _ESCAPED.sub(_escape, content) + '"'


def _stays_text(content: str) -> bool:
    resolved = resolver.resolve(content)
    typed = resolved is None or resolved.kind is not Kind.STR
    return not typed and content.lower() not in _OLD_BOOLEANS


def _fits_block(content: str) -> bool:
    last = content.removesuffix("\n").rpartition("\n")[2]
    return bool(_BLOCK_SAFE.fullmatch(content)) and bool(last.strip())


def _escape(matched: re.Match[str]) -> str:
    character = matched[0]
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\x{code:02x}" if code <= _BYTE else f"\\u{code:04x}")


def _ends_line(source: Source, offset: int) -> bool:
    line_end = source.text.find("\n", offset)
    return not source.text[offset : None if line_end < 0 else line_end].strip()


def envelope(tree: Mapping[str, Any]) -> str:
    """The `sops` mapping as sops writes it: four blanks a level."""
    return "\n".join([f"{ENVELOPE}:", *_block(tree, 4)])


def attach(parsed: Parsed, envelope: str) -> list[tuple[int, int, str]]:
    """Put the envelope at the end of every document."""
    text = parsed.source.text
    edits = []
    for end in parsed.ends:
        _check_open(parsed, end)
        gap = "" if text[: end.offset].endswith("\n") else "\n"
        edits.append((end.offset, end.offset, f"{gap}{envelope}\n"))
    return edits


def detach(parsed: Parsed) -> list[tuple[int, int, str]]:
    """Take the envelope out of every document, whole lines."""
    text = parsed.source.text
    for end in parsed.ends:
        _check_open(parsed, end)
    edits = []
    for span in parsed.envelopes:
        tail = text[span.end :]
        newline = 0 if text[span.end - 1] == "\n" else len(tail.partition("\n")[0]) + 1
        edits.append((span.start, min(span.end + newline, len(text)), ""))
    return edits


def _check_open(parsed: Parsed, end: End) -> None:
    if not end.open:
        raise parsed.source.refuse(
            "AO417",
            "a document that is not a block mapping (key: value) from the first column on",
            hint="write it in block style, and remove empty documents",
            offset=max(end.offset - 1, 0),
        )


def _block(tree: Mapping[str, Any], indent: int) -> Iterator[str]:
    """The lines of a mapping of numbers, text and lists of mappings."""
    pad = " " * indent
    for key, child in tree.items():
        if isinstance(child, int):
            yield f"{pad}{key}: {child}"
            continue
        if isinstance(child, str):
            shown = child if value.is_token(child) else quote(child, indent + 2)
            yield f"{pad}{key}: {shown}"
            continue
        yield f"{pad}{key}:"
        for entry in child:
            first, *rest = _block(entry, indent + 6)
            yield f"{pad}    - {first.lstrip()}"
            yield from rest


def typed_twice(parsed: Parsed) -> Leaf | None:
    """The first plain scalar that the YAML 1.2 core schema types differently from sops."""
    text = parsed.source.text
    for leaf in parsed.leaves():
        raw = text[leaf.start : leaf.end]
        if raw and raw[0] not in "\"'|>!" and resolver.differs_from_core(raw):
            return leaf
    return None
