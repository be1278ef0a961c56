"""Nothing of a secret or a key is ever shown, and nothing that was tampered with opens."""

import inspect
import io
import logging
import re
import traceback
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apiops.age import editing, identities, reading, rules, shamir, value, writing
from apiops.age.keyring import AgeKeyring
from apiops.errors import ApiopsError, SecretError
from tests.sops import ALICE, BOB, leaf, to

Result = TypeVar("Result")
SECRET = "kl4rtext-Pa55w0rd"
PLAIN = f"""\
apiVersion: apiops/v1
kind: Credential
metadata: {{name: db}}
spec:
  user: app
  password: {SECRET}
  other: {SECRET}x
  list: [{SECRET}1, {SECRET}2]
  items:
    - password: {SECRET}3
"""
POLICY = to(ALICE.recipient, rule="encrypted_regex", pattern="^(password|other|list)$")
FILE = writing.encrypt("c.yaml", PLAIN.encode(), POLICY).content.decode()


def refusal(content: str, pointer: str = "spec/password", owner=ALICE) -> SecretError:
    ring = AgeKeyring(owner.identities)
    with pytest.raises(SecretError) as refused:
        ring.open(leaf("c.yaml", pointer), content.encode())
    return refused.value


def token(name: str) -> str:
    found = re.search(rf"{name}: (ENC\[.*\])", FILE)
    assert found
    return found[1]


