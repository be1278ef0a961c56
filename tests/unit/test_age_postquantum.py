"""Files for post-quantum recipients: opened and written, whole or not at all."""

import base64

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiops.age import bech32, editing, holders, identities, postquantum, writing
from apiops.age.identities import Identities
from apiops.errors import SecretError
from tests.sops import ALICE, KEYS, fixture, published, to

LINE = next(
    line for line in (KEYS / "flux-age-pq.txt").read_text().splitlines() if not line.startswith("#")
)
QUANTUM = postquantum.identity(LINE)
OTHER = postquantum.identity(bech32.encode("age-secret-key-pq-", bytes(range(32))).upper())
HELD = published("flux-age-pq.txt")


def raw(content: bytes, recipient: str = QUANTUM.public) -> bytes:
    """A sealed file without its armor."""
    lines = postquantum.seal(content, recipient).splitlines()
    return base64.b64decode("".join(lines[1:-1]))


def test_a_file_that_the_real_sops_wrote_opens():
    plain = editing.decrypt("pq.yaml", fixture("flux/age-pq.yaml"), HELD)
    assert b"  key: value\n" in plain


def test_the_recipient_of_an_identity_is_the_one_that_the_file_names():
    ((recipient,),) = holders.read("pq.yaml", fixture("flux/age-pq.yaml")).groups
    assert recipient == QUANTUM.public == HELD.keys[0].public


@pytest.mark.parametrize("size", [0, 1, 16, 65_535, 65_536, 65_537, 200_000])
def test_content_of_any_size_comes_back(size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert content == postquantum.open_file(raw(content), [OTHER, QUANTUM])


def test_only_the_recipient_opens_a_file():
    assert postquantum.open_file(raw(b"secret"), [OTHER]) is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_that_was_changed_anywhere_does_not_open(data):
    sealed = raw(b"secret" * 20)
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    assert postquantum.open_file(bytes(changed), [QUANTUM]) is None


@pytest.mark.parametrize("cut", [1, 16, 17, 40])
def test_a_file_that_was_cut_does_not_open(cut):
    assert postquantum.open_file(raw(b"secret")[:-cut], [QUANTUM]) is None


def test_pieces_cannot_be_left_out_or_change_places():
    sealed = raw(bytes(1 << 17))
    end = sealed.index(b"\n--- ") + 5
    start = sealed.index(b"\n", end) + 1 + 16
    size = (64 << 10) + 16
    first, second = sealed[start : start + size], sealed[start + size :]
    for payload in (first, second, second + first, first + first + second):
        assert postquantum.open_file(sealed[:start] + payload, [QUANTUM]) is None


@pytest.mark.parametrize(
    "content", [b"", b"age-encryption.org/v1\n", b"age-encryption.org/v1\n--- \n", b"\xff" * 50,
                b"-----BEGIN AGE ENCRYPTED FILE-----\n!\n", b"age-encryption.org/v2\n---\n"]
)  # fmt: skip
def test_what_is_no_age_file_does_not_open(content):
    assert postquantum.open_file(content, [QUANTUM]) is None


@given(st.binary(max_size=300), st.booleans())
def test_nothing_that_is_read_ends_in_anything_but_no(content, header):
    start = b"age-encryption.org/v1\n-> mlkem768x25519 " if header else b""
    assert postquantum.open_file(start + content, [QUANTUM]) is None


def test_a_file_for_an_ordinary_and_a_post_quantum_recipient_opens_with_either():
    both = to(ALICE.recipient, QUANTUM.public)
    sealed = writing.encrypt("c.yaml", b"a: b\n", both).content
    for held in (ALICE.identities, HELD):
        assert b"a: b\n" == editing.decrypt("c.yaml", sealed, held)
    rotated = holders.rotate("c.yaml", sealed, HELD).content
    assert b"a: b\n" == editing.decrypt("c.yaml", rotated, ALICE.identities)


def test_a_file_for_others_names_its_post_quantum_recipient_in_short():
    with pytest.raises(SecretError) as refused:
        editing.decrypt("pq.yaml", fixture("flux/age-pq.yaml"), ALICE.identities)
    assert "AO402" == refused.value.code
    assert f"{QUANTUM.public[:24]}…" in refused.value.message
    assert QUANTUM.public not in refused.value.message


@pytest.mark.parametrize(
    "word", [LINE[:-1], LINE[:-1] + "Q", LINE[:30] + LINE[30:].lower(), "AGE-SECRET-KEY-PQ-1ABC"]
)
def test_a_bad_identity_is_refused_by_its_line_and_never_shown(word):
    with pytest.raises(SecretError) as refused:
        identities.read_keys(f"# a key\n{word}\n".encode(), "keys.txt")
    assert "AO403" == refused.value.code
    assert "line 2 of keys.txt" in refused.value.message
    assert word not in str(refused.value)


def test_bech32_agrees_with_the_age_library():
    key = pyrage.x25519.Identity.generate()
    for text in (str(key), str(key.to_public())):
        prefix, content = bech32.decode(text)
        assert 32 == len(content)
        assert text.lower() == bech32.encode(prefix, content)


@given(
    st.binary(max_size=80), st.integers(0, 200), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
)
def test_a_wrong_letter_is_noticed(content, place, letter):
    text = bech32.encode("age", content)
    place = 4 + place % (len(text) - 4)
    if letter != text[place]:
        with pytest.raises(ValueError, match="checksum"):
            bech32.decode(text[:place] + letter + text[place + 1 :])


def test_an_identity_is_not_shown():
    held = Identities((HELD.keys[0],), ("here",))
    assert LINE not in repr(held) + repr(QUANTUM)
