"""One sops value: its type, its byte form, and the `ENC[…]` token that hides it.

A value is kept as a kind and the bytes that sops encrypts and feeds to the MAC; nothing else of
it matters to the format. Format: sops `aes/cipher.go` and `sops.go` (`ToBytes`), version 3.11.
"""

import base64
import binascii
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_IV_BYTES: Final = 32
_TAG_BYTES: Final = 16
_PREFIX: Final = "ENC[AES256_GCM,"
_BASE64: Final = r"[A-Za-z0-9+/]*={0,2}"
_TOKEN: Final = re.compile(
    rf"ENC\[AES256_GCM,data:({_BASE64}),iv:({_BASE64}),tag:({_BASE64}),type:([a-z]+)\]"
)
_BOOLS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), b"True"),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), b"False"),
}


class Kind(StrEnum):
    """The type a token names."""

    STR = "str"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    BYTES = "bytes"
    TIME = "time"
    COMMENT = "comment"


_KINDS: Final = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A typed value in the byte form that sops encrypts and hashes; never printed."""

    kind: Kind
    data: bytes = field(repr=False)


class TokenFault(Exception):
    """A token that cannot be opened; says why without showing any of it."""


def text(value: str) -> Scalar:
    """A string value."""
    return Scalar(Kind.STR, value.encode())


def floating(number: float) -> Scalar:
    """A float in Go's `FormatFloat(v, 'f', -1, 64)`: shortest digits, never an exponent."""
    if math.isnan(number):
        return Scalar(Kind.FLOAT, b"NaN")
    if math.isinf(number):
        return Scalar(Kind.FLOAT, b"+Inf" if number > 0 else b"-Inf")
    digits = format(Decimal(repr(number)), "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return Scalar(Kind.FLOAT, digits.encode())


def is_token(value: str) -> bool:
    """Whether a text claims to be an encrypted value."""
    return value.startswith(_PREFIX)


def is_comment(value: str) -> bool:
    """Whether a text is a token that hides a comment."""
    return value.startswith(_PREFIX) and value.endswith(f",type:{Kind.COMMENT}]")


def associated(path: Sequence[str]) -> bytes:
    """The data a token is bound to: the keys from the root, each followed by a colon."""
    return (":".join(path) + ":").encode()


def seal(value: Scalar, key: bytes, bound: bytes) -> str:
    """The token for a value (AES-256-GCM with a fresh 32-byte IV), bound to `bound`."""
    iv = os.urandom(_IV_BYTES)
    sealed = AESGCM(key).encrypt(iv, value.data, bound)
    data, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
    return f"{_PREFIX}data:{_b64(data)},iv:{_b64(iv)},tag:{_b64(tag)},type:{value.kind}]"


def unseal(token: str, key: bytes, bound: bytes) -> Scalar:
    """The value inside a token.

    Raises TokenFault for a malformed token, an unknown type, a value that is not of its type,
    and for one that does not verify: changed, under another key, or moved from another place.
    """
    matched = _TOKEN.fullmatch(token)
    if matched is None:
        raise TokenFault("it is not of the form ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]")
    data, iv, tag = (_unb64(part) for part in matched.group(1, 2, 3))
    if data is None or iv is None or tag is None:
        raise TokenFault("its base64 is damaged")
    if len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
        raise TokenFault("its IV is not 32 bytes or its tag is not 16 bytes")
    if matched[4] not in _KINDS:
        raise TokenFault(f"its type is {matched[4]!r}, which apiops does not know")
    try:
        plain = AESGCM(key).decrypt(iv, data + tag, bound)
    except InvalidTag:
        plain = None
    if plain is None:
        raise TokenFault("it does not verify: it was changed, or moved here from another field")
    return _typed(Kind(matched[4]), plain)


def _typed(kind: Kind, plain: bytes) -> Scalar:
    """The decrypted bytes as sops reads them back: parsed by type, then in canonical form."""
    canonical: bytes | None = plain
    if kind is Kind.INT:
        canonical = str(int(plain)).encode() if re.fullmatch(rb"[+-]?[0-9]{1,19}", plain) else None
    elif kind is Kind.BOOL:
        canonical = _BOOLS.get(plain.decode("latin-1"))
    elif kind is Kind.FLOAT:
        canonical = _float_bytes(plain)
    if canonical is None:
        raise TokenFault(f"its content is not of its type, {kind}")
    return Scalar(kind, canonical)


def _float_bytes(plain: bytes) -> bytes | None:
    if plain in {b"+Inf", b"-Inf", b"NaN"}:
        return plain
    if not re.fullmatch(rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", plain):
        return None
    return floating(float(plain)).data


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return None
