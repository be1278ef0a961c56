"""Whatever a project describes: it is applied, and then there is nothing left to do.

With every quirk of the vendor's releases, and with every two of them, from any state to any other.
"""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.remote.gateway import Gateway, done, left, told
from tests.remote.states import states
from tests.standin import QUIRKS

FEW = settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Each example is real servers and databases: shrinking would take minutes. A quirk by itself has
one, for half of the sets of quirks have it too.
"""

RIVALS = (
    {"success-instead-of-status", "both-envelopes"},
    {"fail-and-message", "oauth-errors"},
    {"deployment-results", "environment-results", "deployed-lists"},
)
"""Of these one hides the other: together they are no more than one."""

PAIRS = [
    pair
    for pair in itertools.combinations(QUIRKS, 2)
    if not any(set(pair) <= rivals for rivals in RIVALS)
]
AT_ONCE = 12
"""So many quirks at once: half of them off, so that hardly one can hide behind the same others."""


def covering() -> list[tuple[str, ...]]:
    """Few sets of quirks, and every pair is in one: greedily, the same ones each time."""
    left = {frozenset(pair) for pair in PAIRS}
    rows = []
    while left:
        row: set[str] = set()
        while len(row) < AT_ONCE:
            row.add(max(allowed(row), key=lambda quirk: gain(quirk, row, left)))
        left -= {pair for pair in left if pair <= row}
        rows.append(tuple(sorted(row)))
    return rows


def allowed(row: set[str]) -> list[str]:
    rivals = set().union(*(group for group in RIVALS if group & row))
    return [quirk for quirk in QUIRKS if quirk not in row | rivals]


def gain(quirk: str, row: set[str], left: set[frozenset[str]]) -> tuple[int, int]:
    """How many open pairs it closes with those in the row, then how many it has in all."""
    closes = sum(frozenset((quirk, other)) in left for other in row)
    return closes, sum(quirk in pair for pair in left)


def converges(data: st.DataObject, *quirks: str) -> None:
    """Apply one state, then another: both times the next plan is empty."""
    with tempfile.TemporaryDirectory() as folder, Gateway(Path(folder), *quirks) as gateway:
        for _ in range(2):
            state = data.draw(states(gateway))
            outcomes = gateway.apply(state)
            assert done(outcomes), told(outcomes)
            assert "" == left(gateway.plan(state))
        assert [] == gateway.world.violations


@settings(FEW, max_examples=6)
@given(st.data())
def test_without_quirks(data: st.DataObject) -> None:
    converges(data)


@pytest.mark.parametrize("quirk", QUIRKS)
@settings(FEW, max_examples=1)
@given(st.data())
def test_with_a_quirk(quirk: str, data: st.DataObject) -> None:
    converges(data, quirk)


@pytest.mark.parametrize("quirks", covering(), ids=len)
@FEW
@given(st.data())
def test_with_every_pair_of_quirks_in_one_of_few_sets(
    quirks: tuple[str, ...], data: st.DataObject
) -> None:
    converges(data, *quirks)


@pytest.mark.slow
@settings(FEW, max_examples=12)
@given(st.data(), st.sampled_from(PAIRS))
def test_with_quirks_in_pairs(data: st.DataObject, pair: tuple[str, str]) -> None:
    converges(data, *pair)


def test_every_two_quirks_that_can_meet_do() -> None:
    met = {frozenset(pair) for row in covering() for pair in itertools.combinations(row, 2)}

    assert set(map(frozenset, PAIRS)) == met


@pytest.mark.slow
@settings(FEW, max_examples=5)
@given(st.data())
def test_with_all_quirks_that_go_together(data: st.DataObject) -> None:
    alone = {
        "success-instead-of-status",
        "deployment-results",
        "environment-results",
        "fail-and-message",
    }
    converges(data, *(quirk for quirk in QUIRKS if quirk not in alone))
