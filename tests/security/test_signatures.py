"""Signatures prove who signed what, or nothing: every way to cheat that we know of."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pygit2
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from apiops.errors import SourceError
from apiops.git import author, commitobject, repository, signature, signing, sshsig
from apiops.git.signing import PROOF, SigningKey, sign
from apiops.model import sshkey
from apiops.model.revision import Signature, SignatureStatus
from tests.hardware import KINDS, WEBSITE, hardware_key, touched
from tests.people import KEY_TYPES, GitStory, person, signing_key

AYSE, BORA = person("ayse"), person("bora")
S = SignatureStatus
PAYLOAD = b"tree 1\n\nSubject\n"


def armor(blob: bytes) -> str:
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join([sshsig.BEGIN, *lines, sshsig.END, ""])


def envelope(
    key: bytes, raw: bytes, *, namespace=b"git", hash=b"sha512", reserved=b"", version=1
) -> str:
    parts = (key, namespace, reserved, hash, raw)
    return armor(b"SSHSIG" + version.to_bytes(4, "big") + b"".join(map(sshsig.string, parts)))


def to_be_signed(payload=PAYLOAD, *, namespace=b"git", hash="sha512", reserved=b"") -> bytes:
    parts = (namespace, reserved, hash.encode(), hashlib.new(hash, payload).digest())
    return b"SSHSIG" + b"".join(map(sshsig.string, parts))


def status(armored: str, payload: bytes = PAYLOAD) -> SignatureStatus:
    found = sshsig.verify(payload, armored)
    assert (found.status is S.GOOD) == bool(found.key)
    assert found.detail or found.status is S.GOOD
    return found.status


# --- what is good


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_every_key_type_proves_its_holder(kind: str) -> None:
    key = signing_key("ayse", kind)
    assert Signature(S.GOOD, key.fingerprint) == sshsig.verify(PAYLOAD, sign(PAYLOAD, key))
    assert S.BAD == status(sign(PAYLOAD, key), PAYLOAD + b"!")


@pytest.mark.parametrize("hash", ["sha256", "sha512"])
def test_both_hashes_of_the_format_are_accepted(hash: str) -> None:
    raw = AYSE.key.raw_signature(to_be_signed(hash=hash))
    assert S.GOOD == status(envelope(AYSE.key.public.blob, raw, hash=hash.encode()))


def test_a_reserved_field_is_signed_along() -> None:
    raw = AYSE.key.raw_signature(to_be_signed(reserved=b"later"))
    assert S.GOOD == status(envelope(AYSE.key.public.blob, raw, reserved=b"later"))
    assert S.BAD == status(envelope(AYSE.key.public.blob, raw, reserved=b"other"))


# --- what is not


def test_a_signature_for_another_namespace_proves_nothing() -> None:
    assert S.WRONG_NAMESPACE == status(sign(PAYLOAD, AYSE.key, "file"))
    assert S.WRONG_NAMESPACE == status(sign(PAYLOAD, AYSE.key, PROOF))
    assert S.GOOD == sshsig.verify(PAYLOAD, sign(PAYLOAD, AYSE.key, PROOF), PROOF).status
    assert S.WRONG_NAMESPACE == sshsig.verify(PAYLOAD, sign(PAYLOAD, AYSE.key), PROOF).status


def test_a_relabelled_namespace_breaks_the_signature() -> None:
    raw = AYSE.key.raw_signature(to_be_signed(namespace=b"file"))
    assert S.BAD == status(envelope(AYSE.key.public.blob, raw))


def test_anothers_key_does_not_fit_the_signature() -> None:
    raw = AYSE.key.raw_signature(to_be_signed())
    assert S.BAD == status(envelope(BORA.key.public.blob, raw))


@pytest.mark.parametrize("hash", [b"sha1", b"md5", b"", b"SHA512"])
def test_hashes_other_than_sha2_are_weak(hash: bytes) -> None:
    raw = AYSE.key.raw_signature(to_be_signed())
    assert S.WEAK == status(envelope(AYSE.key.public.blob, raw, hash=hash))


def test_a_short_rsa_key_is_weak_even_when_it_fits() -> None:
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.public_key().public_numbers()
    blob = sshsig.string(b"ssh-rsa") + sshsig.mpint(numbers.e) + sshsig.mpint(numbers.n)
    assert S.WEAK == status(envelope(blob, b""))
    with pytest.raises(sshkey.WeakKey):
        SigningKey(private)


def test_an_rsa_signature_over_sha1_is_weak() -> None:
    key = signing_key("ayse", "rsa3072")
    raw = key.raw_signature(to_be_signed())
    relabelled = raw.replace(sshsig.string(b"rsa-sha2-512"), sshsig.string(b"ssh-rsa"))
    assert S.WEAK == status(envelope(key.public.blob, relabelled))


def test_an_rsa_signature_under_the_wrong_hash_is_bad() -> None:
    key = signing_key("ayse", "rsa3072")
    raw = key.raw_signature(to_be_signed())
    assert S.BAD == status(envelope(key.public.blob, raw.replace(b"sha2-512", b"sha2-256")))
    assert S.MALFORMED == status(envelope(key.public.blob, raw.replace(b"sha2-512", b"sha2-384")))


@pytest.mark.parametrize("bits", [20000])
def test_a_giant_rsa_key_is_refused_before_any_arithmetic(bits: int) -> None:
    giant = sshsig.string(b"ssh-rsa") + sshsig.mpint(65537) + sshsig.mpint((1 << bits) + 1)
    assert S.MALFORMED == status(envelope(giant, AYSE.key.raw_signature(to_be_signed())))
    exponent = sshsig.string(b"ssh-rsa") + sshsig.mpint(1 << 100) + sshsig.mpint((1 << 3072) + 1)
    assert S.MALFORMED == status(envelope(exponent, AYSE.key.raw_signature(to_be_signed())))


def test_dsa_keys_are_weak_and_unknown_types_and_certificates_unsupported() -> None:
    assert S.WEAK == status(envelope(sshsig.string(b"ssh-dss"), b""))
    for kind in (b"ssh-ed25519-cert-v01@openssh.com", b"ssh-future", b"\xff"):
        assert S.UNSUPPORTED == status(envelope(sshsig.string(kind), b""))


def test_a_later_version_of_the_format_is_unsupported() -> None:
    raw = AYSE.key.raw_signature(to_be_signed())
    assert S.UNSUPPORTED == status(envelope(AYSE.key.public.blob, raw, version=2))


def test_a_point_that_is_not_on_the_curve_is_malformed() -> None:
    blob = b"".join(map(sshsig.string, (b"ecdsa-sha2-nistp256", b"nistp256", b"\4" + b"\1" * 64)))
    raw = signing_key("ayse", "p256").raw_signature(to_be_signed())
    assert S.MALFORMED == status(envelope(blob, raw))


def test_a_curve_that_contradicts_the_key_type_is_malformed() -> None:
    key = signing_key("ayse", "p384").public
    blob = key.blob.replace(b"ecdsa-sha2-nistp384", b"ecdsa-sha2-nistp256")
    assert S.MALFORMED == status(envelope(blob, b""))


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_bytes_after_any_part_are_refused(kind: str) -> None:
    key = signing_key("ayse", kind)
    raw = key.raw_signature(to_be_signed())
    assert S.GOOD == status(envelope(key.public.blob, raw))
    assert S.MALFORMED == status(envelope(key.public.blob + b"\0", raw))
    assert S.MALFORMED == status(envelope(key.public.blob, raw + b"\0"))
    whole = base64.b64decode("".join(envelope(key.public.blob, raw).splitlines()[1:-1]))
    assert S.MALFORMED == status(armor(whole + b"\0"))
    assert S.MALFORMED == status(armor(whole[:-1]))


def test_ecdsa_numbers_have_one_spelling() -> None:
    key = signing_key("ayse", "p256")
    reader = sshkey.Reader(key.raw_signature(to_be_signed()))
    kind, inner = reader.string(), sshkey.Reader(reader.string())
    r, s = inner.mpint(), inner.mpint()
    padded = sshsig.string(b"\0\0" + r.to_bytes(32, "big")) + sshsig.mpint(s)
    for body in (padded, sshsig.string(b"") * 2, sshsig.string(b"\x80") + sshsig.mpint(s)):
        assert S.MALFORMED == status(
            envelope(key.public.blob, sshsig.string(kind) + sshsig.string(body))
        )


@pytest.mark.parametrize(
    "armored",
    [
        "",
        "x" * 70000,
        sshsig.BEGIN,
        f"{sshsig.BEGIN}\n{sshsig.END}\n",
        f"{sshsig.BEGIN}\n!!!!\n{sshsig.END}\n",
        f"{sshsig.BEGIN}\nQUJD\n{sshsig.END}\n",
        f"{sshsig.BEGIN}\nQUJ\n{sshsig.END}\n",
        f"{sshsig.BEGIN}\n\n{sshsig.END}\n",
        "﻿" + sign(PAYLOAD, AYSE.key),
        " " + sign(PAYLOAD, AYSE.key),
        sign(PAYLOAD, AYSE.key) + "\n",
        sign(PAYLOAD, AYSE.key) + "trailer",
        sign(PAYLOAD, AYSE.key).replace("\n", "\r\n"),
    ],
    ids=range(13),
)
def test_a_damaged_block_is_malformed(armored: str) -> None:
    assert S.MALFORMED == status(armored)


def test_two_blocks_are_several_even_when_both_are_good() -> None:
    assert S.SEVERAL == status(sign(PAYLOAD, AYSE.key) + sign(PAYLOAD, BORA.key))


# --- hardware keys: software that speaks their format


@pytest.mark.parametrize("kind", KINDS)
def test_a_hardware_key_that_was_touched_is_good(kind: str) -> None:
    key = hardware_key(kind)
    for flags in (1, 5):
        found = sshsig.verify(PAYLOAD, touched(PAYLOAD, key, flags=flags))
        assert Signature(S.GOOD, sshkey.read(key.public).fingerprint) == found


@pytest.mark.parametrize("kind", KINDS)
def test_a_hardware_key_that_nobody_touched_is_weak(kind: str) -> None:
    assert S.WEAK == status(touched(PAYLOAD, hardware_key(kind), flags=0))
    assert S.WEAK == status(touched(PAYLOAD, hardware_key(kind), flags=4))


@pytest.mark.parametrize("kind", KINDS)
def test_a_hardware_key_made_for_a_website_does_not_sign_commits(kind: str) -> None:
    assert S.BAD == status(touched(PAYLOAD, hardware_key(kind, application=WEBSITE)))


@pytest.mark.parametrize("kind", KINDS)
def test_flags_and_counter_of_a_hardware_key_are_signed_along(kind: str) -> None:
    key = hardware_key(kind)
    raw = key.raw(to_be_signed(), flags=0, counter=7)
    assert S.WEAK == status(envelope(key.public, raw))
    assert S.BAD == status(envelope(key.public, raw[:-5] + b"\1" + raw[-4:]))
    assert S.BAD == status(envelope(key.public, raw[:-1] + b"\x08"))


def test_a_point_of_small_order_is_weak_though_it_verifies_everything() -> None:
    """With the neutral element as key, one and the same signature fits every content."""
    neutral = b"\1" + b"\0" * 31
    ed25519.Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + b"\0" * 32, b"anything")
    for point in (neutral, b"\0" * 32, b"\xee" + b"\xff" * 30 + b"\x7f"):
        for high in (0, 0x80):
            weak = point[:-1] + bytes([point[-1] | high])
            blob = sshsig.string(b"ssh-ed25519") + sshsig.string(weak)
            raw = sshsig.string(b"ssh-ed25519") + sshsig.string(neutral + b"\0" * 32)
            assert S.WEAK == status(envelope(blob, raw))


# --- the commit around it


def raw_commit(story: GitStory, id: str) -> bytes:
    return pygit2.Repository(str(story.path)).odb.read(pygit2.Oid(hex=id))[1]


@pytest.fixture
def story(tmp_path: Path) -> GitStory:
    return GitStory(tmp_path / "repo")


@pytest.fixture
def signed(story: GitStory) -> bytes:
    """A signed commit's raw bytes."""
    return raw_commit(story, story.commit(AYSE, {"a": "1"}, "Subject\n\nBody"))


