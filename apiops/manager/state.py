"""Reading: the tables as values of the model."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Text, and_, bindparam, func, select, type_coerce

from apiops.access import grants
from apiops.access.decide import Sight
from apiops.manager import tables
from apiops.manager.document import Document
from apiops.manager.keyring import KeyVersion
from apiops.manager.tables import SYSTEM_PROJECT
from apiops.model.access import Grants, Trust
from apiops.model.audit import Applied, Introduction, LedgerState
from apiops.model.kinds import KINDS
from apiops.model.resource import Deployment, JsonObject, LiveResource, ResourceId

_CHUNK = 500
"""Names in one query; SQLite and PostgreSQL both limit the parameters of a statement."""


_HERE: Final = and_(
    tables.resource.c.project == bindparam("project"),
    tables.resource.c.name.in_(bindparam("names", expanding=True)),
)
_KEYS: Final = select(tables.resource.c.id).where(_HERE)
_NAMED: Final = (
    select(tables.resource).where(_HERE),
    select(tables.deployment).where(tables.deployment.c.resource.in_(_KEYS)),
    select(tables.sealed).where(tables.sealed.c.resource.in_(_KEYS)),
)
"""Made once: to make a statement costs as much as to carry it out."""


@dataclass(frozen=True, slots=True)
class Running:
    """One row of `deployment`."""

    environment: str
    active: bool
    persistent: bool | None
    digest: str
    revision: int
    serial: int


@dataclass(slots=True)
class Held:
    """A resource as the tables hold it: one row and what hangs on it.

    `secrets` maps the pointer of a sealed value to its environment and fingerprint. `applied` is
    what the author had written, None while that is the spec itself or nobody owns it.
    """

    key: str
    id: ResourceId
    spec: JsonObject
    labels: Mapping[str, str]
    protected: bool
    digest: str
    serial: int
    owner: str | None
    applied: JsonObject | None
    running: dict[str, Running] = field(default_factory=dict)
    secrets: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def writes(self) -> int:
        """How often the resource or one of its deployments was written."""
        return self.serial + sum(running.serial for running in self.running.values())

    @property
    def authored(self) -> JsonObject | None:
        """What the owner's author had written; None if it is in nobody's inventory."""
        if self.owner is None:
            return None
        return self.spec if self.applied is None else self.applied

    @property
    def environments(self) -> tuple[str, ...]:
        """Where it runs now."""
        return tuple(sorted(name for name, one in self.running.items() if one.active))

    def live(self) -> LiveResource:
        """The value that the line compares with; its deployments stand in the spec too."""
        kind = KINDS.get(self.id.kind)
        spec = self.spec
        if kind is not None and kind.deployable:
            runs = {"deployments": [_deployment(self.running[name]) for name in self.environments]}
            spec = spec.beside(runs) if isinstance(spec, Document) else {**spec, **runs}
        return LiveResource(
            id=self.id,
            spec=spec,
            digest=self.digest,
            serial=self.writes,
            owner=self.owner,
            applied=self.authored,
            labels=self.labels,
            deployments=tuple(
                Deployment(name, self.running[name].digest, self.running[name].revision)
                for name in self.environments
            ),
            protected=self.protected,
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """What the Manager is: its lineage, and how it resolves actors."""

    lineage: str
    trust: Trust
    created: datetime


@dataclass(frozen=True, slots=True)
class Leased:
    """One row of `lease` that is held."""

    name: str
    holder: str
    fence: int
    expires: datetime


def leases(connection: Connection) -> tuple[Leased, ...]:
    """Every lease that somebody holds or held last, by name."""
    row = tables.lease
    held_ = select(row).where(row.c.holder != "").order_by(row.c.name)
    return tuple(Leased(*one) for one in connection.execute(held_))


@dataclass(frozen=True, slots=True)
class Standing:
    """A resource by digest alone: enough to know whether it is as somebody remembers it."""

    id: ResourceId
    digest: str
    serial: int
    owner: str | None
    environments: tuple[str, ...]


def standing(connection: Connection, sight: Sight) -> tuple[Standing, ...]:
    """Every resource that may be looked at, by digest, sorted by identity; no spec is read."""
    row, run = tables.resource.c, tables.deployment.c
    running: dict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    deployments = select(run.resource, run.environment, run.active, run.serial)
    for one in connection.execute(deployments.order_by(run.environment)):
        running[one.resource].append(one)
    columns = (row.id, row.kind, row.project, row.name, row.digest, row.serial, row.owner)
    found = [
        Standing(
            id=_id(one),
            digest=one.digest,
            serial=one.serial + sum(here.serial for here in running[one.id]),
            owner=one.owner,
            environments=tuple(here.environment for here in running[one.id] if here.active),
        )
        for one in connection.execute(select(*columns))
        if sight.sees(_id(one))
    ]
    return tuple(sorted(found, key=lambda one: one.id.order))


def identity(connection: Connection) -> Identity | None:
    """The Manager's identity; None before `initialise`."""
    row = connection.execute(select(tables.meta)).first()
    return None if row is None else Identity(row.lineage, Trust(row.trust), row.created)


