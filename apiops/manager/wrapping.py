"""The key that wraps the Manager's keys, and never lies in the database.

`InMemory` holds 32 bytes that came from somewhere (a file, an age file, a passphrase); what it
wraps is an `apf1` token as in `fieldcrypt`, bound to the key's place in the ring. `InDevice` asks
a device that keeps its key to itself (a plugin; think of PKCS#11): its tokens are
`apw1.<key id>.<base64url of what the device gave>`.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final, Protocol

from apiops.errors import SecretError
from apiops.manager import fieldcrypt
from apiops.manager.fieldcrypt import Place, SealedText
from apiops.model import canonical
from apiops.model.secret import SecretValue

_DEVICE: Final = "apw1"
_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


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


class Device(Protocol):
    """What a plugin gives: a key that wraps and never leaves the device.

    `bound` must be authenticated with the wrapped key (associated data): the same bytes come back
    when it is unwrapped. What goes wrong is raised as `apiops.errors.SecretError`.
    """

    @property
    def kid(self) -> str:
        """The name of the device's key: letters, digits, `-` and `_`, 64 at most."""

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """The 32 bytes of `key`, wrapped."""

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped with the same `bound`; SecretError for anything else."""


class InDevice:
    """A wrapping key inside of a device."""

    __slots__ = ("_device", "kid")

    def __init__(self, device: Device) -> None:
        """Raises SecretError AO721 for a key whose name cannot stand in a token."""
        if not _KID.fullmatch(device.kid):
            raise SecretError(
                "the wrapping key's plugin names its key with more than letters, digits, - and _",
                code="AO721",
                hint="this is for the author of the plugin: see examples/wrapping-key-pkcs11",
            )
        self._device = device
        self.kid = device.kid

    def __repr__(self) -> str:
        return f"InDevice({self.kid})"

    def wrap(self, place: Place, key: SecretValue) -> SealedText:
        """The key, wrapped by the device for its place. Raises SecretError."""
        wrapped = self._device.wrap(key.reveal(), _bound(place))
        body = base64.urlsafe_b64encode(wrapped).rstrip(b"=").decode()
        return SealedText(f"{_DEVICE}.{self.kid}.{body}")

    def unwrap(self, place: Place, wrapped: SealedText) -> SecretValue:
        """The key that was wrapped for that place. Raises SecretError."""
        version, _, rest = wrapped.token.partition(".")
        _, _, body = rest.partition(".")
        try:
            raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        key = self._device.unwrap(raw, _bound(place)) if raw and version == _DEVICE else b""
        if len(key) != fieldcrypt.KEY_BYTES:
            raise SecretError(
                f"the device gave no key for {place}",
                code="AO724",
                hint="the keyring is damaged, or the device's key is another one than it was",
            )
        return SecretValue(key)


Provider = Callable[[str], Wrapping]
"""Gives the wrapping key of the Manager with a lineage, from wherever it lies."""


def _bound(place: Place) -> bytes:
    return canonical.encode(
        ["apiops-wrap/1", place.environment, place.kind, place.resource, place.field]
    )
