"""Which place a kind's pattern means, and how people read a place."""

import pytest

from apiops.plan import place
from apiops.plan.place import ITEM, TOP


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("", (), True),
        ("", ("settings",), False),
        ("settings", ("settings",), True),
        ("settings", ("settings", "cors"), False),
        ("trafficLog.*", ("trafficLog", "production"), True),
        ("members.*.roles", ("members", ITEM, "roles"), True),
        ("members.*.roles", ("members", "roles"), False),
        ("**.password", ("a", ITEM, "password"), True),
        ("**.password", ("password",), True),
        ("**", (), True),
        ("a.**.z", ("a", "b", "c"), False),
    ],
)
def test_a_pattern_means_a_place(pattern, names, expected):
    assert expected == place.matches(pattern, names)


def test_a_place_reads_like_a_path_and_points_into_the_document():
    here = TOP.field("policies").field("request").item("throttle", 2).field("spec")
    assert here.text == "spec.policies.request[throttle].spec"
    assert here.source == ("spec", "policies", "request", 2, "spec")


@pytest.mark.parametrize("key", ["a.b", 'a"b', "a b", "a]b", "", "é"])
def test_a_key_that_is_no_plain_word_is_quoted(key):
    assert TOP.field(key).text.startswith('spec["')


def test_an_item_that_the_desired_list_has_not_points_at_the_list():
    assert TOP.field("ipList").item("10.0.0.1", None).source == ("spec", "ipList")