def held(
    connection: Connection, sight: Sight, among: Collection[ResourceId] | None = None
) -> tuple[Held, ...]:
    """Every resource that may be looked at (of `among`, if given), sorted by identity."""
    rows = _whole(connection) if among is None else _chosen(connection, frozenset(among))
    seen = (row for row in rows if sight.sees(row.id))
    return tuple(sorted(seen, key=lambda one: one.id.order))


def of_kind(connection: Connection, sight: Sight, kind: str, project: str | None) -> list[Held]:
    """Those of one kind in one project or (None) in the System tier, as far as they may be seen."""
    row = tables.resource.c
    place = SYSTEM_PROJECT if project is None else project
    wanted = select(row.name).where(row.kind == kind, row.project == place)
    ids = (ResourceId(kind, project, name) for name in connection.execute(wanted).scalars())
    found = _chosen(connection, frozenset(ids))
    return sorted((one for one in found if sight.sees(one.id)), key=lambda one: one.id.order)


def of_kinds(connection: Connection, kinds: Collection[str]) -> tuple[ResourceId, ...]:
    """What there is of these kinds, by name alone."""
    row = tables.resource.c
    wanted = select(row.kind, row.project, row.name).where(row.kind.in_(sorted(kinds)))
    return tuple(map(_id, connection.execute(wanted)))


def owns(connection: Connection, kind: str, project: str | None) -> bool:
    """Whether anything of a kind in a project or (None) in the System tier is in an inventory."""
    row = tables.resource.c
    place = SYSTEM_PROJECT if project is None else project
    mine = (row.kind == kind, row.project == place, row.owner.is_not(None))
    return connection.execute(select(row.id).where(*mine).limit(1)).first() is not None


def _chosen(connection: Connection, ids: frozenset[ResourceId]) -> list[Held]:
    return [one for id, one in named(connection, ids).items() if id in ids]


def _whole(connection: Connection) -> list[Held]:
    column = tables.resource.c
    texts = {name: type_coerce(column[name], Text).label(name) for name in ("spec", "applied")}
    unread = select(*(texts.get(one.name, one) for one in column))
    return _gathered(connection, (unread, select(tables.deployment)), {})


def named(connection: Connection, ids: Iterable[ResourceId]) -> dict[ResourceId, Held]:
    """The resources of these identities that there are, with their sealed values."""
    names = defaultdict[str, set[str]](set)
    for id in ids:
        names[id.project or SYSTEM_PROJECT].add(id.name)
    found: dict[ResourceId, Held] = {}
    for project, chunk in _chunks(names):
        where = {"project": project, "names": chunk}
        found.update((one.id, one) for one in _gathered(connection, _NAMED, where))
    return found


def sealed(connection: Connection, key: str, pointers: Collection[str]) -> Sequence[Any]:
    """The sealed values of one resource at these pointers."""
    row = tables.sealed.c
    wanted = select(row.environment, row.pointer, row.kid, row.token)
    return connection.execute(
        wanted.where(row.resource == key, row.pointer.in_(sorted(pointers)))
    ).all()


def files(connection: Connection, digests: Iterable[str]) -> dict[str, bytes]:
    """The files that resources refer to, by the SHA-256 of their bytes; those that there are."""
    column = tables.attachment.c
    found: dict[str, bytes] = {}
    for _, chunk in _chunks({"": set(digests)}):
        rows = connection.execute(select(tables.attachment).where(column.sha256.in_(chunk)))
        found.update((row.sha256, row.content) for row in rows)
    return found


