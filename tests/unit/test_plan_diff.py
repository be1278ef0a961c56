"""What differs between two specs, and what of it may be seen."""

import pytest

from apiops.model.diagnostic import Location
from apiops.model.kinds import KINDS
from apiops.model.plan import FieldChange
from apiops.model.secret import HIDDEN
from apiops.plan import diff
from tests.builders import a_leaf


def compared(before, after, kind="ApiProxy", locate=lambda _path: None):
    return diff.compare(KINDS[kind], before, after, locate)


def triples(before, after, kind="ApiProxy"):
    return [(c.path, c.before, c.after) for c in compared(before, after, kind).fields]


def requests(*items):
    return {"policies": {"request": list(items)}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="equal"),
        pytest.param({"a": 1}, {"a": 2}, [("spec.a", 1, 2)], id="scalar"),
        pytest.param({"a": 1}, {"a": True}, [("spec.a", 1, True)], id="one-is-not-true"),
        pytest.param({"a": 1}, {"a": 1.0}, [("spec.a", 1, 1.0)], id="one-is-not-one-point-zero"),
        pytest.param({}, {"a": {"b": 1}}, [("spec.a", None, {"b": 1})], id="what-comes-is-one-change"),
        pytest.param({"a": [1]}, {}, [("spec.a", [1], None)], id="what-goes-is-one-change"),
        pytest.param({"a": None}, {}, [], id="null-is-absent"),
        pytest.param({}, {"a": {}}, [("spec.a", None, {})], id="empty-is-not-absent"),
        pytest.param({"x.y": 1}, {"x.y": 2}, [('spec["x.y"]', 1, 2)], id="a-key-with-a-dot-is-quoted"),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, [("spec.a", [1, 2], [2, 1])], id="plain-list-as-a-whole"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, [("spec.a[0].b", 1, 2)], id="list-by-position"),
        pytest.param({"a": [{"b": 1}]}, {"a": []}, [("spec.a[0]", {"b": 1}, None)], id="shorter-list"),
        pytest.param(
            requests({"name": "throttle", "spec": {"limit": 100}}),
            requests({"name": "auth"}, {"name": "throttle", "spec": {"limit": 250}}),
            [
                ("spec.policies.request[auth]", None, {"name": "auth"}),
                ("spec.policies.request[throttle].spec.limit", 100, 250),
            ],
            id="keyed-list",
        ),
        pytest.param(
            requests({"name": "a"}, {"name": "b"}),
            requests({"name": "b"}, {"name": "a"}),
            [("spec.policies.request", ["a", "b"], ["b", "a"])],
            id="a-move-is-one-change",
        ),
        pytest.param(
            requests({"name": "a"}, {"name": "a"}),
            requests({"name": "a"}, {"name": "b"}),
            [("spec.policies.request[1].name", "a", "b")],
            id="a-key-that-is-there-twice-falls-back-to-positions",
        ),
        pytest.param(
            {"endpoints": [{"name": "/pets", "httpMethod": "GET", "active": True}]},
            {"endpoints": [{"name": "/pets", "httpMethod": "GET", "active": False}]},
            [("spec.endpoints[/pets,GET].active", True, False)],
            id="two-fields-are-the-key",
        ),
        pytest.param(
            {"metadata": {"categoryList": ["a", "b"]}},
            {"metadata": {"categoryList": ["c", "a"]}},
            [("spec.metadata.categoryList[b]", "b", None), ("spec.metadata.categoryList[c]", None, "c")],
            id="a-set-gains-and-loses",
        ),
        pytest.param(
            {"metadata": {"categoryList": ["a", {"odd": 1}]}},
            {"metadata": {"categoryList": ["a", {"odd": 2}]}},
            [("spec.metadata.categoryList[1].odd", 1, 2)],
            id="a-set-of-more-than-scalars-falls-back-to-positions",
        ),
        pytest.param(
            {"source": {"file": "a.yaml", "fileDigest": "aa"}},
            {"source": {"file": "a.yaml", "fileDigest": "bb"}},
            [("spec.source.fileDigest", "aa", "bb")],
            id="a-file-by-its-digest",
        ),
    ],
)  # fmt: skip
def test_a_difference_is_the_fields_that_differ(before, after, expected):
    assert expected == triples(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(a_leaf("f1"), a_leaf("f2"), id="another-value"),
        pytest.param("plain-before", a_leaf("f1"), id="plain-becomes-secret"),
        pytest.param(a_leaf("f1"), "plain-after", id="secret-becomes-plain"),
        pytest.param(None, a_leaf("f1"), id="secret-comes"),
        pytest.param(a_leaf("f1"), None, id="secret-goes"),
        pytest.param({"deep": "plain"}, a_leaf("f1"), id="mapping-becomes-secret"),
        pytest.param(None, a_leaf(None), id="secret-that-was-not-opened-comes"),
    ],
)
def test_a_changed_secret_is_hidden_on_both_sides(before, after):
    difference = compared({"token": before}, {"token": after})
    assert (FieldChange("spec.token", None, None, hidden=True),) == difference.fields


