"""OpenPGP certificates: read one strictly and name it by its fingerprint.

The counterpart of `sshkey` for people (and forges) that sign with OpenPGP. Only what names and
weighs the keys is read here: the armor, the packet headers and the public key packets (RFC 9580,
sections 4, 5.5 and 6). Bindings, validity and signatures are the OpenPGP library's work, behind
Git's door.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from apiops.model.sshkey import MIN_RSA_BITS, Reader, UnknownKeyType, WeakKey

BEGIN: Final = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
END: Final = "-----END PGP PUBLIC KEY BLOCK-----"
PREFIX: Final = "PGP:"
"""Fingerprints of certificates begin so, and never pass for those of SSH keys."""

MAX_ARMOR: Final = 256 * 1024
"""Longer blocks are not read (characters)."""

_BLOCK: Final = re.compile(
    rf"{BEGIN}\n(?:[A-Za-z]+: [^\n]*\n)*\n"
    rf"((?:[A-Za-z0-9+/=]+\n)+?)(?:=[A-Za-z0-9+/]{{4}}\n)?{END}"
)
_PRIMARY, _SUBKEY = 6, 14
_V4, _V6 = 4, 6
_V4_DIGITS: Final = 40
_LONGEST_OLD: Final = 2
_LONGEST_KEY: Final = 0xFFFF
_SECRETS: Final = frozenset({5, 7})
_NEW_FORMAT: Final = 0x40
_IS_PACKET: Final = 0x80
_TWO_OCTETS, _PARTIAL, _FIVE_OCTETS = 192, 224, 255

RSA: Final = frozenset({1, 3})
DSA: Final = 17
SIGNS: Final = frozenset({19, 22, 27, 28}) | RSA
"""Algorithms that make signatures: RSA, ECDSA, EdDSA, Ed25519, Ed448 (RFC 9580, 9.1)."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of a certificate: lower-case hex fingerprint, algorithm number, RSA's bits (else 0)."""

    fingerprint: str
    algorithm: int
    bits: int = 0

    @property
    def id(self) -> str:
        """The key id: the end of a version 4 fingerprint, the beginning of a version 6 one."""
        return (
            self.fingerprint[-16:] if len(self.fingerprint) == _V4_DIGITS else self.fingerprint[:16]
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """The public keys of a certificate, the primary one first."""

    keys: tuple[PublicKey, ...]

    @property
    def fingerprint(self) -> str:
        """`PGP:` and the primary key's fingerprint in upper-case hex, as gpg prints it."""
        return f"{PREFIX}{self.keys[0].fingerprint.upper()}"


def parse(armored: str) -> Certificate:
    """The certificate in an armored block.

    Raises ValueError, WeakKey or UnknownKeyType (for the primary key), in words fit to show.
    """
    keys: list[PublicKey] = []
    for tag, body in _packets(_unarmored(armored)):
        if tag in _SECRETS:
            raise ValueError("this holds a private key; export the public one")
        if (tag == _PRIMARY) is bool(keys):
            raise ValueError("one certificate is expected, and it begins with its primary key")
        if tag in (_PRIMARY, _SUBKEY):
            keys.append(_key(body))
    if not keys:
        raise ValueError("there is no key in it")
    require_strong(keys[0])
    return Certificate(tuple(keys))


def fingerprint(armored: str) -> str:
    """The fingerprint (`PGP:…`) of an armored certificate. Raises ValueError."""
    return parse(armored).fingerprint


def require_strong(key: PublicKey) -> None:
    """A key whose signatures prove something. Raises WeakKey or UnknownKeyType otherwise."""
    if key.algorithm == DSA:
        raise WeakKey("DSA keys are too weak")
    if key.algorithm not in SIGNS:
        raise UnknownKeyType(f"OpenPGP keys of algorithm {key.algorithm} are not supported")
    if key.algorithm in RSA and key.bits < MIN_RSA_BITS:
        raise WeakKey(f"RSA keys need at least {MIN_RSA_BITS} bits, not {key.bits}")


def _unarmored(armored: str) -> bytes:
    text = armored.strip().replace("\r\n", "\n")
    if len(text) > MAX_ARMOR:
        raise ValueError("the block is too long for a certificate")
    if "PRIVATE KEY" in text:
        raise ValueError("this is a private key; give the public one (gpg --armor --export)")
    block = _BLOCK.fullmatch("\n".join(line.rstrip() for line in text.split("\n")))
    if block is None:
        raise ValueError(f"one block from {BEGIN} to {END} is expected")
    try:
        return base64.b64decode(block[1].replace("\n", ""), validate=True)
    except binascii.Error:
        raise ValueError("the block is not base64") from None


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of every packet. Raises ValueError for lengths that are not definite."""
    reader = Reader(data)
    taken = 0
    while taken < len(data):
        head = reader.byte()
        if not head & _IS_PACKET:
            raise ValueError("the block holds no OpenPGP packets")
        if head & _NEW_FORMAT:
            tag, (size, width) = head & 0x3F, _new_length(reader)
        else:
            tag, (size, width) = (head >> 2) & 0x0F, _old_length(reader, head & 0x03)
        yield tag, reader.take(size)
        taken += 1 + width + size


def _new_length(reader: Reader) -> tuple[int, int]:
    """A packet's length and the octets that say it (RFC 9580, 4.2.1)."""
    first = reader.byte()
    if first < _TWO_OCTETS:
        return first, 1
    if first < _PARTIAL:
        return ((first - _TWO_OCTETS) << 8) + reader.byte() + _TWO_OCTETS, 2
    if first == _FIVE_OCTETS:
        return reader.uint32(), 5
    raise ValueError("a certificate has no packets of partial length")


def _old_length(reader: Reader, kind: int) -> tuple[int, int]:
    """The same in the old format (RFC 9580, 4.2.2)."""
    if kind > _LONGEST_OLD:
        raise ValueError("a certificate has no packets of indeterminate length")
    width = 1 << kind
    return int.from_bytes(reader.take(width), "big"), width


def _key(body: bytes) -> PublicKey:
    """The key in a public key packet (RFC 9580, 5.5.2 and 5.5.4)."""
    if len(body) > _LONGEST_KEY:
        raise ValueError("a key is too long")
    reader = Reader(body)
    version, _created, algorithm = reader.byte(), reader.take(4), reader.byte()
    if version == _V4:
        counted = b"\x99" + len(body).to_bytes(2, "big") + body
        print_ = hashlib.sha1(counted, usedforsecurity=False).hexdigest()
    elif version == _V6:
        print_ = hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest()
        reader.uint32()
    else:
        raise UnknownKeyType(f"OpenPGP keys of version {version} are not supported")
    return PublicKey(print_, algorithm, _bits(reader) if algorithm in RSA else 0)


def _bits(reader: Reader) -> int:
    """The length of the number that comes next (RFC 9580, 3.2), counted, not believed."""
    claimed = int.from_bytes(reader.take(2), "big")
    return int.from_bytes(reader.take((claimed + 7) // 8), "big").bit_length()
