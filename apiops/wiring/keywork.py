"""A person's work on the Manager's keys: proven by their SSH key, judged and audited like any."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from apiops.manager.keyring import Purpose
from apiops.manager.keys import Keys
from apiops.model.access import Tier
from apiops.model.audit import KeyView, Source
from apiops.wiring import assemble, handwork, wrapkeys
from apiops.wiring.settings import TargetSettings

BREATH: Final = 0.02
"""Seconds between two batches, so that other writers get their turn."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who does it, proven by the private key that signs their commits, and why."""

    name: str
    sign_key: Path
    reason: str


def versions(target: TargetSettings) -> tuple[KeyView, ...]:
    """Every key version, without the key."""
    with assemble.manager(target) as manager:
        return tuple(map(manager.keys.view, manager.keys.versions()))


def rotate(
    target: TargetSettings, person: Person, environment: str, purpose: Purpose,
    *, prepare: bool, told: Callable[[int, int], None],
) -> KeyView:  # fmt: skip
    """Let a new key take over, and seal again what older ones sealed; `told` how far it is.

    When values are still sealed with an older key, an earlier rotation was interrupted: then no
    new key is made, and the work goes on. Raises AccessDenied, SecretError.
    """
    with _keys(target, person) as (keys, by):
        left = keys.left(environment) if purpose == "seal" else 0
        if left:
            version = next(
                one
                for one in keys.versions()
                if (one.environment, one.purpose, one.state) == (environment, purpose, "active")
            )
        else:
            version = keys.rotate(environment, purpose, prepare=prepare, **by)
            left = keys.left(environment) if purpose == "seal" else 0
        done = 0
        if left:
            for count in keys.reseal(environment, **by):
                done += count
                told(done, max(left, done))
                time.sleep(BREATH)
        return keys.view(version)


def retire(
    target: TargetSettings, person: Person, environment: str, purpose: Purpose, kid: str,
    *, compromised: bool,
) -> KeyView:  # fmt: skip
    """Refuse a key version from now on. Raises AccessDenied, SecretError AO732, AO733."""
    with _keys(target, person) as (keys, by):
        version = keys.retire(environment, purpose, kid, compromised=compromised, **by)
        return keys.view(version)


def rewrap(
    target: TargetSettings, person: Person, setting: str, recipients: tuple[str, ...]
) -> int:
    """Wrap every key with the wrapping key that a setting names; how many keys there are."""
    with _keys(target, person) as (keys, by):
        wrapping = wrapkeys.made(target, setting, recipients)(keys.lineage)
        return len(keys.rewrap(wrapping, **by))


@contextmanager
def _keys(target: TargetSettings, person: Person) -> Iterator[tuple[Keys, dict[str, Any]]]:
    handwork.demand_reason("work on keys", person.reason, "yearly rotation")
    with assemble.manager(target) as manager:
        handwork.prove(manager.grants(), person.name, person.sign_key)
        by = handwork.console(person.name, person.reason)
        context = replace(by, source=Source.ROTATION, tier=Tier.SYSTEM.value)
        yield manager.keys, {"principal": person.name, "context": context}
