"""What the vendor's shapes of all kinds have in common: nulls where secrets are."""

from typing import Any

from apiops.model.resource import LiveResource
from apiops.model.secret import MARK


def plain(one: LiveResource) -> dict[str, Any]:
    """The spec, with null where a secret is."""
    return {**_hidden(one.spec), "name": one.id.name}


def _hidden(node: Any) -> Any:
    if isinstance(node, dict):
        return None if MARK in node else {key: _hidden(value) for key, value in node.items()}
    return [_hidden(value) for value in node] if isinstance(node, list) else node
