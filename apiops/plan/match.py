"""Which live resource a desired one stands for: by identity, by case, or by its former name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from apiops.model.kinds import KINDS, Kind
from apiops.model.resource import Desired, LiveResource, Resource, ResourceId
from apiops.plan import graph
from apiops.ports import Live


@dataclass(frozen=True, slots=True)
class Pair:
    """A desired resource and the live one that it describes (None: there is none yet)."""

    resource: Resource
    live: LiveResource | None

    @property
    def id(self) -> ResourceId:
        """The identity that is desired."""
        return self.resource.id

    @property
    def kind(self) -> Kind:
        """The kind of both."""
        return KINDS[self.resource.id.kind]

    @property
    def renamed_from(self) -> str | None:
        """The live name, where it is not the desired one, as `renamedFrom` writes it."""
        return self.id.since(self.live.id) if self.live and self.live.id != self.id else None


def renames(former: ResourceId, id: ResourceId) -> bool:
    """Whether a vendor's Manager has a call that makes one of the other, or needs none. Nothing
    goes from project to project there (vendor document, 2.1).
    """
    here = former.project == id.project
    return graph.fold(former) == graph.fold(id) or (here and KINDS[id.kind].renames)


def pairs(desired: Desired, live: Live, repository: str) -> Iterator[Pair]:
    """Every desired resource of a unit that is not stopped, with its live counterpart.

    `metadata.renamedFrom` counts only while the old name is in the inventory of `repository`,
    nothing has the new one, and no other document describes the old one. What moves must be free
    to leave: a unit that is stopped keeps what it has.
    """
    held = {graph.fold(resource.id): resource for resource in live.resources}
    wanted = {graph.fold(resource.id) for resource in desired.resources}
    for resource in desired.resources:
        if resource.id.unit in desired.stopped:
            continue
        found = held.get(graph.fold(resource.id))
        if found is None:
            found = next(_former(resource, desired, held, wanted, repository), None)
        yield Pair(resource, found)


def claimed(desired: Desired) -> frozenset[ResourceId]:
    """The former identities, folded, of what stopped units describe: theirs to take, later."""
    return frozenset(
        graph.fold(resource.id.formerly(name))
        for resource in desired.resources
        if desired.stops(resource.id.unit)
        for name in resource.renamed_from
    )


def _former(
    resource: Resource,
    desired: Desired,
    held: Mapping[ResourceId, LiveResource],
    wanted: set[ResourceId],
    repository: str,
) -> Iterator[LiveResource]:
    """The live resources that a new one may have been; each is given away once."""
    for name in resource.renamed_from:
        old = graph.fold(resource.id.formerly(name))
        former = held.get(old)
        free = former and former.owner == repository and not desired.stops(old.unit)
        if former and free and old not in wanted:
            wanted.add(old)
            yield former
