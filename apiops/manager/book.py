"""The book of a remote Manager: an embedded Manager that governs another one's state.

It has the same people and rights, the same walls around its audit log, the same chain of applied
revisions. Its resources are what was written to the other Manager last; of secrets it keeps the
fingerprint and, where a token must stand, a sealed nothing. Beside them is a journal: a row is
committed before each call, and settled in the transaction that records the finished write.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from apiops.access.decide import Permit
from apiops.errors import AccessDenied
from apiops.manager import batch, embedded, faults, leases, state, tables
from apiops.manager.batch import Writing
from apiops.manager.embedded import EmbeddedManager
from apiops.manager.state import Held
from apiops.manager.store import Clock
from apiops.model.outcome import Outcome
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from apiops.model.secret import SecretValue
from apiops.ports import Batch, Begun, Write


def open_book(url: str, *, key_file: Path, clock: Clock = embedded.now) -> "SqlBook":
    """Open the book in the database `url`. Raises as `embedded.open_manager` does."""
    opened = embedded.open_manager(url, key_file=key_file, clock=clock)
    return SqlBook(*opened.parts)


REFUSED: Final = "failed"
"""How the end of a call begins that the other Manager refused."""

_ROW: Final = tables.journal
_ENDED: Final = (
    update(_ROW)
    .where(_ROW.c.id == bindparam("number"))
    .values(ended=bindparam("at"), result=bindparam("said"))
)
_SETTLED: Final = (
    update(_ROW)
    .where(_ROW.c.repository == bindparam("from"), _ROW.c.target == bindparam("for"))
    .where(_ROW.c.kind == bindparam("a"), _ROW.c.project == bindparam("of"))
    .where(_ROW.c.name == bindparam("called"), _ROW.c.settled.is_(None))
    .values(settled=bindparam("at"))
)
_INTENDED: Final = insert(_ROW)
"""Built once: building a statement costs more than carrying it out."""

_CHANGING: Final = tuple(one.value for one in (Action.CREATE, Action.UPDATE, Action.DELETE))


class _Rehearsed(Exception):
    """Takes a rehearsal back."""


def _take_back() -> None:
    raise _Rehearsed


class SqlBook(EmbeddedManager):
    """The Book port in SQLite or PostgreSQL."""

    def has(self, kind: str, project: str | None) -> bool:
        """Whether anything of a kind in a project (or the System tier) is in an inventory."""
        with self._snapshot() as connection:
            return state.owns(connection, kind, project)

    def rehearse(self, batch_: Batch) -> None:
        """Carry it out and take it back. Raises AccessDenied, Conflict, SecretError."""
        doing = embedded.Doing()
        try:
            with faults.translated(self._url), self._store.unit(batch_.context) as unit:
                ring = self._ring.at(unit.known.keys)
                writing = _Recording(unit, ring, batch_)
                batch.write_all(unit, batch_, writing, doing.note)
                batch.conclude(unit, batch_)
                _take_back()
        except _Rehearsed:
            return
        except AccessDenied as denied:
            if doing.write is not None:
                self.deny(doing.write.context, doing.write.change, denied.code, denied.message)
            raise

    def begin(self, batch_: Batch, wave: Sequence[Write]) -> None:
        """Nothing: each call has its own row before it is sent, and the database keeps it."""

    def intend(self, batch_: Batch, calls: Sequence[tuple[Write, str]]) -> list[str]:
        """Commit a row for each that says what is about to be sent, while the lease is held.

        Raises Conflict AO719 when it is not: whoever took over sends what there is to send.
        """
        now = self._clock()
        rows = [
            {
                "id": uuid.uuid4().hex,
                "repository": batch_.repository,
                "target": batch_.target,
                "run": batch_.context.run,
                "kind": write.change.id.kind,
                "project": write.change.id.project or tables.SYSTEM_PROJECT,
                "name": write.change.id.name,
                "action": write.change.action.value,
                "call": call,
                "began": now,
                "former": write.change.renamed_from,
            }
            for write, call in calls
        ]
        lease = batch.lease_name(batch_.repository, batch_.target)
        with faults.translated(self._url), self._store.bookkeeping() as connection:
            leases.renew(connection, lease, batch_.fence, now)
            connection.execute(_INTENDED, rows)
        return [str(row["id"]) for row in rows]

    def end(self, results: Sequence[tuple[str, str]]) -> None:
        """Say what became of calls."""
        now = self._clock()
        told = [{"number": number, "at": now, "said": said} for number, said in results]
        with faults.translated(self._url), self._store.bookkeeping() as connection:
            connection.execute(_ENDED, told)

    def unsettled(self, repository: str, target: str) -> dict[ResourceId, Begun]:
        """Of what a call was begun whose write was never recorded, and what may have come of it.

        A call that was refused changed nothing, and whether a proxy runs the Manager says itself.
        """
        row = tables.journal.c
        query = (
            select(row.kind, row.project, row.name, row.action, row.former)
            .where(row.repository == repository, row.target == target, row.settled.is_(None))
            .where(row.action.in_(_CHANGING))
            .where(row.result.is_(None) | ~row.result.startswith(REFUSED))
            .distinct()
        )
        begun: dict[ResourceId, Begun] = {}
        with self._snapshot() as connection:
            for one in connection.execute(query):
                id = ResourceId(one.kind, one.project or None, one.name)
                known = begun.get(id, Begun())
                begun[id] = Begun(
                    id.formerly(one.former) if one.former else known.former,
                    anew=known.anew or one.action != Action.UPDATE.value,
                )
        return begun

    def record(self, batch_: Batch, writes: Sequence[Write]) -> tuple[Outcome, ...]:
        """Entries, what was written, the inventory, and the end of their rows in the journal."""
        with faults.translated(self._url), self._store.unit(writes[0].context) as unit:
            ring = self._ring.at(unit.known.keys)
            some = replace(batch_, writes=tuple(writes))
            writing = _Recording(unit, ring, some)
            outcomes = batch.write_all(unit, some, writing, embedded.Doing().note)
            _settle(unit.connection, batch_, {write.change.id for write in writes}, self._clock())
            return outcomes

    def advance(self, batch_: Batch) -> None:
        """Move the unit to the batch's head."""
        with faults.translated(self._url), self._store.unit(batch_.context) as unit:
            nothing = replace(batch_, writes=())
            batch.write_all(
                unit, nothing, _Recording(unit, self._ring, nothing), embedded.Doing().note
            )
            batch.conclude(unit, batch_)


