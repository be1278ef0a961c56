"""Secrets as values: a plaintext that cannot print itself, and the leaf that stands for it.

In every tree of the line a secret is a *leaf*, the mapping `{"$secret": {...}}`, which holds
where the ciphertext lies and a keyed fingerprint, never the value. The plaintext travels beside
the tree, as a `SecretValue`, from `age.reveal` to the store and nowhere else.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NoReturn

MARK: Final = "$secret"
"""The one key of a leaf, and of an author's reference (`{$secret: file.sops.yaml#key}`)."""

HIDDEN: Final = "(hidden)"
"""What every rendering shows instead of a secret."""


class SecretValue:
    """Plaintext bytes that refuse to be printed, pickled or compared in variable time."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        self._value = value.encode() if isinstance(value, str) else bytes(value)

    def reveal(self) -> bytes:
        """The plaintext, to be sealed or fingerprinted at once and never kept."""
        return self._value

    def __repr__(self) -> str:
        return f"SecretValue{HIDDEN}"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretValue) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> NoReturn:
        raise TypeError("a SecretValue has no hash")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SecretValue cannot be pickled")


@dataclass(frozen=True, slots=True)
class SecretLeaf:
    """What the line knows of a secret.

    `blob` is the Git blob id of the file that holds the ciphertext, `file` its path, `pointer`
    the keys inside it joined by `/` (empty: the whole file), `cipher` the SHA-256 of the
    ciphertext token (an author's change of it is a change of the resource), `environment` whose
    keys seal it, `fingerprint` the Manager's keyed hash of the plaintext (None: not opened).
    A fingerprint is bound to the resource's name; `former` is that under the name it has still.
    """

    environment: str
    fingerprint: str | None = None
    blob: str = ""
    file: str = ""
    pointer: str = ""
    cipher: str = ""
    former: str | None = None

    def node(self) -> dict[str, Any]:
        """The leaf as it stands in a tree."""
        return {MARK: asdict(self)}


_NO_LEAF: Final = (str, int, float, list, tuple, type(None))


def holds_leaf(encoded: bytes) -> bool:
    """Whether a tree in canonical form may hold a leaf: in a text the quote would be escaped."""
    return _KEY in encoded


_KEY: Final = f'"{MARK}":'.encode()


def leaves(node: Any, pointer: str = "") -> Iterator[tuple[str, SecretLeaf]]:
    """Each leaf in a tree, by its JSON pointer (RFC 6901)."""
    leaf = leaf_of(node)
    if leaf is not None:
        yield pointer, leaf
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from leaves(value, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from leaves(value, f"{pointer}/{index}")


def leaf_of(node: Any) -> SecretLeaf | None:
    """The leaf that `node` is, or None if it is anything else (an author's reference too)."""
    if isinstance(node, _NO_LEAF):  # nearly all nodes: spare them what follows
        return None
    if isinstance(node, Mapping) and len(node) == 1:
        inner = node.get(MARK)
        if isinstance(inner, Mapping):
            return SecretLeaf(**inner)
    return None
