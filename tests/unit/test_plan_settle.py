"""What a Manager shows, settled with what was written there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiops.model.kinds import KINDS
from apiops.plan.settle import UNSET, settle
from tests.builders import a_leaf


def settled(kind: str, written: Any, **seen: Any) -> Any:
    return settle(KINDS[kind], written, seen)


def test_what_is_not_seen_stands_as_it_was_written() -> None:
    written = {"settings": {"cors": {"corsActive": True}}}

    assert written == settled("ApiProxy", written, description=None)


def test_what_is_seen_otherwise_is_drift() -> None:
    assert {"description": "theirs"} == settled(
        "IpGroup", {"description": "ours"}, description="theirs"
    )


def test_what_is_seen_and_was_not_written_is_drift_unless_the_manager_fills_it_in() -> None:
    assert {"ipList": ["10.0.0.1"]} == settled("IpGroup", {}, ipList=["10.0.0.1"])
    assert {} == settled("Connection", {}, enabled=True, deployToWorker=True)
    assert {"enabled": False} == settled("Connection", {}, enabled=False)


def test_what_is_gone_is_drift() -> None:
    assert {} == settled("IpGroup", {"description": "ours"}, description=None)
    assert {"ipList": []} == settled("IpGroup", {"ipList": []}, ipList=None)


def test_the_order_of_a_set_says_nothing() -> None:
    written = {"ipList": ["10.0.0.1", "10.0.0.2"]}

    assert written == settled("IpGroup", written, ipList=["10.0.0.2", "10.0.0.1"])


def test_the_order_of_policies_is_theirs() -> None:
    one, two = ({"name": name, "type": "policy-script", "spec": {}} for name in ("a", "b"))
    found = settled(
        "ApiProxy", {"policies": {"request": [one, two]}}, policies={"request": [two, one]}
    )

    assert ["b", "a"] == [policy["name"] for policy in found["policies"]["request"]]


def test_a_date_with_milliseconds_is_the_same_date() -> None:
    written = {"expireDate": "2027-01-01T00:00:00Z"}

    assert written == settled("Credential", written, expireDate="2027-01-01T00:00:00.000Z")


def test_a_number_is_no_boolean() -> None:
    assert {"x": 1} == settled("Connection", {"x": True}, x=1)


def test_two_words_for_one_thing_are_the_same() -> None:
    written = {"metadata": {"sharingType": "INTERNAL"}}

    assert written == settled("ApiProxy", written, metadata={"sharingType": "ORGANIZATION"})


def test_a_secret_stands_unless_the_manager_says_that_it_has_none() -> None:
    written = {"apiKey": a_leaf("f1")}

    assert written == settled("LlmProvider", written, apiKey=None)
    assert {} == settled("LlmProvider", written, apiKey=UNSET)


def test_the_fields_of_a_payload_that_nobody_wrote_are_not_looked_at() -> None:
    policy = {"name": "a", "type": "policy-script", "spec": {"scriptBody": "x"}}
    seen = {**policy, "spec": {"scriptBody": "x", "executionType": "SYNC"}}

    written = {"policies": {"request": [policy]}}
    assert written == settled("ApiProxy", written, policies={"request": [seen]})
    assert {"policies": {"request": [seen]}} == settled(
        "ApiProxy", None, policies={"request": [seen]}
    )


trees = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(st.text(min_size=1, max_size=3), trees, max_size=4),
)
def test_what_is_seen_as_it_was_written_is_what_was_written(kind: str, written: Any) -> None:
    assert written == settle(KINDS[kind], written, written)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_of_what_nobody_wrote_and_nobody_shows_nothing_is_left(kind: str) -> None:
    assert {} == settle(KINDS[kind], None, {})