def of(raw: bytes) -> SignatureStatus:
    return signature.of_commit(commitobject.parse(raw)).status


def test_any_edit_of_a_signed_commit_is_bad(signed: bytes) -> None:
    assert S.GOOD == of(signed)
    for old, new in ((b"Subject", b"subject"), (b"Ayse", b"Bora"), (b"+0000\n", b"+0100\n")):
        assert S.BAD == of(signed.replace(old, new, 1))
    assert S.BAD == of(signed + b"\n")


def test_a_header_slipped_in_is_covered_by_the_signature(signed: bytes) -> None:
    assert S.BAD == of(signed.replace(b"\ngpgsig ", b"\nencoding latin-1\ngpgsig ", 1))


def test_two_signature_headers_are_several(signed: bytes) -> None:
    head, _, rest = signed.partition(b"\ngpgsig ")
    block = rest.partition(b"\n\n")[0]
    twice = head + b"\ngpgsig " + block + b"\ngpgsig " + rest
    assert S.SEVERAL == of(twice)


def test_a_sha256_signature_header_is_not_believed(signed: bytes) -> None:
    assert S.UNSUPPORTED == of(signed.replace(b"\ngpgsig ", b"\ngpgsig-sha256 ", 1))
    head, _, rest = signed.partition(b"\ngpgsig ")
    assert S.SEVERAL == of(head + b"\ngpgsig-sha256 x\ngpgsig " + rest)


