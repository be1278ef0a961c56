"""A batch: the writes of one unit, checked and carried out inside one transaction of the store.

What was true when the plan was made must still be true here: the lease is held, the unit is at
the commit that the plan began from, every resource has the serial that the change expects, and
every maker of a charged commit holds the right now.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from apiops.access import decide, roles
from apiops.access.decide import Permit
from apiops.errors import AccessDenied, Conflict, SecretError, StoreError
from apiops.manager import fieldcrypt, leases, moving, secretfields, state, tables
from apiops.manager.fieldcrypt import Place
from apiops.manager.keyring import Ring
from apiops.manager.state import Held, Running
from apiops.manager.store import Unit
from apiops.model import canonical, reach
from apiops.model.audit import Applied, Introduction
from apiops.model.kinds import KINDS
from apiops.model.outcome import Outcome, Result
from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, Resource, ResourceId, state_digest
from apiops.model.revision import Revision
from apiops.model.secret import SecretLeaf, SecretValue
from apiops.ports import Batch, Write

_MOVED = "somebody changed it after the plan was made; plan again"


def lease_name(repository: str, target: str) -> str:
    """The lease that guards every write of a repository to a target."""
    return f"{repository}/{target}"


def carry_out(
    unit: Unit, ring: Ring, batch: Batch, begins: Callable[[Write], None]
) -> tuple[Outcome, ...]:
    """Write a batch; `begins` is told of each write before it is judged.

    Raises AccessDenied, Conflict, SecretError, StoreError; then nothing of it may stay.
    """
    if any(write.change.id.unit != batch.unit for write in batch.writes):
        raise StoreError(f"a batch of {batch.unit} writes {batch.unit} alone", code="AO700")
    outcomes = write_all(unit, batch, Writing(unit, ring, batch), begins)
    conclude(unit, batch)
    return outcomes


def write_all(
    unit: Unit, batch: Batch, writing: "Writing", begins: Callable[[Write], None]
) -> tuple[Outcome, ...]:
    """Every write of a batch, while the lease is held and the unit is where the plan saw it."""
    if batch.head is not None:
        _guard(unit, batch)
    outcomes = []
    for write in batch.writes:
        begins(write)
        outcomes.append(writing.write(write))
    return tuple(outcomes)


def conclude(unit: Unit, batch: Batch) -> None:
    """What is true after all writes of a batch: the introduction, and the unit at its head."""
    unit.because(batch.context)
    if batch.introduction is not None:
        _introduce(unit, batch.introduction)
    if batch.head is not None:
        _advance(unit, batch, batch.head)


class Writing:
    """The state of one batch: the rows as they become, and the serials that the plan saw."""

    def __init__(self, unit: Unit, ring: Ring, batch: Batch) -> None:
        self._unit = unit
        self._ring = ring
        self._batch = batch
        self._former = {
            write.change.id: write.change.former
            for write in batch.writes
            if write.change.former is not None
        }
        ids = {write.change.id for write in batch.writes} | set(self._former.values())
        self._rows = state.named(unit.connection, ids)
        self._seen = {id: row.writes for id, row in self._rows.items()}

    def write(self, write: Write) -> Outcome:
        """Carry out one change."""
        change = write.change
        row = self.found(change.id)
        self.expect(change, row)
        self._unit.because(write.context)
        permits = self._permits(write, row)
        if change.action is Action.DELETE:
            entry = self.delete(permits, row)
        elif change.action in (Action.DEPLOY, Action.UNDEPLOY):
            entry = self.run(permits, row, write)
        else:
            entry = self._put(permits, row, write)
        return Outcome(change, Result.DONE, entry)

    def found(self, id: ResourceId) -> Held | None:
        """The row of an identity, or of its former name."""
        row = self._rows.get(id)
        former = self._former.get(id)
        return self._rows.get(former) if row is None and former is not None else row

    def expect(self, change: Change, row: Held | None) -> None:
        """The live serial that the plan saw is the one this batch began with."""
        seen = None if row is None else self._seen.get(row.id)
        if change.serial != seen or (change.action is Action.CREATE and row is not None):
            raise Conflict(f"{change.id} is not as the plan saw it", code="AO711", hint=_MOVED)
        self.expect_ours(change, row)

    def expect_ours(self, change: Change, row: Held | None) -> None:
        """It is in nobody's inventory but this repository's, or is being adopted."""
        foreign = row is not None and row.owner not in (None, self._batch.repository)
        if self._batch.head is not None and foreign and not change.adopts:
            raise Conflict(
                f"{change.id} is in the inventory of another repository",
                code="AO720",
                hint="describe it in one repository only",
            )

    def _permits(self, write: Write, row: Held | None) -> tuple[Permit, ...]:
        """What the makers of the change are allowed now; all of them must be."""
        change = write.change
        if not write.principals:
            raise AccessDenied(
                f"nobody answers for the change of {change.id}",
                code="AO716",
                hint="a change needs the principal who signed its commit",
            )
        needs = decide.needs_of(change, self._reaches(write, row))
        granted: list[Permit] = []
        for principal in write.principals:
            granted += decide.permits(self._unit.grants, principal, needs)
        return tuple(granted)

    def _reaches(self, write: Write, row: Held | None) -> tuple[str, ...]:
        """The environments that a write touches: where it is deployed, or the target's, and those
        for which it says something else than before.

        What runs in other environments than the target's, their own plans judge; a person's own
        change has no target and is judged by all of them.
        """
        change = write.change
        if change.environment is not None:
            return (change.environment,)
        here = self._batch.environment
        kind = KINDS.get(change.id.kind)
        reached: tuple[str, ...] = (here,) if here else ()
        if kind is not None and kind.deployable:
            running = row.environments if row is not None else ()
            reached = tuple(name for name in running if here in ("", name))
        elif kind is not None and kind.category in roles.REACHES_WORKERS and not here:
            reached = self._unit.known.environments
        before = row.spec if row is not None else {}
        after = _bare(write.resource.spec) if write.resource is not None else {}
        return (*reached, *reach.unlike(change.id.kind, before, after))

    def delete(self, permits: Sequence[Permit], row: Held | None) -> int:
        """Take it away; the entry's number."""
        held = _present(row)
        self._unit.delete(permits, held)
        del self._rows[held.id]
        self._seen.pop(held.id)
        return self._unit.entry

    def run(self, permits: Sequence[Permit], row: Held | None, write: Write) -> int:
        """Deploy or undeploy it; the entry's number."""
        held, change = _present(row), write.change
        was = held.running.get(change.environment or "")
        deploys = change.action is Action.DEPLOY
        if deploys and change.digest not in ("", held.digest):
            raise Conflict(
                f"{change.id} would be deployed with other content than planned",
                code="AO711",
                hint=_MOVED,
            )
        running = Running(
            environment=change.environment or "",
            active=deploys,
            persistent=_persistent(write),
            digest=held.digest if deploys or was is None else was.digest,
            revision=(was.revision if was else 0) + deploys,
            serial=(was.serial if was else 0) + 1,
        )
        if was is None and not deploys:
            raise Conflict(f"{change.id} does not run there", code="AO711", hint=_MOVED)
        self._unit.run(permits, held, running)
        return self._unit.entry

    def _put(self, permits: Sequence[Permit], row: Held | None, write: Write) -> int:
        resource = write.resource
        if resource is None:
            raise StoreError(f"the write of {write.change.id} has no resource", code="AO700")
        if write.moved and row is not None:
            taken = moving.opened(self._unit.connection, self._ring, row, write.moved)
            write = replace(write, secrets={**write.secrets, **taken})
        prints = self._fingerprints(resource, write, row)
        spec = secretfields.stored(_bare(resource.spec), prints)
        digest = state_digest(spec, resource.labels)
        if write.change.digest not in ("", digest):
            raise Conflict(
                f"{write.change.id} would be written with other content than planned",
                code="AO711",
                hint=_MOVED,
            )
        held = self._replaced(row, write, resource, spec, digest, prints)
        if row is None:
            self._unit.create(permits, held)
        else:
            self._unit.update(permits, held, write.change.former)
        entry = self._unit.entry
        self._attach(permits, held, write)
        self._seal(permits, held, write, secretfields.leaves(spec))
        return entry

    def _attach(self, permits: Sequence[Permit], held: Held, write: Write) -> None:
        for sha256, content in write.files.items():
            if hashlib.sha256(content).hexdigest() != sha256:
                raise StoreError(f"a file of {held.id} is not what its digest says", code="AO700")
            self._unit.attach(permits, held, sha256, content)

    def _replaced(
        self, row: Held | None, write: Write, resource: Resource, spec: JsonObject, digest: str,
        prints: dict[str, str],
    ) -> Held:  # fmt: skip
        """The row as it becomes. A person's own change leaves inventory and authorship as they
        are, or puts them back.
        """
        id = write.change.id
        if row is None:
            held = Held(str(uuid.uuid4()), id, {}, {}, resource.protected, "", 1, None, None)
        else:
            held = self._rows.pop(row.id)
            self._seen[id] = self._seen.pop(row.id)
        if self._batch.head is not None:
            authored = secretfields.stored(
                _bare(resource.spec if resource.authored is None else resource.authored), prints
            )
            held.owner = self._batch.repository
            held.applied = None if _same(authored, spec) else authored
        elif write.inventory is not None:
            held.owner, held.applied = write.inventory.owner, write.inventory.applied
        else:
            held.applied = held.authored
        held.id, held.spec, held.digest = id, spec, digest
        held.labels, held.protected = dict(resource.labels), resource.protected
        self._rows[id] = held
        return held

    def _fingerprints(self, resource: Resource, write: Write, row: Held | None) -> dict[str, str]:
        """The Manager's own fingerprint of every secret: made from the value, or already held."""
        prints: dict[str, str] = {}
        for pointer, leaf in secretfields.leaves(_bare(resource.spec)).items():
            value = write.secrets.get(pointer)
            kept = row.secrets.get(pointer) if row is not None else None
            if value is not None:
                key = self._ring.digest_key(leaf.environment)
                prints[pointer] = fieldcrypt.fingerprint(key, resource.id, pointer, value)
            elif kept is not None and kept == (leaf.environment, leaf.fingerprint):
                prints[pointer] = kept[1]
            else:
                raise _no_value(resource.id, pointer)
        return prints

    def _seal(
        self, permits: Sequence[Permit], held: Held, write: Write,
        wanted: dict[str, SecretLeaf],
    ) -> None:  # fmt: skip
        """Seal what is new or different; take away what is no longer there."""
        for pointer in sorted(held.secrets.keys() - wanted.keys()):
            self._unit.unseal(permits, held, pointer)
        for pointer, leaf in wanted.items():
            fingerprint = leaf.fingerprint or ""
            if held.secrets.get(pointer) == (leaf.environment, fingerprint):
                continue
            kid, key = self._sealing_key(leaf.environment)
            place = Place(leaf.environment, held.id.kind, held.key, pointer)
            token = fieldcrypt.seal(key, kid, place, self.kept(write.secrets[pointer]))
            self._unit.seal(permits, held, pointer, leaf.environment, token, fingerprint)

    def kept(self, value: SecretValue) -> SecretValue:
        """What is sealed of a secret: itself."""
        return value

    def _sealing_key(self, environment: str) -> tuple[str, bytes]:
        found = self._ring.sealing_key(environment)
        if found is None:
            self._unit.add_key(self._ring.make(environment, "seal", self._unit.clock()))
            found = self._ring.sealing_key(environment)
        assert found is not None, "a version that was just made is active"
        return found


