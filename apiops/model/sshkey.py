"""OpenSSH public keys: read one strictly and name it by its fingerprint.

The one parser of public keys: registration (`User.spec.keys`) and signature verification both
use it, so a key that cannot be registered cannot verify a commit either. Formats: RFC 4251 and
RFC 4253 (wire encoding, RSA), RFC 5656 (ECDSA), RFC 8709 (Ed25519), OpenSSH PROTOCOL.u2f (keys
that live on a hardware token). No cryptography happens here.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

MIN_RSA_BITS: Final = 3072
"""Shorter RSA keys are weak: 3072 bits are worth 128 bits of symmetric strength (SP 800-57)."""

MAX_RSA_BITS: Final = 16384
_MAX_EXPONENT_BITS: Final = 64
_MAX_LINE: Final = 16384
_UNCOMPRESSED: Final = 4

CURVES: Final = {
    "ecdsa-sha2-nistp256": (b"nistp256", 65),
    "ecdsa-sha2-nistp384": (b"nistp384", 97),
    "ecdsa-sha2-nistp521": (b"nistp521", 133),
    "sk-ecdsa-sha2-nistp256@openssh.com": (b"nistp256", 65),
}
"""ECDSA key type → curve name and length of an uncompressed point, in bytes."""

ED25519: Final = frozenset({"ssh-ed25519", "sk-ssh-ed25519@openssh.com"})
RSA: Final = "ssh-rsa"
_DSA: Final = "ssh-dss"
_ED25519_BYTES: Final = 32
_SIGN: Final = 0x80
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""The Ed25519 points of order 1, 2, 4 and 8, in every spelling, sign bit cleared."""


class WeakKey(ValueError):
    """A well-formed key that is too weak to prove anything."""


class UnknownKeyType(ValueError):
    """A key type that apiops does not verify (a certificate, an algorithm of the future)."""


class Reader:
    """Reads RFC 4251 values off the front of some bytes. Raises ValueError when they run out."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        piece = self._data[self._at : self._at + count]
        if len(piece) != count:
            raise ValueError("the data ends too early")
        self._at += count
        return piece

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def uint32(self) -> int:
        """The next unsigned 32-bit number."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """The next length-prefixed string."""
        return self.take(self.uint32())

    def mpint(self) -> int:
        """The next multiple-precision integer: positive and in its shortest form."""
        raw = self.string()
        if not raw or raw[0] & 0x80 or (raw[0] == 0 and not raw[1:2] >= b"\x80"):
            raise ValueError("a number is not in its canonical form")
        return int.from_bytes(raw, "big")

    def end(self) -> None:
        """Nothing may be left. Raises ValueError otherwise."""
        if self._at != len(self._data):
            raise ValueError("there are bytes after the end")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key taken apart.

    `point` is the Ed25519 key or the ECDSA point, `modulus` and `exponent` are RSA's,
    `application` is set for keys on a hardware token (`sk-…`).
    """

    type: str
    blob: bytes
    point: bytes = b""
    modulus: int = 0
    exponent: int = 0
    application: bytes = b""

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` as `ssh-keygen -l` prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"

    @property
    def hardware(self) -> bool:
        """Whether the private key lives on a hardware token."""
        return self.type.startswith("sk-")


def read(blob: bytes) -> PublicKey:
    """The public key in its wire form. Raises ValueError, WeakKey or UnknownKeyType."""
    reader = Reader(blob)
    kind = reader.string().decode("ascii", errors="replace")
    if kind in ED25519:
        key = _read_ed25519(kind, blob, reader)
    elif kind in CURVES:
        key = _read_ecdsa(kind, blob, reader)
    elif kind == RSA:
        key = _read_rsa(blob, reader)
    elif kind == _DSA:
        raise WeakKey("DSA keys are too weak")
    else:
        raise UnknownKeyType(f"keys of type {kind[:60]!r} are not supported")
    reader.end()
    return key


def parse(line: str) -> PublicKey:
    """The key in one line of a `.pub` or `authorized_keys` file: type, base64, comment.

    Options before the type are refused: they would promise what nobody here enforces.
    Raises ValueError, in words fit to show.
    """
    if len(line) > _MAX_LINE:
        raise ValueError("the line is too long for a public key")
    if len(line.strip().splitlines()) != 1:
        raise ValueError("one public key on one line is expected")
    kind, _, rest = line.strip().partition(" ")
    words = rest.split(maxsplit=1)
    if "PRIVATE KEY" in line:
        raise ValueError("this is a private key; give the public one (the .pub file)")
    if not words:
        raise ValueError("a public key reads `ssh-ed25519 AAAA… comment`")
    try:
        blob = base64.b64decode(words[0], validate=True)
    except binascii.Error:
        raise ValueError("the second word is not base64") from None
    key = read(blob)
    if key.type != kind:
        raise ValueError(f"the line says {kind[:60]!r} but the key is {key.type!r}")
    return key


def fingerprint(line: str) -> str:
    """The OpenSSH fingerprint (`SHA256:…`) of a public key line. Raises ValueError."""
    return parse(line).fingerprint


def _read_ed25519(kind: str, blob: bytes, reader: Reader) -> PublicKey:
    point = reader.string()
    if len(point) != _ED25519_BYTES:
        raise ValueError("an Ed25519 key has 32 bytes")
    if point[:-1] + bytes([point[-1] & ~_SIGN]) in _SMALL_ORDER:
        raise WeakKey("the key is a point of small order, for which anybody can sign")
    return PublicKey(kind, blob, point=point, application=_application(kind, reader))


def _read_ecdsa(kind: str, blob: bytes, reader: Reader) -> PublicKey:
    curve, length = CURVES[kind]
    if reader.string() != curve:
        raise ValueError("the curve does not match the key type")
    point = reader.string()
    if len(point) != length or point[0] != _UNCOMPRESSED:
        raise ValueError("an ECDSA key is an uncompressed point of its curve")
    return PublicKey(kind, blob, point=point, application=_application(kind, reader))


def _read_rsa(blob: bytes, reader: Reader) -> PublicKey:
    exponent, modulus = reader.mpint(), reader.mpint()
    if modulus.bit_length() < MIN_RSA_BITS:
        raise WeakKey(f"RSA keys need at least {MIN_RSA_BITS} bits, not {modulus.bit_length()}")
    if modulus.bit_length() > MAX_RSA_BITS or exponent.bit_length() > _MAX_EXPONENT_BITS:
        raise ValueError("the RSA key is too large to verify with")
    return PublicKey(RSA, blob, modulus=modulus, exponent=exponent)


def _application(kind: str, reader: Reader) -> bytes:
    return reader.string() if kind.startswith("sk-") else b""
