"""allowed_signers: what becomes a User, and what is refused because it proves nobody."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiops.access import grants, signers
from apiops.errors import SpecInvalid
from apiops.model.kinds.people import UserSpec
from apiops.model.resource import ResourceId
from tests.people import person, signing_key

AYSE = person("ayse").key.public_line()
MERT = person("mert").key.public_line()


def refused(text: str) -> list[tuple[str, int]]:
    with pytest.raises(SpecInvalid) as caught:
        signers.parse(text)
    assert all(found.hint for found in caught.value.diagnostics)
    return [(found.code, found.location.line) for found in caught.value.diagnostics]


def test_a_line_becomes_a_user_with_a_key() -> None:
    (ayse,) = signers.users(signers.parse(f"# people\n\nayse@bank.example {AYSE} laptop\n"))
    assert {
        "apiVersion": "apiops/v1",
        "kind": "User",
        "metadata": {"name": "ayse"},
        "spec": {"email": "ayse@bank.example", "keys": [{"key": AYSE}]},
    } == ayse


def test_options_that_a_user_can_say_are_taken_over() -> None:
    options = 'namespaces="file,git",valid-after="20260101Z",valid-before="20261231235959Z"'
    (signer,) = signers.parse(f"ayse@bank.example {options} {AYSE}")
    assert ("2026-01-01", "2026-12-31T23:59:59Z") == (signer.valid_from, signer.valid_until)


def test_lines_that_share_an_address_are_about_one_person() -> None:
    text = f"ayse@bank.example,ayse@old.example {AYSE}\nAyse@old.example {MERT}\n"
    (ayse,) = signers.users(signers.parse(text))
    assert [AYSE, MERT] == [entry["key"] for entry in ayse["spec"]["keys"]]
    assert ["ayse@bank.example", ["ayse@old.example", "Ayse@old.example"]] == [
        ayse["spec"]["email"],
        ayse["spec"]["identities"],
    ]


def test_people_who_share_the_short_name_are_named_in_full() -> None:
    text = f"ayse@bank.example {AYSE}\nAYSE@card.example {MERT}\n"
    names = [user["metadata"]["name"] for user in signers.users(signers.parse(text))]
    assert ["AYSE@card.example", "ayse@bank.example"] == names


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ayse@bank.example", "AO540"),
        ('"ayse" AYSE', "AO540"),
        ("ayse@bank.example verify-required AYSE", "AO543"),
        ('ayse@bank.example verify="x" AYSE', "AO540"),
        ('ayse@bank.example namespaces="git",namespaces="git" AYSE', "AO540"),
        ("ayse@bank.example,, AYSE", "AO540"),
        ("*@bank.example AYSE", "AO541"),
        ("ayse?@bank.example AYSE", "AO541"),
        ("ayse@bank.example,!mert@bank.example AYSE", "AO541"),
        ("ayse@bank.example cert-authority AYSE", "AO542"),
        ('ayse@bank.example namespaces="git",cert-authority AYSE', "AO542"),
        ("ayse@bank.example ssh-ed25519 AAAA", "AO543"),
        ("ayse@bank.example CUT", "AO543"),
        ("ayse@bank.example ssh-dss AAAAB3NzaC1kc3M=", "AO543"),
        ('ayse@bank.example namespaces="file" AYSE', "AO544"),
        ('ayse@bank.example namespaces="" AYSE', "AO544"),
        ('ayse@bank.example valid-after="20260101" AYSE', "AO545"),
        ('ayse@bank.example valid-before="202613Z" AYSE', "AO545"),
        ('ayse@bank.example valid-before="20260231Z" AYSE', "AO545"),
        ("ayse@bank.example AYSE\nmert@bank.example AYSE", "AO546"),
    ],
)
def test_what_proves_nobody_for_certain_is_refused(line: str, code: str) -> None:
    cut = signing_key("ayse", "rsa3072").public_line()[:-8]
    assert [code] == [found for found, _ in refused(line.replace("AYSE", AYSE).replace("CUT", cut))]


def test_all_bad_lines_are_told_at_once_and_nothing_is_imported() -> None:
    text = f"*@bank.example {AYSE}\nmert@bank.example {MERT}\nayse@bank.example cert-authority x y"
    assert [("AO541", 1), ("AO542", 3)] == refused(text)


def test_what_is_imported_is_a_user_that_proves_what_the_file_proved() -> None:
    users = signers.users(signers.parse(f"ayse@bank.example {AYSE}\nmert@bank.example {MERT}\n"))
    for user in users:
        UserSpec.model_validate(user["spec"])
    held = grants.build((ResourceId("User", None, u["metadata"]["name"]), u["spec"]) for u in users)
    assert {"ayse", "mert"} == {key.principal for key in held.keys.values()}
    assert () == held.faults


LINES = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.from_regex(
            r'[a-z*,!@.]{1,9} ((cert-authority|[a-z-]{1,12}="[^"]{0,9}"),?){0,3} .{0,40}'
        ),
    )
).map("\n".join)


@given(LINES)
def test_any_text_is_read_or_refused_in_our_own_words(text: str) -> None:
    with contextlib.suppress(SpecInvalid):
        signers.users(signers.parse(text))
