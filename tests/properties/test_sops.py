"""What we write the real sops reads, what it writes we read, and back again, for any tree."""

import functools
import json
import math
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiops.age import editing, forms, holders, shamir, value, writing
from tests.sops import ALICE, BOB, sops_decrypts, sops_encrypts, to

slow = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co"))
    | st.sampled_from("\n\t"),
    max_size=40,
)
keys = st.text("abcXYZ019_- .:/şğ", min_size=1, max_size=12).filter(lambda key: key != "sops")
scalars = (
    text
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
)
trees = st.dictionaries(
    keys,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=5,
)
flush = text.filter(lambda one: one == one.lstrip())
"""Text without a blank in front: sops prints it in lists as a block that no YAML reader takes."""

texts = st.dictionaries(
    keys, flush.filter(bool) | st.lists(flush, max_size=3), min_size=1, max_size=4
)
"""Trees of text alone, for comparisons that read YAML without any typing."""

regexes = st.sampled_from(["^password$", "[abc]", "_|-", "^(X|Y).*", "ş"])
rules = st.sampled_from(["", "encrypted_regex", "unencrypted_regex"])
layouts = st.booleans()


def written(tree, flow) -> bytes:
    """A tree as YAML with its collections in one of two styles, block at the top."""
    if flow:
        parts = [f"{_json(key)}: {_json(child)}\n" for key, child in tree.items()]
    else:
        parts = [yaml.dump({key: child}, Dumper=_Quoting, **STYLE) for key, child in tree.items()]
    return "".join(parts).encode()


def _json(tree) -> str:
    return json.dumps(tree, ensure_ascii=False)


STYLE = {"default_flow_style": False, "allow_unicode": True, "sort_keys": False}


class _Quoting(yaml.SafeDumper):
    """Strings in quotes or blocks: plain ones PyYAML and sops type differently."""

    def represent_str(self, data):
        style = "|" if "\n" in data and not data.endswith(("\n\n", "\n ")) and data.strip() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Quoting.add_representer(str, _Quoting.represent_str)


def has_value(tree) -> bool:
    if isinstance(tree, dict):
        return any(map(has_value, tree.values()))
    if isinstance(tree, list):
        return any(map(has_value, tree))
    return tree is not None and tree != ""