def _guard(unit: Unit, batch: Batch) -> None:
    """The lease is still ours, and the unit is where the plan found it."""
    name = lease_name(batch.repository, batch.target)
    leases.renew(unit.connection, name, batch.fence, unit.clock())
    here = state.ledger(unit.connection, batch.repository, batch.target).applied.get(batch.unit)
    at = None if here is None else here.commit
    if at != batch.base:
        raise Conflict(
            f"{batch.unit} is at {at[:7] if at else 'no commit'}, "
            f"the plan was made from {batch.base[:7] if batch.base else 'no commit'}",
            code="AO712",
            hint="another run was faster; plan again",
        )


def _introduce(unit: Unit, introduction: Introduction) -> None:
    known = state.ledger(unit.connection, introduction.repository, introduction.target).introduction
    if known == introduction:
        return
    if known is not None:
        raise Conflict(
            f"this repository was introduced at {known.commit[:7]} by {known.approver} already",
            code="AO713",
            hint="an introduction stands: leave out the new one",
        )
    if introduction.approver not in unit.grants.enabled:
        raise AccessDenied(
            f"{introduction.approver}, who approves the introduction, is not a user here",
            code="AO713",
            hint="name a person who has a User in the Manager",
        )
    unit.introduce(introduction)


def _advance(unit: Unit, batch: Batch, head: Revision) -> None:
    chain = state.ledger(unit.connection, batch.repository, batch.target).applied
    last = chain.get(batch.unit)
    link: dict[str, Any] = {
        "unit": batch.unit,
        "commit": head.commit,
        "tree": head.tree,
        "serial": 1 if last is None else last.serial + 1,
        "previous": "" if last is None else last.digest,
        "at": unit.clock(),
        "run": batch.context.run,
    }
    bound = link | {
        "repository": batch.repository,
        "target": batch.target,
        "at": tables.instant(link["at"]),
    }
    applied = Applied(**link, digest=canonical.digest(bound))
    unit.advance(batch.repository, batch.target, applied)


def _present(row: Held | None) -> Held:
    if row is None:
        raise Conflict("the resource is gone", code="AO711", hint=_MOVED)
    return row


def _persistent(write: Write) -> bool | None:
    """What the author says of the deployment's persistence, if anything."""
    resource = write.resource
    if resource is None:
        return None
    authored = resource.spec if resource.authored is None else resource.authored
    items: Iterable[JsonObject] = authored.get("deployments") or ()
    return next(
        (one.get("persistent") for one in items if one["environment"] == write.change.environment),
        None,
    )


def _bare(spec: JsonObject) -> dict[str, object]:
    """The spec without its deployments, which are rows of their own."""
    return {name: value for name, value in spec.items() if name != "deployments"}


def _same(one: JsonObject, other: JsonObject) -> bool:
    return canonical.encode(one) == canonical.encode(other)


def _no_value(id: ResourceId, pointer: str) -> SecretError:
    return SecretError(
        f"{id} has a secret at {pointer} whose value was not given",
        code="AO726",
        hint="apply with an age identity that opens the file it stands in",
    )
