"""Sealed fields: what opens, what does not, and what can never be seen."""

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from apiops.errors import SecretError
from apiops.manager import fieldcrypt, keyring, tables
from apiops.manager.fieldcrypt import Place, SealedText
from apiops.manager.keyring import Ring
from apiops.manager.wrapping import InMemory
from apiops.model.resource import ResourceId
from apiops.model.secret import SecretValue

KEY = bytes(range(32))
PLACE = Place("production", "Credential", "0e55da3e", "/password")
AT = datetime(2026, 3, 1, tzinfo=UTC)


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_at_its_place(plain):
    token = fieldcrypt.seal(KEY, "v1", PLACE, SecretValue(plain))
    assert plain == fieldcrypt.unseal(KEY, PLACE, token).reveal()


def test_two_seals_of_one_value_have_nothing_in_common():
    one, other = (fieldcrypt.seal(KEY, "v1", PLACE, SecretValue("same")) for _ in range(2))
    assert one != other


@pytest.mark.parametrize("field", ["environment", "kind", "resource", "field"])
def test_a_token_that_was_moved_does_not_open(field):
    token = fieldcrypt.seal(KEY, "v1", PLACE, SecretValue("secret"))
    with pytest.raises(SecretError) as refusal:
        fieldcrypt.unseal(KEY, replace(PLACE, **{field: "elsewhere"}), token)
    assert "AO724" == refusal.value.code


def test_a_token_does_not_open_under_another_key_or_key_id():
    token = fieldcrypt.seal(KEY, "v1", PLACE, SecretValue("secret"))
    with pytest.raises(SecretError, match="another key"):
        fieldcrypt.unseal(bytes(32), PLACE, token)
    with pytest.raises(SecretError):
        fieldcrypt.unseal(KEY, PLACE, SealedText(token.token.replace(".v1.", ".v2.")))


@given(st.data())
def test_a_token_with_any_changed_byte_does_not_open(data):
    token = fieldcrypt.seal(KEY, "v1", PLACE, SecretValue("secret")).token
    body = bytearray(base64.urlsafe_b64decode(token.split(".")[2] + "=="))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    forged = "apf1.v1." + base64.urlsafe_b64encode(body).decode().rstrip("=")
    with pytest.raises(SecretError):
        fieldcrypt.unseal(KEY, PLACE, SealedText(forged))


@given(st.text(max_size=80))
def test_what_is_no_token_is_refused_without_a_trace_of_it(text):
    with pytest.raises(SecretError):
        fieldcrypt.unseal(KEY, PLACE, SealedText(text))


def test_sealed_text_does_not_print_itself():
    token = fieldcrypt.seal(KEY, "v1", PLACE, SecretValue("secret"))
    assert "apf1" not in f"{token!r} {token}"


def test_a_sealed_column_takes_no_plain_text():
    column = tables.sealed.c.token.type
    with pytest.raises(TypeError):
        column.process_bind_param("hunter2", sqlite.dialect())
    with pytest.raises(TypeError):
        column.process_literal_param(SealedText("apf1.k.x"), sqlite.dialect())


def test_a_fingerprint_tells_equal_from_different_and_nothing_else():
    id = ResourceId("Credential", "payments", "app")
    one = fieldcrypt.fingerprint(KEY, id, "/password", SecretValue("a"))
    assert one == fieldcrypt.fingerprint(KEY, id, "/password", SecretValue("a"))
    assert one != fieldcrypt.fingerprint(KEY, id, "/password", SecretValue("b"))
    assert one != fieldcrypt.fingerprint(bytes(32), id, "/password", SecretValue("a"))
    assert one.startswith("apd1.")


# ── the ring ──────────────────────────────────────────────────────────────────────────────────


def a_ring(kek=KEY, lineage="m1"):
    ring = Ring(InMemory(kek, lineage), lineage, ())
    return ring, [ring.make("", "digest", AT), ring.make("production", "seal", AT)]


def test_a_ring_opens_what_it_made_from_its_stored_versions():
    ring, versions = a_ring()
    again = Ring(InMemory(KEY, "m1"), "m1", versions)
    again.check()
    assert ring.sealing_key("production") == again.sealing_key("production")
    assert ring.digest_key("production") == again.digest_key("production")


