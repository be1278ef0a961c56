"""The Merkle tree: published vectors, another library's roots, and proofs for every size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiops.manager import merkle

VECTOR = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                 "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
"""The eight leaves that Certificate Transparency's own tests use, and the roots over the first n."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count):
    return [merkle.leaf(bytes([number])) for number in range(count)]


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_certificate_transparency(count):
    growing = merkle.Growing()
    for data in VECTOR[:count]:
        growing.add(data)
    assert ROOTS[count - 1] == growing.root().hex()
    assert ROOTS[count - 1] == merkle.root([merkle.leaf(data) for data in VECTOR[:count]]).hex()


def test_a_tree_without_leaves_has_the_hash_of_nothing():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert empty == merkle.root([]).hex() == merkle.Growing().root().hex()


def recursive(hashes):
    """The definition of RFC 6962, word by word."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return merkle.node(recursive(hashes[:split]), recursive(hashes[split:]))


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70))
def test_the_root_is_what_the_definition_says(data):
    hashes = [merkle.leaf(one) for one in data]
    growing = merkle.Growing()
    for one in data:
        growing.add(one)
    assert recursive(hashes) == merkle.root(hashes) == growing.root()


def test_every_leaf_is_proven_in_every_tree_and_in_no_other_place():
    for count in range(1, 34):
        hashes = leaves(count)
        root = merkle.root(hashes)
        for index in range(count):
            proof = merkle.inclusion(hashes, index)
            assert root == merkle.included(hashes[index], index, count, proof)
            assert root != merkle.included(hashes[index], index ^ 1, count, proof) or count == 1
            assert root != merkle.included(merkle.leaf(b"x"), index, count, proof)
            if proof:
                assert root != merkle.included(hashes[index], index, count, proof[:-1])
            assert root != merkle.included(hashes[index], index, count, [*proof, root])


def test_every_tree_is_proven_to_begin_as_every_smaller_one():
    for count in range(1, 34):
        hashes = leaves(count)
        root = merkle.root(hashes)
        for size in range(1, count + 1):
            old = merkle.root(hashes[:size])
            proof = merkle.consistency(hashes, size)
            assert merkle.consistent(size, old, count, root, proof)
            assert not merkle.consistent(size, merkle.leaf(b"x"), count, root, proof)
            assert not merkle.consistent(size, old, count, merkle.leaf(b"x"), proof)
            assert not merkle.consistent(size, old, count, root, [*proof, root])
            if proof:
                assert not merkle.consistent(size, old, count, root, proof[:-1])


@given(st.integers(2, 40), st.data())
def test_a_rewritten_past_is_never_consistent(count, data):
    size = data.draw(st.integers(1, count - 1))
    changed = data.draw(st.integers(0, size - 1))
    honest = leaves(count)
    forged = [*honest[:changed], merkle.leaf(b"forged"), *honest[changed + 1 :]]
    old, new = merkle.root(honest[:size]), merkle.root(forged)
    for proof in (merkle.consistency(forged, size), merkle.consistency(honest, size)):
        assert not merkle.consistent(size, old, count, new, proof)


def test_a_proof_for_an_impossible_place_proves_nothing():
    assert merkle.included(merkle.leaf(b""), 3, 3, []) is None
    assert merkle.included(merkle.leaf(b""), -1, 3, []) is None
    assert not merkle.consistent(5, merkle.EMPTY, 3, merkle.EMPTY, [])
    assert merkle.consistent(0, merkle.EMPTY, 3, merkle.root(leaves(3)), [])
