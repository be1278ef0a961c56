"""Keys that sign access tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037).

Every environment has keys of its own, and the Manager one for itself (`ROOT`). A rotation makes
the old key `retiring`: it signs no more, but what it signed counts until the longest token life
has passed; until then the JWKS shows both. A key may be made `pending` first, so that verifiers
which keep the JWKS for a while know it before it signs.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from apiops.errors import SecretError
from apiops.manager import keyring
from apiops.manager.keyring import KeyVersion
from apiops.model import canonical

ALGORITHM: Final = "EdDSA"
LONGEST_LIFE: Final = timedelta(hours=1)
"""No token is signed that lives longer."""
SKEW: Final = timedelta(minutes=1)
"""How far clocks may differ, and how long signing may take after the key was chosen."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that verifies tokens now; `environment` is where they count (ROOT: the Manager)."""

    kid: str
    environment: str
    public: Ed25519PublicKey


def encode(claims: Mapping[str, Any], kid: str, key: Ed25519PrivateKey, now: datetime) -> str:
    """The signed token in its compact form (RFC 7515).

    Raises ValueError for claims without an `exp`, or with one beyond the longest life.
    """
    expires = claims.get("exp")
    if not isinstance(expires, int | float):
        raise ValueError("a token needs the claim exp")  # noqa: TRY004 - a claim, not an argument
    if expires > (now + LONGEST_LIFE).timestamp():
        raise ValueError(f"a token lives {LONGEST_LIFE} at most")
    header = {"alg": ALGORITHM, "kid": kid, "typ": "at+jwt"}
    body = b".".join(_base64url(canonical.encode(part)) for part in (header, dict(claims)))
    return b".".join((body, _base64url(key.sign(body)))).decode()


def counts(version: KeyVersion, now: datetime) -> bool:
    """Whether the signatures of a key count now, or soon will."""
    if version.state == "retiring":
        return version.until is not None and now < version.until
    return version.state in ("active", "pending")


def jwks(versions: Iterable[KeyVersion], now: datetime) -> dict[str, Any]:
    """The JSON Web Key Set (RFC 7517) of every key whose signatures count."""
    return {
        "keys": [
            {
                **keyring.public_jwk(version.public),
                "alg": ALGORITHM,
                "kid": version.kid,
                "use": "sig",
            }
            for version in versions
            if version.purpose == "sign" and version.public and counts(version, now)
        ]
    }


def find(versions: Iterable[KeyVersion], kid: str, now: datetime) -> TokenKey | None:
    """The key of that name, if what it signed counts now."""
    for version in versions:
        named = version.purpose == "sign" and version.kid == kid
        if named and version.public and version.state != "pending" and counts(version, now):
            public = Ed25519PublicKey.from_public_bytes(keyring.raw_public(version.public))
            return TokenKey(kid, version.environment, public)
    return None


def retiring(version: KeyVersion, now: datetime) -> KeyVersion:
    """The key as it becomes when another one takes over."""
    return replace(version, state="retiring", until=now + LONGEST_LIFE + SKEW)


def refuse_early(version: KeyVersion, now: datetime) -> None:
    """Raise SecretError while tokens that the key signed are still out."""
    if version.until is not None and now < version.until:
        raise SecretError(
            f"tokens that key {version.kid} signed may live until {version.until:%H:%M:%S} UTC",
            code="AO733",
            hint="retire it after that, or give --compromised to end those tokens now",
        )


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
