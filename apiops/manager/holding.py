"""Leases that a person, or a pipeline with a person's token, holds: no run gets in between.

It is the lease that a run takes, by the same name and with the same fences. To take it needs what
suspending the target needs. Only its owner, the person, renews it; anybody else with the right may
break it. Who took, gave back and broke it is in the log, in the same transaction.
"""

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import URL

from apiops.access import decide
from apiops.errors import AccessDenied
from apiops.manager import batch, leases, saying
from apiops.manager.state import Leased
from apiops.manager.store import Store, Unit
from apiops.model.audit import AuditContext, Statement
from apiops.model.resource import Target
from apiops.model.token import AccessToken

ACTION: Final = "lease"
"""What the entries of the log are about."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a lease is of: the runs of a repository (its lineage) for a target."""

    repository: str
    target: Target

    @property
    def name(self) -> str:
        """The lease's name, by which runs take it."""
        return batch.lease_name(self.repository, self.target.name)


class Holding:
    """The leases of one Manager, for those who hold them by hand."""

    def __init__(self, url: URL, store: Store) -> None:
        self._url = url
        self._store = store

    def take(self, place: Place, token: AccessToken, job: str, context: AuditContext) -> Leased:
        """Take it, or the same once more for the same token and `job` ("": one of its own).

        Raises ManagerUnavailable AO718 while it is held, AccessDenied AO520 (recorded).
        """
        owner, job = context.principal, job or secrets.token_hex(4)
        holder = leases.OWNED.join((owner, token.id, job))
        said = _said(place, "taken", holder)
        with self._allowed(place, said, context) as unit:
            now = unit.clock()
            fence = leases.take(unit.connection, place.name, holder, now)
            saying.record(unit, _said(place, "taken", holder, fence))
        return _held(place, holder, fence, now)

    def renew(self, place: Place, fence: int, context: AuditContext) -> Leased:
        """Let it live on, for its owner. Raises Conflict AO719, AccessDenied AO520 (recorded)."""
        said = _said(place, "renewed", "", fence)
        with self._allowed(place, said, context) as unit:
            now = unit.clock()
            holder = leases.held(unit.connection, place.name, fence, now)
            if not _owns(context.principal, holder):
                raise AccessDenied(
                    f"the lease of {place.name} is held by {holder}, and only who holds it renews",
                    code="AO520",
                    hint="wait until it ends; if it cannot wait, release it, which is recorded",
                )
            leases.renew(unit.connection, place.name, fence, now)
        return _held(place, holder, fence, now)

    def release(self, place: Place, fence: int, context: AuditContext) -> int:
        """Give it back, or break what another one holds; the entry's number.

        Raises Conflict AO719, AccessDenied AO520 (recorded).
        """
        said = _said(place, "released", "", fence)
        with self._allowed(place, said, context) as unit:
            now = unit.clock()
            holder = leases.held(unit.connection, place.name, fence, now)
            leases.release(unit.connection, place.name, fence, now)
            outcome = "released" if _owns(context.principal, holder) else "broken"
            return saying.record(unit, _said(place, outcome, holder, fence))

    def _allowed(
        self, place: Place, said: Statement, context: AuditContext
    ) -> AbstractContextManager[Unit]:
        needs = decide.need_to_hold_off(place.target.environment)
        return saying.allowed(self._url, self._store, context, said, needs)


def _owns(principal: str, holder: str) -> bool:
    """Whether a holder is this person's, by whichever token: neither token nor job has a colon."""
    return holder.rsplit(leases.OWNED, 2)[:-2] == [principal]


def _held(place: Place, holder: str, fence: int, now: datetime) -> Leased:
    return Leased(place.name, holder, fence, now + leases.LIFE)


def _said(place: Place, outcome: str, holder: str, fence: int | None = None) -> Statement:
    known = {"repository": place.repository, "holder": holder, "fence": fence}
    return Statement(
        action=ACTION,
        outcome=outcome,
        target=place.target.name,
        environment=place.target.environment,
        note={name: value for name, value in known.items() if value not in ("", None)},
    )
