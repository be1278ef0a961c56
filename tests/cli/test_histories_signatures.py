"""Every way to sign, on real repositories: what proves somebody, and the code of what does not."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pygit2.enums import ObjectType

from apiops.git import sshsig
from apiops.git.signing import sign
from apiops.model import sshkey
from tests.hardware import KINDS, hardware_key, touched
from tests.histories import ORDERS, SELIN, Tale, orders
from tests.people import KEY_TYPES, person
from tests.shop import AYSE, MERT

MERTS = MERT.key


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(tmp_path)


def made(tale: Tale, *headers: Callable[[bytes], str], name: bytes = b"gpgsig") -> str:
    """A commit on main that changes orders, with a signature header of each maker."""
    git = pygit2.Repository(str(tale.repository))
    bare = tale.commit(MERT, {ORDERS: orders(90)}, "Wait longer", signed=False)
    payload = git.odb.read(pygit2.Oid(hex=bare))[1]
    head, _, body = payload.partition(b"\n\n")
    for header in headers:
        block = header(payload).rstrip("\n").replace("\n", "\n ").encode()
        head += b"\n" + name + b" " + block
    commit = str(git.odb.write(ObjectType.COMMIT, head + b"\n\n" + body))
    tale.reset(commit)
    return commit


def registered(tale: Tale, key: str) -> None:
    """Selin gets a second key."""
    entry = f'{{key: "{key}"}}'
    text = f"metadata: {{name: selin}}\nspec:\n  email: {SELIN.email}\n  keys: [{entry}]\n"
    tale.commit(AYSE, {"system/selin.yaml": f"apiVersion: apiops/v1\nkind: User\n{text}"})
    tale.settle()


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_every_key_type_stands_for_its_owner(tale: Tale, kind: str) -> None:
    new = person("selin-new", kind)
    registered(tale, new.public_line)
    tale.commit(new, {ORDERS: orders(90)}, claims=SELIN)
    assert ("selin",) == tale.judged().principals
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_touched_hardware_key_stands_for_its_owner(tale: Tale, kind: str) -> None:
    key = hardware_key(kind)
    registered(tale, line(key.public))
    made(tale, lambda payload: touched(payload, key))
    assert ("selin",) == tale.judged().principals
    tale.settle()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hardware_key_that_nobody_touched_is_too_weak(tale: Tale, kind: str) -> None:
    key = hardware_key(kind)
    registered(tale, line(key.public))
    made(tale, lambda payload: touched(payload, key, flags=0))
    assert ("AO507",) == tale.judged().codes
    assert 4 == tale.sync().code


def line(blob: bytes) -> str:
    return f"{sshkey.read(blob).type} {base64.b64encode(blob).decode()}"


def by_short_rsa(payload: bytes) -> str:
    """A good signature by an RSA key of 2048 bits."""
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.public_key().public_numbers()
    parts = (b"ssh-rsa", *(sshsig.mpint(n)[4:] for n in (numbers.e, numbers.n)))
    signed = sshsig.to_be_signed(payload, sshsig.envelope_for("git"))
    raw = private.sign(signed, padding.PKCS1v15(), hashes.SHA512())
    blob = b"".join(map(sshsig.string, (b"rsa-sha2-512", raw)))
    return sshsig.seal(b"".join(map(sshsig.string, parts)), "git", blob)


FAULTS: dict[str, tuple[str, tuple[Callable[[bytes], str], ...]]] = {
    "unsigned": ("AO501", ()),
    "unknown key": ("AO502", (lambda payload: sign(payload, person("nobody").key),)),
    "bad signature": ("AO503", (lambda payload: sign(payload + b"!", MERTS),)),
    "wrong namespace": ("AO504", (lambda payload: sign(payload, MERTS, "file"),)),
    "weak key": ("AO507", (by_short_rsa,)),
    "two signatures": ("AO508", (lambda payload: sign(payload, MERTS),) * 2),
    "two blocks": ("AO508", (lambda payload: sign(payload, MERTS) * 2,)),
    "another scheme": ("AO509", (lambda _: "-----BEGIN SIGNED MESSAGE-----\nAA\n",)),
    "damaged": ("AO510", (lambda payload: sign(payload, MERTS).replace("=", "*"),)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_code_and_nothing_is_applied(tale: Tale, fault: str) -> None:
    code, headers = FAULTS[fault]
    bad = made(tale, *headers)
    judged = tale.judged()
    assert ((code,), (bad,), ()) == (judged.codes, judged.guilty, judged.principals)
    assert 4 == tale.sync().code
    assert 60 == tale.live()["payments/orders"]


def test_a_signature_for_the_other_object_format_is_none(tale: Tale) -> None:
    made(tale, lambda payload: sign(payload, MERTS), name=b"gpgsig-sha256")
    assert ("AO509",) == tale.judged().codes


def test_the_dates_of_a_commit_prove_nothing(tale: Tale) -> None:
    """A key that has expired does not sign into the past, and what is dated ahead is no matter."""
    entry = f'{{key: "{SELIN.public_line}", validUntil: "2026-01-01T00:00:00Z"}}'
    text = f"metadata: {{name: selin}}\nspec:\n  email: {SELIN.email}\n  keys: [{entry}]\n"
    tale.commit(AYSE, {"system/selin.yaml": f"apiVersion: apiops/v1\nkind: User\n{text}"})
    tale.settle()
    tale.commit(SELIN, {ORDERS: orders(90)}, at=datetime(2020, 1, 1, tzinfo=UTC))
    assert ("AO505",) == tale.judged().codes
    tale.commit(MERT, {ORDERS: orders(60)}, at=datetime(2100, 1, 1, tzinfo=UTC))
    tale.commit(MERT, {ORDERS: orders(80)}, at=datetime(1990, 1, 1, tzinfo=UTC))
    tale.settle()
    assert 80 == tale.live()["payments/orders"]
