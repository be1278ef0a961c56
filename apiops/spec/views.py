"""A loaded commit as authorization sees it."""

from typing import Final

from apiops.model.resource import Resource
from apiops.model.revision import Commit, CommitView
from apiops.spec.load import Loaded

PERMISSIONS: Final = frozenset({"User", "Role", "Team", "Membership"})
"""The kinds that give rights."""


def view(commit: Commit, loaded: Loaded) -> CommitView:
    """Content digests, deployments, what gives rights, and which units could not be read."""
    resources = loaded.desired.resources
    return CommitView(
        commit=commit,
        content={resource.id: resource.content for resource in resources},
        deployments={one.id: _environments(one) for one in resources if "deployments" in one.spec},
        permissions={one.id: one.spec for one in resources if one.id.kind in PERMISSIONS},
        broken=loaded.desired.stopped,
    )


def _environments(resource: Resource) -> tuple[str, ...]:
    return tuple(deployment["environment"] for deployment in resource.spec["deployments"] or ())
