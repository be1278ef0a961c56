"""The spec as it shall be: desired wins, what is merged stays, what was ours and is gone goes."""

import pytest

from apiops.model.kinds import KINDS
from apiops.plan import merge
from tests.builders import a_leaf

PROXY = KINDS["ApiProxy"]


@pytest.mark.parametrize(
    ("desired", "live", "applied", "expected"),
    [
        pytest.param({"description": "a"}, {"description": "b"}, None, {"description": "a"}, id="desired-wins"),
        pytest.param({}, {"description": "b"}, None, {}, id="absent-is-gone-where-nothing-merges"),
        pytest.param(
            {"settings": {"cors": {"corsActive": True}}},
            {"settings": {"cache": {"cacheActive": True}}},
            None,
            {"settings": {"cors": {"corsActive": True}, "cache": {"cacheActive": True}}},
            id="absent-stays-where-the-kind-merges",
        ),
        pytest.param(
            {"settings": {}},
            {"settings": {"cache": {"cacheActive": True}}},
            {"settings": {"cache": {"cacheActive": True}}},
            {"settings": {}},
            id="the-author-took-it-back",
        ),
        pytest.param(
            {"settings": {}},
            {"settings": {"cache": {"cacheActive": True}}},
            {"settings": {"cache": None}},
            {"settings": {"cache": {"cacheActive": True}}},
            id="an-author-who-cleared-it-does-not-own-what-came-later",
        ),
        pytest.param(
            {"settings": {"cache": None}},
            {"settings": {"cache": {"cacheActive": True}}},
            None,
            {"settings": {}},
            id="null-clears",
        ),
        pytest.param(
            {"settings": {"connection": {"readTimeout": 60}}},
            {"settings": {"connection": {"connectTimeout": 10, "readTimeout": 30}}},
            {"settings": {"connection": {"readTimeout": 30}}},
            {"settings": {"connection": {"connectTimeout": 10, "readTimeout": 60}}},
            id="merges-inside-merges",
        ),
        pytest.param(
            {"settings": {"cors": {"corsActive": True}}},
            {"settings": {"cors": {"corsActive": True, "corsMaxAge": 5}}},
            None,
            {"settings": {"cors": {"corsActive": True}}},
            id="a-mapping-inside-a-merged-one-is-replaced-unless-named",
        ),
        pytest.param(
            {"policies": {"request": [{"name": "b"}, {"name": "a"}]}},
            {"policies": {"request": [{"name": "a"}, {"name": "c"}, {"name": "b"}]}},
            None,
            {"policies": {"request": [{"name": "b"}, {"name": "a"}]}},
            id="a-keyed-list-has-the-desired-items-in-the-desired-order",
        ),
        pytest.param(
            {"metadata": {"categoryList": ["b", "a"]}},
            {"metadata": {"categoryList": ["a", "b"]}},
            None,
            {"metadata": {"categoryList": ["a", "b"]}},
            id="a-set-that-says-the-same-keeps-its-order",
        ),
        pytest.param(
            {"metadata": {"categoryList": ["b", "a"]}},
            {"metadata": {"categoryList": ["a", {"odd": 1}]}},
            None,
            {"metadata": {"categoryList": ["b", "a"]}},
            id="a-live-list-that-is-no-set-gives-way",
        ),
        pytest.param(
            {"deployments": [{"environment": "test"}], "type": "AI"},
            {"deployments": [{"environment": "production"}], "type": "AI"},
            None,
            {"type": "AI"},
            id="deployments-are-actions",
        ),
    ],
)  # fmt: skip
def test_a_proxy_is_merged(desired, live, applied, expected):
    assert expected == merge.result(PROXY, desired, live, applied)


def test_a_secret_that_only_the_live_side_has_stays_where_the_kind_merges():
    live = {"settings": {"keys": {"publicKey": a_leaf("f1"), "secretKey": a_leaf("f2")}}}
    desired = {"settings": {"keys": {"publicKey": a_leaf("f3", blob="new")}}}
    merged = merge.result(PROXY, desired, live, None)["settings"]["keys"]
    assert {"publicKey": a_leaf("f3", blob="new"), "secretKey": a_leaf("f2")} == merged


def test_a_leaf_is_never_merged_with_a_mapping():
    desired = {"settings": {"keys": {"publicKey": "k"}}}
    assert desired == merge.result(PROXY, desired, {"settings": {"keys": a_leaf()}}, None)


def test_the_inputs_are_left_as_they_were():
    desired, live = {"settings": {"a": None}}, {"settings": {"b": 1}}
    merge.result(PROXY, desired, live, live)
    assert ({"settings": {"a": None}}, {"settings": {"b": 1}}) == (desired, live)
