"""A Manager and ledger in memory, for tests of the line; it passes the embedded one's contracts.

State is values in dicts, replaced as a whole when a batch succeeds, so that a batch which fails
leaves nothing.
"""

import copy
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from apiops.access import decide, grants
from apiops.errors import AccessDenied, Conflict, ManagerUnavailable, SecretError
from apiops.model import canonical
from apiops.model.access import Grants, Need, Trust
from apiops.model.audit import (
    Applied,
    AuditContext,
    AuditEntry,
    AuditQuery,
    ChainReport,
    Introduction,
    LedgerState,
    Statement,
)
from apiops.model.kinds import KINDS
from apiops.model.outcome import Outcome, Result
from apiops.model.plan import Action, Change
from apiops.model.resource import (
    SYSTEM,
    Deployment,
    LiveResource,
    Origin,
    Resource,
    ResourceId,
    environments,
    state_digest,
)
from apiops.model.secret import MARK, SecretValue, leaf_of, leaves
from apiops.ports import Batch, Live, Write

_EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class _State:
    resources: dict[ResourceId, LiveResource] = field(default_factory=dict)
    applied: dict[tuple[str, str, str], tuple[Applied, ...]] = field(default_factory=dict)
    introductions: dict[tuple[str, str], Introduction] = field(default_factory=dict)
    entries: tuple[AuditEntry, ...] = ()


class FakeManager:
    """`ports.Manager` and `ports.Ledger` in memory; `admin` is a system admin from the start."""

    def __init__(
        self, admin: str = "ayse", *, key_line: str = "", trust: Trust = Trust.SIGNED
    ) -> None:
        self.lineage = "fake-manager"
        self.trust = trust
        self.state_now = _State()
        self._ticks = 0
        self._fences = 0
        self._leases: dict[str, tuple[str, int]] = {}
        keys = {"keys": [{"key": key_line}]} if key_line else {}
        self.put(ResourceId("User", None, admin), {"systemRoles": ["sysAdmin"], **keys})

    def put(self, id: ResourceId, spec: Mapping[str, Any], **more: Any) -> None:
        """Set a resource without asking anybody: how a test begins."""
        given = {"digest": state_digest(spec, {}), "serial": 1} | more
        self.state_now.resources[id] = LiveResource(id, dict(spec), **given)

    def read(
        self, repository: str, target: str, among: Collection[ResourceId] | None = None
    ) -> Live:
        held = self.state_now.resources.values()
        resources = sorted(
            (one for one in held if among is None or one.id in among), key=lambda one: one.id.order
        )
        ledger = self.state(repository, target)
        return Live(
            self.lineage,
            tuple(map(_shown, resources)),
            self.grants(),
            ledger,
            self.trust,
            environments(held),
        )

    def grants(self) -> Grants:
        return grants.build((id, one.spec) for id, one in self.state_now.resources.items())

    def fingerprint(
        self, id: ResourceId, pointer: str, environment: str, value: SecretValue
    ) -> str:
        place = canonical.encode([str(id), pointer, environment])
        return "fake." + hashlib.sha256(place + value.reveal()).hexdigest()

    def write(self, batch: Batch) -> tuple[Outcome, ...]:
        before = copy.deepcopy(self.state_now)
        writing = _Writing(self, batch)
        try:
            return writing.carry_out()
        except AccessDenied as denied:
            self.state_now = before
            if writing.doing is not None:
                doing = writing.doing
                self.deny(doing.context, doing.change, denied.code, denied.message)
            raise
        except BaseException:  # as a transaction: whatever ends it, nothing of it stays
            self.state_now = before
            raise

    @contextmanager
    def lease(self, name: str, holder: str) -> Iterator[int]:
        if name in self._leases:
            raise ManagerUnavailable(f"{self._leases[name][0]} holds {name}", code="AO718")
        self._fences += 1
        self._leases[name] = (holder, self._fences)
        try:
            yield self._fences
        finally:
            del self._leases[name]

    def holds(self, name: str, fence: int) -> bool:
        return name in self._leases and self._leases[name][1] == fence

    def change(
        self,
        id: ResourceId,
        patch: Mapping[str, Any],
        *,
        principal: str,
        context: AuditContext,
    ) -> Outcome:
        held = self.state_now.resources[id]
        resource = Resource(id, {**held.spec, **patch}, Origin("", ""), "", labels=held.labels)
        write = Write(
            Change(Action.UPDATE, id, serial=held.serial), resource, (principal,), context
        )
        (outcome,) = self.write(Batch("", "", id.unit, None, None, (write,), context, 0))
        return outcome

    def state(self, repository: str, target: str) -> LedgerState:
        chains = self.state_now.applied.items()
        return LedgerState(
            self.state_now.introductions.get((repository, target)),
            {unit: chain[-1] for (r, t, unit), chain in chains if (r, t) == (repository, target)},
        )

    def history(self, repository: str, target: str, unit: str) -> tuple[Applied, ...]:
        return self.state_now.applied.get((repository, target, unit), ())

    def entries(self, query: AuditQuery) -> Iterator[AuditEntry]:
        found = [one for one in reversed(self.state_now.entries) if _asked(query, one)]
        yield from found[: query.limit] if query.limit else found

    def entry(self, seq: int) -> AuditEntry | None:
        return next((one for one in self.state_now.entries if one.seq == seq), None)

    def deny(self, context: AuditContext, change: Change, code: str, message: str) -> int:
        note = {"code": code, "message": message}
        return self.record(
            context, change.action.value, change.id, change.environment, None, None, note
        )

    def say(self, context: AuditContext, said: Statement, needs: Sequence[Need]) -> int:
        grants = self.read("", "").grants
        held = bool(needs) and decide.lacking(grants, context.principal, needs) is None
        note, outcome = (
            (said.note, said.outcome) if held else ({**said.note, "code": "AO520"}, "denied")
        )
        place = said.environment or None
        seq = self.record(context, said.action, said.subject, place, None, None, note, outcome)
        if not held:
            raise AccessDenied("not all of it", code="AO520")
        return seq

    def verify(self) -> ChainReport:
        entries = self.state_now.entries
        return ChainReport(len(entries), entries[-1].digest if entries else "")

    def record(
        self, context: AuditContext, action: str, id: ResourceId | None, environment: str | None,
        before: Any, after: Any, note: Any = None, outcome: str = "",
    ) -> int:  # fmt: skip
        """Append an audit entry; its number."""
        entries = self.state_now.entries
        entry = AuditEntry(
            seq=len(entries) + 1,
            at=self.tick(),
            actor=context.actor,
            principal=context.principal,
            tier=context.tier,
            action=action,
            resource=id,
            environment=environment,
            before=before,
            after=after,
            delta=note or _delta(before, after),
            reason=context.reason,
            run=context.run,
            source=context.source.value,
            previous=entries[-1].digest if entries else "",
            digest="",
            outcome=outcome or ("denied" if note else "done"),
        )
        digest = hashlib.sha256(repr(entry).encode()).hexdigest()
        self.state_now.entries = (*entries, replace(entry, digest=digest))
        return entry.seq

    def tick(self) -> datetime:
        self._ticks += 1
        return _EPOCH + timedelta(microseconds=self._ticks)


