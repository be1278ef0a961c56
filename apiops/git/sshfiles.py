"""Files for SSH, looked at before libssh2 gets them: it heeds some lines otherwise than OpenSSH,
and with an RSA key it writes past its own memory (seen with libssh2 1.11.1 in pygit2 1.21.0).
"""

import base64
import binascii
import re
from typing import Final

from apiops.errors import SourceError
from apiops.model.secret import SecretValue

_MAGIC: Final = b"openssh-key-v1\0"
_BEGIN: Final = rb"\s*-----BEGIN OPENSSH PRIVATE KEY-----\s+"
_END: Final = rb"-----END OPENSSH PRIVATE KEY-----\s*"
_ARMOR: Final = re.compile(_BEGIN + rb"([A-Za-z0-9+/=\s]+)" + _END)
_TAKEN: Final = (b"ssh-ed25519", b"ecdsa-sha2-nistp")
_STRINGS: Final = 3
"""Cipher, key derivation and its options stand before the number of keys (PROTOCOL.key)."""

_FIELDS: Final = 3


def check_key(key: SecretValue | None) -> None:
    """Raise SourceError AO826 unless it is a key that can be used: Ed25519 or ECDSA.

    An encrypted one says its type in the clear; nothing is opened.
    """
    if key is None:
        return
    if not _type(key.reveal()).startswith(_TAKEN):
        raise SourceError(
            "the SSH key is no Ed25519 or ECDSA key in OpenSSH's form",
            code="AO826",
            hint="make one with `ssh-keygen -t ed25519`, and register its public half",
        )


def _type(content: bytes) -> bytes:
    """The type of the first public key in an OpenSSH private key file; empty for anything else."""
    armored = _ARMOR.fullmatch(content)
    try:
        raw = base64.b64decode(b"".join(armored[1].split()) if armored else b"", validate=True)
    except binascii.Error:
        return b""
    if not raw.startswith(_MAGIC):
        return b""
    at = len(_MAGIC)
    for _ in range(_STRINGS):
        at += 4 + int.from_bytes(raw[at : at + 4])
    blob = raw[at + 8 :]  # after the number of keys, and the length of the first
    return blob[4 : 4 + int.from_bytes(blob[:4])]


def checked_hosts(text: str) -> str:
    """The lines of a known_hosts file as libssh2 reads them. Raises SourceError AO826."""
    kept = []
    for number, line in enumerate(text.splitlines(), 1):
        told = line.strip()
        if not told or told.startswith("#"):
            continue
        fault = _fault(told)
        if fault:
            raise SourceError(
                f"line {number} of the known hosts {fault}",
                code="AO826",
                hint="list the keys that count, as `ssh-keyscan` prints them, and leave out those "
                "that are revoked; name another file with --git-known-hosts",
            )
        kept.append(told)
    return "\n".join(kept) + "\n"


def _fault(line: str) -> str:
    if line.startswith("@"):
        return "begins with a marker, which is not supported"
    fields = line.split()
    try:
        base64.b64decode(fields[_FIELDS - 1] if len(fields) >= _FIELDS else "?", validate=True)
    except (binascii.Error, ValueError):
        return "is no host with its key"
    return "" if line.isprintable() or "\t" in line else "holds what cannot be printed"