def shown(error: BaseException) -> str:
    """Everything that a person, a log or a crash report could see of an error."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logger = logging.getLogger("tests.secrets")
    logger.propagate = False
    logger.addHandler(handler)
    logger.error("failed", exc_info=error)
    logger.removeHandler(handler)
    parts = [str(error), repr(error), repr(error.args), log.getvalue(), _chain(error)]
    if isinstance(error, ApiopsError):
        parts += [error.hint, str(error.location)]
    return "\n".join([*parts, "".join(traceback.format_exception(error))])


def _chain(error: BaseException | None) -> str:
    """The contexts too, and what their objects hold: they outlive `raise … from None`."""
    text = ""
    while error is not None:
        text += (
            repr(vars(error)) + repr(getattr(error, "object", "")) + repr(getattr(error, "doc", ""))
        )
        error = error.__cause__ or error.__context__
    return text


def test_a_value_that_was_moved_to_another_field_is_refused():
    moved = FILE.replace(token("  other"), token("  password"))
    assert "AO407" == refusal(moved).code
    assert "spec/other" in refusal(moved).message


def test_a_value_that_was_moved_to_the_same_field_of_another_file_is_refused():
    again = writing.encrypt("d.yaml", PLAIN.encode(), POLICY).content.decode()
    moved = FILE.replace(token("  password"), re.findall(r"  password: (ENC\S*)", again)[0])
    assert moved != FILE
    assert "AO407" == refusal(moved).code
    assert "spec/password" in refusal(moved).message


def test_two_values_that_were_swapped_are_refused():
    one, other = token("  password"), token("  other")
    swapped = FILE.replace(one, "@").replace(other, one).replace("@", other)
    assert "AO407" == refusal(swapped).code


def test_elements_of_a_list_cannot_be_reordered():
    first, second = re.findall(r'"(ENC\[[^"]*)"', FILE)[:2]
    swapped = FILE.replace(first, "@").replace(second, first).replace("@", second)
    assert "AO406" == refusal(swapped).code


def test_a_file_with_its_mac_removed_is_refused():
    assert "AO406" == refusal(re.sub(r"\n    mac: .*", "", FILE)).code
    assert "AO406" == refusal(re.sub(r"\n    mac: .*", '\n    mac: ""', FILE)).code


def test_a_mac_of_another_time_is_refused():
    later = re.sub(r'lastmodified: ".{10}', 'lastmodified: "2001-01-01', FILE)
    assert "AO406" == refusal(later).code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("user: app", "user: admin"),
        ("kind: Credential", "kind: Connection"),
        ("  user: app\n", ""),
    ],
)
def test_a_changed_clear_value_is_refused(old, new):
    assert old in FILE
    assert "AO406" == refusal(FILE.replace(old, new)).code


def test_a_removed_or_bared_value_is_refused():
    assert "AO406" == refusal(re.sub(r"\n  other: .*", "", FILE)).code
    assert "AO407" == refusal(FILE.replace(token("  other"), "plain")).code
    assert "AO406" == refusal(FILE.replace(token("  other"), '""')).code


def test_metadata_that_apiops_does_not_know_is_refused_in_a_manifest():
    assert "AO410" == refusal(f"{FILE}    surprise: yes\n").code


def test_a_manifest_whose_clear_part_is_not_verified_is_refused():
    loose = f"{FILE}    mac_only_encrypted: true\n"
    assert refusal(loose).code in {"AO406", "AO410"}


def test_a_manifest_with_a_value_that_two_readers_type_differently_is_refused():
    doubtful = PLAIN.replace("user: app", "user: 0777")
    content = writing.encrypt("c.yaml", doubtful.encode(), POLICY).content
    assert "AO412" == refusal(content.decode()).code


def test_the_mac_is_compared_in_constant_time():
    source = inspect.getsource(reading.verify)
    assert "compare_digest" in source
    assert "==" not in source


def test_a_pattern_that_would_keep_a_backtracking_engine_busy_is_harmless():
    hostile = FILE.replace("^(password|other|list)$", "^(a+)+$")
    assert refusal(hostile).code in {"AO404", "AO406"}


@pytest.mark.parametrize("pattern", ["(", "a{1000}{1000}", "(?=a)", r"(a)\1", "x" * 2000])
def test_a_pattern_that_re2_does_not_take_is_refused(pattern):
    with pytest.raises(SecretError) as refused:
        AgeKeyring(ALICE.identities).open(
            leaf("c.yaml", "spec/password"),
            re.sub(
                r"encrypted_regex: .*", lambda _: f"encrypted_regex: '{pattern}'", FILE
            ).encode(),
        )
    assert "AO410" == refused.value.code


HUGE = [
    "a: " + "x" * (1 << 20) + "\n",
    "a: " + "[" * 100 + "]" * 100 + "\n",
    "a: [" + "1," * 50_001 + "]\n",
    FILE.replace("-----BEGIN", "x" * 70_000 + "\n            -----BEGIN"),
]


@pytest.mark.parametrize("content", HUGE, ids=["bytes", "depth", "values", "recipient"])
def test_what_is_too_large_is_refused(content):
    assert "AO414" == refusal(content).code


@pytest.mark.parametrize(
    "content",
    [
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: !!python/object:x 1\n",
        "a: !secret x\n",
        "*x\n",
        "%YAML 1.2\n---\na: b\n",
    ],
)
def test_anchors_aliases_and_tags_are_refused(content):
    assert "AO416" == refusal(content).code
    with pytest.raises(SecretError) as refused:
        writing.encrypt("c.yaml", content.encode(), to(ALICE.recipient))
    assert "AO416" == refused.value.code


def tried(work: Callable[[], Result]) -> Result | SecretError:
    """What came of it: the result, or the refusal."""
    try:
        return work()
    except SecretError as refused:
        return refused


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(0, 30), st.text(max_size=6))
def test_no_damage_to_a_file_opens_or_shows_a_secret(at, cut, new):
    damaged = (FILE[:at] + new + FILE[at + cut :]).encode()
    ring = AgeKeyring(ALICE.identities)
    came = tried(lambda: ring.open(leaf("c.yaml", "spec/password"), damaged))
    if isinstance(came, SecretError):
        assert SECRET not in shown(came)
        assert ALICE.secret not in shown(came)
    else:
        assert SECRET.encode() == came.reveal()
        assert SECRET not in repr(ring) + repr(came)


NASTY = st.text("\t\n'\"{}[]:,&*!|>#-\\ \x00\x07%@`x", max_size=6)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 10), NASTY)
@example(PLAIN.index("app"), 3, '"\\q"')
def test_no_fault_of_a_plain_file_shows_what_it_says(at, cut, new):
    damaged = (PLAIN[:at] + new + PLAIN[at + cut :]).encode()
    for path in ("c.yaml", "c.json", "c.env"):
        came = tried(lambda path=path: writing.encrypt(path, damaged, POLICY))
        seen = shown(came) if isinstance(came, SecretError) else repr(came.warnings)
        assert SECRET not in seen


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(ALICE.secret)), st.text(max_size=4))
def test_no_fault_of_a_key_shows_the_key(at, new):
    damaged = ALICE.secret[:at] + new + ALICE.secret[at:]
    came = tried(lambda: identities.gather({"SOPS_AGE_KEY": damaged}))
    text = shown(came) if isinstance(came, SecretError) else repr(came)
    longest = max((ALICE.secret[16:at], ALICE.secret[max(at, 16) :]), key=len)
    assert ALICE.secret[-20:] not in text
    assert longest[:12] not in text


def test_what_holds_a_secret_does_not_print_it():
    opened = reading.open_file("c.yaml", FILE.encode(), ALICE.identities)
    plains = reading.plain(opened)
    held = [opened, plains, opened.key, opened.parsed, *opened.parsed.leaves(), ALICE.identities]
    held += [value.text(SECRET), writing.read("c.yaml", PLAIN.encode(), POLICY.selection)]
    for one in held:
        assert SECRET not in repr(one) + str(one)
        assert "AGE-SECRET" not in repr(one)


def test_a_stranger_learns_recipients_and_keys_tried_only():
    error = refusal(FILE, owner=BOB)
    assert ALICE.recipient in error.message
    assert BOB.recipient in error.hint
    assert BOB.secret not in shown(error)


def test_an_edit_with_a_wrong_key_changes_nothing():
    with pytest.raises(SecretError) as refused:
        editing.reencrypt("c.yaml", FILE.encode(), PLAIN.encode(), BOB.identities)
    assert "AO402" == refused.value.code


def test_a_comment_cannot_carry_lines_into_the_plain_file():
    content = writing.encrypt("c.yaml", b"a: b\nc: d\n", to(ALICE.recipient)).content
    opened = reading.open_file("c.yaml", content, ALICE.identities)
    evil = value.Scalar(value.Kind.COMMENT, b" x\nevil: true")
    comment = value.seal(evil, opened.key.reveal(), value.associated(()))
    with pytest.raises(SecretError) as refused:
        editing.decrypt("c.yaml", f"#{comment}\n{content.decode()}".encode(), ALICE.identities)
    assert "AO407" == refused.value.code


def test_creation_rules_do_not_run_wild():
    with pytest.raises(SecretError) as refused:
        rules.parse(".sops.yaml", b"creation_rules:\n  - path_regex: '(a'\n")
    assert "AO450" == refused.value.code
    assert 2 == refused.value.location.line


def test_shares_that_do_not_belong_together_are_refused():
    one, two = shamir.split(b"secret", 2, 2)
    for shares in ([one], [one, one], [one, two[:-2]], [one[:-1] + b"\0", two]):
        with pytest.raises(ValueError):
            shamir.combine(shares)