def test_a_signature_in_the_message_is_no_signature(story: GitStory) -> None:
    message = "Subject\n\ngpgsig " + sign(PAYLOAD, AYSE.key).replace("\n", "\n ")
    made = story.commit(BORA, {"a": "1"}, message, signed=False)
    assert S.UNSIGNED == story.open().commit(made).signature.status


def test_a_signature_moved_to_another_commit_is_bad(story: GitStory, signed: bytes) -> None:
    other = raw_commit(story, story.commit(BORA, {"a": "2"}, "Other", signed=False))
    block = signed[signed.index(b"\ngpgsig ") : signed.index(b"\n\n")]
    assert S.BAD == of(other.replace(b"\n\n", block + b"\n\n", 1))


def sealed(payload: bytes) -> bytes:
    """The payload as a commit with a genuine signature of Ayse over it."""
    block = sign(payload, AYSE.key).rstrip("\n").replace("\n", "\n ").encode()
    return payload.replace(b"\n\n", b"\ngpgsig " + block + b"\n\n", 1)


WHO = b"A <a@b> 1 +0000"
TREE = b"tree " + b"1" * 40


@pytest.mark.parametrize(
    "payload",
    [
        TREE + b"\n" + TREE + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\nTwo trees\n",
        TREE
        + b"\nauthor "
        + WHO
        + b"\nauthor "
        + WHO
        + b"\ncommitter "
        + WHO
        + b"\n\nTwo authors\n",
        TREE + b"\ncommitter " + WHO + b"\nauthor " + WHO + b"\n\nWrong order\n",
        b"x y\n" + TREE + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\nForeign first\n",
        TREE + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\nZero\0 byte\n",
        TREE + b"\nauthor A\0 <a@b> 1 +0000\ncommitter " + WHO + b"\n\nZero byte\n",
        TREE
        + b"\nauthor "
        + WHO
        + b"\nparent "
        + b"2" * 40
        + b"\ncommitter "
        + WHO
        + b"\n\nLate\n",
    ],
)
def test_a_genuine_signature_on_an_odd_commit_is_malformed(payload: bytes) -> None:
    assert S.MALFORMED == of(sealed(payload))


