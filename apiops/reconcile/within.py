"""A run for somebody who may not see everything: only units that they may see whole take part.

What is left out is left out of the desired and of the live state alike, before they are compared,
so neither the plan nor its digest depends on anything that the asker may not look at.
"""

from collections.abc import Callable
from dataclasses import replace

from apiops.model.plan import Change
from apiops.model.resource import EVERYTHING, Desired, ResourceId
from apiops.model.view import PlanView
from apiops.ports import Live
from apiops.spec.load import Loaded

Sees = Callable[[ResourceId], bool]
"""Whether somebody may look at a resource."""


def narrowed(loaded: Loaded, live_: Live, sees: Sees) -> tuple[Loaded, Live]:
    """Both states of the units that may be seen whole."""
    shown = seen(loaded.desired, live_, sees)
    return replace(loaded, desired=desired(loaded.desired, shown)), live(live_, shown)


def seen(desired_: Desired, live_: Live, sees: Sees) -> frozenset[str]:
    """The units of which every resource, described or held, may be looked at."""
    ids = {one.id for one in desired_.resources} | {one.id for one in live_.resources}
    hidden = {id.unit for id in ids if not sees(id)}
    return frozenset(id.unit for id in ids) - hidden


def view(whole: PlanView, sees: Sees) -> PlanView:
    """A plan without what may not be looked at, under the digest of all of it: only to be shown."""

    def shown(change: Change) -> bool:
        return all(sees(id) for id in (change.id, change.former) if id is not None)

    plan, verdicts = whole.plan, whole.verdicts
    changes = tuple(filter(shown, plan.changes))
    units = {unit for change in changes for unit in change.units}
    judgements = verdicts.judgements if verdicts else ()
    judged = tuple(one for one in judgements if shown(one.change))
    return replace(
        whole,
        plan=replace(
            plan,
            changes=changes,
            base={unit: commit for unit, commit in plan.base.items() if unit in units},
            guards=tuple(one for one in plan.guards if one.unit is None or one.unit in units),
            stopped={unit: code for unit, code in plan.stopped.items() if unit in units},
        ),
        verdicts=verdicts and replace(verdicts, judgements=judged),
        left=tuple(filter(shown, whole.left)),
        breaking=tuple(one for one in whole.breaking if sees(one.id)),
    )


def desired(whole: Desired, shown: frozenset[str]) -> Desired:
    """What is described of the units `shown`."""
    return replace(
        whole,
        resources=tuple(one for one in whole.resources if one.id.unit in shown),
        stopped={u: code for u, code in whole.stopped.items() if u in shown or u == EVERYTHING},
    )


def live(whole: Live, shown: frozenset[str]) -> Live:
    """What is held of the units `shown`."""
    applied = {unit: one for unit, one in whole.ledger.applied.items() if unit in shown}
    return replace(
        whole,
        resources=tuple(one for one in whole.resources if one.id.unit in shown),
        ledger=replace(whole.ledger, applied=applied),
    )
