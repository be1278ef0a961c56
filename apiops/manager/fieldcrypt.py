"""Sealed fields: how a secret rests in the database, and how it is compared without opening it.

A token is `apf1.<key id>.<base64url of salt16 | commitment16 | nonce12 | ciphertext | tag16>`.
From the environment's key and a fresh salt HKDF-SHA256 (RFC 5869) derives a key for this one
value and a commitment to it; AES-256-GCM (NIST SP 800-38D) seals it. A key per value removes the
bound on nonces; the commitment makes sure that a token opens under one key only. The associated
data bind the token to its place, so that one moved to another row, field or environment does not
open. All of this is FIPS-approvable.
"""

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apiops.errors import SecretError
from apiops.model import canonical
from apiops.model.resource import ResourceId
from apiops.model.secret import HIDDEN, SecretValue

VERSION: Final = "apf1"
KEY_BYTES: Final = 32
_SALT: Final = 16
_COMMITMENT: Final = 16
_NONCE: Final = 12
_TAG: Final = 16
_OVERHEAD: Final = _SALT + _COMMITMENT + _NONCE + _TAG


class SealedText:
    """A token: the only thing that a sealed column accepts, and nothing that prints itself."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

    @property
    def kid(self) -> str:
        """The id of the key that sealed it."""
        return self.token.split(".")[1]

    def __repr__(self) -> str:
        return f"SealedText{HIDDEN}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SealedText) and hmac.compare_digest(self.token, other.token)

    def __hash__(self) -> int:
        return hash(self.token)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value belongs. `resource` is the immutable id: a rename re-seals nothing."""

    environment: str
    kind: str
    resource: str
    field: str

    def __str__(self) -> str:
        return f"{self.kind} {self.resource}{self.field}, environment {self.environment or '-'}"


def seal(key: bytes, kid: str, place: Place, value: SecretValue) -> SealedText:
    """Seal `value` with the 32-byte `key` named `kid`, for `place` and no other."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    value_key, commitment = _derive(key, salt)
    sealed = AESGCM(value_key).encrypt(nonce, value.reveal(), _associated(place, kid))
    body = base64.urlsafe_b64encode(salt + commitment + nonce + sealed).rstrip(b"=")
    return SealedText(f"{VERSION}.{kid}.{body.decode()}")


def unseal(key: bytes, place: Place, sealed: SealedText) -> SecretValue:
    """Open a token at its place. Raises SecretError for another key, another place, any damage."""
    version, _, rest = sealed.token.partition(".")
    kid, _, encoded = rest.partition(".")
    raw = _decode(encoded)
    if version != VERSION or len(raw) < _OVERHEAD:
        raise _unopened(place, "it is not a token of this version")
    salt, rest_of = raw[:_SALT], raw[_SALT:]
    commitment, nonce, body = (
        rest_of[:_COMMITMENT],
        rest_of[_COMMITMENT : _COMMITMENT + _NONCE],
        rest_of[_COMMITMENT + _NONCE :],
    )
    value_key, expected = _derive(key, salt)
    if not hmac.compare_digest(commitment, expected):
        raise _unopened(place, "it was sealed with another key")
    try:
        return SecretValue(AESGCM(value_key).decrypt(nonce, body, _associated(place, kid)))
    except InvalidTag:
        raise _unopened(place, "it was sealed for another place, or is damaged") from None


def fingerprint(key: bytes, id: ResourceId, pointer: str, value: SecretValue) -> str:
    """HMAC-SHA256 of a secret with an environment's digest key, bound to its place (`apd1.…`).

    Equal fingerprints mean equal secrets at the same place; nothing else can be learned from one
    without the key.
    """
    place = canonical.encode(["apiops-digest/1", id.kind, id.project, id.name, pointer])
    mac = hmac.new(key, place + b"\0" + value.reveal(), hashlib.sha256).digest()
    return "apd1." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def derive(key: bytes, purpose: str, *names: str) -> bytes:
    """A 32-byte key of its own for a purpose, from `key`."""
    info = canonical.encode(["apiops-key/1", purpose, *names])
    return HKDF(SHA256(), KEY_BYTES, None, info).derive(key)


def _derive(key: bytes, salt: bytes) -> tuple[bytes, bytes]:
    wide = HKDF(SHA256(), KEY_BYTES + _COMMITMENT, salt, b"apiops-field/1").derive(key)
    return wide[:KEY_BYTES], wide[KEY_BYTES:]


def _associated(place: Place, kid: str) -> bytes:
    return canonical.encode(
        ["apiops-field/1", place.environment, kid, place.kind, place.resource, place.field]
    )


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _unopened(place: Place, why: str) -> SecretError:
    return SecretError(
        f"the sealed value of {place} does not open: {why}",
        code="AO724",
        hint="run `apiops audit verify`; restore the row from a backup of this Manager",
    )
