"""The tree of a secrets file as sops walks it: leaves in document order, and the MAC over them.

A leaf knows its keys, its value as it stands in the file, and the span of text that it occupies,
so that a file can be read, checked and rewritten in place from the same tree.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from apiops.age.source import Source
from apiops.age.value import Scalar

ENVELOPE: Final = "sops"
"""The top-level key that holds the metadata; reserved in every plain file."""

MAX_DEPTH: Final = 64
MAX_LEAVES: Final = 50_000

_ONLY_ENCRYPTED: Final = hashlib.sha256(b"sops").digest()
"""What a MAC over encrypted values alone begins with (sops `MACOnlyEncryptedInitialization`)."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar of the file.

    `keys` are the keys and list indices from the document's root, `value` what stands there
    (None: null), `start` and `end` its span in the text. `flow` and `indent` say how YAML wrote
    it: inside brackets, and the column of the enclosing collection.
    """

    document: int
    keys: tuple[str | int, ...]
    value: Scalar | None = field(repr=False)
    start: int
    end: int
    flow: bool = False
    indent: int = 0

    @property
    def path(self) -> tuple[str, ...]:
        """The keys alone: list indices count neither for rules nor for what a token is bound to."""
        return tuple(key for key in self.keys if isinstance(key, str))

    @property
    def pointer(self) -> str:
        """The keys joined by `/`; behind `<index>:` for a later document of a file."""
        joined = "/".join(str(key) for key in self.keys)
        return f"{self.document}:{joined}" if self.document else joined

    @property
    def text(self) -> str:
        """The value's text if it is a string (a token is one), else empty."""
        if self.value is None or self.value.kind != "str":
            return ""
        return self.value.data.decode(errors="replace")


Node: TypeAlias = dict[str, "Node"] | list["Node"] | Leaf


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text of a document."""

    start: int
    end: int
    document: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between two scalars: punctuation and comments.

    `before` and `after` are the paths of the collections that the two scalars stand in.
    """

    start: int
    end: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """Where a document ends, and whether an entry can be put there (`open`)."""

    offset: int
    open: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file read by its form: one tree per document, and where the envelopes are.

    `ends` says where an envelope is to be put in each document, `envelopes` where there is one,
    `gaps` what lies between scalars.
    """

    source: Source
    documents: tuple[Node | None, ...]
    ends: tuple[End, ...]
    envelopes: tuple[Span, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def envelope(self) -> Node | None:
        """The first document's `sops` entry, the one that counts."""
        first = self.documents[0] if self.documents else None
        return first.get(ENVELOPE) if isinstance(first, dict) else None

    def leaves(self) -> Iterator[Leaf]:
        """Every leaf outside of the envelopes, in document order."""
        for root in self.documents:
            if isinstance(root, dict):
                for key, node in root.items():
                    if key != ENVELOPE:
                        yield from walk(node)


def walk(node: Node) -> Iterator[Leaf]:
    """The leaves of a tree in document order."""
    if isinstance(node, Leaf):
        yield node
        return
    for child in node.values() if isinstance(node, dict) else node:
        yield from walk(child)


def mac(values: Iterable[tuple[Scalar, bool]], *, only_encrypted: bool) -> str:
    """The digest of a file: SHA-512 over the byte forms of its leaves, 128 upper-case hex digits.

    `values` are (value, stands under an encrypted path) in document order; nulls and comments
    must be left out by the caller.
    """
    digest = hashlib.sha512(_ONLY_ENCRYPTED if only_encrypted else b"")
    for value, encrypted in values:
        if encrypted or not only_encrypted:
            digest.update(value.data)
    return digest.hexdigest().upper()
