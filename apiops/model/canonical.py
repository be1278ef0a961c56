"""apiops' own canonical form: JSON with sorted keys as UTF-8, and SHA-256 over it.

It is not RFC 8785 (floats and keys beyond the BMP differ), so the digests are ours alone.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson


def encode(tree: Any) -> bytes:
    """The canonical bytes of a JSON tree. Raises TypeError for what JSON cannot hold."""
    return orjson.dumps(tree, default=_object, option=orjson.OPT_SORT_KEYS)


def _object(node: Any) -> dict[str, Any]:
    if isinstance(node, Mapping):
        return dict(node.items())
    raise TypeError(f"JSON cannot hold {type(node).__name__}")


def digest(tree: Any) -> str:
    """SHA-256 of the canonical form, 64 lower-case hex digits."""
    return digest_of(encode(tree))


def digest_of(encoded: bytes) -> str:
    """SHA-256 of what `encode` gave."""
    return hashlib.sha256(encoded).hexdigest()
