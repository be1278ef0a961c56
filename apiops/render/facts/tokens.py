"""What there is to say about tokens in a list."""

from collections.abc import Iterator
from typing import Final

from apiops.model.token import TokenList

HEADINGS: Final = ("id", "principal", "name", "scopes", "until", "state", "made by")


def rows(listed: TokenList) -> Iterator[tuple[str, ...]]:
    """One row a token, newest first."""
    for token in listed.tokens:
        yield (
            token.id,
            token.principal,
            token.name,
            ",".join(token.scopes),
            f"{token.expires:%Y-%m-%d}",
            listed.state(token),
            token.maker,
        )