def permissions(connection: Connection) -> Grants:
    """The permission snapshot that the people, roles, teams and memberships of now make."""
    column = tables.resource.c
    rows = connection.execute(
        select(column.kind, column.project, column.name, column.spec).where(
            column.kind.in_(sorted(grants.GIVES_RIGHTS))
        )
    )
    return grants.build((_id(row), row.spec) for row in rows)


def names_of(connection: Connection, kind: str) -> tuple[str, ...]:
    """The names of all resources of a kind, sorted."""
    row = tables.resource.c
    return tuple(
        connection.execute(select(row.name).where(row.kind == kind).order_by(row.name)).scalars()
    )


def enabled(connection: Connection, user: str) -> bool:
    """Whether there is a user of that name who may act; what they may do, `permissions` says."""
    id = ResourceId("User", None, user)
    row = tables.resource.c
    mine = (row.kind == id.kind, row.project == SYSTEM_PROJECT, row.name == user)
    found = connection.execute(select(row.spec).where(*mine)).first()
    return found is not None and user in grants.build([(id, found.spec)]).enabled


def ledger(connection: Connection, repository: str, target: str) -> LedgerState:
    """Introduction and last applied revision of every unit."""
    here = tables.introduction.c
    found = connection.execute(
        select(tables.introduction).where(here.repository == repository, here.target == target)
    ).first()
    row = tables.applied.c
    newest = (
        select(row.unit, func.max(row.serial).label("serial"))
        .where(row.repository == repository, row.target == target)
        .group_by(row.unit)
        .subquery()
    )
    rows = connection.execute(
        select(tables.applied)
        .join(newest, and_(row.unit == newest.c.unit, row.serial == newest.c.serial))
        .where(row.repository == repository, row.target == target)
    )
    return LedgerState(
        introduction=None if found is None else Introduction(*found),
        applied={one.unit: one for one in map(_applied, rows)},
    )


def history(connection: Connection, repository: str, target: str, unit: str) -> tuple[Applied, ...]:
    """The chain of applied revisions of a unit, oldest first."""
    row = tables.applied.c
    rows = connection.execute(
        select(tables.applied)
        .where(row.repository == repository, row.target == target, row.unit == unit)
        .order_by(row.serial)
    )
    return tuple(map(_applied, rows))


def keys(connection: Connection) -> tuple[KeyVersion, ...]:
    """Every key version, wrapped."""
    return tuple(KeyVersion(*row) for row in connection.execute(select(tables.keyring)))


def _gathered(
    connection: Connection, parts: tuple[Select[Any], ...], where: dict[str, Any]
) -> list[Held]:
    """Resources with their deployments and, if a third part asks for them, their sealed values."""
    resources, *hanging = parts
    found = {row.id: _held(row) for row in connection.execute(resources, where)}
    if not found:
        return []
    deployments, *sealed = (connection.execute(part, where) for part in hanging)
    for row in deployments:
        found[row.resource].running[row.environment] = Running(*row[1:])
    for row in chain(*sealed):
        found[row.resource].secrets[row.pointer] = (row.environment, row.fingerprint)
    return list(found.values())


def _held(row: Row[Any]) -> Held:
    return Held(
        key=row.id,
        id=_id(row),
        spec=_unread(row.spec),
        labels=row.labels,
        protected=row.protected,
        digest=row.digest,
        serial=row.serial,
        owner=row.owner,
        applied=_unread(row.applied),
    )


def _unread(stored: Any) -> Any:
    """A document that was selected as text stays text until it is looked into."""
    return Document(stored) if isinstance(stored, str) else stored


def _id(row: Row[*tuple[Any, ...]]) -> ResourceId:
    return ResourceId(row.kind, row.project or None, row.name)


def _applied(row: Row[Any]) -> Applied:
    return Applied(
        unit=row.unit,
        commit=row.commit,
        tree=row.tree,
        serial=row.serial,
        previous=row.previous,
        digest=row.digest,
        at=row.at,
        run=row.run,
    )


def _deployment(running: Running) -> dict[str, Any]:
    persistent = {} if running.persistent is None else {"persistent": running.persistent}
    return {"environment": running.environment} | persistent


def _chunks(names: Mapping[str, set[str]]) -> Iterator[tuple[str, list[str]]]:
    for project, wanted in names.items():
        ordered = sorted(wanted)
        for start in range(0, len(ordered), _CHUNK):
            yield project, ordered[start : start + _CHUNK]
