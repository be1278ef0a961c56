"""Mutations that keep the shape of SSH's wire format: what lies inside of right lengths is hit.

Plain mutations nearly always break a length first, and never reach what stands behind it.
"""

import random
from collections.abc import Callable

from apiops.git import sshsig
from apiops.model import sshkey

PREFIX = len(b"SSHSIG") + 4

Mutate = Callable[[bytes], bytes]


def strings(data: bytes) -> list[bytes] | None:
    """The strings that `data` is made of, without a rest; None if it is not."""
    reader, found = sshkey.Reader(data), []
    while sum(len(one) + 4 for one in found) < len(data):
        try:
            found.append(reader.string())
        except ValueError:
            return None
    return found


def inside(data: bytes, chance: random.Random, mutate: Mutate) -> bytes:
    """`data` with one of its strings mutated, left out or doubled, at whatever depth."""
    parts = strings(data)
    if not parts or chance.random() < 0.2:
        return mutate(data)
    at, way = chance.randrange(len(parts)), chance.random()
    if way < 0.05:
        del parts[at]
    elif way < 0.1:
        parts.insert(at, parts[at])
    else:
        parts[at] = inside(parts[at], chance, mutate)
    return b"".join(map(sshsig.string, parts))


def envelope(blob: bytes, chance: random.Random, mutate: Mutate) -> bytes:
    """The same of an SSH signature, whose magic and version mostly stay."""
    if chance.random() < 0.1:
        return mutate(blob)
    return blob[:PREFIX] + inside(blob[PREFIX:], chance, mutate)


def anywhere(data: bytes, chance: random.Random, mutate: Mutate) -> bytes:
    """Bytes without a shape that we know."""
    return mutate(data)
