"""The Merkle tree over the audit log: roots, inclusion and consistency proofs (RFC 6962, 2.1).

A leaf of the log is an entry's digest, 32 bytes, which covers all of its fields. Hashes of leaves
and of nodes begin with different bytes, so that no node can pass for a leaf.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

HASH_BYTES: Final = 32
EMPTY: Final = hashlib.sha256().digest()
"""The root of a tree without leaves."""


def leaf(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of a node."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Growing:
    """A tree that leaves are added to; it keeps one hash for each full subtree only."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Add a leaf at the end."""
        hash = leaf(data)
        size = self.size
        while size & 1:
            hash = node(self._peaks.pop(), hash)
            size >>= 1
        self._peaks.append(hash)
        self.size += 1

    def root(self) -> bytes:
        """The root of the leaves so far."""
        return _folded(self._peaks)


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves."""
    return _subtree(leaves, 0, len(leaves))


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree over `leaves`, from its sibling upwards."""
    proof: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_subtree(leaves, middle, high))
            high = middle
        else:
            proof.append(_subtree(leaves, low, middle))
            low = middle
    return proof[::-1]


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """The proof that the tree over `leaves` began as the tree over the first `size` of them."""
    proof: list[bytes] = []
    low, high, whole = 0, len(leaves), True
    if not 0 < size < high:
        return proof
    while size != high:
        middle = low + _split(high - low)
        if size <= middle:
            proof.append(_subtree(leaves, middle, high))
            high = middle
        else:
            proof.append(_subtree(leaves, low, middle))
            low, whole = middle, False
    if not whole:
        proof.append(_subtree(leaves, low, high))
    return proof[::-1]


def included(hash: bytes, index: int, size: int, proof: Iterable[bytes]) -> bytes | None:
    """The root that a proof of inclusion leads to; None if it cannot be one."""
    at, last = index, size - 1
    if not 0 <= index < size:
        return None
    for other in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            hash = node(other, hash)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hash = node(hash, other)
        at, last = at >> 1, last >> 1
    return hash if last == 0 else None


def consistent(
    size: int, root: bytes, later_size: int, later_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the later tree began as the earlier one."""
    if not 0 < size < later_size:
        same = size == later_size and root == later_root
        return not proof and (size == 0 or same)
    at, last = size - 1, later_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    rest = list(proof) if at else [root, *proof]
    if not rest:
        return False
    old = new = rest[0]
    for other in rest[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node(other, old), node(other, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, other)
        at, last = at >> 1, last >> 1
    return (old, new, last) == (root, later_root, 0)


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _subtree(leaves: Sequence[bytes], low: int, high: int) -> bytes:
    """The root over a part of the leaves, built from full subtrees without recursion."""
    peaks: list[bytes] = []
    for position in range(high - low):
        hash = leaves[low + position]
        size = position
        while size & 1:
            hash = node(peaks.pop(), hash)
            size >>= 1
        peaks.append(hash)
    return _folded(peaks)


def _folded(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY
    hash = peaks[-1]
    for left in reversed(peaks[:-1]):
        hash = node(left, hash)
    return hash
