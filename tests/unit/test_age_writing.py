"""Encrypting and editing in place: the author's text stays, and the diff says what changed."""

import hashlib
import re
from dataclasses import replace

import pytest

from apiops.age import editing, writing
from apiops.age.keyring import AgeKeyring
from apiops.errors import SecretError
from apiops.model.diagnostic import Severity
from apiops.model.secret import SecretValue
from tests.sops import ALICE, BOB, Holder, leaf, sops_decrypts, sops_encrypts, to

MANIFEST = """\
# yaml-language-server: $schema=../../schemas/Credential.json
apiVersion: apiops/v1
kind: Credential
metadata: {name: db, project: payments}

spec:
  user: app     # who we are
  password: "hunter2"

  certificate: |
    -----BEGIN CERTIFICATE-----
    AAAA

    -----END CERTIFICATE-----
  keys:
  - {apiKey: 12, name: first}
  - apiKey: yes
    name: second
"""
FIELDS = to(ALICE.recipient, rule="encrypted_regex", pattern="^(password|apiKey|certificate)$")


def encrypt(text: str, policy=FIELDS, path="c.yaml") -> str:
    return writing.encrypt(path, text.encode(), policy).content.decode()


def decrypt(text: str, path="c.yaml") -> str:
    return editing.decrypt(path, text.encode(), ALICE.identities).decode()


def reencrypt(old: str, new: str, path="c.yaml") -> str:
    return editing.reencrypt(path, old.encode(), new.encode(), ALICE.identities).content.decode()


def masked(text: str) -> str:
    return re.sub(r"ENC\[[^\]]*\]", "TOKEN", text.partition("\nsops:")[0] + "\n")


def test_layout_and_comments_survive_encryption():
    assert """\
# yaml-language-server: $schema=../../schemas/Credential.json
apiVersion: apiops/v1
kind: Credential
metadata: {name: db, project: payments}

spec:
  user: app     # who we are
  password: TOKEN

  certificate: TOKEN
  keys:
  - {apiKey: "TOKEN", name: first}
  - apiKey: TOKEN
    name: second
""" == masked(encrypt(MANIFEST))


def test_decrypting_restores_the_layout():
    expected = MANIFEST.replace('"hunter2"', "hunter2").replace("apiKey: yes", 'apiKey: "yes"')
    assert expected == decrypt(encrypt(MANIFEST))


def test_encrypting_again_gives_other_tokens():
    one, other = encrypt(MANIFEST), encrypt(MANIFEST)
    assert masked(one) == masked(other)
    assert not set(re.findall(r"ENC\[.*?\]", one)) & set(re.findall(r"ENC\[.*?\]", other))


def test_an_edit_of_one_value_changes_one_value_the_time_and_the_mac():
    old = encrypt(MANIFEST)
    new = reencrypt(old, decrypt(old).replace("hunter2", "hunter3"))
    changed = [
        before.split(":")[0].strip()
        for before, after in zip(old.splitlines(), new.splitlines(), strict=True)
        if before != after
    ]
    assert set(changed) <= {"password", "lastmodified", "mac"}
    assert {"password", "mac"} <= set(changed)
    assert "hunter3" in decrypt(new)


def test_an_edit_without_a_change_changes_nothing():
    old = encrypt(MANIFEST)
    assert old == reencrypt(old, decrypt(old))


def test_an_edit_of_layout_alone_keeps_mac_and_tokens():
    old = encrypt(MANIFEST)
    new = reencrypt(old, decrypt(old).replace("\n\n  certificate", "\n  certificate"))
    assert old.replace("\n\n  certificate", "\n  certificate") == new


def test_a_moved_element_of_a_list_keeps_its_token():
    text = "list:\n- one\n- two\n- three\n"
    old = encrypt(text, to(ALICE.recipient))
    new = reencrypt(old, "list:\n- three\n- one\n- two\n")
    tokens = re.findall(r"- (ENC\[.*\])", old)
    assert [tokens[2], tokens[0], tokens[1]] == re.findall(r"- (ENC\[.*\])", new)


def test_an_edit_keeps_recipients_and_their_entries(tmp_path):
    old = encrypt(MANIFEST, to(ALICE.recipient, BOB.recipient))
    new = reencrypt(old, decrypt(old).replace("hunter2", "hunter3"))
    assert re.findall(r"recipient: (.*)", old) == re.findall(r"recipient: (.*)", new)
    entries = re.compile(r"-----BEGIN.*?-----END", re.DOTALL)
    assert entries.findall(old) == entries.findall(new)
    file = tmp_path / "c.yaml"
    file.write_text(new)
    assert b"hunter3" in sops_decrypts(file, BOB)


