"""What may be deleted: our inventory minus what is desired, and never anything else."""

from collections.abc import Iterable

from apiops.model.kinds import KINDS
from apiops.model.resource import Desired, LiveResource, ResourceId
from apiops.plan import graph, match
from apiops.ports import Live


def prunable(
    desired: Desired, live: Live, kept: Iterable[ResourceId], repository: str
) -> tuple[LiveResource, ...]:
    """The live resources that `repository` owns and the desired state no longer has.

    `kept` are the live identities that a desired resource stands for. A unit that is stopped
    keeps all it has and what it is about to take over by `renamedFrom`, and a kind that this
    engine does not know is left alone.
    """
    keep, claimed = frozenset(kept), match.claimed(desired)
    return tuple(
        resource
        for resource in sorted(live.resources, key=lambda resource: resource.id.order)
        if resource.owner == repository
        and resource.id not in keep
        and graph.fold(resource.id) not in claimed
        and resource.id.unit not in desired.stopped
        and resource.id.kind in KINDS
    )
