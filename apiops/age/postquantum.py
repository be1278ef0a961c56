"""age files for post-quantum recipients, `age1pq1…`, which the age library cannot open yet.

The file key is sealed with HPKE under a hybrid of ML-KEM-768 and X25519 (stanza
`mlkem768x25519`); around it is age's ordinary format, version 1: a header with a MAC, and the
content in pieces of 64 KiB. The cryptography is the `cryptography` package's; this module only
reads and writes the layout.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apiops.age import bech32

RECIPIENT: Final = "age1pq"
IDENTITY: Final = "age-secret-key-pq-"

_VERSION: Final = b"age-encryption.org/v1"
_BEGIN: Final = "-----BEGIN AGE ENCRYPTED FILE-----"
_END: Final = "-----END AGE ENCRYPTED FILE-----"
_STANZA: Final = "mlkem768x25519"
_INFO: Final = b"age-encryption.org/mlkem768x25519"
_SUITE: Final = hpke.Suite(
    hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305
)

_SEED: Final = 32
_MLKEM_SEED: Final = 64
_MLKEM_KEY: Final = 1184
_X25519_KEY: Final = 32
_ENCAPSULATED: Final = 1120
_FILE_KEY: Final = 16
_NONCE: Final = 16
_TAG: Final = 16
_PIECE: Final = 64 << 10
_COLUMNS: Final = 64
_MAX_STANZAS: Final = 100


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key that opens files for its recipient."""

    public: str
    key: hpke.MLKEM768X25519PrivateKey = field(repr=False, compare=False)


def generate() -> tuple[str, str]:
    """A new identity as its text (a secret), and its recipient."""
    text = bech32.encode(IDENTITY, os.urandom(_SEED)).upper()
    return text, identity(text).public


def identity(text: str) -> Identity:
    """The identity that an `AGE-SECRET-KEY-PQ-1…` is. Raises ValueError without the text."""
    prefix, seed = bech32.decode(text)
    if prefix != IDENTITY or len(seed) != _SEED:
        raise ValueError("is not a post-quantum age identity")
    expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED + _X25519_KEY)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED])
    x25519 = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED:])
    raw = (Encoding.Raw, PublicFormat.Raw)
    public = mlkem.public_key().public_bytes(*raw) + x25519.public_key().public_bytes(*raw)
    return Identity(bech32.encode(RECIPIENT, public), hpke.MLKEM768X25519PrivateKey(mlkem, x25519))


def seal(content: bytes, recipient: str) -> str:
    """An armored age file for one recipient. Raises ValueError for one that is none."""
    key = os.urandom(_FILE_KEY)
    sealed = _SUITE.encrypt(key, _public(recipient), _INFO)
    share, body = sealed[:_ENCAPSULATED], sealed[_ENCAPSULATED:]
    head = f"{_VERSION.decode()}\n-> {_STANZA} {_base64(share)}\n{_wrapped(body)}\n---"
    header = f"{head} {_base64(_mac(key, head.encode()))}\n".encode()
    nonce = os.urandom(_NONCE)
    stream = ChaCha20Poly1305(_derived(key, b"payload", nonce))
    pieces = [content[at : at + _PIECE] for at in range(0, len(content), _PIECE)] or [b""]
    sealed_pieces = (
        stream.encrypt(_counter(number, last=number == len(pieces) - 1), piece, None)
        for number, piece in enumerate(pieces)
    )
    return _armored(header + nonce + b"".join(sealed_pieces))


def open_file(content: bytes, identities: Sequence[Identity]) -> bytes | None:
    """The content of an age file, or None: not for one of these identities, or damaged."""
    try:
        return _opened(_unarmored(content), identities)
    except (ValueError, InvalidTag, binascii.Error):
        return None


def _opened(content: bytes, identities: Sequence[Identity]) -> bytes | None:
    head, mac, payload = _header(content)
    for share, body in _stanzas(head):
        for one in identities:
            key = _unsealed(share + body, one)
            if key is not None:
                if not hmac.compare_digest(_mac(key, head), mac):
                    return None
                return b"".join(_pieces(key, payload))
    return None


def _unsealed(sealed: bytes, one: Identity) -> bytes | None:
    try:
        key = _SUITE.decrypt(sealed, one.key, _INFO)
    except (InvalidTag, ValueError):
        return None
    return key if len(key) == _FILE_KEY else None


def _header(content: bytes) -> tuple[bytes, bytes, bytes]:
    """What the MAC covers (up to `---`), the MAC, and what follows. Raises ValueError."""
    end = content.index(b"\n--- ") + len(b"\n---")
    line, _, payload = content[end:].partition(b"\n")
    if not content.startswith(_VERSION + b"\n"):
        raise ValueError("not an age file of version 1")
    return content[:end], _unbase64(line[1:].decode()), payload


def _stanzas(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Encapsulated key and body of each of our stanzas; others are passed over."""
    stanzas = head.decode().partition("\n")[2].removesuffix("---").split("-> ")[1:]
    for stanza in stanzas[:_MAX_STANZAS]:
        first, *lines = stanza.removesuffix("\n").split("\n")
        kind, *arguments = first.split(" ")
        if kind == _STANZA and len(arguments) == 1:
            share = _unbase64(arguments[0])
            if len(share) == _ENCAPSULATED:
                yield share, _unbase64("".join(lines))


def _pieces(key: bytes, payload: bytes) -> Iterator[bytes]:
    """The content, piece by piece; each knows its place and whether it is the last one."""
    nonce, sealed = payload[:_NONCE], payload[_NONCE:]
    stream = ChaCha20Poly1305(_derived(key, b"payload", nonce))
    size = _PIECE + _TAG
    count = max(1, -(-len(sealed) // size))
    for number in range(count):
        piece = sealed[number * size : (number + 1) * size]
        opened = stream.decrypt(_counter(number, last=number == count - 1), piece, None)
        if not opened and number:
            raise ValueError("an empty last piece")
        yield opened


def _counter(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _mac(key: bytes, head: bytes) -> bytes:
    return hmac.digest(_derived(key, b"header", b""), head, "sha256")


def _derived(key: bytes, info: bytes, salt: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=salt, info=info).derive(key)


def _public(recipient: str) -> hpke.MLKEM768X25519PublicKey:
    prefix, raw = bech32.decode(recipient)
    if prefix != RECIPIENT or len(raw) != _MLKEM_KEY + _X25519_KEY:
        raise ValueError("not a post-quantum age recipient")
    return hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_KEY]),
        X25519PublicKey.from_public_bytes(raw[_MLKEM_KEY:]),
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    """Base64 without padding, in its one canonical spelling. Raises ValueError."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if _base64(raw) != text:
        raise ValueError("base64 that is not canonical")
    return raw


def _wrapped(body: bytes) -> str:
    """A stanza's body: full lines, and a last one that is not full."""
    lines = _lines(_base64(body))
    return "\n".join(lines if not lines or len(lines[-1]) < _COLUMNS else [*lines, ""])


def _armored(content: bytes) -> str:
    lines = _lines(base64.b64encode(content).decode())
    return "\n".join((_BEGIN, *lines, _END, ""))


def _lines(text: str) -> list[str]:
    return [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]


def _unarmored(content: bytes) -> bytes:
    if not content.startswith(_BEGIN.encode()):
        return content
    lines = content.decode().strip().splitlines()
    if lines[-1] != _END:
        raise ValueError("an armor without an end")
    return base64.b64decode("".join(lines[1:-1]), validate=True)
