"""Host evidence: read strictly, and worth something only behind a forge's own key."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiops.access import evidence, grants, identify
from apiops.errors import Exit, UsageError
from apiops.model.access import Trust
from apiops.model.revision import Attestation
from tests.permissions import (
    CARDS,
    NOW,
    ORDERS,
    WORLD,
    Story,
    codes,
    member,
    of,
    public_key,
    snapshot,
    user,
)

COMMIT, HEAD = "a" * 40, "b" * 40
HOSTED = {**WORLD, **dict([user("forge", attests=True), user("alice", identities=["al@forge"])])}


def entry(**more: object) -> dict[str, object]:
    return {"commit": COMMIT, "mergedBy": "ayse@bank.example", **more}


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        evidence.parse(text)
    assert ("AO516", Exit.USAGE) == (caught.value.code, caught.value.exit_code)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    "named", [7, "7", "#7", "!7", "https://forge.example/bank/apis/pull/7", "bank/apis!7"]
)
def test_the_heads_of_a_pull_request_go_by_the_names_of_the_forges(named: object) -> None:
    found = evidence.parse(json.dumps([entry(pullRequest=named, head=HEAD)]))
    refs = ("refs/pull/7/head", "refs/merge-requests/7/head")
    expected = Attestation(COMMIT, "ayse@bank.example", str(named), (HEAD, *refs))
    assert {COMMIT: expected} == found


def test_without_number_and_head_there_is_nothing_to_look_for() -> None:
    found = evidence.parse(json.dumps([entry(head=None)]))
    assert () == found[COMMIT].heads


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "JSON"),
        ("{}", "list"),
        ("[1]", "entry 0"),
        (json.dumps([{"commit": COMMIT}]), "mergedBy"),
        (json.dumps([entry(extra=1)]), "entry 0"),
        (json.dumps([entry(commit="abc")]), "40 digits"),
        (json.dumps([entry(head="main")]), "40 digits"),
        (json.dumps([entry(mergedBy=3)]), "text"),
        (json.dumps([entry(mergedBy=" ")]), "empty"),
        (json.dumps([entry(mergedBy="a\ud800")]), "one line"),
        (json.dumps([entry(pullRequest="1\n\x1b[2J")]), "one line"),
        (json.dumps([entry(), entry()]), "same commit"),
        (f'[{{"commit": "{COMMIT}", "commit": "{HEAD}", "mergedBy": "x"}}]', "twice"),
        ("[" * 100_000, "JSON"),
        ("[" + " " * evidence.MAX_CHARACTERS + "]", "longer"),
    ],
)
def test_evidence_in_doubt_is_refused(text: str, words: str) -> None:
    assert words in refused(text)


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_read_or_refused_in_our_own_words(text: str) -> None:
    with contextlib.suppress(UsageError):
        evidence.parse(text)


def hosted(*, merged_by: str | None = "alice@bank.example", trust: Trust = Trust.HOST_ATTESTED):
    """The maker of a commit that the forge signed."""
    story = Story().commit("A", "forge", {ORDERS: "1"})
    commit = story.view("A").commit
    said = {"A": Attestation("A", merged_by)} if merged_by else {}
    return identify.identify(commit, snapshot(HOSTED), trust, NOW, evidence=said)


@pytest.mark.parametrize("address", ["alice@bank.example", "ALICE@bank.example", "al@forge"])
def test_whoever_pressed_the_button_answers_but_gave_no_word(address: str) -> None:
    maker = hosted(merged_by=address)
    assert ("alice", False) == (maker.principal, maker.approves)


@pytest.mark.parametrize(
    ("merged_by", "trust", "code"),
    [
        (None, Trust.HOST_ATTESTED, "AO513"),
        ("stranger@bank.example", Trust.HOST_ATTESTED, "AO514"),
        ("alice", Trust.HOST_ATTESTED, "AO514"),
        ("alice@bank.example", Trust.SIGNED, "AO515"),
    ],
)
def test_a_forges_key_alone_is_nobodys(merged_by: str | None, trust: Trust, code: str) -> None:
    maker = hosted(merged_by=merged_by, trust=trust)
    assert maker.cause is not None
    assert (None, code) == (maker.principal, maker.cause.code)


def test_behind_host_attested_people_still_sign_and_approve_for_themselves() -> None:
    story = Story().commit("A", "root", {ORDERS: "1"})
    story.trust = Trust.HOST_ATTESTED
    story.commit("c1", "mallory", {ORDERS: "x"})
    story.commit("c2", "alice", message="apiops-approve: ApiProxy/payments/orders")
    assert of(story.judge("A", HOSTED), ORDERS).allowed


def test_evidence_is_for_forges_and_makes_nobody_of_an_unsigned_or_foreign_commit() -> None:
    story = Story().commit("A", "", {ORDERS: "1"})
    said = {"A": Attestation("A", "alice@bank.example")}
    maker = identify.identify(
        story.view("A").commit, snapshot(HOSTED), Trust.HOST_ATTESTED, NOW, evidence=said
    )
    assert maker.cause is not None
    assert "AO501" == maker.cause.code


def test_a_forge_holds_no_right_whatever_it_is_given() -> None:
    world = {**HOSTED, **dict([member("payments", "forge", "Project Owner")])}
    held = snapshot(world)
    assert "forge" not in held.enabled
    story = Story().commit("A", "root", {ORDERS: "1"}).commit("c1", "forge", {ORDERS: "2"})
    story.trust = Trust.HOST_ATTESTED
    assert ("AO513",) == codes(of(story.judge("A", world), ORDERS))


def test_a_key_that_becomes_a_forges_in_the_range_is_lost_to_its_owner_at_once() -> None:
    bob = user("bob", attests=True)
    story = Story().commit("A", "root", {ORDERS: "1", CARDS: "1"}, rights=dict([user("bob")]))
    story.commit("c1", "root", rights=dict([bob])).commit("c2", "bob", {ORDERS: "2"})
    assert ("AO506",) == codes(of(story.judge("A"), ORDERS))


def test_an_introduction_must_be_signed_by_its_approver_not_merged_by_them() -> None:
    story = Story().commit("A", "forge", {ORDERS: "1"})
    story.trust = Trust.HOST_ATTESTED
    verdicts = story.judge(
        {},
        HOSTED,
        introduction=("A", "alice"),
        evidence={"A": Attestation("A", "alice@bank.example")},
    )
    assert ("AO532",) == codes(of(verdicts, ORDERS))


def test_a_revoked_forge_key_proves_nothing() -> None:
    keys = [{"key": public_key("forge"), "revoked": True}]
    world = {**HOSTED, **dict([user("forge", attests=True, keys=keys)])}
    commit = Story().commit("A", "forge", {ORDERS: "1"}).view("A").commit
    said = {"A": Attestation("A", "alice@bank.example")}
    held = grants.build(world.items())
    maker = identify.identify(commit, held, Trust.HOST_ATTESTED, NOW, evidence=said)
    assert maker.cause is not None
    assert "AO506" == maker.cause.code
