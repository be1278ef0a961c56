"""`.sops.yaml`: which rule counts for a file, and what is said of a bad one."""

from pathlib import PurePosixPath

import pytest

from apiops.age import rules
from apiops.age.selection import Selection
from apiops.errors import SecretError
from tests.sops import ALICE, BOB

CONFIG = f"""\
keys:
  - &alice {ALICE.recipient}
creation_rules:
  - path_regex: ^targets/production/
    encrypted_regex: ^(password|apiKey)$
    shamir_threshold: 2
    key_groups:
      - age: [*alice]
      - age:
          - {BOB.recipient}
  - path_regex: \\.sops\\.yaml$
    age: >-
      {ALICE.recipient},
      {BOB.recipient}
  - path_regex: cloud/
    kms: arn:aws:kms:x
  - path_regex: comments/
    age: *alice
    encrypted_comment_regex: secret
  - path_regex: loose/
    age: *alice
    mac_only_encrypted: true
"""


def policy(path: str, config: str = CONFIG):
    return rules.policy(
        rules.parse(".sops.yaml", config.encode()), PurePosixPath(path), ".sops.yaml"
    )


def test_the_first_rule_that_matches_counts():
    found = policy("targets/production/a.sops.yaml")
    assert ((ALICE.recipient,), (BOB.recipient,)) == found.groups
    assert 2 == found.threshold
    assert Selection("encrypted_regex", "^(password|apiKey)$") == found.selection


def test_recipients_may_stand_in_one_text():
    found = policy("any/where.sops.yaml")
    assert ((ALICE.recipient, BOB.recipient),) == found.groups
    assert Selection() == found.selection


@pytest.mark.parametrize(
    ("path", "words"),
    [("cloud/a", "kms"), ("comments/a", "encrypted_comment_regex"), ("loose/a", "mac_only")],
)
def test_what_is_not_written_is_refused_when_it_is_asked_for(path, words):
    with pytest.raises(SecretError, match=words) as refused:
        policy(path)
    assert "AO452" == refused.value.code
    assert refused.value.location.line > 10


def test_a_file_without_a_rule_is_refused():
    with pytest.raises(SecretError) as refused:
        policy("other/file.yaml")
    assert "AO451" == refused.value.code


@pytest.mark.parametrize(
    "config", ["", "creation_rules:\n", "stores: {}\n", "creation_rules: []\n"]
)
def test_no_rules_are_as_no_file(config):
    with pytest.raises(SecretError) as refused:
        policy("a.yaml", config)
    assert "AO453" == refused.value.code


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("creation_rules: x\n", 1),
        ("creation_rules:\n  - x\n", 2),
        ("creation_rules:\n  - path_regex: '('\n", 2),
        ("creation_rules:\n  - path_regex: (?=a)\n", 2),
        ("creation_rules:\n  - age: {a: b}\n", 2),
        ("creation_rules:\n  - age: [[x]]\n", 2),
        ("creation_rules:\n  - age: x\n    age: y\n", 3),
        ("creation_rules:\n  - encrypted_regex: a\n    encrypted_suffix: b\n", 2),
        ("creation_rules:\n  - shamir_threshold: many\n", 2),
        ("- a\n", 1),
        ("a: 'b\n", 2),
    ],
)
def test_a_bad_file_is_refused_with_the_line(config, line):
    with pytest.raises(SecretError) as refused:
        policy("a.yaml", config)
    assert "AO450" == refused.value.code
    assert line == refused.value.location.line


def test_the_nearest_file_above_is_found(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / ".sops.yaml").write_text("")
    assert tmp_path / ".sops.yaml" == rules.find(folder)
    (tmp_path / "a" / ".sops.yaml").write_text("")
    assert tmp_path / "a" / ".sops.yaml" == rules.find(folder)


def test_a_file_finds_its_policy_by_its_place(tmp_path):
    folder = tmp_path / "targets" / "production"
    folder.mkdir(parents=True)
    with pytest.raises(SecretError) as refused:
        rules.for_file(folder / "a.sops.yaml")
    assert "AO453" == refused.value.code
    (tmp_path / ".sops.yaml").write_text(CONFIG)
    assert 2 == rules.for_file(folder / "a.sops.yaml").threshold
    assert 0 == rules.for_file(tmp_path / "a.sops.yaml").threshold
