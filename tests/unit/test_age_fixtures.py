"""Real sops files, from other projects and from the real binary, open as SOURCES.txt expects."""

import json

import pytest
import yaml

from apiops.age import editing, forms, identities
from apiops.age.identities import Identities
from apiops.errors import SecretError
from tests.sops import FIXTURES, everybody, fixture, published

KNOWN = {
    "flux/age.yaml": b"key: value\n",
    "flux/age-pq.yaml": b"key: value\n",
    "flux/merge1.yaml": b"key: merge1\n",
    "flux/global-secret.yaml": b"key: global-value\n",
    "flux/env.env": b"key=value\n",
    "flux/file.txt": b"value\n",
    "sops-nix/secrets.yaml": b"file: another value\n",
}
GENERATED = [
    ("ssh_ed25519", "gen-ssh_ed25519", "k8s"),
    ("ssh_rsa", "gen-ssh_rsa", "k8s"),
    ("shamir_2_of_3", None, "k8s"),
    ("k8s_encrypted_suffix", "gen-alice.txt", "k8s"),
    ("k8s_mac_only_encrypted", "gen-alice.txt", "k8s"),
    ("k8s_two_recipients_encrypted_regex", "gen-bob.txt", "k8s"),
    ("k8s_unencrypted_regex", "gen-alice.txt", "k8s"),
    ("multidoc", "gen-alice.txt", "multidoc"),
    ("types", "gen-alice.txt", "types"),
]


COMMENT_RULES = ("encrypted_comment_regex", "unencrypted_comment_regex")


class _AsText(yaml.SafeLoader):
    """Types as go-yaml has them matter in the unit tests of the resolver; here the text counts."""


_AsText.yaml_implicit_resolvers = {}


def test_every_file_of_the_fixtures_is_tried_here():
    there = {
        file.relative_to(FIXTURES).as_posix()
        for folder in ("flux", "sops-nix", "generated")
        for file in (FIXTURES / folder).glob("*.*")
    }
    rules = {f"generated/{rule}.yaml" for rule in COMMENT_RULES}
    others = {"generated/types.json", "generated/blob.bin.json"}
    assert there == {
        *KNOWN,
        *(f"generated/{name}.yaml" for name, _, _ in GENERATED),
        *rules,
        *others,
    }


@pytest.mark.parametrize("name", KNOWN)
def test_files_of_other_projects_open(name):
    plain = editing.decrypt(name, fixture(name), everybody())
    assert KNOWN[name] in plain or KNOWN[name].rstrip() == plain.rstrip()
    assert b"ENC[" not in plain
    assert b"sops" not in plain


def test_the_sops_nix_file_has_its_known_values():
    plain = editing.decrypt("s.yaml", fixture("sops-nix/secrets.yaml"), everybody())
    assert {
        "test_key": "test_value",
        "a_list": ["e1", "e3"],
        "nested": {"test": {"file": "another value"}},
    } == yaml.safe_load(plain)


@pytest.mark.parametrize(("name", "key", "plain"), GENERATED)
def test_files_of_the_real_sops_open_with_one_fitting_key(name, key, plain):
    held = published(key) if key else published("gen-alice.txt", "gen-carol.txt")
    opened = editing.decrypt(f"{name}.yaml", fixture(f"generated/{name}.yaml"), held)
    assert b"ENC[" not in opened
    expected = fixture(f"generated/plain/{plain}.yaml")
    ours = [_keys(one) for one in yaml.load_all(opened, _AsText)]
    assert [_keys(one) for one in yaml.load_all(expected, _AsText)] == ours


def test_the_types_survive_in_their_values():
    opened = editing.decrypt("t.yaml", fixture("generated/types.yaml"), everybody())
    tree = yaml.load(opened, _AsText)
    assert "şifre — 日本語 🔑" == tree["unicode"]
    assert "line1\nline2\n" == tree["multi"]
    assert {"31", "15", "511", "5", "1000"} == {
        tree[name] for name in ("hex", "oct", "oct11", "bin", "under")
    }
    assert "9223372036854775807" == tree["big"]
    assert '"123"' in opened.decode()
    assert "# inner comment" in opened.decode()
    assert "# list comment" in opened.decode()


def test_json_opens_in_json():
    opened = editing.decrypt("t.json", fixture("generated/types.json"), everybody())
    expected = json.loads(fixture("generated/plain/types.json"), parse_int=float)
    assert expected == json.loads(opened, parse_int=float)


def test_a_binary_file_opens_to_its_bytes():
    content = fixture("generated/blob.bin.json")
    expected = fixture("generated/plain/blob.bin")
    assert expected == editing.decrypt("blob.bin", content, everybody())
    assert expected == editing.decrypt("blob.json", content, everybody(), forms.BINARY)


@pytest.mark.parametrize("rule", COMMENT_RULES)
def test_a_file_ruled_by_comments_is_refused_and_the_rule_named(rule):
    with pytest.raises(SecretError, match=f"^{rule} ") as refused:
        editing.decrypt("c.yaml", fixture(f"generated/{rule}.yaml"), everybody())
    assert "AO409" == refused.value.code


@pytest.mark.parametrize("name", [*KNOWN, *(f"generated/{name}.yaml" for name, _, _ in GENERATED)])
def test_without_an_identity_the_places_are_listed(name):
    nobody = identities.gather({})
    with pytest.raises(SecretError) as refused:
        editing.decrypt(name, fixture(name), nobody)
    assert "AO401" == refused.value.code
    assert "SOPS_AGE_KEY_FILE (not set)" in refused.value.hint


@pytest.mark.parametrize("name", [*KNOWN, *(f"generated/{name}.yaml" for name, _, _ in GENERATED)])
def test_with_the_wrong_identity_the_recipients_and_the_tried_keys_are_listed(name):
    stranger = identities.read_keys(
        b"AGE-SECRET-KEY-1RH87A5Z54ZGUR9S0AS3R6WHFSEFNPLYMAKF5Z2CEU7R06VRJ0A3Q7242AM\n", "here"
    )
    if name.startswith("flux"):
        stranger = list(published("gen-bob.txt").keys)
    if name == "generated/k8s_two_recipients_encrypted_regex.yaml":
        stranger = list(published("flux-age.txt").keys)
    with pytest.raises(SecretError) as refused:
        editing.decrypt(name, fixture(name), Identities(tuple(stranger), ("here",)))
    assert "AO402" == refused.value.code
    assert stranger[0].public in refused.value.hint
    assert "is encrypted for age1" in refused.value.message or "ssh-" in refused.value.message


def test_one_share_of_three_is_not_enough():
    with pytest.raises(SecretError, match="1 of 2 key groups open"):
        editing.decrypt(
            "s.yaml", fixture("generated/shamir_2_of_3.yaml"), published("gen-alice.txt")
        )


def _keys(tree):
    """The tree with every scalar as None: layout and typing differ, keys and shape must not."""
    if isinstance(tree, dict):
        return {key: _keys(child) for key, child in tree.items()}
    if isinstance(tree, list):
        return [_keys(child) for child in tree]
    return None
