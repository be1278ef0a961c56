"""Shamir's secret sharing over GF(2^8), byte by byte, as sops uses it for key groups.

A share is the values y of each byte followed by its x as the last byte. Polynomial 0x11B.
Format: sops `shamir/shamir.go` (from HashiCorp Vault).
"""

import secrets
from collections.abc import Sequence
from functools import reduce
from operator import xor
from typing import Final

FEWEST: Final = 2
_MOST: Final = 255
_POLYNOMIAL: Final = 0x11B


def combine(shares: Sequence[bytes]) -> bytes:
    """The secret from at least `threshold` shares.

    Raises ValueError for fewer than two shares, unequal lengths or the same x twice. Too few
    shares for the threshold give a wrong secret: only the MAC behind it can tell.
    """
    lengths = {len(share) for share in shares}
    if len(shares) < FEWEST or len(lengths) != 1 or min(lengths) <= 1:
        raise ValueError("shares must be two or more, of one length")
    points = [share[-1] for share in shares]
    if len(set(points)) != len(points) or 0 in points:
        raise ValueError("shares must have different places, none of them zero")
    weights = [_weight(points, index) for index in range(len(points))]
    return bytes(
        reduce(xor, map(_multiply, column, weights))
        for column in zip(*(share[:-1] for share in shares), strict=True)
    )


def split(secret: bytes, parts: int, threshold: int) -> list[bytes]:
    """`parts` shares of which any `threshold` give the secret. Raises ValueError for nonsense."""
    if not FEWEST <= threshold <= parts <= _MOST:
        raise ValueError("a threshold is at least two and at most the number of shares")
    polynomials = [bytes([byte]) + secrets.token_bytes(threshold - 1) for byte in secret]
    return [
        bytes(_evaluate(polynomial, x) for polynomial in polynomials) + bytes([x])
        for x in range(1, parts + 1)
    ]


def _weight(points: Sequence[int], index: int) -> int:
    """The Lagrange coefficient at zero; subtraction is exclusive or."""
    weight = 1
    for other, x in enumerate(points):
        if other != index:
            weight = _multiply(weight, _multiply(x, _inverse(x ^ points[index])))
    return weight


def _evaluate(polynomial: bytes, x: int) -> int:
    total = 0
    for coefficient in reversed(polynomial):
        total = _multiply(total, x) ^ coefficient
    return total


def _multiply(left: int, right: int) -> int:
    """Product in the field, without branches on secret bits."""
    product = 0
    for bit in range(7, -1, -1):
        product = (product << 1) ^ (-(product >> 7) & _POLYNOMIAL)
        product ^= -((right >> bit) & 1) & left
    return product


def _inverse(number: int) -> int:
    """The number to the power of 254."""
    power = 1
    for _ in range(254):
        power = _multiply(power, number)
    return power