def test_comments_that_sops_encrypted_stay_encrypted_through_an_edit(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("# top secret\na: b\nlist:\n  # inner\n  - one\n  - two\n")
    old = sops_encrypts(file, "--age", ALICE.recipient).decode()
    assert "secret" not in old
    plain = decrypt(old)
    assert "# top secret" in plain
    new = reencrypt(old, plain.replace("one", "three"))
    assert "secret" not in new
    assert "inner" not in new
    assert plain.replace("one", "three") == decrypt(new)
    with pytest.raises(SecretError) as refused:
        reencrypt(old, plain.replace("# top", "# very"))
    assert "AO419" == refused.value.code


def test_comments_beside_encrypted_values_are_warned_about_with_their_place():
    policy = to(ALICE.recipient, rule="encrypted_regex", pattern="^spec$")
    sealed = writing.encrypt("c.yaml", MANIFEST.encode(), policy)
    assert [("AO419", 7, Severity.WARNING)] == [
        (one.code, one.location.line, one.severity) for one in sealed.warnings
    ]


def test_each_document_of_a_file_gets_the_envelope(tmp_path):
    text = "a: 1\n---\n# second\nb: x\n---\nc: [y]\n"
    sealed = encrypt(text, to(ALICE.recipient))
    assert 3 == sealed.count("\nsops:")
    assert text == decrypt(sealed).replace('"y"', "y")
    ring = AgeKeyring(ALICE.identities)
    assert b"x" == ring.open(leaf("c.yaml", "1:b"), sealed.encode()).reveal()
    assert b"y" == ring.open(leaf("c.yaml", "2:c/0"), sealed.encode()).reveal()
    file = tmp_path / "c.yaml"
    file.write_text(sealed)
    assert b"b: x" in sops_decrypts(file, ALICE)


def test_key_groups_need_their_threshold(tmp_path):
    policy = writing.Policy(((ALICE.recipient,), (BOB.recipient,)), threshold=2)
    sealed = writing.encrypt("c.yaml", b"a: b\n", policy).content
    with pytest.raises(SecretError, match="1 of 2 key groups"):
        editing.decrypt("c.yaml", sealed, ALICE.identities)
    file = tmp_path / "c.yaml"
    file.write_bytes(sealed)
    both = Holder("", f"{ALICE.secret}\n{BOB.secret}")
    assert b"a: b\n" == sops_decrypts(file, both)
    assert b"a: b\n" == editing.decrypt("c.yaml", sealed, both.identities)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sops: {}\na: b\n", "AO418"),
        ("a: b\na: c\n", "AO417"),
        ("5: b\n", "AO417"),
        ("- a\n", "AO417"),
        ("{a: b}\n", "AO417"),
        ("  a: b\n", "AO417"),
        ("a: b\n---\n", "AO417"),
        ("a: b\n---\nc\n", "AO417"),
        ("[a]: b\n", "AO417"),
        ("a: 18446744073709551615\n", "AO412"),
        ("a: null\nb: ''\n", "AO413"),
        ("a: 'b\n", "AO415"),
        ("a: b: c\n", "AO415"),
    ],
)
def test_yaml_that_sops_would_not_take_is_refused_with_a_place(text, code):
    with pytest.raises(SecretError) as refused:
        encrypt(text, to(ALICE.recipient))
    assert code == refused.value.code
    assert "c.yaml" == refused.value.location.path


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "AO417"),
        ("[1]", "AO417"),
        ('{"a": }', "AO415"),
        ('{"a": 1,}', "AO415"),
        ('{"a": "\\ud800"}', "AO415"),
        ('{"a": 1e999}', "AO415"),
        ('{"a": 1} x', "AO415"),
        ('{"a_unencrypted": 9007199254740993, "b": "c"}', "AO412"),
    ],
)
def test_json_that_sops_would_not_take_is_refused(text, code):
    with pytest.raises(SecretError) as refused:
        encrypt(text, to(ALICE.recipient), "c.json")
    assert code == refused.value.code


def test_an_encrypted_file_is_not_encrypted_again():
    for path, content in (("c.yaml", b"a: b\n"), ("c.p12", b"\x00")):
        sealed = writing.encrypt(path, content, to(ALICE.recipient)).content
        with pytest.raises(SecretError) as refused:
            writing.encrypt(path, sealed, to(ALICE.recipient))
        assert "AO418" == refused.value.code