class _Writing:
    """One batch at work."""

    def __init__(self, manager: FakeManager, batch: Batch) -> None:
        self.doing: Write | None = None
        self._manager = manager
        self._batch = batch
        self._resources = manager.state_now.resources
        self._grants = manager.grants()
        self._seen = {id: held.serial for id, held in self._resources.items()}

    def carry_out(self) -> tuple[Outcome, ...]:
        batch, manager = self._batch, self._manager
        here = (batch.repository, batch.target, batch.unit)
        chain = manager.state_now.applied.get(here, ())
        if batch.head is not None:
            if not manager.holds(f"{batch.repository}/{batch.target}", batch.fence):
                raise Conflict("the lease is lost", code="AO719")
            if (chain[-1].commit if chain else None) != batch.base:
                raise Conflict("the unit moved on", code="AO712")
        outcomes = tuple(map(self._one, batch.writes))
        self.doing = None
        if batch.introduction is not None:
            self._introduce(batch.introduction)
        if batch.head is not None:
            link = Applied(
                unit=batch.unit,
                commit=batch.head.commit,
                tree=batch.head.tree,
                serial=len(chain) + 1,
                previous=chain[-1].digest if chain else "",
                digest=f"link-{len(chain) + 1}-{batch.head.commit}",
                at=manager.tick(),
                run=batch.context.run,
            )
            manager.state_now.applied[here] = (*chain, link)
            manager.record(batch.context, "apply", None, None, None, {"commit": link.commit})
        return outcomes

    def _one(self, write: Write) -> Outcome:
        self.doing = write
        change = write.change
        id = change.former or change.id
        held = self._resources.get(id)
        seen = self._seen.get(id) if held else None
        if change.serial != seen or (change.action is Action.CREATE and held is not None):
            raise Conflict(f"{change.id} is not as planned", code="AO711")
        foreign = held is not None and held.owner not in (None, self._batch.repository)
        if self._batch.head is not None and foreign and not change.adopts:
            raise Conflict(f"{change.id} is another repository's", code="AO720")
        self._permit(write)
        after = self._after(write, held)
        if id != change.id:
            self._seen[change.id] = self._seen.pop(id)
        self._resources.pop(id, None)
        if after is None:
            self._seen.pop(id, None)
        else:
            self._resources[change.id] = after
        images = [None if one is None else {"spec": one.spec} for one in (held, after)]
        entry = self._manager.record(
            write.context, change.action.value, change.id, change.environment, *images
        )
        return Outcome(change, Result.DONE, entry)

    def _permit(self, write: Write) -> None:
        change = write.change
        if not write.principals:
            raise AccessDenied("nobody answers for it", code="AO716")
        reached = (change.environment,) if change.environment else ()
        needs = decide.needs_of(change, reached)
        for principal in write.principals:
            decide.permits(self._grants, principal, needs)

    def _after(self, write: Write, held: LiveResource | None) -> LiveResource | None:
        change = write.change
        if change.action is Action.DELETE:
            return None
        if change.action in (Action.DEPLOY, Action.UNDEPLOY):
            return self._running(write, held)
        assert write.resource is not None
        spec = self._spec(write, write.resource.spec, held)
        digest = state_digest(spec, write.resource.labels)
        if change.digest not in ("", digest):
            raise Conflict(f"{change.id} is not the planned content", code="AO711")
        authored = write.resource.authored
        ours = self._batch.head is not None
        base = held or LiveResource(change.id, {}, "", 0)
        return replace(
            base,
            id=change.id,
            spec=spec,
            digest=digest,
            serial=base.serial + 1,
            owner=self._batch.repository if ours else base.owner,
            applied=_reduced(authored if authored is not None else spec) if ours else base.applied,
            labels=write.resource.labels,
            protected=write.resource.protected,
        )

    def _running(self, write: Write, held: LiveResource | None) -> LiveResource:
        change = write.change
        if held is None or (change.action is Action.DEPLOY and change.digest != held.digest):
            raise Conflict(f"{change.id} is not the planned content", code="AO711")
        others = tuple(d for d in held.deployments if d.environment != change.environment)
        if change.action is Action.DEPLOY and change.environment:
            others += (Deployment(change.environment, held.digest),)
        deployments = tuple(sorted(others, key=lambda one: one.environment))
        wanted = write.resource.spec.get("deployments", ()) if write.resource else ()
        shown = {item["environment"]: item for item in held.spec.get("deployments", ())}
        shown |= {item["environment"]: item for item in wanted}
        items = [
            dict(shown.get(d.environment, {"environment": d.environment})) for d in deployments
        ]
        spec = {**held.spec, "deployments": items}
        return replace(held, spec=spec, deployments=deployments, serial=held.serial + 1)

    def _spec(
        self, write: Write, spec: Mapping[str, Any], held: LiveResource | None
    ) -> dict[str, Any]:
        bare = {name: value for name, value in spec.items() if name != "deployments"}
        known = dict(leaves(held.spec)) if held else {}
        for pointer, leaf in leaves(bare):
            if pointer not in write.secrets and leaf.fingerprint not in (
                one.fingerprint for at, one in known.items() if at == pointer
            ):
                raise SecretError(f"no value for {pointer}", code="AO726")
        reduced: dict[str, Any] = _reduced(bare)
        if held is not None and "deployments" in held.spec:
            reduced["deployments"] = held.spec["deployments"]
        return reduced

    def _introduce(self, introduction: Introduction) -> None:
        where = (introduction.repository, introduction.target)
        known = self._manager.state_now.introductions.setdefault(where, introduction)
        if known != introduction:
            raise Conflict("introduced already", code="AO713")
        if introduction.approver not in self._grants.enabled:
            raise AccessDenied(f"{introduction.approver} is not a user", code="AO713")


