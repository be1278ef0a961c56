"""A run for somebody who may not see everything: only units that they may see whole take part.

What is left out is left out of the desired and of the live state alike, before they are compared,
so neither the plan nor its digest depends on anything that the asker may not look at.
"""

from collections.abc import Callable
from dataclasses import replace

from apiops.model.resource import EVERYTHING, Desired, ResourceId
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