def alike(left, right) -> bool:
    """Equal trees, where a float may have lost its point (sops prints 3.0 as 3)."""
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(alike(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, float) or isinstance(right, float):
        return type(right) is not bool and math.isclose(left, right, rel_tol=1e-15)
    return type(left) is type(right) and left == right


def by_sops(name: str, content: bytes, *flags: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        return sops_decrypts(file, ALICE, *flags)


def encrypted_by_sops(name: str, content: bytes, *flags: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        return sops_encrypts(file, "--age", ALICE.recipient, *flags)


@slow
@given(trees.filter(has_value), layouts)
def test_sops_reads_the_yaml_that_we_write(tree, flow):
    ours = writing.encrypt("t.yaml", written(tree, flow), to(ALICE.recipient)).content
    theirs = json.loads(by_sops("t.yaml", ours, "--output-type", "json"))
    assert alike(tree, theirs)


@slow
@given(trees.filter(has_value))
def test_sops_reads_the_json_that_we_write(tree):
    content = json.dumps(tree, ensure_ascii=False, indent=2).encode()
    ours = writing.encrypt("t.json", content, to(ALICE.recipient)).content
    assert alike(tree, json.loads(by_sops("t.json", ours)))


@slow
@given(st.dictionaries(st.text("ABC_", min_size=1, max_size=6), text, min_size=1))
def test_sops_reads_the_dotenv_that_we_write(values):
    values = {key: one.replace("\\", "") for key, one in values.items()} | {"Z": "z"}
    lines = [f"{key}={one}" for key, one in values.items() if "\n" not in one]
    content = ("\n".join(lines) + "\n").encode()
    ours = writing.encrypt("t.env", content, to(ALICE.recipient)).content
    assert content == by_sops("t.env", ours)
    assert content == editing.decrypt("t.env", ours, ALICE.identities)


@slow
@given(st.binary(min_size=1, max_size=200).filter(lambda one: not forms.is_age_file(one)))
def test_sops_reads_the_binary_file_that_we_write(content):
    ours = writing.encrypt("t.p12", content, to(ALICE.recipient)).content
    assert content == by_sops("t.p12", ours)
    assert content == editing.decrypt("t.p12", ours, ALICE.identities)


@slow
@given(trees.filter(has_value), layouts, rules, regexes)
def test_we_read_the_yaml_that_sops_writes(tree, flow, rule, pattern):
    flags = [f"--{rule.replace('_', '-')}", pattern] if rule else []
    theirs = encrypted_by_sops("t.yaml", written(tree, flow), *flags)
    opened = editing.decrypt("t.yaml", theirs, ALICE.identities)
    assert alike(tree, json.loads(_as_json(opened)))


@slow
@given(trees.filter(has_value), rules, regexes)
def test_we_read_the_json_that_sops_writes(tree, rule, pattern):
    flags = [f"--{rule.replace('_', '-')}", pattern] if rule else []
    content = json.dumps(tree).encode()
    opened = editing.decrypt(
        "t.json", encrypted_by_sops("t.json", content, *flags), ALICE.identities
    )
    assert alike(json.loads(content, parse_int=float), json.loads(opened, parse_int=float))


@slow
@given(st.lists(texts.filter(has_value), min_size=2, max_size=3))
def test_both_read_several_documents_of_the_other(several):
    content = b"---\n".join(written(tree, flow=False) for tree in several)
    ours = writing.encrypt("t.yaml", content, to(ALICE.recipient)).content
    theirs = encrypted_by_sops("t.yaml", content)
    for opened in (
        by_sops("t.yaml", ours),
        editing.decrypt("t.yaml", theirs, ALICE.identities),
        editing.decrypt("t.yaml", ours, ALICE.identities),
    ):
        assert several == list(yaml.load_all(opened, yaml.BaseLoader))


@slow
@given(st.dictionaries(st.text("ABC_", min_size=1, max_size=6), text, min_size=1))
def test_we_read_the_dotenv_that_sops_writes(values):
    values = {key: one.replace("\\", "") for key, one in values.items()} | {"Z": "z"}
    lines = [f"{key}={one}" for key, one in values.items() if "\n" not in one]
    content = ("\n".join(lines) + "\n").encode()
    theirs = encrypted_by_sops("t.env", content)
    assert content == editing.decrypt("t.env", theirs, ALICE.identities)


@slow
@given(st.binary(min_size=1, max_size=200).filter(lambda one: not forms.is_age_file(one)))
def test_we_read_the_binary_file_that_sops_writes(content):
    theirs = encrypted_by_sops("t.p12", content)
    assert content == editing.decrypt("t.p12", theirs, ALICE.identities)


@slow
@given(texts, st.sampled_from(["encrypted_suffix", "unencrypted_suffix"]))
def test_suffixes_select_the_same_values_for_both(tree, rule):
    tree = {**tree, "left_x": {"inner": "a"}, "right": {"inner_x": "b"}, "other": "c"}
    content = written(tree, flow=False)
    ours = writing.encrypt("t.yaml", content, to(ALICE.recipient, rule=rule, pattern="_x")).content
    theirs = encrypted_by_sops("t.yaml", content, f"--{rule.replace('_', '-')}", "_x")
    assert tree == yaml.load(by_sops("t.yaml", ours), yaml.BaseLoader)
    opened = editing.decrypt("t.yaml", theirs, ALICE.identities)
    assert tree == yaml.load(opened, yaml.BaseLoader)
    hidden = [one.count(b"ENC[AES256_GCM") for one in (ours, theirs)]
    assert hidden[0] == hidden[1]


@slow
@given(trees.filter(has_value), st.booleans())
def test_sops_reads_what_we_rotate_and_what_we_give_to_others(tree, rotate):
    theirs = encrypted_by_sops("t.yaml", written(tree, flow=False))
    both = holders.Holders(((ALICE.recipient, BOB.recipient),), 0)
    change = holders.rotate if rotate else functools.partial(holders.give, to=both)
    ours = change("t.yaml", theirs, ALICE.identities).content
    assert ours != theirs
    assert alike(tree, json.loads(by_sops("t.yaml", ours, "--output-type", "json")))


@settings(max_examples=150, deadline=None)
@given(trees.filter(has_value), layouts)
def test_decrypting_gives_back_what_was_encrypted(tree, flow):
    content = written(tree, flow)
    ours = writing.encrypt("t.yaml", content, to(ALICE.recipient, BOB.recipient)).content
    for owner in (ALICE, BOB):
        assert alike(tree, yaml.safe_load(editing.decrypt("t.yaml", ours, owner.identities)))


@settings(max_examples=100, deadline=None)
@given(trees.filter(has_value), trees.filter(has_value))
def test_an_edit_keeps_the_tokens_of_what_did_not_change(before, after):
    old = writing.encrypt("t.yaml", written(before, flow=False), to(ALICE.recipient)).content
    plain = editing.decrypt("t.yaml", old, ALICE.identities)
    assert old == editing.reencrypt("t.yaml", old, plain, ALICE.identities).content
    edited = written({**after, **before}, flow=False)
    new = editing.reencrypt("t.yaml", old, edited, ALICE.identities).content
    assert alike(
        {**after, **before}, yaml.safe_load(editing.decrypt("t.yaml", new, ALICE.identities))
    )
    kept = [line.strip() for line in old.split(b"\n") if b"type:" in line and b"mac:" not in line]
    for line in kept:
        assert line.rpartition(b"ENC[")[2] in new


@given(st.binary(min_size=1, max_size=40), st.integers(2, 6), st.data())
def test_any_threshold_of_shares_gives_the_secret(secret, threshold, data):
    parts = data.draw(st.integers(threshold, 8))
    shares = shamir.split(secret, parts, threshold)
    chosen = data.draw(st.permutations(shares))[:threshold]
    assert secret == shamir.combine(chosen)


@given(st.floats())
def test_a_float_has_the_digits_of_go(number):
    shown = value.floating(number).data.decode()
    assert "e" not in shown.lower()
    assert math.isnan(number) or float(shown) == number


@pytest.mark.parametrize("size", [0, 1, 31, 33])
def test_a_data_key_of_another_size_is_refused(size):
    import pyrage

    from apiops.errors import SecretError

    ours = writing.encrypt("t.yaml", b"a: b\n", to(ALICE.recipient)).content.decode()
    start, end = ours.index("-----BEGIN"), ours.index("-----END")
    recipient = pyrage.x25519.Recipient.from_str(ALICE.recipient)
    armor = pyrage.encrypt(bytes(size), [recipient], armored=True).decode()
    body = (
        armor[: armor.index("-----END")].replace("\n", "\n            ").rstrip() + "\n            "
    )
    with pytest.raises(SecretError) as refused:
        editing.decrypt("t.yaml", (ours[:start] + body + ours[end:]).encode(), ALICE.identities)
    assert refused.value.code in {"AO402", "AO407"}


def _as_json(opened: bytes) -> bytes:
    """Plain YAML through the real sops, so that its own typing reads it."""
    again = encrypted_by_sops("t.yaml", opened)
    return by_sops("t.yaml", again, "--output-type", "json")