def test_an_equal_fingerprint_is_no_change_however_it_is_encrypted():
    old, new = a_leaf("f1", blob="b1", cipher="c1"), a_leaf("f1", blob="b2", cipher="c2")
    assert not compared({"token": old}, {"token": new})


def test_a_secret_that_was_not_opened_is_said_to_be_uncompared():
    difference = compared(
        {"token": a_leaf("f1", cipher="c1")}, {"token": a_leaf(None, cipher="c2")}
    )
    assert ((), ("spec.token",)) == (difference.fields, difference.uncompared)
    assert difference


def test_the_same_ciphertext_is_the_same_secret_without_a_key():
    old, new = a_leaf("f1", cipher="c1"), a_leaf(None, cipher="c1")
    assert not compared({"token": old}, {"token": new})


def test_a_subtree_that_comes_shows_its_secrets_as_hidden():
    after = {"account": {"user": "bob", "keys": [{"token": a_leaf("f1")}]}}
    expected = {"user": "bob", "keys": [{"token": HIDDEN}]}
    assert [("spec.account", None, expected)] == triples({}, after)


def test_plaintext_in_a_field_that_must_be_secret_is_hidden():
    before, after = {"password": "live-plaintext"}, {"password": a_leaf("f1")}
    (change,) = compared(before, after, "Credential").fields
    assert (True, None, None) == (change.hidden, change.before, change.after)
    (change,) = compared(before, {"password": "${PASSWORD}"}, "Credential").fields
    assert change.hidden


def test_plaintext_in_a_secret_field_of_a_subtree_that_goes_is_hidden():
    before = {"settings": {"keys": {"secretKey": "live-plaintext"}}}
    assert [("spec.settings", {"keys": {"secretKey": HIDDEN}}, None)] == triples(before, {})


@pytest.mark.parametrize(("visible", "hidden"), [(True, False), (False, True), (None, True)])
def test_a_variable_is_shown_only_where_it_says_that_it_is_visible(visible, hidden):
    side = {} if visible is None else {"visible": visible}
    before = {"values": {"test": {"value": "a", **side}}}
    after = {"values": {"test": {"value": "b", **side}}}
    (change,) = compared(before, after, "EnvironmentVariable").fields
    assert hidden == change.hidden


def test_a_variable_that_becomes_visible_does_not_show_what_it_was():
    before = {"values": {"test": {"value": "was-secret", "visible": False}}}
    after = {"values": {"test": {"value": "open", "visible": True}}}
    changes = {c.path: c for c in compared(before, after, "EnvironmentVariable").fields}
    assert changes["spec.values.test.value"].hidden


def test_a_position_is_that_of_the_nearest_thing_the_document_has():
    places = {
        ("spec",): Location("a.yaml", 4),
        ("spec", "policies", "request", 1): Location("a.yaml", 9),
    }
    before = requests({"name": "auth"}, {"name": "old"})
    after = requests({"name": "auth"}, {"name": "throttle", "spec": {"limit": 1}})
    found = compared(before, after, locate=places.get).fields
    assert [("old", 4), ("throttle", 9)] == [
        (change.path.split("[")[1][:-1], change.location.line) for change in found
    ]


def test_the_order_of_keys_in_the_input_does_not_matter():
    before, after = {"a": 1, "b": 2}, {"b": 3, "a": 4}
    reversed_after = dict(reversed(after.items()))
    assert compared(before, after) == compared(before, reversed_after)
