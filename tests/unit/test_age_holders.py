"""Who can open a file: read without a key, changed so that the diff says who came or went."""

import re

import pytest

from apiops.age import editing, holders, writing
from apiops.age.holders import Holders
from apiops.age.writing import Policy
from apiops.errors import SecretError
from tests.sops import (
    ALICE,
    BOB,
    KEYS,
    Holder,
    everybody,
    fixture,
    holder,
    published,
    sops_decrypts,
    sops_encrypts,
    to,
)

CAROL = holder()
PLAIN = b"# the database\nuser: app  # clear\npassword: hunter2\nlist: [1, two]\n"
FORMS = {
    "c.yaml": PLAIN,
    "c.json": b'{\n  "user": "app",\n  "password": "hunter2"\n}\n',
    "c.env": b"USER=app\nPASSWORD=hunter2\n",
    "c.p12": bytes(range(256)),
    "several.yaml": b"a: 1\n---\nb: 2\n",
}
NAMES = sorted(FORMS)


def sealed(name: str, *recipients: str) -> bytes:
    return writing.encrypt(name, FORMS[name], to(*recipients or (ALICE.recipient,))).content


def tokens(content: bytes) -> set[bytes]:
    return set(re.findall(rb"ENC\[.*?\]", content))


def one(*people: Holder) -> Holders:
    return Holders((tuple(person.recipient for person in people),), 0)


@pytest.mark.parametrize("name", NAMES)
def test_holders_are_read_without_a_key(name):
    content = sealed(name, ALICE.recipient, BOB.recipient)
    assert one(ALICE, BOB) == holders.read(name, content)


@pytest.mark.parametrize("name", NAMES)
def test_who_joins_is_an_entry_more_and_nothing_else(name):
    old = sealed(name)
    new = holders.give(name, old, ALICE.identities, one(ALICE, BOB)).content
    assert one(ALICE, BOB) == holders.read(name, new)
    assert tokens(old) == tokens(new)
    assert FORMS[name] == editing.decrypt(name, new, BOB.identities)
    if name.endswith("yaml"):
        assert set(old.splitlines()) <= set(new.splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_who_leaves_cannot_use_the_old_data_key(name):
    old = sealed(name, ALICE.recipient, BOB.recipient)
    new = holders.give(name, old, ALICE.identities, one(ALICE)).content
    assert one(ALICE) == holders.read(name, new)
    assert set() == tokens(old) & tokens(new)
    assert FORMS[name] == editing.decrypt(name, new, ALICE.identities)
    with pytest.raises(SecretError):
        editing.decrypt(name, new, BOB.identities)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_people_in_another_order_change_nothing(name):
    old = sealed(name, ALICE.recipient, BOB.recipient)
    assert old == holders.give(name, old, BOB.identities, one(BOB, ALICE)).content


@pytest.mark.parametrize("name", NAMES)
def test_a_rotation_changes_every_token_and_no_value(name, tmp_path):
    old = sealed(name, ALICE.recipient, BOB.recipient)
    new = holders.rotate(name, old, ALICE.identities).content
    assert holders.read(name, old) == holders.read(name, new)
    assert set() == tokens(old) & tokens(new)
    assert FORMS[name] == editing.decrypt(name, new, BOB.identities)
    file = tmp_path / name
    file.write_bytes(new)
    assert sops_decrypts(file, BOB)


def test_a_rotation_keeps_rule_and_layout():
    policy = to(ALICE.recipient, rule="encrypted_regex", pattern="^password$")
    old = writing.encrypt("c.yaml", PLAIN, policy).content
    new = holders.rotate("c.yaml", old, ALICE.identities).content
    assert b"user: app  # clear\n" in new
    assert b"encrypted_regex: ^password$" in new
    assert PLAIN == editing.decrypt("c.yaml", new, ALICE.identities)


def test_key_groups_keep_their_threshold_and_get_a_new_key_when_they_change():
    groups = ((ALICE.recipient,), (BOB.recipient,), (CAROL.recipient,))
    old = writing.encrypt("c.yaml", PLAIN, Policy(groups, threshold=2)).content
    both = published()
    both = type(both)((*ALICE.identities.keys, *CAROL.identities.keys), ("here",))
    assert Holders(groups, 2) == holders.read("c.yaml", old)
    new = holders.rotate("c.yaml", old, both).content
    assert Holders(groups, 2) == holders.read("c.yaml", new)
    assert PLAIN == editing.decrypt("c.yaml", new, both)
    with pytest.raises(SecretError):
        editing.decrypt("c.yaml", new, ALICE.identities)
    wider = holders.give("c.yaml", old, both, Holders((*groups, (holder().recipient,)), 3)).content
    assert set() == tokens(old) & tokens(wider)
    with pytest.raises(SecretError, match="2 of 3"):
        editing.decrypt("c.yaml", wider, both)


def test_an_ssh_key_is_the_same_with_and_without_its_comment():
    line = (KEYS / "gen-ssh_ed25519.pub").read_text().strip()
    old = sealed("c.yaml", line)
    key = published("gen-ssh_ed25519")
    again = Holders(((f"{holders.bare(line)} somebody@example",),), 0)
    assert old == holders.give("c.yaml", old, key, again).content


def test_a_file_that_others_can_open_too_is_left_to_sops():
    content = fixture("sops-nix/secrets.yaml")
    with pytest.raises(SecretError, match="pgp") as refused:
        holders.rotate("secrets.yaml", content, everybody())
    assert "AO408" == refused.value.code


def test_who_cannot_open_a_file_cannot_change_its_holders():
    with pytest.raises(SecretError) as refused:
        holders.give("c.yaml", sealed("c.yaml"), BOB.identities, one(ALICE, BOB))
    assert "AO402" == refused.value.code


def test_encrypted_comments_stay_encrypted_for_who_joins(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("# top secret\na: b\n")
    old = sops_encrypts(file, "--age", ALICE.recipient)
    new = holders.give("c.yaml", old, ALICE.identities, one(ALICE, BOB)).content
    assert b"top secret" not in new
    assert b"# top secret" in editing.decrypt("c.yaml", new, BOB.identities)
