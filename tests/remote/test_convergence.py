"""Whatever a project describes: it is applied, and then there is nothing left to do.

With every quirk of the vendor's releases, and with quirks in pairs, from any state to any other.
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
    max_examples=4,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Each example is real servers and databases: shrinking would take minutes."""

PAIRS = list(itertools.combinations(QUIRKS, 2))


def converges(data: st.DataObject, *quirks: str) -> None:
    """Apply one state, then another: both times the next plan is empty."""
    with tempfile.TemporaryDirectory() as folder, Gateway(Path(folder), *quirks) as gateway:
        for _ in range(2):
            state = data.draw(states(gateway))
            outcomes = gateway.apply(state)
            assert done(outcomes), told(outcomes)
            assert "" == left(gateway.plan(state))
        assert [] == gateway.world.violations


@FEW
@given(st.data())
def test_without_quirks(data: st.DataObject) -> None:
    converges(data)


@pytest.mark.parametrize("quirk", QUIRKS)
@FEW
@given(st.data())
def test_with_a_quirk(quirk: str, data: st.DataObject) -> None:
    converges(data, quirk)


@pytest.mark.slow
@settings(FEW, max_examples=40)
@given(st.data(), st.sampled_from(PAIRS))
def test_with_quirks_in_pairs(data: st.DataObject, pair: tuple[str, str]) -> None:
    converges(data, *pair)


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