def test_a_genuine_signature_on_a_sane_commit_is_good() -> None:
    payload = TREE + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\nx-odd y\n\nFine\n"
    assert S.GOOD == of(sealed(payload))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        TREE,
        TREE + b"\nauthor " + WHO + b"\n\n",
        b"tree zz\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\n",
        TREE + b"\nparent -\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\n",
        b" " + TREE,
    ],
)
def test_what_is_no_commit_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="the commit"):
        commitobject.parse(raw)


@pytest.mark.parametrize(
    "when", [b"999999999999999999", b"99999999999999999999999", b"-5", b"", b"x"]
)
def test_no_claimed_time_can_crash_the_reader(when: bytes) -> None:
    who = b"A <a@b> " + when + b" +0000"
    commit = commitobject.parse(TREE + b"\nauthor " + who + b"\ncommitter " + who + b"\n\nHi\n")
    assert 1970 <= commit.at.year <= 9999


@pytest.mark.parametrize(
    ("begin", "word"),
    [
        ("-----BEGIN PGP MESSAGE-----", "OpenPGP"),
        ("-----BEGIN SIGNED MESSAGE-----", "X.509"),
    ],
)
def test_other_schemes_are_unsupported_and_say_what_to_do(begin: str, word: str) -> None:
    found = signature.of_payload(PAYLOAD, f"{begin}\n\nAAAA\n")
    assert S.UNSUPPORTED == found.status
    assert word in found.detail
    assert "SSH key" in found.detail


def test_a_merge_that_holds_a_signed_tag_is_judged_by_its_own_signature() -> None:
    inner = sign(b"tag", BORA.key).rstrip("\n").replace("\n", "\n ").encode()
    tag = b"mergetag object " + b"2" * 40 + b"\n type commit\n \n gpgsig x\n " + inner
    payload = TREE + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\n" + tag + b"\n\nMerge tag\n"
    found = signature.of_commit(commitobject.parse(sealed(payload)))
    assert Signature(S.GOOD, AYSE.fingerprint) == found


# --- keys


