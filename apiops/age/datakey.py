"""The data key of a file: opened with the identities at hand, or made and given to recipients.

32 random bytes. With one group of keys every recipient gets them; with more, each group gets a
Shamir share and as many groups as the threshold says are needed.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import pyrage

from apiops.age import postquantum, shamir
from apiops.age.identities import Identities
from apiops.age.metadata import Group, Metadata, Recipient
from apiops.age.source import Source
from apiops.age.value import KEY_BYTES
from apiops.errors import SecretError
from apiops.model.secret import SecretValue

_POST_QUANTUM: Final = "age1pq1"
_HARDWARE: Final = ("age1tag1", "age1tagpq1")
_SHOWN: Final = 120
_SSH: Final = ("ssh-ed25519 ", "ssh-rsa ")


def unlock(metadata: Metadata, identities: Identities, source: Source) -> SecretValue:
    """The data key.

    Raises SecretError: no identity at all (AO401), none that matches (AO402), keys of kinds that
    apiops does not use (AO408), a data key that is not one (AO407).
    """
    if not identities:
        raise no_identity(identities, source)
    opened = [share for share in (_open(group, identities) for group in metadata.groups) if share]
    if len(opened) < (metadata.threshold if len(metadata.groups) > 1 else 1):
        raise _no_match(metadata, identities, source, opened=len(opened))
    secret = _combine(opened[: metadata.threshold]) if len(metadata.groups) > 1 else opened[0]
    if len(secret) != KEY_BYTES:
        raise source.refuse(
            "AO407", f"the data key of {source.path} is not {KEY_BYTES} bytes: the file is damaged"
        )
    return SecretValue(secret)


def lock(
    groups: Sequence[Sequence[str]], threshold: int, source: Source
) -> tuple[SecretValue, tuple[Group, ...]]:
    """A new data key, and the groups of recipients that can open it.

    Raises SecretError (AO411) for a recipient that cannot be used.
    """
    key = os.urandom(KEY_BYTES)
    shares = shamir.split(key, len(groups), threshold) if len(groups) > 1 else [key]
    locked = tuple(
        Group(tuple(_give(share, recipient, source) for recipient in group))
        for share, group in zip(shares, groups, strict=True)
    )
    return SecretValue(key), locked


def share(key: SecretValue, recipients: Sequence[str], source: Source) -> tuple[Recipient, ...]:
    """An entry for each further recipient of a data key that a file has already.

    Raises SecretError (AO411) for one that cannot be used.
    """
    return tuple(_give(key.reveal(), recipient, source) for recipient in recipients)


def open_file(content: bytes, identities: Identities, source: Source) -> bytes:
    """The plaintext of a plain age file, armored or binary. Raises SecretError (AO401, AO402)."""
    if not identities:
        raise no_identity(identities, source)
    opened = _decrypt(content, identities)
    if opened is None:
        tried = ", ".join(identity.public for identity in identities.keys)
        raise source.refuse(
            "AO402",
            f"none of the identities at hand opens {source.path}, or the file is damaged",
            hint=f"tried: {tried}; ask a holder of another key to encrypt the file for you",
        )
    return opened


def no_identity(identities: Identities, source: Source) -> SecretError:
    """The error for a run without any identity, saying where one was looked for."""
    looked = "; ".join(identities.looked) or "nowhere"
    passed = f"; passed over: {'; '.join(identities.passed)}" if identities.passed else ""
    return source.refuse(
        "AO401",
        f"{source.path} is encrypted and no age identity was found",
        hint=f"set SOPS_AGE_KEY_FILE or SOPS_AGE_KEY; looked at: {looked}{passed}",
    )


def _open(group: Group, identities: Identities) -> bytes | None:
    for entry in group.age:
        opened = _decrypt(entry.enc.encode(), identities)
        if opened is not None:
            return opened
    return None


def _decrypt(content: bytes, identities: Identities) -> bytes | None:
    keys = [identity.key for identity in identities.keys]
    classic = [key for key in keys if not isinstance(key, postquantum.Identity)]
    if classic:
        with suppress(pyrage.DecryptError):
            return bytes(pyrage.decrypt(content, classic))
    quantum = [key for key in keys if isinstance(key, postquantum.Identity)]
    return postquantum.open_file(content, quantum) if quantum else None


def _combine(shares: Sequence[bytes]) -> bytes:
    try:
        return shamir.combine(shares)
    except ValueError:
        return b""


def _give(secret: bytes, recipient: str, source: Source) -> Recipient:
    try:
        return Recipient(recipient, _sealed(secret, recipient))
    except (ValueError, pyrage.RecipientError, pyrage.EncryptError):
        tied = recipient.startswith(_HARDWARE)
        why = "tied to a device, which apiops does not use" if tied else "not an age recipient"
    raise source.refuse(
        "AO411",
        f"{_short(recipient)} is {why}",
        hint="give recipients as age1…, age1pq1…, or as an ssh-ed25519 or ssh-rsa public key",
    )


def _sealed(secret: bytes, recipient: str) -> str:
    """An armored age file. Raises ValueError or the library's own for a bad recipient."""
    if recipient.startswith(_POST_QUANTUM):
        return postquantum.seal(secret, recipient)
    public = (
        pyrage.ssh.Recipient.from_str(recipient)
        if recipient.startswith(_SSH)
        else pyrage.x25519.Recipient.from_str(recipient)
    )
    armored: bytes = pyrage.encrypt(secret, [public], armored=True)
    return armored.decode()


def _no_match(
    metadata: Metadata, identities: Identities, source: Source, *, opened: int
) -> SecretError:
    services = sorted({name for group in metadata.groups for name in group.services})
    if not metadata.recipients:
        named = ", ".join(services) or "no key at all"
        return source.refuse(
            "AO408",
            f"{source.path} has no age recipient: it is encrypted for {named}",
            hint="add an age recipient to the file with sops",
        )
    recipients = ", ".join(_short(name) for name in metadata.recipients)
    tried = ", ".join(f"{one.public} ({one.origin})" for one in identities.keys)
    shares = f" ({opened} of {metadata.threshold} key groups open)" if opened else ""
    return source.refuse(
        "AO402",
        f"none of the identities at hand opens {source.path}{shares}; it is encrypted for "
        f"{recipients}",
        hint=f"tried: {tried}; looked at: {'; '.join(identities.looked)}",
    )


def _short(recipient: str) -> str:
    """A recipient as shown; post-quantum ones have two thousand characters."""
    return recipient if len(recipient) <= _SHOWN else f"{recipient[:24]}…{recipient[-12:]}"
