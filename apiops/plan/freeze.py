"""Freeze windows: times in which an environment takes no change.

They stand in the Environment as the Manager has it, so that no commit of the batch can end one.
A plan can be made and approved in a freeze: only carrying it out has to wait.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apiops.errors import PlanRefused
from apiops.model import moment
from apiops.model.resource import JsonObject
from apiops.ports import Live

FREEZE: Final = "freeze"
"""The name by which a freeze is overridden."""


@dataclass(frozen=True, slots=True)
class Window:
    """A freeze: the environment, until when, and why."""

    environment: str
    ends: str
    reason: str

    @property
    def message(self) -> str:
        """In words."""
        return f"{self.environment} is frozen until {self.ends}: {self.reason}"


def standing(live: Live, environments: Iterable[str], at: datetime) -> Window | None:
    """The freeze of environments at a moment, the last to end if there are several."""
    windows = (
        Window(environment, one["ends"], one["reason"])
        for environment in environments
        for one in said(live, environment)
        if moment.parse(one["begins"]) <= at < moment.parse(one["ends"])
    )
    return max(windows, key=lambda window: window.ends, default=None)


def said(live: Live, environment: str) -> Iterator[JsonObject]:
    """Every freeze that an environment has, over or to come."""
    yield from live.environments.get(environment, {}).get("freezes") or ()


def admit(window: Window | None, allow: frozenset[str]) -> tuple[str, ...]:
    """What was overridden to go on: the freeze's name, or nothing. Raises PlanRefused AO613."""
    if window is None:
        return ()
    if FREEZE in allow:
        return (FREEZE,)
    raise PlanRefused(
        window.message,
        code="AO613",
        hint=f"wait, or if it cannot wait: --allow {FREEZE} (recorded with every change)",
    )
