"""OpenPGP: what a certificate must be to be registered, and what each bad signature is called."""

import base64
import contextlib
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import Tsk

from apiops.access import grants, identify
from apiops.git.openpgp import Certificates
from apiops.model import openpgp
from apiops.model.access import Trust
from apiops.model.resource import ResourceId
from apiops.model.revision import Proofs, Signature, SignatureStatus
from tests.openpgp import altered, certificate, detached, public, revoked, sign_over, twice
from tests.people import GitStory, person
from tests.permissions import NOW, user

PAYLOAD = b"tree 1\n\nmessage\n"
GNUPG = Path(__file__).parents[1] / "certificates"
ZOE = certificate("zoe")
S = SignatureStatus


def verified(armored: str, *known: str, payload: bytes = PAYLOAD, at: datetime | None = None) -> S:
    return Certificates(known or (public(ZOE),), at).verify(payload, armored).status


def test_a_certificate_is_named_as_gpg_names_it() -> None:
    expected = ZOE.extract_certificate().fingerprint.upper()
    assert f"PGP:{expected}" == openpgp.fingerprint(public(ZOE))


@pytest.mark.parametrize("suite", ["Cv25519", "P256", "P384", "P521", "RSA3k"])
def test_a_good_signature_is_the_certificates(suite: str) -> None:
    key = certificate("suite", suite)
    found = Certificates((public(key),)).verify(PAYLOAD, detached(key, PAYLOAD))
    assert (S.GOOD, openpgp.fingerprint(public(key))) == (found.status, found.key)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "one block"),
        (str(ZOE), "private key"),
        (public(ZOE) * 2, "one block"),
        (public(ZOE).replace("PUBLIC KEY BLOCK", "MESSAGE"), "one block"),
        (public(certificate("weak", "RSA2k")), "3072"),
        (f"{openpgp.BEGIN}\n\nAAAA\n{openpgp.END}", "no OpenPGP packets"),
        (f"{openpgp.BEGIN}\n\nAA=A\n{openpgp.END}", "base64"),
        (f"{openpgp.BEGIN}\n\n{'A' * openpgp.MAX_ARMOR}\n{openpgp.END}", "too long"),
    ],
)
def test_what_cannot_verify_cannot_be_registered(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        openpgp.parse(text)


@given(st.binary(max_size=200))
def test_whatever_stands_in_the_armor_is_read_or_refused(data: bytes) -> None:
    block = f"{openpgp.BEGIN}\n\n{base64.b64encode(data).decode()}\n{openpgp.END}"
    with contextlib.suppress(ValueError):
        assert openpgp.parse(block).keys


def test_each_failure_has_its_own_status() -> None:
    good = detached(ZOE, PAYLOAD)
    other = certificate("other")
    hash_byte, type_byte = 5, 3
    assert S.GOOD is verified(good)
    assert S.BAD is verified(good, payload=PAYLOAD + b" ")
    assert S.UNKNOWN_KEY is verified(good, public(other))
    assert S.REVOKED is verified(good, revoked(ZOE))
    assert S.SEVERAL is verified(good + good)
    assert S.SEVERAL is verified(twice(good))
    assert S.MALFORMED is verified(good.replace("\n\n", "\n\n!", 1))
    assert S.MALFORMED is verified(
        "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"
    )
    assert S.WEAK is verified(altered(good, hash_byte, 2))
    assert S.WRONG_NAMESPACE is verified(altered(good, type_byte, 1))


def test_a_certificate_that_has_expired_by_now_proves_nothing_whatever_the_signature_says() -> None:
    key = Tsk.generate("short <short@bank.example>", validity_seconds=3600)
    good = detached(key, PAYLOAD)
    now = datetime.now(UTC)
    assert S.GOOD is verified(good, public(key), at=now)
    assert S.EXPIRED is verified(good, public(key), at=now + timedelta(hours=2))


def test_a_signing_subkey_must_hold_now_whatever_the_signature_says() -> None:
    """Made by GnuPG 2.2: a subkey valid in January 2025, its signature of then, its revocation."""
    made = (GNUPG / "signature.asc").read_text()
    expired, taken_back = (
        (GNUPG / f"subkey-{name}.asc").read_text() for name in ("expired", "revoked")
    )
    then = datetime(2025, 1, 20, tzinfo=UTC)
    assert S.GOOD is verified(made, expired, at=then)
    assert S.EXPIRED is verified(made, expired)
    assert S.REVOKED is verified(made, taken_back, at=then)


def test_without_the_library_nothing_is_believed_and_the_hint_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pysequoia'] = None\n"
        "from apiops.git.openpgp import Certificates\n"
        "print(Certificates().verify(b'', sys.stdin.read()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=detached(ZOE, PAYLOAD),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "no-library" in done.stdout
    assert "apiops[openpgp]" in done.stdout


def test_a_repository_verifies_with_the_certificates_that_it_is_given(tmp_path) -> None:
    story = GitStory(tmp_path / "repo")
    made = sign_over(story.path, story.commit(person("mert"), {"a.yaml": "a: 1\n"}), ZOE)
    repository = story.open()
    assert S.UNKNOWN_KEY is repository.commit(made).signature.status
    known = repository.knowing(Proofs((public(ZOE),), datetime.now(UTC)))
    signature = known.commit(made).signature
    assert (S.GOOD, openpgp.fingerprint(public(ZOE))) == (signature.status, signature.key)
    assert S.UNKNOWN_KEY is repository.commit(made).signature.status


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (S.UNKNOWN_KEY, "AO502"),
        (S.EXPIRED, "AO505"),
        (S.REVOKED, "AO506"),
        (S.NO_LIBRARY, "AO512"),
    ],
)
def test_every_status_of_its_own_has_a_code(tmp_path, status: S, code: str) -> None:
    story = GitStory(tmp_path / "repo")
    commit = story.open().commit(story.commit(person("mert"), {"a.yaml": "a: 1\n"}))
    commit = replace(commit, signature=Signature(status, detail="why"))
    maker = identify.identify(commit, grants.build(()), Trust.SIGNED, NOW)
    assert maker.cause is not None
    assert (None, code) == (maker.principal, maker.cause.code)
    assert maker.cause.hint


def test_a_snapshot_knows_certificates_like_keys() -> None:
    zoe = user("zoe", keys=[{"openpgp": public(ZOE), "validUntil": "2027-01-01"}])
    held = grants.build([zoe])
    key = held.keys[openpgp.fingerprint(public(ZOE))]
    assert ("zoe", "2027-01-01") == (key.principal, key.valid_until)
    assert (public(ZOE),) == held.certificates
    assert public(ZOE) not in repr(held)


@pytest.mark.parametrize(
    "entries",
    [
        [{"openpgp": public(ZOE)}, {"openpgp": public(ZOE)}],
        [{"openpgp": public(ZOE), "key": person("zoe").public_line}],
        [{"openpgp": str(ZOE)}],
        [{}],
    ],
)
def test_a_key_in_doubt_is_no_key(entries) -> None:
    held = grants.build([user("zoe", keys=entries)])
    assert {} == dict(held.keys)
    assert held.faults


def test_the_digest_of_a_snapshot_moves_with_a_certificate() -> None:
    id = ResourceId("User", None, "zoe")
    one, other = (
        grants.build([(id, {"keys": [{"openpgp": text}]})]) for text in (public(ZOE), revoked(ZOE))
    )
    assert one.keys.keys() == other.keys.keys()
    assert one.digest != other.digest
