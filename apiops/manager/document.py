"""A JSON object as the database holds it, taken apart when somebody looks into it.

A plan reads every resource's identity, digest and serial, and looks into those that differ. As
text the others take a fifth of the room that their trees would.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson


class Document(Mapping[str, Any]):
    """The object in `text`, with `more` keys beside it. It is parsed anew at every look."""

    __slots__ = ("_more", "_text")

    def __init__(self, text: str, more: Mapping[str, Any] | None = None) -> None:
        self._text = text
        self._more = more or {}

    def beside(self, more: Mapping[str, Any]) -> "Document":
        """The same object with more keys."""
        return Document(self._text, {**self._more, **more})

    def tree(self) -> dict[str, Any]:
        """The whole object."""
        found: dict[str, Any] = orjson.loads(self._text)
        found.update(self._more)
        return found

    def __getitem__(self, key: str) -> Any:
        return self.tree()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tree())

    def __len__(self) -> int:
        return len(self.tree())

    def items(self) -> Any:
        """As a dict's: all of them from one look."""
        return self.tree().items()

    def __repr__(self) -> str:
        return f"Document({self.tree()!r})"
