"""What resources were before some entries of the log: the states that `undo` goes back to.

An entry's `before` is the row as the database held it: of a resource its spec (secrets by
fingerprint), labels and protection, of a deployment whether it ran.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apiops.model.audit import AuditEntry
from apiops.model.kinds import KINDS
from apiops.model.plan import Change
from apiops.model.resource import JsonObject, LiveResource, Origin, Resource, ResourceId
from apiops.ports import Inventory, Live

SHORTEST: Final = 6
"""So much of a run's id is needed to name it."""

_ROWS: Final = frozenset({"create", "update", "delete"})
_RUNS: Final = frozenset({"deploy", "undeploy", "forget"})


@dataclass(frozen=True, slots=True)
class Past:
    """A resource as it was: its row's own id, and in whose inventory (None: as it is)."""

    key: str
    resource: Resource
    inventory: Inventory | None = None


@dataclass(frozen=True, slots=True)
class Was:
    """States of resources before the first of some entries.

    What is one resource, its row's own id says, whatever its name is. `keys` has those ids by every
    identity that an entry is about; `names` the identity that each had last; `states` each row
    (None: there was none); `running` its deployments' rows by environment (None: there was none).
    """

    keys: Mapping[ResourceId, tuple[str, ...]]
    names: Mapping[str, ResourceId]
    states: Mapping[str, JsonObject | None]
    running: Mapping[str, Mapping[str, JsonObject | None]]

    @property
    def ids(self) -> Collection[ResourceId]:
        """All identities that the entries are about."""
        return self.keys.keys()

    def against(self, live: Live) -> dict[ResourceId, Past]:
        """What there was, by identity. What only ran elsewhere or not is otherwise as it is.

        Of two that had one name, one after the other, it is the first: states are oldest first.
        """
        held = {one.id: one for one in live.resources}
        past: dict[ResourceId, Past] = {}
        for key, row in self.states.items():
            if row is not None:
                inventory = Inventory(row["owner"], row["applied"])
                past.setdefault(_identity(row), Past(key, self._of_row(key, row, held), inventory))
        rowed = {*past, *(self.names[key] for key in self.states)}
        for key in self.running.keys() - self.states.keys():
            id = self.names[key]
            if id in held and id not in rowed:
                past[id] = Past(key, self._of_live(key, held[id]))
        return past

    def concerns(self, change: Change, past: Mapping[ResourceId, Past]) -> bool:
        """Whether a change undoes something. What ran on untouched, goes on as it does, unless
        another resource has its name now.
        """
        keys = self.keys.get(change.id, ())
        if change.environment is None:
            return bool(keys)
        own = past[change.id].key if change.id in past else None
        others = any(key != own and self.names[key] == change.id for key in keys)
        return others or any(change.environment in self.running.get(key, {}) for key in keys)

    def _of_row(
        self, key: str, row: JsonObject, held: Mapping[ResourceId, LiveResource]
    ) -> Resource:
        id, last = _identity(row), self.names[key]
        return Resource(
            id=id,
            spec={**row["spec"], **self._deployments(key, id, held.get(last))},
            origin=Origin("", ""),
            content="",
            labels=row["labels"],
            protected=row["protected"],
            renamed_from=() if last == id else (id.since(last),),
        )

    def _of_live(self, key: str, live: LiveResource) -> Resource:
        return Resource(
            id=live.id,
            spec={**live.spec, **self._deployments(key, live.id, live)},
            origin=Origin("", ""),
            content="",
            labels=live.labels,
            protected=live.protected,
        )

    def _deployments(self, key: str, id: ResourceId, now: LiveResource | None) -> dict[str, Any]:
        """Where it ran, for a kind that runs: as it does now where nothing was changed."""
        if not KINDS[id.kind].deployable:
            return {}
        runs: dict[str, JsonObject] = {
            one["environment"]: one for one in (now.spec.get("deployments") or () if now else ())
        }
        for environment, row in self._ran(key).items():
            runs.pop(environment, None)
            if row is not None and row["active"]:
                runs[environment] = _deployment(row)
        return {"deployments": [runs[name] for name in sorted(runs)]}

    def _ran(self, key: str) -> dict[str, JsonObject | None]:
        """By environment its first deployment's row; then those of what took its name over."""
        last = self.names[key]
        heirs = [one for one in self.keys[last] if self.names[one] == last and one != key]
        ran: dict[str, JsonObject | None] = {}
        for one in (key, *heirs):
            ran = {**self.running.get(one, {}), **ran}
        return ran


def read(entries: Iterable[AuditEntry]) -> Was:
    """The states before entries, which are given oldest first."""
    keys: dict[ResourceId, dict[str, None]] = {}
    names: dict[str, ResourceId] = {}
    states: dict[str, JsonObject | None] = {}
    running: dict[str, dict[str, JsonObject | None]] = {}
    for entry in _about(entries):
        assert entry.resource is not None, "what is about nothing was left out"
        row = entry.after or entry.before
        key = row["id"] if entry.action in _ROWS else row["resource"]
        for id in (*_former(entry), entry.resource):
            keys.setdefault(id, {})[key] = None
        names[key] = entry.resource
        if entry.action in _ROWS:
            states.setdefault(key, entry.before)
        else:
            running.setdefault(key, {}).setdefault(row["environment"], entry.before)
    return Was({id: tuple(held) for id, held in keys.items()}, names, states, running)


def ids(entries: Iterable[AuditEntry]) -> frozenset[ResourceId]:
    """The identities that entries changed."""
    return frozenset(entry.resource for entry in _about(entries) if entry.resource)


def _about(entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
    """Those that changed a row of a resource or of a deployment."""
    for entry in entries:
        known = entry.resource is not None and entry.resource.kind in KINDS
        if known and entry.action in _ROWS | _RUNS and (entry.before or entry.after):
            yield entry


def _former(entry: AuditEntry) -> Iterator[ResourceId]:
    """The identity before a rename."""
    if entry.action in _ROWS and entry.before is not None:
        yield _identity(entry.before)


def _identity(row: JsonObject) -> ResourceId:
    return ResourceId(row["kind"], row["project"] or None, row["name"])


def _deployment(row: JsonObject) -> JsonObject:
    kept = {} if row["persistent"] is None else {"persistent": row["persistent"]}
    return {"environment": row["environment"]} | kept