def test_each_environment_has_keys_of_its_own():
    ring, _ = a_ring()
    assert ring.sealing_key("test") is None
    assert ring.digest_key("production") != ring.digest_key("test")


def test_a_ring_does_not_open_with_another_key_file_or_in_another_manager():
    _, versions = a_ring()
    for kek, lineage in ((bytes(32), "m1"), (KEY, "m2")):
        with pytest.raises(SecretError) as refusal:
            Ring(InMemory(kek, lineage), lineage, versions).check()
        assert "AO723" == refusal.value.code


def test_a_wrapped_key_that_was_moved_to_another_environment_does_not_open():
    _, (root, sealing) = a_ring()
    moved = Ring(InMemory(KEY, "m1"), "m1", [root, replace(sealing, environment="test")])
    with pytest.raises(SecretError):
        moved.sealing_key("test")


def test_a_retiring_key_opens_and_a_retired_one_is_refused():
    ring, (root, first) = a_ring()
    second = ring.make("production", "seal", AT)
    assert "v2" == second.kid
    retiring = Ring(InMemory(KEY, "m1"), "m1", [root, replace(first, state="retiring"), second])
    assert "v2" == retiring.sealing_key("production")[0]
    assert ring.opening_key("production", "v1") == retiring.opening_key("production", "v1")
    retired = Ring(InMemory(KEY, "m1"), "m1", [root, replace(first, state="retired"), second])
    with pytest.raises(SecretError, match="retired"):
        retired.opening_key("production", "v1")


def test_a_version_that_was_rolled_back_is_never_used_again():
    ring, (root, _) = a_ring()
    lost = ring.sealing_key("production")
    ring = ring.at([root])
    assert ring.sealing_key("production") is None
    ring.make("production", "seal", AT)
    assert lost != ring.sealing_key("production")


def test_a_ring_does_not_print_its_keys():
    ring, _ = a_ring()
    assert "Ring(2 keys)" == repr(ring)


# ── the key file ──────────────────────────────────────────────────────────────────────────────


def test_a_key_file_is_made_for_its_owner_alone_and_read_back(tmp_path):
    path = tmp_path / "keys" / "manager.key"
    keyring.make_file(path)
    assert 0o600 == path.stat().st_mode & 0o777
    assert 32 == len(keyring.read_file(path))


def test_a_key_file_is_never_overwritten(tmp_path):
    path = tmp_path / "manager.key"
    keyring.make_file(path)
    before = path.read_bytes()
    with pytest.raises(SecretError):
        keyring.make_file(path)
    assert before == path.read_bytes()


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "manager.key"
    keyring.make_file(path)
    path.chmod(0o640)
    with pytest.raises(SecretError) as refusal:
        keyring.read_file(path)
    assert ("AO722", True) == (refusal.value.code, "chmod 600" in refusal.value.hint)


@pytest.mark.parametrize(
    ("owner", "reader", "mode", "well"),
    [
        (1000, 1000, 0o400, True),
        (1000, 1000, 0o640, False),
        (0, 0, 0o600, True),
        (0, 0, 0o640, False),
        (0, 65532, 0o440, True),  # how a cluster mounts a secret for a pod's group
        (0, 65532, 0o640, True),
        (0, 65532, 0o660, False),
        (0, 65532, 0o444, False),
        (1000, 65532, 0o440, False),  # somebody else's, who can change it
    ],
)
def test_whose_key_file_may_be_read_by_whom(owner, reader, mode, well):
    found = os.stat_result((0o100000 | mode, 1, 1, 1, owner, 65532, 45, 0, 0, 0))
    assert well is not keyring.is_loose(found, reader)


@pytest.mark.parametrize("content", [b"", b"not base64!", base64.b64encode(b"sixteen bytes...")])
def test_a_file_that_holds_no_key_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "manager.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretError) as refusal:
        keyring.read_file(path)
    assert "AO723" == refusal.value.code
    assert not content or content.decode() not in str(refusal.value)


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(SecretError) as refusal:
        keyring.read_file(tmp_path / "manager.key")
    assert "AO721" == refusal.value.code
