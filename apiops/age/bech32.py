"""Bech32 as age writes keys: letters with a checksum (BIP 173, without its limit of length)."""

from collections.abc import Iterable, Iterator
from typing import Final

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK: Final = 6


def decode(text: str) -> tuple[str, bytes]:
    """Prefix and content. Raises ValueError, which never repeats the text: it may be a key."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("mixes upper and lower case")
    prefix, mark, rest = text.lower().rpartition("1")
    if not mark or not prefix or len(rest) < _CHECK or not text.isascii():
        raise ValueError("is not Bech32")
    values = [_LETTERS.find(letter) for letter in rest]
    if -1 in values or _polymod((*_expanded(prefix), *values)) != 1:
        raise ValueError("has a wrong checksum")
    return prefix, bytes(_regrouped(values[:-_CHECK], 5, 8))


def encode(prefix: str, content: bytes) -> str:
    """The text, in lower case."""
    values = [*_regrouped(content, 8, 5, pad=True)]
    rest = _polymod((*_expanded(prefix), *values, *(0,) * _CHECK)) ^ 1
    check = [rest >> 5 * (_CHECK - 1 - place) & 31 for place in range(_CHECK)]
    return f"{prefix}1{''.join(_LETTERS[value] for value in (*values, *check))}"


def _polymod(values: Iterable[int]) -> int:
    rest = 1
    for value in values:
        top, rest = rest >> 25, (rest & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            rest ^= generator if top >> bit & 1 else 0
    return rest


def _expanded(prefix: str) -> Iterator[int]:
    yield from (ord(letter) >> 5 for letter in prefix)
    yield 0
    yield from (ord(letter) & 31 for letter in prefix)


def _regrouped(values: Iterable[int], size: int, into: int, *, pad: bool = False) -> Iterator[int]:
    """The same bits in groups of another size. Raises ValueError for bits that are left over."""
    held, bits = 0, 0
    for value in values:
        held, bits = (held << size | value) & 0xFFFF, bits + size
        while bits >= into:
            bits -= into
            yield held >> bits & (1 << into) - 1
    rest = held & (1 << bits) - 1
    if pad and bits:
        yield rest << into - bits
    elif not pad and (bits >= size or rest):
        raise ValueError("has bits left over")
