"""What resources were before some entries of the log: the states that `undo` goes back to.

An entry's `before` is the row as the database held it: of a resource its spec (secrets by
fingerprint), labels and protection, of a deployment whether it ran.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apiops.model.audit import AuditEntry
from apiops.model.kinds import KINDS
from apiops.model.plan import Change
from apiops.model.resource import JsonObject, LiveResource, Origin, Resource, ResourceId
from apiops.ports import Live

SHORTEST: Final = 6
"""So much of a run's id is needed to name it."""

_ROWS: Final = frozenset({"create", "update", "delete"})
_RUNS: Final = frozenset({"deploy", "undeploy", "forget"})


@dataclass(frozen=True, slots=True)
class Was:
    """States of resources before the first of some entries.

    `ids` are all identities that the entries are about. `states` has, by the row's own id, the row
    (None: there was none); `names` the identity that it had last; `running` maps an identity and an
    environment to the deployment's row (None: there was none).
    """

    ids: frozenset[ResourceId]
    states: Mapping[str, JsonObject | None]
    names: Mapping[str, ResourceId]
    running: Mapping[tuple[ResourceId, str], JsonObject | None]
    _made: dict[ResourceId, Resource] = field(default_factory=dict, compare=False)

    def resources(self, live: Live) -> tuple[Resource, ...]:
        """What there was, as resources. What only ran elsewhere or not is otherwise as it is."""
        held = {one.id: one for one in live.resources}
        for key, row in self.states.items():
            if row is not None:
                made = self._of_row(row, self.names[key], held)
                self._made[made.id] = made
        rowed = {*self._made, *self.names.values()}
        for id in {id for id, _ in self.running} - rowed:
            if id in held:
                self._made[id] = self._of_live(held[id])
        return tuple(self._made.values())

    def concerns(self, change: Change) -> bool:
        """Whether a change undoes something. What ran on untouched, goes on as it does."""
        if change.environment is not None:
            return (change.id, change.environment) in self.running
        return change.id in self.ids

    def resource(self, id: ResourceId) -> Resource | None:
        """What there was of one identity, after `resources` was asked."""
        return self._made.get(id)

    def _of_row(
        self, row: JsonObject, last: ResourceId, held: Mapping[ResourceId, LiveResource]
    ) -> Resource:
        id = ResourceId(row["kind"], row["project"] or None, row["name"])
        now = held.get(last)
        return Resource(
            id=id,
            spec={**row["spec"], **self._deployments(last, now)},
            origin=Origin("", ""),
            content="",
            labels=row["labels"],
            protected=row["protected"],
            renamed_from=() if last == id else (id.since(last),),
        )

    def _of_live(self, live: LiveResource) -> Resource:
        return Resource(
            id=live.id,
            spec={**live.spec, **self._deployments(live.id, live)},
            origin=Origin("", ""),
            content="",
            labels=live.labels,
            protected=live.protected,
        )

    def _deployments(self, id: ResourceId, now: LiveResource | None) -> dict[str, Any]:
        """Where it ran, for a kind that runs: as it does now where nothing was changed."""
        if not KINDS[id.kind].deployable:
            return {}
        runs: dict[str, JsonObject] = {
            one["environment"]: one for one in (now.spec.get("deployments") or () if now else ())
        }
        for (mine, environment), row in self.running.items():
            if mine == id:
                runs.pop(environment, None)
                if row is not None and row["active"]:
                    runs[environment] = _deployment(row)
        return {"deployments": [runs[name] for name in sorted(runs)]}


def read(entries: Iterable[AuditEntry]) -> Was:
    """The states before entries, which are given oldest first."""
    states: dict[str, JsonObject | None] = {}
    names: dict[str, ResourceId] = {}
    running: dict[tuple[ResourceId, str], JsonObject | None] = {}
    found: set[ResourceId] = set()
    for entry in _about(entries):
        assert entry.resource is not None, "what is about nothing was left out"
        found.add(entry.resource)
        row = entry.after or entry.before
        if entry.action in _ROWS:
            states.setdefault(row["id"], entry.before)
            names[row["id"]] = entry.resource
            found.update(_former(entry))
        else:
            running.setdefault((entry.resource, row["environment"]), entry.before)
    return Was(frozenset(found), states, names, running)


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
    if entry.before is not None:
        yield ResourceId(
            entry.before["kind"], entry.before["project"] or None, entry.before["name"]
        )


def _deployment(row: JsonObject) -> JsonObject:
    kept = {} if row["persistent"] is None else {"persistent": row["persistent"]}
    return {"environment": row["environment"]} | kept
