"""What every keyring promises, whatever is behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from apiops.age import identities, writing
from apiops.age.keyring import AgeKeyring
from apiops.errors import SecretError
from apiops.model.secret import SecretValue
from apiops.ports import Keyring
from tests import sops
from tests.fakes import FakeKeyring

PLAIN = {"password": b"hunter2", "nested/token": b"s3cret", "list/1": b"two"}
TEXT = b"password: hunter2\nnested: {token: s3cret}\nlist:\n  - one\n  - two\n"
FILE = "creds.sops.yaml"


@dataclass(frozen=True)
class Case:
    keyring: Keyring
    empty: Keyring
    content: bytes


def real() -> Case:
    content = writing.encrypt(FILE, TEXT, sops.to(sops.ALICE.recipient)).content
    return Case(AgeKeyring(sops.ALICE.identities), AgeKeyring(identities.gather({})), content)


def fake() -> Case:
    files: Mapping[bytes, Mapping[str, bytes]] = {b"sealed": PLAIN}
    return Case(FakeKeyring(files), FakeKeyring(files, available=False), b"sealed")


@pytest.fixture(params=[real, fake], ids=["age", "fake"])
def case(request: pytest.FixtureRequest) -> Case:
    make: Callable[[], Case] = request.param
    return make()


@pytest.mark.parametrize("pointer", PLAIN)
def test_a_value_opens(case, pointer):
    assert SecretValue(PLAIN[pointer]) == case.keyring.open(sops.leaf(FILE, pointer), case.content)


def test_a_value_opens_again_and_beside_others(case):
    for pointer in (*PLAIN, *PLAIN):
        opened = case.keyring.open(sops.leaf(FILE, pointer), case.content)
        assert PLAIN[pointer] == opened.reveal()


def test_a_pointer_to_nothing_is_named(case):
    with pytest.raises(SecretError, match="pasword") as refused:
        case.keyring.open(sops.leaf(FILE, "pasword"), case.content)
    assert "AO404" == refused.value.code


def test_changed_content_does_not_open(case):
    with pytest.raises(SecretError) as refused:
        case.keyring.open(
            sops.leaf(FILE, "password"), case.content.replace(b"password", b"passw0rd") + b"#x"
        )
    assert refused.value.code in {"AO406", "AO407"}


def test_a_keyring_says_whether_it_has_an_identity(case):
    assert case.keyring.available
    assert not case.empty.available


def test_without_an_identity_nothing_opens(case):
    with pytest.raises(SecretError) as refused:
        case.empty.open(sops.leaf(FILE, "password"), case.content)
    assert "AO401" == refused.value.code


def test_a_keyring_shows_no_secret(case):
    opened = case.keyring.open(sops.leaf(FILE, "password"), case.content)
    for shown in (repr(case.keyring), str(opened), repr(opened), f"{opened}"):
        assert "hunter2" not in shown
        assert "AGE-SECRET" not in shown
