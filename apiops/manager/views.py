"""What somebody may read of a Manager: resources, documents and the log, as far as they may.

Every method asks for the principal and looks through their `Sight`. What they may not see is as
if it were not there: no error tells the one from the other.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from sqlalchemy import URL, Engine

from apiops.access import decide
from apiops.access.grants import ENGINE
from apiops.manager import audit, faults, state
from apiops.manager.known import Knowledge
from apiops.model.access import Category, Grants, Scope, Tier, Verb
from apiops.model.audit import AuditEntry, AuditQuery
from apiops.model.resource import SYSTEM, LiveResource, ResourceId

MOST: Final = 1000
"""Audit entries that one question can ask for."""
_NO_PROJECT: Final = "\0"
"""A name that no project can have."""


class Views:
    """The reading side of one Manager."""

    def __init__(self, url: URL, reading: Engine, knowledge: Knowledge) -> None:
        self._url = url
        self._reading = reading
        self._knowledge = knowledge

    def grants(self) -> Grants:
        """The permission snapshot of now."""
        with faults.translated(self._url), self._reading.connect() as connection:
            return self._knowledge.at(connection).grants

    def standing(self, principal: str) -> tuple[state.Standing, ...]:
        """Every resource that the principal may look at, by digest."""
        with faults.translated(self._url), self._reading.connect() as connection:
            sight = decide.sight(self._knowledge.at(connection).grants, principal)
            return state.standing(connection, sight)

    def resource(self, principal: str, id: ResourceId) -> LiveResource | None:
        """One resource whole, secrets as leaves; None if there is none that they may see."""
        with faults.translated(self._url), self._reading.connect() as connection:
            sight = decide.sight(self._knowledge.at(connection).grants, principal)
            if not sight.sees(id):
                return None
            row = state.named(connection, (id,)).get(id)
            return None if row is None else row.live()

    def resources(self, principal: str, kind: str, project: str | None) -> list[LiveResource]:
        """The resources of a kind in a project, as far as the principal may look at them."""
        with faults.translated(self._url), self._reading.connect() as connection:
            sight = decide.sight(self._knowledge.at(connection).grants, principal)
            return [row.live() for row in state.of_kind(connection, sight, kind, project)]

    def is_taken(self, kind: str, name: str) -> bool:
        """Whether any project has one of that name, for kinds whose names are all projects'."""
        with faults.translated(self._url), self._reading.connect() as connection:
            return name in state.names_of(connection, kind)

    def projects(self, principal: str) -> list[str]:
        """The projects that a principal has anything to do with, by name."""
        with faults.translated(self._url), self._reading.connect() as connection:
            grants = self._knowledge.at(connection).grants
            names = state.names_of(connection, "Project")
            return [name for name in names if _belongs(grants, principal, name)]

    def environments(self) -> list[LiveResource]:
        """The environments that there are: their names are no secret to whoever has a token."""
        with faults.translated(self._url), self._reading.connect() as connection:
            sight = decide.sight(self._knowledge.at(connection).grants, ENGINE)
            return [row.live() for row in state.of_kind(connection, sight, "Environment", None)]

    def entries(self, principal: str, query: AuditQuery) -> tuple[AuditEntry, ...]:
        """Audit entries of the projects and tiers whose log the principal may view."""
        with faults.translated(self._url), self._reading.connect() as connection:
            shown = _Shown(self._knowledge.at(connection).grants, principal)
            limit = min(query.limit or MOST, MOST)
            found = audit.find(connection, replace(query, limit=0), shown.projects())
            return tuple(islice((one for one in found if shown(one)), limit))

    def entry(self, principal: str, seq: int) -> AuditEntry | None:
        """One entry, if there is one that the principal may view."""
        with faults.translated(self._url), self._reading.connect() as connection:
            found = audit.get(connection, seq)
            shown = _Shown(self._knowledge.at(connection).grants, principal)
            return found if found is not None and shown(found) else None

    def demand_log(self, principal: str) -> None:
        """Raise AccessDenied AO520 unless the principal may view the System tier's log."""
        decide.permit(self.grants(), principal, Verb.VIEW, Category.AUDIT, Scope(Tier.SYSTEM))

    def leases(self, principal: str) -> Iterator[state.Leased]:
        """Who holds which lease; for those who may look at the System tier."""
        with faults.translated(self._url), self._reading.connect() as connection:
            grants = self._knowledge.at(connection).grants
            system = Scope(Tier.SYSTEM)
            may = decide.decide(grants, principal, Verb.VIEW, Category.MONITORING, system)
            if may.allowed:
                yield from state.leases(connection)


class _Shown:
    """Whether an entry is in a part of the log that somebody may view.

    The database leaves out what cannot be (`projects`); each entry that it gives is judged.
    """

    def __init__(self, grants: Grants, principal: str) -> None:
        self._grants = grants
        self._principal = principal
        self._known: dict[str | None, bool] = {}

    def __call__(self, entry: AuditEntry) -> bool:
        return self._of(_project(entry))

    def projects(self) -> frozenset[str | None] | None:
        """The projects whose entries can be shown, None in it for the System tier's; None alone:
        every project's, those that are gone too.

        What somebody may in a project in which nobody was granted anything is theirs by a role
        in the System tier, in every project.
        """
        if self._of(_NO_PROJECT):
            return None
        granted = {one.project for one in self._grants.grants if one.principal == self._principal}
        return frozenset(one for one in {None, *granted} if self._of(one))

    def _of(self, project: str | None) -> bool:
        if project not in self._known:
            scope = Scope(Tier.SYSTEM) if project is None else Scope(Tier.PROJECT, project)
            verdict = decide.decide(self._grants, self._principal, Verb.VIEW, Category.AUDIT, scope)
            self._known[project] = verdict.allowed
        return self._known[project]


def _belongs(grants: Grants, principal: str, project: str) -> bool:
    """Whether a principal has any right at all in a project, so that they may know of it."""
    scope = Scope(Tier.TEAM, project)
    return principal in grants.enabled and any(
        decide.decide(grants, principal, Verb.VIEW, category, scope).allowed
        for category in Category
    )


def _project(entry: AuditEntry) -> str | None:
    """The project that an entry is about; the applied revision of a unit has no resource."""
    if entry.resource is not None:
        return entry.resource.project
    unit = entry.after.get("unit") if isinstance(entry.after, dict) else None
    return None if unit in (None, SYSTEM) else str(unit)


def sees(grants: Grants, principal: str | None) -> decide.Sight:
    """What a submitter may look at: a person what they may, a service (None) as the engine."""
    return decide.sight(grants, ENGINE if principal is None else principal)
