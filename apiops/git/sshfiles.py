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
_OPEN: Final = b"none"
_NEVER_OPENED: Final = (b"chacha20-poly1305@openssh.com",)
_MORE_STRINGS: Final = 2
"""Key derivation and its options stand between cipher and number of keys (PROTOCOL.key)."""

_MAKE: Final = "make one with `ssh-keygen -t ed25519`, and register its public half"

_FIELDS: Final = 3


def check_key(key: SecretValue | None, passphrase: SecretValue | None = None) -> None:
    """Raise SourceError unless it is a key that can be used: Ed25519 or ECDSA (AO826), and
    opened (AO827).

    An encrypted one says its type and its cipher in the clear; nothing is opened.
    """
    if key is None:
        return
    cipher, kind = _told(key.reveal())
    if not kind.startswith(_TAKEN):
        raise _unusable("is no Ed25519 or ECDSA key in OpenSSH's form", _MAKE)
    if cipher in _NEVER_OPENED:
        raise _unusable(
            f"is encrypted with {cipher.decode()}, which the SSH library does not know",
            "encrypt it anew: `ssh-keygen -p -Z aes256-ctr -f KEY`",
        )
    if cipher != _OPEN and not (passphrase and passphrase.reveal()):
        raise _locked("has a passphrase and none is given")


def unopened(key: SecretValue) -> SourceError:
    """What it means that the library made nothing of a key that `check_key` let pass."""
    if _told(key.reveal())[0] == _OPEN:
        return _unusable("is damaged", _MAKE)
    return _locked("cannot be opened with the passphrase that is given")


def _unusable(why: str, hint: str) -> SourceError:
    return SourceError(f"the SSH key {why}", code="AO826", hint=hint)


def _locked(why: str) -> SourceError:
    return SourceError(
        f"the SSH key {why}",
        code="AO827",
        hint="name the file that holds its passphrase and nothing else with "
        "--git-ssh-passphrase-file or APIOPS_GIT_SSH_PASSPHRASE_FILE",
    )


def _told(content: bytes) -> tuple[bytes, bytes]:
    """Cipher, and type of the first public key, of an OpenSSH private key; empty for all else."""
    armored = _ARMOR.fullmatch(content)
    try:
        raw = base64.b64decode(b"".join(armored[1].split()) if armored else b"", validate=True)
    except binascii.Error:
        return b"", b""
    if not raw.startswith(_MAGIC):
        return b"", b""
    rest = raw[len(_MAGIC) :]
    cipher, rest = _string(rest)
    for _ in range(_MORE_STRINGS):
        _, rest = _string(rest)
    blob, _ = _string(rest[4:])  # after the number of keys
    return cipher, _string(blob)[0]


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string with its length before it, and what follows."""
    end = 4 + int.from_bytes(data[:4])
    return data[4:end], data[end:]


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
                "that are revoked; name another file with --git-known-hosts or "
                "APIOPS_GIT_KNOWN_HOSTS",
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