class _Recording(Writing):
    """Writes of what was carried out elsewhere. What is here may have been left behind by what
    is there, so it is not held against a change; a secret is kept as its fingerprint alone.
    """

    def write(self, write: Write) -> Outcome:
        """Record one change; what is here decides whether that makes a row or changes one."""
        action = write.change.action
        if action in (Action.CREATE, Action.UPDATE):
            action = Action.CREATE if self.found(write.change.id) is None else Action.UPDATE
        here = replace(write.change, digest="", action=action)
        return replace(super().write(replace(write, change=here)), change=write.change)

    def expect(self, change: Change, row: Held | None) -> None:
        """The inventory is respected here too."""
        self.expect_ours(change, row)

    def delete(self, permits: Sequence[Permit], row: Held | None) -> int:
        """What was never recorded needs no taking away."""
        return self._unit.entry if row is None else super().delete(permits, row)

    def run(self, permits: Sequence[Permit], row: Held | None, write: Write) -> int:
        """Nor does a deployment."""
        undeploys = write.change.action is Action.UNDEPLOY
        if undeploys and (row is None or (write.change.environment or "") not in row.running):
            return self._unit.entry
        return super().run(permits, row, write)

    def kept(self, _value: SecretValue) -> SecretValue:
        """A sealed nothing."""
        return SecretValue(b"")


def _settle(
    connection: Connection, batch_: Batch, ids: Iterable[ResourceId], now: datetime
) -> None:
    rows = [
        {
            "from": batch_.repository,
            "for": batch_.target,
            "a": id.kind,
            "of": id.project or tables.SYSTEM_PROJECT,
            "called": id.name,
            "at": now,
        }
        for id in ids
    ]
    connection.execute(_SETTLED, rows)
