"""The key that wraps the Manager's keys, and never lies in the database.

`InMemory` holds 32 bytes that came from somewhere (a file, an age file, a passphrase); what it
wraps is an `apf1` token as in `fieldcrypt`, bound to the key's place in the ring.
"""

from typing import Protocol

from apiops.manager import fieldcrypt
from apiops.manager.fieldcrypt import Place, SealedText
from apiops.model.secret import SecretValue


class Wrapping(Protocol):
    """What a ring asks of its wrapping key. `kid` names it in every token that it wrapped."""

    @property
    def kid(self) -> str:
        """The key's name: letters, digits, `-` and `_`."""

    def wrap(self, place: Place, key: SecretValue) -> SealedText:
        """The key, wrapped for its place. Raises SecretError."""

    def unwrap(self, place: Place, wrapped: SealedText) -> SecretValue:
        """The key that was wrapped for that place. Raises SecretError."""


class InMemory:
    """A wrapping key of 32 bytes; one of its own for every Manager is derived from them."""

    __slots__ = ("_key", "kid")

    def __init__(self, secret: bytes, lineage: str) -> None:
        self._key = fieldcrypt.derive(secret, "wrap", lineage)
        self.kid = "k" + fieldcrypt.derive(secret, "name", lineage).hex()[:12]

    def __repr__(self) -> str:
        return f"InMemory({self.kid})"

    def wrap(self, place: Place, key: SecretValue) -> SealedText:
        """The key, wrapped for its place."""
        return fieldcrypt.seal(self._key, self.kid, place, key)

    def unwrap(self, place: Place, wrapped: SealedText) -> SecretValue:
        """The key that was wrapped for that place. Raises SecretError."""
        return fieldcrypt.unseal(self._key, place, wrapped)
