"""Attacks on what an environment demands: a second person, a freeze, documents that break nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_approvals import CHANGED, ORDERS, a_bank
from tests.cli.test_gates import NOW
from tests.cli.test_gates import an_environment as a_freeze
from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import MERT, Shop


@pytest.fixture
def far(tmp_path: Path, database: str) -> Iterator[Remote]:
    """Over HTTP: Mert changed a proxy, and somebody else has to approve it."""
    with remote(tmp_path, database, a_bank()) as shop:
        shop.introduce()
        shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        yield shop


def test_whoever_sees_a_project_alone_is_held_to_what_the_environment_demands(far: Remote) -> None:
    mine = a_token(far.open, "mert", "plan", "apply")
    assert "needs the approval of 1 person" in far.there("plan", token=mine).out
    done = far.there("apply", "--yes", token=mine)
    assert (5, True) == (done.code, "AO614" in done.err), done.err


def test_a_freeze_holds_them_too(tmp_path: Path, database: str) -> None:
    with remote(tmp_path, database, {**a_bank(0), "system/dev.yaml": a_freeze(*NOW)}) as far:
        mine = a_token(far.open, "ayse", "plan", "apply", "override")
        begun = ("--introduction", far.first, "--approver", "ayse", "--yes")
        assert 0 == far.there("apply", *begun, token=mine).code
        far.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        done = far.there("apply", "--yes", token=a_token(far.open, "mert", "plan", "apply"))
        assert (5, True) == (done.code, "AO613" in done.err), done.err


def test_a_plan_of_what_is_not_settled_tells_of_the_approval_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.begin(a_bank())
    assert "No changes" in shop.run("plan").out
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    plan = shop.run("plan")
    assert "needs the approval of 1 person" in plan.out
