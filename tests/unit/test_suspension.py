"""When a suspension stands: what was said last counts, and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apiops.errors import PlanRefused
from apiops.model.audit import Reason
from apiops.model.resource import Target
from apiops.reconcile import suspension
from tests.managers import NOON, House, a_context, settle

HERE = Target("production", "production")
LATER = NOON + timedelta(hours=2)
WHY = replace(a_context(), reason=Reason("incident 4711"))


@pytest.fixture
def ledger(house: House):  # type: ignore[no-untyped-def]  # the contract is the port's
    settle(house.manager)
    return house.manager


def test_it_ends_at_the_time_that_was_named(ledger) -> None:
    suspension.say(ledger, HERE, WHY, until=LATER)
    found = suspension.standing(ledger, HERE, LATER - timedelta(seconds=1))
    assert found is not None
    assert ("ayse", LATER, "incident 4711") == (found.by, found.until, found.reason)
    assert suspension.standing(ledger, HERE, LATER) is None


def test_what_was_said_last_counts(ledger) -> None:
    suspension.say(ledger, HERE, WHY)
    suspension.say(ledger, HERE, WHY, resumes=True)
    assert suspension.standing(ledger, HERE, NOON) is None
    suspension.say(ledger, HERE, WHY)
    assert suspension.standing(ledger, HERE, NOON) is not None


def test_another_target_is_another_matter(ledger) -> None:
    suspension.say(ledger, Target("test", "production"), WHY)
    suspension.say(ledger, Target("production", "test"), WHY)
    assert suspension.standing(ledger, HERE, NOON) is None
    suspension.say(ledger, HERE, WHY)
    suspension.say(ledger, Target("production", "test"), WHY, resumes=True)
    assert suspension.standing(ledger, HERE, NOON) is not None
    assert suspension.admit(None, frozenset()) == ()


def test_it_is_refused_by_name_and_overridden_by_name(ledger) -> None:
    suspension.say(ledger, HERE, WHY)
    found = suspension.standing(ledger, HERE, NOON)
    with pytest.raises(PlanRefused) as refused:
        suspension.admit(found, frozenset({"freeze"}))
    assert "AO617" == refused.value.code
    assert ("suspension",) == suspension.admit(found, frozenset({"suspension"}))
