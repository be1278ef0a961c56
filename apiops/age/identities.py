"""Finding age identities: from variables, key files and a mounted directory.

No program is ever run for a key (`SOPS_AGE_KEY_CMD`, plugins), no passphrase is asked for, and
the home directory is looked into only for a person at a terminal. Key file format: one
`AGE-SECRET-KEY-1…` a line, `#` comments, blank lines (age's `age-keygen`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import pyrage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)

from apiops.age import places, postquantum

_SSH_HEADER: Final = b"-----BEGIN"
_KEY: Final = "AGE-SECRET-KEY-1"
_QUANTUM: Final = "AGE-SECRET-KEY-PQ-1"
_PLUGIN: Final = "AGE-PLUGIN-"

AgeIdentity: TypeAlias = pyrage.x25519.Identity | pyrage.ssh.Identity | postquantum.Identity


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key that opens files. `public` is its recipient, `origin` where it was found."""

    public: str
    origin: str
    key: AgeIdentity = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Identities:
    """The identities at hand, the places that were looked at, and keys that were passed over."""

    keys: tuple[Identity, ...] = ()
    looked: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys)


def gather(
    environ: Mapping[str, str],
    *,
    directory: Path | None = None,
    home: Path | None = None,
) -> Identities:
    """All identities that can be found.

    `environ` are the process's variables, `directory` a mounted directory whose files hold keys
    (a Kubernetes secret), `home` the home directory, given only for a person at a terminal.
    Raises SecretError (AO403) for a key or key file that was named but cannot be used.
    """
    found: list[Identity] = []
    looked: list[str] = []
    passed: list[str] = []
    for place, origin, content in places.look(environ, directory, home):
        looked.append(place)
        if content is not None:
            found += read_keys(content, origin, passed)
    unique = {identity.public: identity for identity in reversed(found)}
    return Identities(tuple(reversed(unique.values())), tuple(looked), tuple(passed))


def generate(*, post_quantum: bool = False) -> tuple[str, str]:
    """A new identity: the text of its key file (a secret), and its recipient."""
    if post_quantum:
        secret, public = postquantum.generate()
    else:
        key = pyrage.x25519.Identity.generate()
        secret, public = str(key), str(key.to_public())
    return f"# public key: {public}\n{secret}\n", public


def read_keys(content: bytes, origin: str, passed: list[str] | None = None) -> list[Identity]:
    """The identities in a key file or variable; keys of kinds we cannot use go to `passed`.

    Raises SecretError (AO403) naming the line, never what stands there.
    """
    if content.lstrip().startswith(_SSH_HEADER):
        return [_ssh(content, origin)]
    if content.startswith(b"age-encryption.org/"):
        raise places.bad(origin, 0, "is encrypted with a passphrase; apiops does not ask for one")
    keys = []
    for number, line in enumerate(content.splitlines(), start=1):
        word = line.strip().decode(errors="replace")
        if not word or word.startswith("#"):
            continue
        if word.upper().startswith(_PLUGIN):
            if passed is not None:
                passed.append(f"{origin} line {number}: a plugin key")
            continue
        quantum = word.upper().startswith(_QUANTUM)
        keys.append((_post_quantum if quantum else _x25519)(word, origin, number))
    return keys


def _post_quantum(word: str, origin: str, line: int) -> Identity:
    why = ""
    try:
        key = postquantum.identity(word)
        return Identity(key.public, origin, key)
    except ValueError as fault:
        why = str(fault)
    raise places.bad(origin, line, why)


def _x25519(word: str, origin: str, line: int) -> Identity:
    identity = None
    if word.upper().startswith(_KEY):
        try:
            identity = pyrage.x25519.Identity.from_str(word)
        except pyrage.IdentityError:
            identity = None
    if identity is None:
        raise places.bad(origin, line, "is not an age identity")
    return Identity(str(identity.to_public()), origin, identity)


def _ssh(content: bytes, origin: str) -> Identity:
    identity, public = None, b""
    try:
        identity = pyrage.ssh.Identity.from_buffer(content)
        public = (
            load_ssh_private_key(content, password=None)
            .public_key()
            .public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        )
    except (pyrage.IdentityError, ValueError, TypeError, UnsupportedAlgorithm):
        identity = None
    if identity is None:
        raise places.bad(
            origin, 0, "is not an Ed25519 or RSA private key in OpenSSH format without passphrase"
        )
    return Identity(public.decode(), origin, identity)
