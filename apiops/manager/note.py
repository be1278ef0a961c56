"""Signed notes (C2SP signed-note) and the checkpoints that are written as notes (tlog-checkpoint).

    origin                      which log
    57                          how many entries it had
    CsUY…=                      the root of its Merkle tree, base64
                                (blank line)
    — name keyid||signature     Ed25519 over all lines above the blank one

A verifier key is one line, `name+keyid+base64(1||public key)`: what an auditor is given.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from apiops.errors import UsageError
from apiops.manager.merkle import HASH_BYTES

MAX_BYTES: Final = 64 * 1024
"""No note is longer; a checkpoint with sixteen post-quantum witnesses is shorter."""

_ED25519: Final = b"\1"
_ID_BYTES: Final = 4
_KEY_BYTES: Final = 32
_NAME: Final = re.compile(r"[^\s+]+")
_SIGNATURE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs by."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that signatures name the key by."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"

    def verifies(self, signature: bytes, text: bytes) -> bool:
        """Whether the key made that signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at one moment. `text` is the whole note, as it was signed and written."""

    origin: str
    size: int
    root: bytes
    text: str = ""


def parse_key(line: str) -> VerifierKey:
    """The verifier key in a line. Raises UsageError AO770."""
    name, _, rest = line.strip().partition("+")
    id, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if _NAME.fullmatch(name) and len(raw) == 1 + _KEY_BYTES and raw[:1] == _ED25519:
        key = VerifierKey(name, raw[1:])
        if key.id.hex() == id:
            return key
    raise UsageError(
        "this is not the public key of an audit log",
        code="AO770",
        hint="it is one line, NAME+ID+KEY, as `apiops audit key` prints it",
    )


def sign(checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey) -> str:
    """The checkpoint as a signed note."""
    body = _body(checkpoint)
    id = VerifierKey(name, key.public_key().public_bytes_raw()).id
    return f"{body}\n— {name} {_base64(id + key.sign(body.encode()))}\n"


def parse(text: str) -> Checkpoint:
    """The checkpoint in a note, signed by whomever. Raises UsageError AO771."""
    body, _ = _parts(text)
    lines = body.split("\n")[:-1]
    if len(lines) < len(("origin", "size", "root")) or not all(lines):
        raise _no_checkpoint("it has fewer than three lines")
    origin, size, root = lines[0], lines[1], _decoded(lines[2])
    if not _SIZE.fullmatch(size) or len(root) != HASH_BYTES:
        raise _no_checkpoint("its size or its root hash is none")
    return Checkpoint(origin, int(size), root, text)


def signed_by(text: str, keys: Iterable[VerifierKey]) -> VerifierKey | None:
    """The first of `keys` that signed the note; None if none did.

    Raises UsageError AO771 for what is no note, or is falsely signed in the name of a known key.
    """
    body, signatures = _parts(text)
    known = {(key.name, key.id): key for key in keys}
    found = None
    for name, raw in signatures:
        key = known.get((name, raw[:_ID_BYTES]))
        if key is None:
            continue
        if not key.verifies(raw[_ID_BYTES:], body.encode()):
            raise _no_checkpoint(f"its signature by {key.name} is not genuine")
        found = found or key
    return found


def _body(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.origin}\n{checkpoint.size}\n{_base64(checkpoint.root)}\n"


def _parts(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    body, blank, tail = text.rpartition("\n\n")
    control = any(character < " " and character != "\n" for character in text)
    if len(text) > MAX_BYTES or control or not blank or not tail.endswith("\n"):
        raise _no_checkpoint("it is not a signed note")
    signatures = []
    for line in tail[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        raw = _decoded(match[2]) if match else b""
        if match is None or len(raw) <= _ID_BYTES:
            raise _no_checkpoint("a signature line is malformed")
        signatures.append((match[1], raw))
    return body + "\n", signatures


def _no_checkpoint(why: str) -> UsageError:
    return UsageError(
        f"this is no checkpoint of an audit log: {why}",
        code="AO771",
        hint="`apiops audit checkpoint` writes one; keep its file byte for byte",
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
