"""Text of a YAML file → its documents, and every fault in it with line and column.

Two paths, one result. ryaml reads what has nothing unusual in it; everything else (tags, anchors,
odd numbers, faults) goes through `compose`, which is slower, stricter and knows positions. The
fast path may accept only what the slow path accepts, with equal values: a property test compares
them. Neither lets through what a reviewer cannot see: control and direction characters.
"""

import functools
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.resource import SYSTEM
from apiops.spec import compose

SIZE: Final = 1_048_576
"""How many bytes a manifest may have."""

_FLOW: Final = 2_000
"""More brackets than this go the slow way: ryaml's time grows with their square when nested."""

_UNTOLD: Final = ("ENC[", "${")
"""A name that begins so is encrypted, or not rendered yet."""

_PRINTABLE = bytes([0x09, 0x0A, 0x0D, *range(0x20, 0x7F)])

_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]|\u061c|\u200e|\u200f|\r(?!\n)"
)
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_ODD_TOKENS = (
    r"[!&*]|<<",  # tag, anchor, alias, merge key
    r"[-+]?0[0-9bBoOxX_]",  # leading zero, other bases
    r"[-+]?[0-9.]+[eE][-+]?[0-9]{3}",  # an exponent that may be too large
    r"[-+]?\.[iInN]",  # infinity, not a number
    r"[-+]?[0-9]{19}",  # more than 64 bits
)
_UNUSUAL: Final = (
    r"(?m)^%"  # a directive
    r"|\\(?:0|x00|u0000|U00000000)"  # an escaped NUL
    rf"|(?:^|[\s\[\]{{}},?]|[\"']:)(?:{'|'.join(_ODD_TOKENS)})"  # where a token may begin
)

_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z))*")
_HEAD = re.compile(rf"{_BLANK.pattern}(?:---(?=[ \t\r\n]|\Z){_BLANK.pattern}[ \t]*)?[ \t]*")


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its index in the file, and its tree (as far as it could be read).

    `sound` is False when an error was found in it: it tells which unit is stopped, no more.
    """

    index: int
    tree: Any
    sound: bool = True


Read = tuple[tuple[Document, ...], tuple[Diagnostic, ...]]


def documents(content: bytes, path: str) -> Read:
    """All documents of a file and all that is wrong with its text."""
    text, refusal = _decode(content)
    if refusal is not None:
        return (), (_at(refusal, path),)
    read = fast(text) or slow(text)
    return read[0], tuple(_at(finding, path) for finding in read[1])


def unit_of(tree: Any, whole: bool = True) -> str | None:
    """The unit a document belongs to, or None if it cannot be told.

    Of a document that ends early, only a project that was read counts: it may have come later.
    """
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    if not isinstance(metadata, dict):
        return None
    kind, project = tree.get("kind"), metadata.get("project")
    if isinstance(project, str) and project:
        return None if project.startswith(_UNTOLD) else project
    told = isinstance(kind, str) and not kind.startswith(_UNTOLD)
    return SYSTEM if whole and project is None and told else None


def fast(text: str) -> Read | None:
    """What ryaml reads, or None if the text is for the slow path."""
    if text.count("{") + text.count("[") > _FLOW or _unusual().search(text):
        return None
    import orjson
    import ryaml

    try:
        # There and back through JSON: keys that are not text are found, and equal keys are one.
        trees = orjson.loads(orjson.dumps(ryaml.loads_all(text)))
    except (ValueError, TypeError):
        return None
    if not trees or len(text) > compose.NODES or not all(map(_modest, trees)):
        return None
    return tuple(Document(index, tree) for index, tree in enumerate(trees)), ()


def slow(text: str) -> Read:
    """What `compose` reads, document by document: a fault in one does not hide the next."""
    found: list[Document] = []
    findings: list[Diagnostic] = []
    for index, (line, part) in enumerate(split(text)):
        directive = _directive(part, line)
        if directive is not None:
            findings.append(directive)
            found.append(Document(index, None, sound=False))
            continue
        composed = compose.document(part, line)
        unit = unit_of(composed.tree, composed.whole)
        findings += (replace(finding, project=unit) for finding in composed.findings)
        found.append(Document(index, composed.tree, not composed.findings))
    return tuple(found), tuple(findings)


def split(text: str) -> list[tuple[int, str]]:
    """The documents of a stream as (lines before it, text). No scalar can hold `---` at column 0.

    What stands before the first marker is a document only if there is more than comments in it.
    """
    starts = [match.start() for match in _MARKER.finditer(text)]
    if not starts or not _BLANK.fullmatch(text, 0, starts[0]):
        starts.insert(0, 0)
    parts, line, at = [], 0, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line += text.count("\n", at, start)
        parts.append((line, text[start:end]))
        at = start
    return parts


def beginning(text: str) -> int:
    """The offset of the first token in the text of one document that `documents` found sound."""
    head = _HEAD.match(text)
    return head.end() if head else 0


def seen(text: str) -> bool:
    """Whether a reviewer sees every character of a text as what it is."""
    return _UNSEEN.search(text) is None


def decoded(content: bytes) -> str:
    """The text of a file that `documents` has read, for looking at it again."""
    return content.decode("utf-8", "replace").removeprefix("\ufeff")


def _decode(content: bytes) -> tuple[str, Diagnostic | None]:
    if len(content) > SIZE:
        message = f"the file has {len(content):,} bytes; a manifest may have {SIZE:,}"
        return "", Diagnostic("AO110", message, Location(""), hint="split it into several files")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as fault:
        before = content[: fault.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        message = f"byte 0x{content[fault.start]:02x} is not UTF-8"
        location = Location("", line, column)
        return "", Diagnostic("AO109", message, location, hint="save the file as UTF-8")
    text = text.removeprefix("\ufeff")
    if not content.translate(None, _PRINTABLE) and b"\r" not in content:
        return text, None
    unseen = _UNSEEN.search(text)
    return (text, None) if unseen is None else ("", _unseen(text, unseen.start()))


def _unseen(text: str, offset: int) -> Diagnostic:
    """The finding for a character that is not printed, or that changes what is seen."""
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    character = text[offset]
    if character in _DIRECTION:
        code, what = "AO108", "changes the direction of what is shown after it"
    else:
        code, what = "AO107", "is not allowed in YAML text"
    message = f"the character U+{ord(character):04X} {what}"
    return Diagnostic(code, message, Location("", line, column), hint="remove the character")


@functools.cache
def _unusual() -> Any:
    """Compiled by RE2: on the hot path it is twenty times as fast as `re` for this pattern."""
    import re2

    return re2.compile(_UNUSUAL)


def _modest(tree: Any) -> bool:
    """Whether the nesting is within the cap; anything else is for the slow path."""
    level = [tree]
    for _ in range(compose.DEPTH + 1):
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                below += node.values()
            elif type(node) is list:
                below += node
        if not below:
            return True
        level = below
    return False


def _directive(part: str, line: int) -> Diagnostic | None:
    match = re.search(r"^%.*$", part, re.MULTILINE)
    if match is None or not _BLANK.fullmatch(part, 0, match.start()):
        return None
    at = line + part.count("\n", 0, match.start()) + 1
    return Diagnostic(
        "AO116",
        f"the directive {match[0].strip()} is not allowed",
        Location("", at, 1),
        hint="remove the line; apiops always reads YAML 1.2",
    )


def _at(finding: Diagnostic, path: str) -> Diagnostic:
    return replace(finding, location=replace(finding.location, path=path))
