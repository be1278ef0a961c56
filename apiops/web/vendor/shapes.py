"""What the vendor's shapes of all kinds have in common: nulls where secrets are, fields that are
the Manager's own. What the vendor calls an id is here the name: names are what is unique.
"""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from apiops.model.resource import JsonObject, LiveResource
from apiops.model.secret import MARK
from apiops.web.envelope import Told

_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


def sound(body: dict[str, Any]) -> dict[str, Any]:
    """The body. Raises ValueError for what JSON can spell and no text holds, nor any database."""
    left: list[Any] = [body]
    while left:
        node = left.pop()
        if isinstance(node, str) and _NO_TEXT.search(node):
            raise ValueError("an escape of what is no character")
        if isinstance(node, dict):
            left += (*node.keys(), *node.values())
        elif isinstance(node, list):
            left += node
    return body


Body = Annotated[dict[str, Any], AfterValidator(sound)]

OWNED: Final = frozenset({"id", "name", "projectId", "projectName", "environmentId"})
"""Fields of a body that say what it is, and nothing of how it is."""

_ABSENT: Final = {
    ("ApiProxyGroup", "ApiProxy"): "ApiProxy ({}) is not found or user does not have privilege to "
    "access it!",
    ("Rlcl", "Credential"): "Credential with name ({}) is not found in project!",
    ("Rlcl", "ApiProxy"): "API Proxy with name ({}) is not found in project!",
    ("Credential", "ApiProxy"): "API Proxy (name:{}) is not found or user does not have privilege "
    "to access it!",
}
"""The vendor's words where one names another that is not there; others are as in all the rest."""


def absent(kind: str, of: str) -> str:
    """The words for a name, in a resource of `kind`, of something that is not there."""
    return _ABSENT.get((kind, of), of + " (name: {}) is not found!")


def plain(one: LiveResource) -> Body:
    """The spec, with null where a secret is."""
    return {**hidden(one.spec), "name": one.id.name}


def spec(body: Body, _before: JsonObject) -> Body:
    """A body that says of each field what a manifest says."""
    return {name: value for name, value in body.items() if name not in OWNED}


def hidden(node: Any) -> Any:
    """A tree with null where a secret is."""
    if isinstance(node, dict):
        return None if MARK in node else {key: hidden(value) for key, value in node.items()}
    return [hidden(value) for value in node] if isinstance(node, list) else node


def rows(value: Any, otherwise: str) -> list[Body]:
    """A list of mappings, null being none. Raises Told, with those words, for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Told(otherwise)
    return value


def filled(node: Any) -> Any:
    """A tree without the nulls of its mappings: manifests leave such fields out."""
    if isinstance(node, dict):
        return {key: filled(value) for key, value in node.items() if value is not None}
    return [filled(value) for value in node] if isinstance(node, list) else node
