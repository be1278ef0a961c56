"""The embedded Manager: the Manager and Ledger ports over one database.

Every public method is one door: it runs inside `faults.translated`, so that nothing of the
driver's errors comes out, and in one transaction, so that it is all or nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine

from apiops.access import decide, grants
from apiops.errors import AccessDenied, ManagerError, StoreError
from apiops.manager import (
    audit,
    batch,
    connect,
    faults,
    fieldcrypt,
    formers,
    leases,
    opening,
    providers,
    saying,
    schema,
    state,
)
from apiops.manager.bundle import Bundles
from apiops.manager.checkpoints import Checkpoints
from apiops.manager.holding import Holding
from apiops.manager.keyring import Ring
from apiops.manager.keys import Keys
from apiops.manager.opening import Opened
from apiops.manager.state import Identity
from apiops.manager.store import Clock, Store
from apiops.manager.tokens import Tokens
from apiops.manager.views import Views
from apiops.manager.wrapping import Provider
from apiops.model.access import Grants, Need
from apiops.model.audit import (
    Applied,
    AuditContext,
    AuditEntry,
    AuditQuery,
    ChainReport,
    LedgerState,
    Statement,
)
from apiops.model.outcome import Outcome
from apiops.model.plan import Action, Change
from apiops.model.resource import (
    JsonObject,
    LiveResource,
    Origin,
    Resource,
    ResourceId,
    environments,
)
from apiops.model.secret import SecretValue
from apiops.ports import Batch, Live, Write


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def open_manager(
    url: str,
    *,
    key_file: Path | None = None,
    wrapping: Provider | None = None,
    lineage: str | None = None,
    clock: Clock = now,
    keeps: int = formers.KEEPS,
) -> "EmbeddedManager":
    """Open the Manager in the database `url`, with the wrapping key in `key_file` or elsewhere.

    `lineage` is the one that is expected, if any; `keeps` is for how many runs secrets are kept
    that a run replaced or took away. Raises StoreError (no such database, schema
    older or newer, not initialised, another lineage), SecretError (key file), ManagerUnavailable,
    UsageError (URL).
    """
    parsed = connect.parse(url)
    with faults.translated(parsed):
        reading = connect.reader(parsed)
        try:
            schema.require_current(reading)
            with reading.connect() as connection:
                found = state.identity(connection)
                versions = state.keys(connection)
            known = _expected(parsed, found, lineage)
            provide = wrapping or providers.file(key_file or Path())
            ring = Ring(provide(known.lineage), known.lineage, versions)
            ring.check()
        except BaseException:  # whatever it is: nobody else knows of the connections
            reading.dispose()
            raise
    return EmbeddedManager(
        parsed, reading, Store(connect.writer(parsed), clock), ring, clock, keeps
    )


class EmbeddedManager:
    """An open Manager. `close` it, or use it as a context manager."""

    def __init__(
        self, url: URL, reading: Engine, store: Store, ring: Ring, clock: Clock,
        keeps: int = formers.KEEPS,
    ) -> None:  # fmt: skip
        self._url = url
        self._reading = reading
        self._store = store
        self._ring = ring
        self._clock = clock
        self._keeps = keeps
        self.keys = Keys(url, reading, store, ring, clock)
        self.holding = Holding(url, store)
        self.tokens = Tokens(url, reading, store, clock)
        self.views = Views(url, reading, store.knowledge)
        self.checkpoints = Checkpoints(url, reading, store, ring)
        self.bundles = Bundles(url, reading, store, ring, clock)

    @property
    def parts(self) -> tuple[URL, Engine, Store, Ring, Clock]:
        """What it is made of, for another face of the same Manager (`book`)."""
        return self._url, self._reading, self._store, self._ring, self._clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._reading.dispose()
        self._store.close()

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """One consistent view of everything, that cannot write."""
        with faults.translated(self._url), self._reading.connect() as connection:
            yield connection

    def read(
        self,
        repository: str,
        target: str,
        among: Collection[ResourceId] | None = None,
        kinds: Collection[str] = (),
    ) -> Live:
        """The live state (if `among` is given, of these and of `kinds`), permissions and ledger,
        all of one moment.
        """
        with self._snapshot() as connection:
            found = _expected(self._url, state.identity(connection))
            permissions = state.permissions(connection)
            sight = decide.sight(permissions, grants.ENGINE)
            if among is not None and kinds:
                among = {*among, *state.of_kinds(connection, kinds)}
            rows = state.held(connection, sight, among)
            resources = tuple(row.live() for row in rows)
            every: Iterable[LiveResource] = resources
            if among is not None:
                apart = state.of_kind(connection, sight, "Environment", None)
                every = (row.live() for row in apart)
            return Live(
                lineage=found.lineage,
                resources=resources,
                grants=permissions,
                ledger=state.ledger(connection, repository, target),
                trust=found.trust,
                environments=environments(every),
            )

    def now(self) -> datetime:
        """The time, as this Manager has it."""
        return self._clock()

    def ready(self) -> None:
        """Raise ApiopsError unless the database answers and the key file is the right one."""
        with self._snapshot() as connection:
            _expected(self._url, state.identity(connection))
            self._ring.at(state.keys(connection)).check()

    def grants(self) -> Grants:
        """The permission snapshot of now."""
        with self._snapshot() as connection:
            return state.permissions(connection)

    def files(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The files that resources refer to, by digest; those that the Manager has."""
        with self._snapshot() as connection:
            return state.files(connection, digests)

    def open_secrets(
        self, ids: Iterable[ResourceId], *, principal: str, context: AuditContext
    ) -> Opened:
        """The plaintexts of the resources' secrets, for a person who may take them out.

        Each that is given out and each that is denied has its entry in the log, committed before
        anything is opened. Raises SecretError, StoreError, UnauditedWrite, ManagerUnavailable.
        """
        with faults.translated(self._url), self._store.unit(context) as unit:
            ring = self._ring.at(unit.known.keys)
            granted = opening.grant(unit, ids, principal)
        return opening.unseal(granted, ring)

    def former(self, fingerprints: Iterable[str]) -> frozenset[str]:
        """Of these fingerprints of secrets that stood here once, those whose value is kept."""
        with self._snapshot() as connection:
            return formers.known(connection, fingerprints)

    def fingerprint(
        self, id: ResourceId, pointer: str, environment: str, value: SecretValue
    ) -> str:
        """The keyed hash of a secret at its place, `apd1.…`."""
        return fieldcrypt.fingerprint(self._ring.digest_key(environment), id, pointer, value)

    def write(self, batch_: Batch) -> tuple[Outcome, ...]:
        """Carry out a batch in one transaction, deciding permission again inside of it.

        Raises AccessDenied (a denial is recorded first), Conflict, SecretError, StoreError,
        UnauditedWrite, ManagerUnavailable; then nothing of the batch stays.
        """
        doing = Doing()
        try:
            with faults.translated(self._url), self._store.unit(batch_.context) as unit:
                ring = self._ring.at(unit.known.keys)
                whole = formers.completed(unit.connection, ring, batch_)
                outcomes = batch.carry_out(unit, ring, whole, doing.note)
                unit.forget(self._keeps)
                return outcomes
        except AccessDenied as denied:
            if doing.write is not None:
                self.deny(doing.write.context, doing.write.change, denied.code, denied.message)
            raise

    @contextmanager
    def lease(self, name: str, holder: str) -> Iterator[int]:
        """Hold a lease; gives its fence. Every batch renews it; `leases.LIFE` without one ends it.

        Raises ManagerUnavailable while another holds it. Giving it back raises nothing: what was
        done is done, and a lease that cannot be given back ends by itself.
        """
        with faults.translated(self._url), self._store.bookkeeping() as connection:
            fence = leases.take(connection, name, holder, self._clock())
        try:
            yield fence
        finally:
            with (
                suppress(ManagerError),
                faults.translated(self._url),
                self._store.bookkeeping() as connection,
            ):
                leases.release(connection, name, fence, self._clock())

    def state(self, repository: str, target: str) -> LedgerState:
        """Introduction and applied revisions."""
        with self._snapshot() as connection:
            return state.ledger(connection, repository, target)

    def history(self, repository: str, target: str, unit: str) -> tuple[Applied, ...]:
        """The chain of applied revisions of a unit, oldest first."""
        with self._snapshot() as connection:
            return state.history(connection, repository, target, unit)

    def entries(self, query: AuditQuery) -> Iterator[AuditEntry]:
        """Audit entries, newest first, all of one moment."""
        with self._snapshot() as connection:
            yield from audit.find(connection, query)

    def entry(self, seq: int) -> AuditEntry | None:
        """The entry of that number, if there is one."""
        with self._snapshot() as connection:
            return audit.get(connection, seq)

    def deny(self, context: AuditContext, change: Change, code: str, message: str) -> int:
        """Record a denied attempt, in a transaction of its own; the entry's number."""
        with faults.translated(self._url), self._store.unit(context) as unit:
            return unit.deny(change, code, message)

    def say(self, context: AuditContext, said: Statement, needs: Sequence[Need]) -> int:
        """Record what the context's principal says of a target; the entry's number.

        Raises AccessDenied AO520 (recorded) unless they hold all of `needs`, or nothing is needed.
        """
        with saying.allowed(self._url, self._store, context, said, needs) as unit:
            return saying.record(unit, said)

    def verify(self) -> ChainReport:
        """Walk the audit chain and name the first bad entry."""
        return self.checkpoints.verify()

    def stored(self, query: AuditQuery, *, after: int = 0) -> Iterator[Sequence[Any]]:
        """Rows of the log as they are stored, oldest first, all of one moment: for an export."""
        with self._snapshot() as connection:
            yield from audit.stored(connection, query, after=after)

    def change(
        self, id: ResourceId, patch: JsonObject, *, principal: str, context: AuditContext
    ) -> Outcome:
        """A person's own change in the Manager: merge `patch` (RFC 7396) into the resource's spec.

        Judged and audited like any write, but no inventory and no applied revision moves, so the
        next run finds it as drift. Raises AccessDenied, Conflict, StoreError.
        """
        with self._snapshot() as connection:
            row = state.named(connection, (id,)).get(id)
        if row is None:
            raise StoreError(
                f"the Manager has no {id}",
                code="AO727",
                hint="check kind, project and name; `apiops audit list` shows what was written",
            )
        resource = Resource(
            id=id,
            spec=merge_patch(row.spec, patch),
            origin=Origin("", ""),
            content="",
            labels=row.labels,
            protected=row.protected,
        )
        update = Change(Action.UPDATE, id, serial=row.writes)
        write = Write(update, resource, (principal,), context)
        (outcome,) = self.write(Batch("", "", id.unit, None, None, (write,), context, 0))
        return outcome


def merge_patch(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396): null removes, an object merges, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


class Doing:
    """Which write of a batch is at work, for the entry of a denial."""

    def __init__(self) -> None:
        self.write: Write | None = None

    def note(self, write: Write) -> None:
        """This one is at work now."""
        self.write = write


def _expected(url: URL, found: Identity | None, lineage: str | None = None) -> Identity:
    """The Manager's identity, if there is one and it is the expected one."""
    if found is None:
        raise StoreError(
            f"{faults.shown(url)} has the tables of a Manager, but no Manager was made in it",
            code="AO708",
            hint="run `apiops manager init`",
        )
    if lineage not in (None, found.lineage):
        raise StoreError(
            f"{faults.shown(url)} is the Manager {found.lineage}, not {lineage}",
            code="AO730",
            hint="the plan or the settings belong to another Manager: check the database URL",
        )
    return found
