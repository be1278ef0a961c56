"""A small secret as an age file of its own, for several recipients: made and opened."""

from collections.abc import Sequence

import pyrage

from apiops.age import datakey
from apiops.age.identities import Identities
from apiops.age.source import Source
from apiops.errors import SecretError


def encrypt(secret: bytes, recipients: Sequence[str]) -> bytes:
    """The armored age file. Raises SecretError AO411 for what is no recipient, or for none."""
    try:
        keys = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
        return bytes(pyrage.encrypt(secret, keys, armored=True))
    except (pyrage.RecipientError, pyrage.EncryptError):
        raise SecretError(
            "a wrapping key needs age recipients (age1…) and one of these is none",
            code="AO411",
            hint="make an identity with age-keygen, and give its public key",
        ) from None


def decrypt(content: bytes, identities: Identities, path: str) -> bytes:
    """The secret in an age file. Raises SecretError AO401, AO402 and kin."""
    return datakey.open_file(content, identities, Source(path, ""))
