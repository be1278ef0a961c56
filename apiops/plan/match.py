"""Which live resource a desired one stands for: by identity, by case, or by its former name."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
        """The live name, where it is not the desired one."""
        return self.live.id.name if self.live and self.live.id != self.id else None


def pairs(desired: Desired, live: Live, repository: str) -> Iterator[Pair]:
    """Every desired resource of a unit that is not stopped, with its live counterpart.

    `metadata.renamedFrom` counts only while the old name is in the inventory of `repository`,
    nothing has the new one, and no other document describes the old one.
    """
    held = {graph.fold(resource.id): resource for resource in live.resources}
    wanted = {graph.fold(resource.id) for resource in desired.resources}
    for resource in desired.resources:
        if resource.id.unit in desired.stopped:
            continue
        found = held.get(graph.fold(resource.id))
        if found is None and resource.renamed_from:
            old = graph.fold(replace(resource.id, name=resource.renamed_from))
            former = held.get(old)
            if former and former.owner == repository and old not in wanted:
                found = former
                wanted.add(old)
        yield Pair(resource, found)
