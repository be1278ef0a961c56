"""Whatever bytes a stranger sends, verifying answers and never believes what was altered."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiops.git import commitobject, signature, sshsig
from apiops.git.signing import SigningKey, sign
from apiops.model import sshkey
from apiops.model.revision import Signature, SignatureStatus
from tests.people import KEY_TYPES, person, signing_key

AYSE = person("ayse")
PAYLOAD = b"tree " + b"1" * 40 + b"\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nSubject\n"
GOOD = SignatureStatus.GOOD


def blob_of(armored: str) -> bytes:
    return base64.b64decode("".join(armored.splitlines()[1:-1]))


def armor(blob: bytes) -> str:
    return "\n".join([sshsig.BEGIN, base64.b64encode(blob).decode(), sshsig.END, ""])


BLOBS = {kind: blob_of(sign(PAYLOAD, signing_key("ayse", kind))) for kind in KEY_TYPES}


@given(payload=st.binary(max_size=2000), kind=st.sampled_from(KEY_TYPES), name=st.text(max_size=20))
def test_what_was_signed_verifies_in_its_namespace_alone(
    payload: bytes, kind: str, name: str
) -> None:
    key = signing_key("ayse", kind)
    armored = sign(payload, key, f"x{name}")
    assert Signature(GOOD, key.fingerprint) == sshsig.verify(payload, armored, f"x{name}")
    assert sshsig.verify(payload, armored).status is SignatureStatus.WRONG_NAMESPACE


@given(st.data(), st.sampled_from(KEY_TYPES))
@settings(max_examples=300)
def test_no_altered_byte_is_believed(data: st.DataObject, kind: str) -> None:
    blob = bytearray(BLOBS[kind])
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    assert sshsig.verify(PAYLOAD, armor(bytes(blob))).status is not GOOD


@given(st.data(), st.sampled_from(KEY_TYPES))
def test_no_cut_or_grown_signature_is_believed(data: st.DataObject, kind: str) -> None:
    blob = BLOBS[kind]
    start = data.draw(st.integers(0, len(blob)))
    end = data.draw(st.integers(start, len(blob)))
    middle = data.draw(st.binary(max_size=8))
    changed = blob[:start] + middle + blob[end:]
    believed = sshsig.verify(PAYLOAD, armor(changed)).status is GOOD
    assert believed == (changed == blob)


@given(st.text(max_size=300) | st.binary(max_size=300).map(armor))
def test_no_text_crashes_the_verifier_or_passes(armored: str) -> None:
    assert sshsig.verify(PAYLOAD, armored).status is not GOOD
    assert signature.of_payload(PAYLOAD, armored).status is not GOOD


strings = st.binary(max_size=80).map(sshsig.string)
envelopes = st.builds(
    lambda key, tail: armor(b"SSHSIG\0\0\0\1" + sshsig.string(key) + tail),
    st.one_of(
        st.builds(
            lambda kind, parts: sshsig.string(kind.encode()) + b"".join(parts),
            st.sampled_from([*sshkey.CURVES, *sshkey.ED25519, sshkey.RSA]),
            st.lists(strings, max_size=4),
        ),
        st.sampled_from([signing_key("ayse", kind).public.blob for kind in KEY_TYPES]),
    ),
    st.builds(
        lambda digest, raw: b"".join(map(sshsig.string, (b"git", b"", digest, raw))),
        st.sampled_from([b"sha256", b"sha512", b"sha1"]),
        st.lists(strings, max_size=3).map(b"".join),
    ),
)


@given(envelopes)
@settings(max_examples=300)
def test_no_well_shaped_stranger_crashes_the_verifier_or_passes(armored: str) -> None:
    assert sshsig.verify(PAYLOAD, armored).status is not GOOD


@given(st.data())
@settings(max_examples=300)
def test_no_altered_commit_is_believed(data: st.DataObject) -> None:
    block = sign(PAYLOAD, AYSE.key).rstrip("\n").replace("\n", "\n ").encode()
    raw = bytearray(PAYLOAD.replace(b"\n\n", b"\ngpgsig " + block + b"\n\n", 1))
    assert signature.of_commit(commitobject.parse(bytes(raw))).status is GOOD
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(min_size=1, max_size=3))
    try:
        commit = commitobject.parse(bytes(raw))
    except ValueError:
        return
    if signature.of_commit(commit).status is GOOD:
        assert commit.payload == PAYLOAD, "a good signature covers exactly what was signed"


@given(st.binary(max_size=500))
def test_no_bytes_crash_the_commit_reader(raw: bytes) -> None:
    head = b"tree " + b"1" * 40 + b"\nauthor x\ncommitter y\n"
    try:
        commit = commitobject.parse(head + raw)
    except ValueError:
        return
    assert signature.of_commit(commit).status is not GOOD


header_lines = st.sampled_from(
    [
        b"author A <a@b> 5 +0000",
        b"committer B 6 -0100",
        b"committer C 7 +0000",
        b"committer",
        b"parent " + b"2" * 40,
        b"parent x",
        b"parent",
        b" parent y",
        b"tree " + b"3" * 40,
        b"encoding x",
        b"",
    ]
)


@given(st.lists(header_lines | st.binary(max_size=12), max_size=8))
@settings(max_examples=1000)
def test_the_quick_reader_of_links_agrees_with_the_strict_one(lines: list[bytes]) -> None:
    raw = b"\n".join([b"tree " + b"1" * 40, *lines])
    try:
        strict = commitobject.parse(raw)
    except ValueError:
        with pytest.raises(ValueError, match="the commit"):
            commitobject.links(raw)
    else:
        assert (strict.parents, strict.seconds) == commitobject.links(raw)


@given(st.text(max_size=300))
def test_a_line_that_is_no_key_is_refused_with_a_reason(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        sshkey.fingerprint(line)


@given(st.binary(min_size=31, max_size=31).map(b"\2".__add__), st.text("abc @.", max_size=20))
def test_every_ed25519_line_keeps_its_fingerprint_whatever_the_comment(
    seed: bytes, comment: str
) -> None:
    blob = sshsig.string(b"ssh-ed25519") + sshsig.string(seed)
    line = f"ssh-ed25519 {base64.b64encode(blob).decode()} {comment}\n"
    assert sshkey.read(blob).fingerprint == sshkey.fingerprint(line)


@given(st.integers(1, 1 << 600))
def test_numbers_survive_the_wire(number: int) -> None:
    reader = sshkey.Reader(sshsig.mpint(number))
    assert number == reader.mpint()
    reader.end()


def test_generated_keys_differ() -> None:
    assert SigningKey.generate().fingerprint != SigningKey.generate().fingerprint
