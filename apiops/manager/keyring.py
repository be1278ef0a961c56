"""The Manager's keys: one ring per environment, wrapped by a key that the database never holds.

The key-encryption key lies in a file (32 bytes in base64, readable by its owner alone). It wraps
every key of the `keyring` table. A key version is `active` (seals and opens), `retiring` (opens)
or `retired` (refused); one that signs may be `pending` before (published, not yet used).

Fingerprints have keys of their own, which rotation of the sealing keys leaves alone: one root key
is made by `initialise`, each environment's is derived from it, so that a plan, which writes
nothing, can compare secrets of an environment that has none yet. Keys that sign (tokens,
checkpoints) are Ed25519 pairs (RFC 8032), named by their thumbprint (RFC 7638, RFC 8037); their
public half is kept in the clear.
"""

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apiops.errors import SecretError
from apiops.manager import fieldcrypt
from apiops.manager.fieldcrypt import KEY_BYTES, Place, SealedText
from apiops.manager.wrapping import Wrapping
from apiops.model import canonical
from apiops.model.secret import SecretValue

Purpose = Literal["seal", "digest", "sign", "checkpoint"]
State = Literal["pending", "active", "retiring", "retired"]

ROOT: Final = ""
"""The environment of keys that belong to the whole Manager."""

PAIRS: Final = frozenset[Purpose]({"sign", "checkpoint"})
"""Purposes whose keys are key pairs."""


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One row of the ring. Of a key that signs: its `public` half, raw in base64url, and `until`
    when what it signed counts, once it is retiring.
    """

    environment: str
    purpose: Purpose
    kid: str
    state: State
    wrapped: SealedText
    created: datetime
    public: str | None = None
    until: datetime | None = None


class Ring:
    """The keys of one Manager, unwrapped as they are needed and held in memory only."""

    __slots__ = ("_lineage", "_open", "_versions", "_wrapping")

    def __init__(
        self,
        wrapping: Wrapping,
        lineage: str,
        versions: Iterable[KeyVersion],
        opened: dict[str, bytes] | None = None,
    ) -> None:
        self._wrapping = wrapping
        self._lineage = lineage
        self._open = {} if opened is None else opened
        self._versions = {(v.environment, v.purpose, v.kid): v for v in versions}

    @property
    def lineage(self) -> str:
        """The Manager that the keys belong to."""
        return self._lineage

    def __repr__(self) -> str:
        return f"Ring({len(self._versions)} keys)"

    def at(self, versions: Iterable[KeyVersion]) -> "Ring":
        """The ring with the versions as they are stored at one moment, as one transaction sees
        them: another process, or another thread, may have rotated since.
        """
        return Ring(self._wrapping, self._lineage, versions, self._open)

    def digest_key(self, environment: str) -> bytes:
        """The key that fingerprints secrets of `environment`. Raises SecretError."""
        root = self._active(ROOT, "digest")
        if root is None:
            raise SecretError(
                "the Manager has no key for fingerprints",
                code="AO725",
                hint="restore the `keyring` table from a backup",
            )
        return fieldcrypt.derive(self._unwrap(root), "digest", environment)

    def sealing_key(self, environment: str) -> tuple[str, bytes] | None:
        """Id and key that seal in `environment` now; None if it has none yet."""
        version = self._active(environment, "seal")
        return None if version is None else (version.kid, self._unwrap(version))

    def opening_key(self, environment: str, kid: str) -> bytes:
        """The key that opens what `kid` sealed. Raises SecretError if unknown or retired."""
        version = self._versions.get((environment, "seal", kid))
        if version is None or version.state == "retired":
            state = "unknown" if version is None else "retired"
            raise SecretError(
                f"key {kid} of environment {environment} is {state}",
                code="AO725",
                hint="restore the `keyring` table from a backup that goes with the data",
            )
        return self._unwrap(version)

    def signing_key(
        self, environment: str, purpose: Purpose
    ) -> tuple[str, Ed25519PrivateKey] | None:
        """Id and key that sign in `environment` now; None if it has none yet."""
        version = self._active(environment, purpose)
        if version is None:
            return None
        return version.kid, Ed25519PrivateKey.from_private_bytes(self._unwrap(version))

    def check(self) -> None:
        """Unwrap the root key, to find a wrong key file before anything is done with it."""
        self.digest_key(ROOT)

    def make(
        self, environment: str, purpose: Purpose, at: datetime, state: State = "active"
    ) -> KeyVersion:
        """A new version. The caller stores it and sets the older ones to retiring."""
        secret, public = os.urandom(KEY_BYTES), None
        if purpose in PAIRS:
            public = public_half(Ed25519PrivateKey.from_private_bytes(secret))
        kid = self._next(environment, purpose) if public is None else thumbprint(public)
        place = self._place(environment, purpose, kid)
        wrapped = self._wrapping.wrap(place, SecretValue(secret))
        version = KeyVersion(environment, purpose, kid, state, wrapped, at, public)
        self._versions[environment, purpose, kid] = version
        return version

    def rewrapped(self, version: KeyVersion, wrapping: Wrapping) -> KeyVersion:
        """The same key, wrapped by another wrapping key."""
        place = self._place(version.environment, version.purpose, version.kid)
        return replace(version, wrapped=wrapping.wrap(place, SecretValue(self._unwrap(version))))

    def _next(self, environment: str, purpose: Purpose) -> str:
        numbers = [
            int(kid[1:]) for env, p, kid in self._versions if (env, p) == (environment, purpose)
        ]
        return f"v{max(numbers, default=0) + 1}"

    def _active(self, environment: str, purpose: Purpose) -> KeyVersion | None:
        return next(
            (
                version
                for (env, p, _), version in self._versions.items()
                if (env, p, version.state) == (environment, purpose, "active")
            ),
            None,
        )

    def _unwrap(self, version: KeyVersion) -> bytes:
        # Cached by the token: a version of the same name that was rolled back is another key.
        token = version.wrapped.token
        if token not in self._open:
            if version.wrapped.kid != self._wrapping.kid:
                raise SecretError(
                    "the key file is not the one that this Manager's keys are wrapped with",
                    code="AO723",
                    hint="name the key file that `apiops manager init` made for this database",
                )
            place = self._place(version.environment, version.purpose, version.kid)
            self._open[token] = self._wrapping.unwrap(place, version.wrapped).reveal()
        return self._open[token]

    def _place(self, environment: str, purpose: str, kid: str) -> Place:
        return Place(environment, "keyring", self._lineage, f"/{purpose}/{kid}")


def public_half(key: Ed25519PrivateKey) -> str:
    """The public key of a pair, raw in base64url."""
    return base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()


def raw_public(public: str) -> bytes:
    """The 32 bytes of a public key that `public_half` wrote."""
    return base64.urlsafe_b64decode(public + "=")


def public_jwk(public: str) -> dict[str, str]:
    """A public key as a JWK (RFC 8037), with the members that a thumbprint is made of."""
    return {"crv": "Ed25519", "kty": "OKP", "x": public}


def thumbprint(public: str) -> str:
    """The name of a key pair: the thumbprint of its public half (RFC 7638)."""
    sha256 = hashlib.sha256(canonical.encode(public_jwk(public))).digest()
    return base64.urlsafe_b64encode(sha256).rstrip(b"=").decode()


def new_key() -> bytes:
    """A new key-encryption key as a key file holds it."""
    return base64.b64encode(os.urandom(KEY_BYTES)) + b"\n"


def make_file(path: Path) -> None:
    """Make a new key file, mode 0600; the directory is made too. Raises SecretError."""
    write_private(path, new_key())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, for its owner alone. Raises SecretError AO721.

    It appears whole or not at all, and never in the place of another one.
    """
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)  # a rename would replace what is there
    except OSError as fault:
        raise SecretError(
            f"cannot make the key file {path}: {fault.strerror}",
            code="AO721",
            hint="choose a place that you can write to, on a file system that has hard links",
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def read_file(path: Path) -> bytes:
    """The key-encryption key in `path`. Raises SecretError: missing, loose mode, not a key."""
    return decoded(private_bytes(path), str(path))


_WHERE: Final = {
    "key": "name the key file that `apiops manager init` made (--key-file)",
    "passphrase": "write the passphrase into a file of your own there, and no one else's to read",
}


def private_bytes(path: Path, holds: str = "key") -> bytes:
    """A small file that is not loose. Raises SecretError: missing, loose mode."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            text = file.read(1024)
    except OSError as fault:
        raise SecretError(
            f"cannot read the Manager's {holds} file {path}: {fault.strerror}",
            code="AO721",
            hint=_WHERE[holds],
        ) from None
    if os.name == "posix" and is_loose(found, os.geteuid()):
        raise SecretError(
            f"the Manager's key file {path} can be read by others "
            f"(mode {stat.S_IMODE(found.st_mode):04o})",
            code="AO722",
            hint=f"run `chmod 600 {path}`",
        )
    return text


def is_loose(found: os.stat_result, reader: int) -> bool:
    """Whether more people than its reader can read a key file, or anybody else can write it.

    A cluster hands a secret over as a file of root's that the group of the pod can read: what is
    root's may be readable by its group, to whoever is not root, as PostgreSQL's client has it.
    """
    handed_over = found.st_uid == 0 != reader
    return bool(found.st_mode & (0o037 if handed_over else 0o077))


def decoded(text: bytes, origin: str) -> bytes:
    """The key that a text holds in base64. Raises SecretError AO723."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise SecretError(
            f"the Manager's key file {origin} does not hold a key of {KEY_BYTES} bytes in base64",
            code="AO723",
            hint="restore the key file from its backup; a new one cannot open what is sealed",
        )
    return key
