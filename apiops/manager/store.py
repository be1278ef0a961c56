"""The one writer: nothing else in apiops changes a row of the Manager's database.

A `Unit` is one transaction. It opens under an audit context, builds the permission snapshot of
that moment, and takes changes of resources only with the `Permit`s that this snapshot gave. The
database writes an audit entry for every governed row; the unit counts the rows that it wrote and
compares when it ends, so that a log whose triggers were taken away is found at the first write.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib import import_module
from typing import Any, Final, cast

from sqlalchemy import Connection, Delete, Engine, Table, Update, func, insert, select, update
from sqlalchemy import delete as remove

from apiops.access import decide
from apiops.access.decide import Permit
from apiops.errors import AccessDenied, StoreError
from apiops.manager import audit, connect, faults, rows, state, tables
from apiops.manager.fieldcrypt import SealedText
from apiops.manager.keyring import KeyVersion
from apiops.manager.known import Knowledge, Known
from apiops.manager.state import Held, Running
from apiops.manager.tables import SYSTEM_PROJECT
from apiops.model import canonical
from apiops.model.access import Grants, Need, Trust
from apiops.model.audit import Applied, AuditContext, Introduction
from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, ResourceId
from apiops.model.token import AccessToken

Clock = Callable[[], datetime]

_END: Final = select(func.coalesce(func.max(tables.audit_entry.c.seq), 0))


class Store:
    """Opens units on the writing engine, which it keeps to itself."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.knowledge = Knowledge()

    @contextmanager
    def unit(self, context: AuditContext) -> Iterator["Unit"]:
        """One audited transaction: committed at the end, taken back by any exception.

        Raises UnauditedWrite for a context that does not say who, and StoreError when the
        database's log did not grow with what was written.
        """
        with self._transaction() as connection:
            unit = Unit(connection, self._clock)
            unit.because(context)
            unit.start(self.knowledge)
            yield unit
            unit.finish()

    @contextmanager
    def bookkeeping(self) -> Iterator[Connection]:
        """A transaction for leases: without a ticket, so no governed row can be written."""
        with self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            connect.admit(connection)
            try:
                with connection.begin() as transaction:
                    yield connection
                    with faults.committing(self._engine.url):
                        transaction.commit()
            finally:
                connect.withdraw(connection)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class Unit:
    """One transaction of the store."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self.clock = clock
        self._context: AuditContext | None = None
        self._entries = 0
        self._adding: Table | None = None
        self._rows: list[dict[str, Any]] = []
        self._contents: dict[Table, dict[str, dict[str, Any]]] = defaultdict(dict)
        self._known: Known | None = None
        self._replaced = 0

    @property
    def known(self) -> Known:
        """Permissions, keys and environments when the unit began; its own changes do not count."""
        if self._known is None:
            raise StoreError("the unit has not started", code="AO700")
        return self._known

    @property
    def grants(self) -> Grants:
        """The permissions that were held when the unit began."""
        return self.known.grants

    @property
    def entry(self) -> int:
        """The number of the audit entry that the last change made."""
        return self._entries

    def start(self, knowledge: Knowledge) -> None:
        """Take the permission snapshot and the end of the log. The log's lock is held by now."""
        self._known = knowledge.at(self.connection)
        self._entries = self._known.seq

    def because(self, context: AuditContext) -> None:
        """Whatever follows happens for this reason. Raises UnauditedWrite if it names nobody."""
        if context == self._context:
            return
        self._flush()
        if not (context.actor and context.principal and context.run):
            raise faults.unaudited("its audit context names no actor, principal or run")
        connect.issue(
            self.connection,
            {
                "at": tables.instant(self.clock()),
                "actor": context.actor,
                "principal": context.principal,
                "tier": context.tier,
                "reason": canonical.encode(asdict(context.reason)).decode(),
                "run": context.run,
                "source": context.source.value,
                "address": context.address,
            },
        )
        self._context = context

    def finish(self) -> None:
        """Compare the log with what was written. Raises StoreError if they do not match."""
        self._flush()
        if self._last() != self._entries:
            raise StoreError(
                "the audit log did not record this change, so the change was taken back",
                code="AO715",
                hint="the database's audit triggers were altered: keep the database as evidence "
                "and restore a backup",
            )

    def create(self, permits: Sequence[Permit], held: Held) -> None:
        """Add a resource."""
        self._demand(permits, decide.need(held.id.kind, Action.CREATE, held.id))
        self._add(tables.resource, {"id": held.key} | rows.columns(held))

    def update(self, permits: Sequence[Permit], held: Held, was: ResourceId | None = None) -> None:
        """Write a resource anew; its serial is raised. What moves leaves where it `was`."""
        change = Change(Action.UPDATE, held.id, renamed_from=held.id.since(was) if was else None)
        self._demand(permits, decide.needs_of(change))
        held.serial += 1
        row = tables.resource
        self._write(update(row).where(row.c.id == held.key).values(**rows.columns(held)))

    def delete(self, permits: Sequence[Permit], held: Held) -> None:
        """Take a resource away, with its sealed values and deployments."""
        self._demand(permits, decide.need(held.id.kind, Action.DELETE, held.id))
        self._write(remove(tables.sealed).where(tables.sealed.c.resource == held.key))
        self._write(remove(tables.deployment).where(tables.deployment.c.resource == held.key))
        self._write(remove(tables.resource).where(tables.resource.c.id == held.key))

    def run(self, permits: Sequence[Permit], held: Held, running: Running) -> None:
        """Set whether, and as what, a resource runs in an environment; what runs is kept."""
        action = Action.DEPLOY if running.active else Action.UNDEPLOY
        needs = decide.need(held.id.kind, action, held.id, (running.environment,))
        self._demand(permits, needs)
        row = tables.deployment
        values = {name: getattr(running, name) for name in rows.RUNNING}
        if running.active:
            self._keep(tables.snapshot, running.digest, {"document": rows.document(held)})
        if running.environment in held.running:
            here = (row.c.resource == held.key, row.c.environment == running.environment)
            self._write(update(row).where(*here).values(**values))
        else:
            key = {"resource": held.key, "environment": running.environment}
            self._add(row, key | values)
        held.running[running.environment] = running

    def seal(
        self, permits: Sequence[Permit], held: Held, pointer: str, environment: str,
        sealed: SealedText, fingerprint: str,
    ) -> None:  # fmt: skip
        """Store a secret's token at its place in a resource."""
        self._demand(permits, decide.need(held.id.kind, Action.UPDATE, held.id))
        row = tables.sealed
        values = {"environment": environment, "kid": sealed.kid, "token": sealed}
        values |= {"fingerprint": fingerprint}
        if pointer in held.secrets:
            here = (row.c.resource == held.key, row.c.pointer == pointer)
            self._write(update(row).where(*here).values(**values))
        else:
            self._add(row, {"resource": held.key, "pointer": pointer} | values)
        held.secrets[pointer] = (environment, fingerprint)

    def unseal(self, permits: Sequence[Permit], held: Held, pointer: str) -> None:
        """Take away the token of a secret that the resource no longer has."""
        self._demand(permits, decide.need(held.id.kind, Action.UPDATE, held.id))
        row = tables.sealed
        self._write(remove(row).where(row.c.resource == held.key, row.c.pointer == pointer))
        del held.secrets[pointer]

    def attach(self, permits: Sequence[Permit], held: Held, sha256: str, content: bytes) -> None:
        """Keep a file that a resource refers to by its digest."""
        self._demand(permits, decide.need(held.id.kind, Action.UPDATE, held.id))
        self._keep(tables.attachment, sha256, {"content": content})

    def advance(self, repository: str, target: str, applied: Applied) -> None:
        """Append a link to a unit's chain of applied revisions; its key is the compare-and-set.

        The ledger's own rows need no permit: what they record was permitted, or changed nothing.
        """
        values = asdict(applied) | {"repository": repository, "target": target}
        self._add(tables.applied, values)

    def introduce(self, introduction: Introduction) -> None:
        """Record where trust begins; there is no second time for a repository and target."""
        self._add(tables.introduction, asdict(introduction))

    def add_key(self, version: KeyVersion) -> None:
        """Store a new key version."""
        self._add(tables.keyring, {name: getattr(version, name) for name in rows.KEY})

    def reseal(
        self, permits: Sequence[Permit], row: Table, resource: str, pointer: str,
        old: SealedText, new: SealedText,
    ) -> None:  # fmt: skip
        """Put a token sealed with another key in the place of `old`, if that still stands there:
        in a row of `sealed`, or of `former_secret`.
        """
        self._demand(permits, decide.need_for_keys())
        here = (row.c.resource == resource, row.c.pointer == pointer, row.c.token == old)
        self._write(update(row).where(*here).values(kid=new.kid, token=new))

    def forget(self, most: int) -> None:
        """If this unit leaves any former secrets, keep those of the last `most` runs that did."""
        if most and not self._replaced:
            return  # it looks at all that is kept, which a write without secrets need not wait for
        row = tables.former_secret
        runs = select(row.c.run).group_by(row.c.run).order_by(func.max(row.c.at).desc())
        self._write(remove(row).where(row.c.run.not_in(runs.limit(most))))

    def set_key(self, permits: Sequence[Permit], version: KeyVersion) -> None:
        """Write a key version as it becomes: its state, until when, and how it is wrapped."""
        self._demand(permits, decide.need_for_keys())
        row = tables.keyring
        here = [row.c[name] == getattr(version, name) for name in rows.KEY[:3]]
        values = {name: getattr(version, name) for name in ("state", "wrapped", "until")}
        self._write(update(row).where(*here).values(**values))

    def add_token(self, permits: Sequence[Permit], token: AccessToken, hash: str) -> None:
        """Store a token's hash and what it is for. A person's own needs no permit."""
        self._demand_tokens(permits, token)
        values = {name: getattr(token, name) for name in rows.TOKEN} | {"hash": hash}
        self._add(tables.access_token, values)

    def revoke_token(self, permits: Sequence[Permit], token: AccessToken) -> None:
        """End a token, for good."""
        self._demand_tokens(permits, token)
        row = tables.access_token
        self._write(update(row).where(row.c.id == token.id).values(revoked=self.clock()))

    def _demand_tokens(self, permits: Sequence[Permit], token: AccessToken) -> None:
        mine = self._context is not None and token.principal == self._context.principal
        if not (mine and token.principal in self.grants.enabled):
            self._demand(permits, decide.need_for_tokens())

    def found(self, lineage: str, trust: Trust, admin: Held) -> None:
        """Make the Manager: its identity and first admin, the one write before anybody has rights.

        Raises StoreError if there is a Manager already.
        """
        if state.identity(self.connection) is not None:
            raise faults.already_initialised()
        values = {"id": 1, "lineage": lineage, "trust": trust.value, "created": self.clock()}
        self._add(tables.meta, values)
        self._add(tables.resource, {"id": admin.key} | rows.columns(admin))

    def open(self, permits: Sequence[Permit], held: Held, pointer: str) -> SealedText:
        """The token of a secret, to be unsealed; that it was given out is recorded."""
        environment, _ = held.secrets[pointer]
        self._demand(permits, (decide.need_to_open(held.id, environment),))
        self.event(audit.OPEN, "opened", {"field": pointer}, id=held.id, environment=environment)
        row = tables.sealed.c
        found = select(row.token).where(row.resource == held.key, row.pointer == pointer)
        return cast("SealedText", self.connection.execute(found).scalar_one())

    def fetch(
        self, permits: Sequence[Permit], environment: str, note: JsonObject
    ) -> dict[tuple[str, str], tuple[SealedText, str]]:
        """The tokens of an environment's secrets, to be unsealed, with their fingerprints, by row
        and pointer; that they were given out is recorded.
        """
        self._demand(permits, decide.need_for_bundle(environment))
        self.event(audit.FETCH, "opened", note, environment=environment)
        row = tables.sealed.c
        columns = (row.resource, row.pointer, row.token, row.fingerprint)
        found = self.connection.execute(select(*columns).where(row.environment == environment))
        return {(one.resource, one.pointer): (one.token, one.fingerprint) for one in found}

    def deny(self, change: Change, code: str, message: str) -> int:
        """Record a denied attempt; the entry's number."""
        note = {"code": code, "message": message}
        return self.event(
            change.action.value, "denied", note, id=change.id, environment=change.environment
        )

    def event(
        self, action: str, outcome: str, note: JsonObject, *,
        id: ResourceId | None = None, environment: str | None = None,
    ) -> int:  # fmt: skip
        """Record what happened without changing a row; the entry's number."""
        values = {
            "action": action,
            "kind": None if id is None else id.kind,
            "project": None if id is None else id.project or SYSTEM_PROJECT,
            "name": None if id is None else id.name,
            "environment": environment,
            "outcome": outcome,
            "note": canonical.encode(note).decode(),
        }
        self._flush()
        self.connection.execute(insert(tables.audit_event), values)
        self._entries += 1
        return self._entries

    def _demand(self, permits: Sequence[Permit], needs: Sequence[Need]) -> None:
        """Refuse permits of another moment, and permits for something else."""
        current = [one for one in permits if one.grants == self.grants.digest]
        missing = [need for need in needs if not any(_covers(one, need) for one in current)]
        if missing:
            right, scope = missing[0]
            raise AccessDenied(
                f"{right} in {scope} is needed, and the writer was given no permit for it",
                code="AO716",
                hint="report this: every change must be judged before it is written",
            )

    def _keep(self, table: Table, digest: str, values: dict[str, Any]) -> None:
        """Add content under its digest, once. No audit entry is made of it, so it may go first."""
        (key,) = table.primary_key.columns
        self._contents[table][digest] = {key.name: digest} | values

    def _add(self, table: Table, values: dict[str, Any]) -> None:
        """Add a row of a governed table. Rows of one table that follow each other go together."""
        if table is not self._adding:
            self._flush_rows()
            self._adding = table
        self._rows.append(values)
        self._entries += 1

    def _write(self, statement: Update | Delete) -> None:
        """Carry out a statement; of a governed table the database makes an entry per row."""
        self._flush()
        done = self.connection.execute(statement, execution_options={"preserve_rowcount": True})
        self._entries += done.rowcount if statement.table in tables.GOVERNED else 0
        self._replaced += done.rowcount if statement.table is tables.sealed else 0

    def _flush(self) -> None:
        """Write all that waits."""
        self._flush_rows()
        self._flush_contents()

    def _flush_rows(self) -> None:
        if self._adding is None:
            return
        self._flush_contents()
        self.connection.execute(insert(self._adding), self._rows)
        self._adding, self._rows = None, []

    def _flush_contents(self) -> None:
        engine = import_module(f"sqlalchemy.dialects.{self.connection.dialect.name}")
        for table, kept in self._contents.items():
            once = engine.insert(table).on_conflict_do_nothing()
            self.connection.execute(once, list(kept.values()))
        self._contents.clear()

    def _last(self) -> int:
        return int(self.connection.execute(_END).scalar_one())


def _covers(permit: Permit, need: Need) -> bool:
    """Whether a permit is for that right there; a need that names no environment fits any."""
    right, scope = need
    there = (permit.scope.tier, permit.scope.project) == (scope.tier, scope.project)
    return permit.right == right and there and scope.environment in (None, permit.scope.environment)