@pytest.mark.parametrize("recipients", [(), ("age1nobody",), ("age1pq1xyz",), ("alice@example",)])
def test_recipients_that_cannot_be_used_are_refused(recipients):
    with pytest.raises(SecretError) as refused:
        encrypt(MANIFEST, to(*recipients, rule="encrypted_regex", pattern="^password$"))
    assert "AO411" == refused.value.code


def test_json_keeps_its_layout():
    text = '{\n  "user": "app",\n  "password": "x"\n}\n'
    assert text == decrypt(encrypt(text, FIELDS, "c.json"), "c.json")


def test_a_plain_age_file_opens_whole():
    import pyrage

    recipient = pyrage.x25519.Recipient.from_str(ALICE.recipient)
    for armored in (True, False):
        content = pyrage.encrypt(b"\x00key", [recipient], armored=armored)
        ring = AgeKeyring(ALICE.identities)
        assert SecretValue(b"\x00key") == ring.open(leaf("k.age", ""), content)
        with pytest.raises(SecretError) as refused:
            AgeKeyring(BOB.identities).open(leaf("k.age", ""), content)
        assert "AO402" == refused.value.code


def test_a_binary_sops_file_opens_whole():
    sealed = writing.encrypt("k.p12", b"\x00\xff", to(ALICE.recipient)).content
    opened = AgeKeyring(ALICE.identities).open(leaf("k.p12", ""), sealed)
    assert SecretValue(b"\x00\xff") == opened


def test_pointers_that_mean_two_values_or_none_are_refused():
    sealed = encrypt('a/b: x\na: {b: y}\nempty: ""\n', to(ALICE.recipient)).encode()
    ring = AgeKeyring(ALICE.identities)
    for pointer, words in (("a/b", "more than one"), ("empty", "not encrypted"), ("", "several")):
        with pytest.raises(SecretError, match=words) as refused:
            ring.open(leaf("c.yaml", pointer), sealed)
        assert "AO404" == refused.value.code


def test_the_nearest_key_is_offered():
    sealed = encrypt(MANIFEST).encode()
    with pytest.raises(SecretError) as refused:
        AgeKeyring(ALICE.identities).open(leaf("c.yaml", "spec/pasword"), sealed)
    assert "did you mean spec/password?" == refused.value.hint


def test_a_plain_file_is_told_from_an_encrypted_one():
    for path, content in (
        ("c.yaml", b"a: b\n"),
        ("c.json", b"{}"),
        ("c.env", b"A=b\n"),
        ("c", b"x"),
    ):
        with pytest.raises(SecretError) as refused:
            editing.decrypt(path, content, ALICE.identities)
        assert "AO405" == refused.value.code


def test_ini_files_are_refused_by_name():
    with pytest.raises(SecretError, match="INI"):
        writing.encrypt("c.ini", b"", to(ALICE.recipient))


def test_other_recipients_get_a_new_data_key():
    old = encrypt(MANIFEST)
    policy = to(BOB.recipient, rule="encrypted_regex", pattern="^(password|apiKey|certificate)$")
    new = editing.rekey("c.yaml", old.encode(), ALICE.identities, policy).content
    assert decrypt(old) == editing.decrypt("c.yaml", new, BOB.identities).decode()
    with pytest.raises(SecretError):
        editing.decrypt("c.yaml", new, ALICE.identities)
    assert not set(re.findall(r"ENC\[.*?\]", old)) & set(re.findall(r"ENC\[.*?\]", new.decode()))


def test_encrypted_comments_do_not_become_readable_for_other_recipients(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("# top secret\na: b\n")
    old = sops_encrypts(file, "--age", ALICE.recipient)
    with pytest.raises(SecretError) as refused:
        editing.rekey("c.yaml", old, ALICE.identities, to(BOB.recipient))
    assert "AO419" == refused.value.code


def test_a_leaf_opens_only_the_ciphertext_that_it_names():
    sealed = encrypt(MANIFEST)
    token = re.findall(r"password: (ENC.*)", sealed)[0]
    ring = AgeKeyring(ALICE.identities)
    for cipher, opens in ((hashlib.sha256(token.encode()).hexdigest(), True), ("0" * 64, False)):
        named = replace(leaf("c.yaml", "spec/password"), cipher=cipher)
        if opens:
            assert b"hunter2" == ring.open(named, sealed.encode()).reveal()
            continue
        with pytest.raises(SecretError, match="another one") as refused:
            ring.open(named, sealed.encode())
        assert "AO407" == refused.value.code
