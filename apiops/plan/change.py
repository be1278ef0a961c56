"""One resource → its changes: create, update, replace, delete, and its deployments."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from apiops.model.diagnostic import Location
from apiops.model.kinds import Kind
from apiops.model.plan import Action, Change, FieldChange
from apiops.model.resource import Deployment, JsonObject, LiveResource, ResourceId, state_digest
from apiops.model.secret import leaf_of
from apiops.plan import diff, merge, place
from apiops.plan.diff import Difference
from apiops.plan.match import Pair
from apiops.plan.place import Path

Locate = Callable[[ResourceId, Path], Location | None]
"""Identity and path in its document → the position, if the document has it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one desired resource: its changes, and its spec if it is written."""

    pair: Pair
    changes: tuple[Change, ...]
    result: JsonObject | None = None

    @property
    def replaces(self) -> bool:
        """Whether an immutable field makes it a delete and a create."""
        return any(change.action is Action.DELETE for change in self.changes)


def step(pair: Pair, repository: str, locate: Locate) -> Step:
    """The changes that one desired resource needs, deployments among them; none if it is as it
    shall be.
    """
    live, resource = pair.live, pair.resource
    here = _Here(pair, locate)
    if live is None:
        spec = merge.result(pair.kind, resource.spec, None, None)
        return _created(here, spec)
    adopts = live.owner != repository
    ours = None if adopts else live.applied
    if not (adopts or live.unsettled) and _is_as_written(pair, live):
        return Step(pair, tuple(_deployments(here, live, live.digest)))
    spec = merge.result(pair.kind, resource.spec, live.spec, ours)
    if _replaces(pair.kind, live.spec, spec):
        spec = merge.result(pair.kind, resource.spec, None, None)
        made = _created(here, spec)
        return replace(made, changes=(*removal(pair.kind, live), *made.changes))
    digest = state_digest(spec, resource.labels)
    differs = adopts or digest != live.digest  # two secrets that nobody opened have one digest
    found = _difference(here, live, spec) if differs else Difference()
    fields = (*found.fields, *_metadata(here, live))
    if not (fields or found.uncompared or adopts or live.unsettled or pair.renamed_from):
        return Step(pair, tuple(_deployments(here, live, live.digest)))
    update = Change(
        Action.UPDATE,
        pair.id,
        fields=fields,
        location=here.document,
        serial=live.serial,
        digest=digest,
        renamed_from=pair.renamed_from,
        drifted=drifted(pair.kind, live),
        adopts=adopts,
        uncompared=found.uncompared,
    )
    return Step(pair, (update, *_deployments(here, live, digest)), spec)


def _is_as_written(pair: Pair, live: LiveResource) -> bool:
    """Whether the live resource is what the document says, so that there is nothing to merge."""
    resource = pair.resource
    same = (resource.id, resource.protected) == (live.id, live.protected)
    return same and state_digest(resource.spec, resource.labels) == live.digest


def removal(kind: Kind, live: LiveResource) -> tuple[Change, ...]:
    """The changes that take a live resource away, wherever it runs."""
    gone = Change(Action.DELETE, live.id, serial=live.serial, drifted=drifted(kind, live))
    return (*_undeployed(live, live.deployments), gone)


def drifted(kind: Kind, live: LiveResource) -> bool:
    """Whether to write again what was applied last would change the live spec."""
    if live.applied is None:
        return False
    again = merge.result(kind, live.applied, live.spec, live.applied)
    return bool(diff.compare(kind, _bare(live.spec), again, _nowhere).fields)


def _nowhere(_path: Path) -> None:
    """No position: who only asks whether there is a difference needs none."""


def _bare(spec: JsonObject) -> JsonObject:
    """The spec without its deployments, which are compared one by one."""
    return {name: value for name, value in spec.items() if name != "deployments"}


@dataclass(frozen=True)
class _Here:
    """A pair and how to find its places."""

    pair: Pair
    locate: Locate

    @cached_property
    def document(self) -> Location:
        return self.at(()) or Location(self.pair.resource.origin.path)

    def at(self, path: Path) -> Location | None:
        return self.locate(self.pair.id, path)


def _created(here: _Here, spec: JsonObject) -> Step:
    resource = here.pair.resource
    digest = state_digest(spec, resource.labels)
    create = Change(Action.CREATE, resource.id, location=here.document, digest=digest)
    return Step(here.pair, (create, *_deployments(here, None, digest)), spec)


def _replaces(kind: Kind, before: JsonObject, after: JsonObject) -> bool:
    return any(_differ(_value(before, path), _value(after, path)) for path in kind.immutable)


def _value(spec: JsonObject, path: str) -> Any:
    node: Any = spec
    for key in path.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _differ(before: Any, after: Any) -> bool:
    """Whether two values are not the same; what is left out and what is false are.

    Secrets differ by fingerprint: one that could not be opened is no reason to replace anything.
    """
    old, new = leaf_of(before), leaf_of(after)
    if old is not None and new is not None:
        return None not in (old.fingerprint, new.fingerprint) and old.fingerprint != new.fingerprint
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return any(_differ(before.get(k), after.get(k)) for k in before.keys() | after.keys())
    return (before or None) != (after or None)


def _difference(here: _Here, live: LiveResource, spec: JsonObject) -> Difference:
    return diff.compare(here.pair.kind, _bare(live.spec), spec, here.at)


def _metadata(here: _Here, live: LiveResource) -> tuple[FieldChange, ...]:
    """Changes of labels and of the protection, which are not in the spec."""
    resource = here.pair.resource
    fields = diff.compare(
        here.pair.kind, live.labels, resource.labels, here.at, place.LABELS
    ).fields
    if resource.protected == live.protected:
        return fields
    where = here.at(("metadata", "annotations")) or here.document
    return (
        *fields,
        FieldChange("metadata.protected", live.protected, resource.protected, location=where),
    )


def _deployments(here: _Here, live: LiveResource | None, digest: str) -> Iterator[Change]:
    """Deploys where the resource shall run and does not, or runs as something else; undeploys
    where it runs and shall not. Without the field, deployments are nobody's business here.
    """
    spec = here.pair.resource.spec
    if not here.pair.kind.deployable or "deployments" not in spec:
        return
    running = live.deployments if live else ()
    at = {deployment.environment: deployment.digest for deployment in running}
    kept = _kept(live.spec) if live else {}
    items = spec["deployments"] or ()
    wanted = {item["environment"]: index for index, item in enumerate(items)}
    for environment, index in sorted(wanted.items()):
        says = items[index].get("persistent")
        if at.get(environment) != digest or says not in (None, kept.get(environment, False)):
            # All of a new resource is new: it is shown where its document begins.
            item = here.at(("spec", "deployments", index)) if live else None
            yield Change(
                Action.DEPLOY,
                here.pair.id,
                environment,
                location=item or here.document,
                serial=live.serial if live else None,
                digest=digest,
            )
    if live is not None:
        gone = tuple(one for one in running if one.environment not in wanted)
        for change in _undeployed(live, gone):
            yield replace(change, id=here.pair.id, location=here.document)


def _kept(spec: JsonObject) -> dict[str, bool]:
    """Environment → whether the revision that runs there stays when old ones are removed."""
    return {one["environment"]: bool(one.get("persistent")) for one in spec.get("deployments", ())}


def _undeployed(live: LiveResource, running: tuple[Deployment, ...]) -> Iterator[Change]:
    for deployment in sorted(running, key=lambda one: one.environment):
        yield Change(Action.UNDEPLOY, live.id, deployment.environment, serial=live.serial)
