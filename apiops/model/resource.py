"""Resources: what a specification describes and what the Manager holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apiops.model.diagnostic import Location

SYSTEM: Final = "system"
"""The unit that all System-tier resources form, beside the projects."""

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResourceId:
    """Identity of a resource: kind, project (None = System tier) and name, never a file path."""

    kind: str
    project: str | None
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.project, self.name) if part)

    @property
    def unit(self) -> str:
        """What is applied, frozen and recorded together: the project, or `system`."""
        return self.project or SYSTEM

    @property
    def order(self) -> tuple[str, str, str]:
        """Sort key."""
        return (self.project or "", self.kind, self.name)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a resource was written: path and Git blob id of the file, and the document's index."""

    path: str
    blob: str
    document: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """One parsed, rendered document (parameters and patches applied, files inlined).

    `spec` is a JSON tree with `model.secret` leaves. `content` is the digest that authorization
    compares: over ciphertexts and every rendered input. `source_digest` keeps the digest of
    referenced files (an OpenAPI document) by their path in the repository.
    """

    id: ResourceId
    spec: JsonObject
    origin: Origin
    content: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    renamed_from: str | None = None
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """A proxy that runs in an environment: the digest of the spec that was deployed there."""

    environment: str
    digest: str
    revision: int = 1


@dataclass(frozen=True, slots=True)
class LiveResource:
    """What the Manager holds of one resource.

    `serial` counts its writes (optimistic concurrency); `owner` is the repository whose
    inventory it is in (None: nobody's); `applied` is the digest of the spec that the last run
    of that owner wrote, to tell drift from a pending change; `spec` has leaves for secrets.
    """

    id: ResourceId
    spec: JsonObject
    digest: str
    serial: int
    owner: str | None = None
    applied: JsonObject | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    deployments: tuple[Deployment, ...] = ()
    protected: bool = False


Positions = Mapping[tuple[str | int, ...], Location]
"""Field path inside a document → its place in the file."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What a revision describes for one target.

    `resources` are sorted by identity; `stopped` names the units that an error diagnostic
    stops, with its code: they are neither planned nor pruned.
    """

    target: str
    environment: str
    resources: tuple[Resource, ...]
    stopped: Mapping[str, str] = field(default_factory=dict)