def _shown(held: LiveResource) -> LiveResource:
    kind = KINDS.get(held.id.kind)
    if kind is None or not kind.deployable or "deployments" in held.spec:
        return held
    return replace(held, spec={**held.spec, "deployments": []})


def _reduced(node: Any) -> Any:
    leaf = leaf_of(node)
    if leaf is not None:
        return {MARK: {"environment": leaf.environment, "fingerprint": leaf.fingerprint}}
    if isinstance(node, Mapping):
        return {key: _reduced(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_reduced(value) for value in node]
    return node


def _delta(before: Any, after: Any) -> list[dict[str, Any]]:
    if before is None or after is None:
        return [{"op": "replace", "path": "", "value": after}]
    old, new = before["spec"], after["spec"]
    names = sorted(old.keys() | new.keys())
    return [
        {"op": "replace", "path": f"/spec/{name}", "value": new.get(name)}
        for name in names
        if old.get(name) != new.get(name)
    ]


def _asked(query: AuditQuery, entry: AuditEntry) -> bool:
    id = entry.resource
    checks: tuple[tuple[Any, Callable[[Any], bool]], ...] = (
        (query.principal, lambda wanted: entry.principal == wanted),
        (query.project, lambda wanted: id is not None and (id.project or SYSTEM) == wanted),
        (query.environment, lambda wanted: entry.environment == wanted),
        (query.kind, lambda wanted: id is not None and id.kind == wanted),
        (query.name, lambda wanted: id is not None and id.name == wanted),
        (query.commit, lambda wanted: wanted in (entry.reason.commit, *entry.reason.commits)),
        (query.run, lambda wanted: entry.run == wanted),
        (query.action, lambda wanted: entry.action == wanted),
        (query.outcome, lambda wanted: entry.outcome == wanted),
        (query.since, lambda wanted: entry.at >= wanted),
        (query.until, lambda wanted: entry.at < wanted),
        (query.before, lambda wanted: entry.seq < wanted),
    )
    return all(check(wanted) for wanted, check in checks if wanted is not None)
