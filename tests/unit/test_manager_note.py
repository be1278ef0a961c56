"""Checkpoints as signed notes: the format of C2SP, and what must not pass for one."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from apiops.errors import UsageError
from apiops.manager import merkle, note
from apiops.manager.note import Checkpoint, VerifierKey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
NAME = "apiops.audit/m1"
VERIFIER = VerifierKey(NAME, KEY.public_key().public_bytes_raw())
AT = Checkpoint(NAME, 57, merkle.leaf(b"root"))
SIGNED = note.sign(AT, NAME, KEY)

KNOWN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
KNOWN_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
"""The example that the format's first implementation carries."""


def test_the_known_note_is_signed_by_the_known_key():
    key = note.parse_key(KNOWN_KEY)
    assert KNOWN_KEY == str(key)
    assert key == note.signed_by(KNOWN_NOTE, [VERIFIER, key])


def test_a_checkpoint_is_read_back_as_it_was_signed():
    found = note.parse(SIGNED)
    assert (AT.origin, AT.size, AT.root) == (found.origin, found.size, found.root)
    assert VERIFIER == note.signed_by(SIGNED, [VERIFIER])
    assert VERIFIER == note.parse_key(str(VERIFIER))


def test_signatures_of_strangers_are_passed_over():
    cosigned = SIGNED + SIGNED.rpartition("\n\n")[2].replace(NAME, "witness.example/w1")
    assert VERIFIER == note.signed_by(cosigned, [VERIFIER])
    assert note.signed_by(note.sign(AT, NAME, OTHER), [VERIFIER]) is None
    assert note.signed_by(SIGNED, []) is None


def test_a_false_signature_in_the_name_of_a_known_key_is_refused():
    changed = SIGNED.replace("\n57\n", "\n56\n")
    with pytest.raises(UsageError, match="genuine") as refusal:
        note.signed_by(changed, [VERIFIER])
    assert "AO771" == refusal.value.code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "hello",
        SIGNED[:-1],
        SIGNED.replace("\n57\n", "\n057\n"),
        SIGNED.replace("\n57\n", "\n-1\n"),
        SIGNED.replace("\n57\n", "\n\n"),
        SIGNED.replace("— ", "- "),
        SIGNED.replace("\n57\n", "\n57\r\n"),
        SIGNED.replace("apiops.audit/m1\n57", "57"),
        f"{NAME}\n57\nAAAA\n\n" + SIGNED.rpartition("\n\n")[2],
        f"{NAME}\n57\n{'A' * note.MAX_BYTES}\n\n" + SIGNED.rpartition("\n\n")[2],
        f"{NAME}\n\n— {NAME} AAAA\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(UsageError) as refusal:
        note.parse(text)
    assert "AO771" == refusal.value.code


@pytest.mark.parametrize(
    "line",
    ["", "x", "a+b+c", KNOWN_KEY.replace("c74f", "c74e"), KNOWN_KEY.replace("+AR", "+AQ"),
     KNOWN_KEY[:-4], "two words+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
)  # fmt: skip
def test_what_is_no_key_is_refused(line):
    with pytest.raises(UsageError) as refusal:
        note.parse_key(line)
    assert "AO770" == refusal.value.code


@given(st.data())
def test_no_changed_character_of_the_signed_part_passes(data):
    end = SIGNED.index("\n\n")
    index = data.draw(st.integers(0, end))
    character = data.draw(st.characters(codec="utf-8"))
    changed = SIGNED[:index] + character + SIGNED[index + 1 :]
    if changed == SIGNED:
        return
    try:
        found = note.signed_by(changed, [VERIFIER])
    except UsageError:
        found = None
    assert found is None


@pytest.mark.parametrize(
    "read", [note.parse, note.parse_key, lambda text: note.signed_by(text, [VERIFIER])]
)
@given(text=st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "replace")))
def test_no_text_does_worse_than_to_be_refused(read, text):
    with pytest.raises(UsageError) as refusal:
        read(text)
    assert refusal.value.hint
