"""Signed checkpoints of the audit log, and proofs of what they cover.

A checkpoint is signed by a key that the database holds wrapped only, and kept twice: by whoever
asked for it, out of the reach of the database's owner, and as an entry of the log itself, so that
a log which was rewritten from there on contradicts a signature that its owner cannot make.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import URL, Connection, Engine, select

from apiops.access import decide
from apiops.access.grants import ENGINE
from apiops.errors import Conflict, StoreError, UsageError
from apiops.manager import audit, faults, keyring, merkle, note, proofs, rotation, state
from apiops.manager.chain import CHECKPOINT, Walk
from apiops.manager.keyring import ROOT, KeyVersion, Ring
from apiops.manager.keys import engine_context
from apiops.manager.note import Checkpoint, VerifierKey
from apiops.manager.store import Store, Unit
from apiops.manager.tables import audit_entry
from apiops.model.access import Category, Scope, Tier, Verb
from apiops.model.audit import AuditContext, ChainReport, Source


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one open Manager."""

    url: URL
    reading: Engine
    store: Store
    ring: Ring

    @property
    def origin(self) -> str:
        """The log's name, which is the name of its keys too."""
        return f"apiops.audit/{self.ring.lineage}"

    def public_keys(self) -> tuple[VerifierKey, ...]:
        """The public keys of now and before, newest first; the first is made if there is none."""
        found = self._keys(self._versions())
        return found or self._keys(self._with_key())

    def make(self, *kept: str, covering: int = 0) -> str:
        """Sign a checkpoint over all entries so far, and keep it in the log.

        A log that is broken, or contradicts a checkpoint that was signed or `kept` before, gets
        none: StoreError AO773. While nothing was added the checkpoint is the one that it ends with,
        unless that is to be covered itself (`covering` so many entries).
        """
        versions = self._with_key() if not self._keys(self._versions()) else self._versions()
        walk = Walk(self._keys(versions), self.read(kept), retired=self._retired(versions))
        with faults.translated(self.url), self.reading.connect() as connection:
            walk.along(audit.stored(connection))
        self._demand_whole(walk)
        with faults.translated(self.url), self.store.unit(_context("Checkpoint")) as unit:
            decide.permit(unit.grants, ENGINE, Verb.VIEW, Category.AUDIT, Scope(Tier.SYSTEM))
            walk.along(audit.stored(unit.connection, after=walk.size)).end()
            self._demand_whole(walk)
            return self._signed(unit, walk, covering)

    def verify(self, kept: Sequence[str] = (), keys: Sequence[VerifierKey] = ()) -> ChainReport:
        """Walk the whole log; `kept` checkpoints count as signed by `keys`, or by the Manager's.

        `keys` that were kept elsewhere are all that is believed: a key in the database is its
        owner's word. Raises UsageError for what is no checkpoint of this log.
        """
        with faults.translated(self.url), self.reading.connect() as connection:
            versions = state.keys(connection)
            known = tuple(keys) or self._keys(versions)
            retired = None if keys else self._retired(versions)
            walk = Walk(known, proofs.own(kept, known, self.origin), retired=retired)
            return walk.along(audit.stored(connection)).end()

    def read(self, kept: Iterable[str], keys: Sequence[VerifierKey] = ()) -> list[Checkpoint]:
        """The checkpoints in notes, if they are this log's. Raises UsageError AO771, AO772."""
        return proofs.own(kept, tuple(keys) or self._keys(self._versions()), self.origin)

    def prove(self, seq: int) -> str:
        """A proof (C2SP tlog-proof) that entry `seq` is in the log, with the entry's own bytes.

        It rests on the newest checkpoint in the log, or on a new one. Raises UsageError AO909.
        """
        text = self._newest()
        if text is None or note.parse(text).size < seq:
            text = self.make(covering=seq)
        checkpoint = note.parse(text)
        with faults.translated(self.url), self.reading.connect() as connection:
            row = next(iter(audit.stored(connection, after=seq - 1)), None)
            leaves = _leaves(connection, checkpoint.size)
        if row is None or row.seq != seq:
            raise UsageError(
                f"there is no audit entry {seq}",
                code="AO909",
                hint="`apiops audit list` shows the numbers",
            )
        _demand_root(leaves, checkpoint)
        hashes = merkle.inclusion(leaves, seq - 1)
        return proofs.inclusion(audit.canonical(*row[:-1]), seq - 1, hashes, text)

    def extend(self, kept: str) -> str:
        """A proof that the log only grew since a checkpoint that was kept, with a new one."""
        (old,) = self.read((kept,))
        text = self.make(kept)
        checkpoint = note.parse(text)
        with faults.translated(self.url), self.reading.connect() as connection:
            leaves = _leaves(connection, checkpoint.size)
        _demand_root(leaves, checkpoint)
        return proofs.growth(old.size, merkle.consistency(leaves, old.size), text)

    def _signed(self, unit: Unit, walk: Walk, covering: int) -> str:
        versions = state.keys(unit.connection)
        found = self.ring.at(versions).signing_key(ROOT, CHECKPOINT)
        assert found is not None, "a key was made, and a rotation leaves an active one"
        newest = audit.get(unit.connection, walk.size)
        enough = covering < walk.size and bool(walk.last_checkpoint)
        if enough and newest is not None and newest.action == CHECKPOINT:
            key = note.signed_by(walk.last_checkpoint, self._keys(versions)[:1])
            if key is not None:
                return walk.last_checkpoint
        checkpoint = Checkpoint(self.origin, walk.size, walk.tree.root())
        text = note.sign(checkpoint, self.origin, found[1])
        unit.event(CHECKPOINT, "noted", {CHECKPOINT: text})
        return text

    def _demand_whole(self, walk: Walk) -> None:
        if walk.problem:
            raise StoreError(
                f"no checkpoint was signed: {walk.problem}",
                code="AO773",
                hint="keep the database as evidence; `apiops audit verify` says where it breaks",
            )

    def _versions(self) -> tuple[KeyVersion, ...]:
        with faults.translated(self.url), self.reading.connect() as connection:
            return state.keys(connection)

    def _with_key(self) -> tuple[KeyVersion, ...]:
        context = _context("First key that signs checkpoints")
        with faults.translated(self.url), self.store.unit(context) as unit:
            ring = self.ring.at(state.keys(unit.connection))
            rotation.first(unit, ring, ROOT, CHECKPOINT)
        return self._versions()

    def _keys(self, versions: Iterable[KeyVersion]) -> tuple[VerifierKey, ...]:
        """Those that are believed, the active one first."""
        believed = [one for one in versions if one.state != "retired"]
        believed.sort(key=lambda one: (one.state == "active", one.created), reverse=True)
        return self._public(believed)

    def _retired(self, versions: Iterable[KeyVersion]) -> tuple[VerifierKey, ...]:
        return self._public(one for one in versions if one.state == "retired")

    def _public(self, versions: Iterable[KeyVersion]) -> tuple[VerifierKey, ...]:
        return tuple(
            VerifierKey(self.origin, keyring.raw_public(one.public))
            for one in versions
            if one.purpose == CHECKPOINT and one.public
        )

    def _newest(self) -> str | None:
        row = audit_entry.c
        newest = select(row.note).where(row.action == CHECKPOINT).order_by(row.seq.desc()).limit(1)
        with faults.translated(self.url), self.reading.connect() as connection:
            found = connection.execute(newest).scalar()
        try:
            return None if found is None else str(orjson.loads(found)[CHECKPOINT])
        except (orjson.JSONDecodeError, LookupError, TypeError):
            return None  # a new one will be asked for, and the walk to it finds the entry


def _context(words: str) -> AuditContext:
    return engine_context(words, Source.AUDIT)


def _leaves(connection: Connection, size: int) -> list[bytes]:
    row = audit_entry.c
    digests = select(row.digest).where(row.seq <= size).order_by(row.seq)
    return [merkle.leaf(bytes.fromhex(one)) for one in connection.execute(digests).scalars()]


def _demand_root(leaves: Sequence[bytes], checkpoint: Checkpoint) -> None:
    if merkle.root(leaves) != checkpoint.root:
        raise Conflict(
            "the log is not the one that its newest checkpoint was signed for",
            code="AO773",
            hint="keep the database as evidence; `apiops audit verify` says where it breaks",
        )
