"""The secrets inside a spec: found by JSON pointer, and reduced to what the database may show."""

from collections.abc import Mapping
from typing import Any

from apiops.model import canonical, secret
from apiops.model.resource import JsonObject
from apiops.model.secret import MARK, SecretLeaf, leaf_of


def leaves(spec: JsonObject) -> dict[str, SecretLeaf]:
    """JSON pointer (RFC 6901) → leaf."""
    return dict(secret.leaves(spec)) if secret.holds_leaf(canonical.encode(spec)) else {}


def stored(spec: JsonObject, fingerprints: Mapping[str, str]) -> JsonObject:
    """The spec as it is kept: every leaf with its environment and fingerprint alone.

    `fingerprints` are those the Manager made itself, by pointer; they replace a leaf's own.
    """
    if not secret.holds_leaf(canonical.encode(spec)):
        return spec
    reduced: JsonObject = _reduced(spec, "", fingerprints)
    return reduced


def _reduced(node: Any, pointer: str, fingerprints: Mapping[str, str]) -> Any:
    leaf = leaf_of(node)
    if leaf is not None:
        print_ = fingerprints.get(pointer, leaf.fingerprint)
        return {MARK: {"environment": leaf.environment, "fingerprint": print_}}
    if isinstance(node, Mapping):
        return {k: _reduced(v, f"{pointer}/{_step(k)}", fingerprints) for k, v in node.items()}
    if isinstance(node, list | tuple):
        return [_reduced(v, f"{pointer}/{index}", fingerprints) for index, v in enumerate(node)]
    return node


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