def test_a_key_survives_its_file_and_does_not_print_itself() -> None:
    for kind in KEY_TYPES:
        key = signing_key("ayse", kind)
        again = SigningKey.load(key.private_bytes())
        assert key.public_line("ayse@bank") == again.public_line("ayse@bank")
        secret = key.private_bytes().decode().splitlines()[1]
        assert secret not in repr(key)
        assert key.fingerprint in repr(key)
    assert "PRIVATE" not in repr(AYSE)


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN OPENSSH PRIVATE KEY-----\n"])
def test_what_is_no_private_key_is_refused_without_showing_it(content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        SigningKey.load(content)
    assert caught.value.code == "AO816"
    assert not content or content.decode() not in caught.value.message


def test_a_private_key_that_is_too_weak_is_refused() -> None:
    private = rsa.generate_private_key(65537, 2048)
    content = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with pytest.raises(SourceError, match="3072 bits") as caught:
        SigningKey.load(content)
    assert caught.value.code == "AO816"


def test_an_algorithm_that_is_not_the_keys_is_malformed() -> None:
    raw = AYSE.key.raw_signature(to_be_signed())
    for kind in ("p256", "rsa3072"):
        assert status(envelope(signing_key("ayse", kind).public.blob, raw)) is S.MALFORMED


# --- oracles


needs_openssh = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("ssh-keygen")),
    reason="the oracles git and ssh-keygen are not on this machine",
)


def run(path: Path, *command: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=path, check=False, capture_output=True, input=data)


@needs_openssh
@pytest.mark.parametrize("kind", KEY_TYPES)
def test_git_and_ssh_keygen_agree_with_us(tmp_path: Path, kind: str) -> None:
    who = person("oracle", kind)
    (tmp_path / "allowed").write_text(f"{who.email} {who.public_line}\n")
    (tmp_path / "key").write_bytes(who.key.private_bytes())
    (tmp_path / "key").chmod(0o600)

    # they verify what we sign
    story = GitStory(tmp_path / "repo")
    story.commit(who, {"a": "1"}, "Ours")
    options = ("-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'allowed'}", "-c", "gpg.format=ssh")
    assert run(story.path, "git", *options, "verify-commit", "HEAD").returncode == 0
    (tmp_path / "sig").write_text(sign(PAYLOAD, who.key, PROOF))
    verify = (
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        who.email,
        "-n",
        PROOF,
        "-s",
        "sig",
    )
    assert run(tmp_path, *verify, data=PAYLOAD).returncode == 0
    assert run(tmp_path, *verify, data=PAYLOAD + b"!").returncode != 0

    # and we verify what they sign
    assert run(
        story.path, "git", *options, "-c", f"user.signingKey={tmp_path / 'key'}", "-c", "user.name=O",
        "-c", "user.email=o@x", "commit", "-S", "--allow-empty", "-qm", "Theirs",
    ).returncode == 0  # fmt: skip
    repo = repository.open(story.path)
    theirs = repo.commit(repo.resolve("HEAD").commit)
    assert ("Theirs", Signature(S.GOOD, who.fingerprint)) == (theirs.subject, theirs.signature)
    made = run(tmp_path, "ssh-keygen", "-Y", "sign", "-f", "key", "-n", PROOF, data=PAYLOAD)
    assert S.GOOD == sshsig.verify(PAYLOAD, made.stdout.decode(), PROOF).status
    listed = run(tmp_path, "ssh-keygen", "-l", "-f", "key").stdout.decode()
    assert who.fingerprint == listed.split()[1] == sshkey.fingerprint(who.public_line)


@needs_openssh
@pytest.mark.parametrize("kind", KINDS)
def test_ssh_keygen_agrees_with_us_on_hardware_keys(tmp_path: Path, kind: str) -> None:
    key = hardware_key(kind)
    line = f"{key.type.decode()} {base64.b64encode(key.public).decode()}"
    (tmp_path / "allowed").write_text(f"ayse@bank.example {line}\n")
    check = ("ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "ayse@bank.example", "-n", "git")
    armored = touched(PAYLOAD, key)
    (tmp_path / "sig").write_text(armored)
    assert run(tmp_path, *check, "-s", "sig", data=PAYLOAD).returncode == 0
    assert run(tmp_path, *check, "-s", "sig", data=PAYLOAD + b"!").returncode != 0
    assert S.GOOD == status(armored)


def test_a_proof_and_a_commit_signature_never_pass_for_each_other(story: GitStory) -> None:
    payload = TREE + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\nConsole\n"
    block = signing.sign(payload, AYSE.key, PROOF).rstrip("\n").replace("\n", "\n ").encode()
    raw = payload.replace(b"\n\n", b"\ngpgsig " + block + b"\n\n", 1)
    made = author.write_commit(story.path, raw)
    assert S.WRONG_NAMESPACE == of(raw)
    assert made == hashlib.sha1(b"commit %d\0" % len(raw) + raw).hexdigest()
