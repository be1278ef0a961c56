"""Resources: what a specification describes and what the Manager holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from apiops.model import canonical, secret
from apiops.model.diagnostic import Location

SYSTEM: Final = "system"
"""The unit that all System-tier resources form, beside the projects."""

SETTINGS: Final = "Target"
"""The kind as which a target's own settings are judged; it is never written and in no table, so
that a change of it needs the System tier."""

EVERYTHING: Final = "*"
"""Stands among stopped units for all of them, those unknown to the revision included."""

NOT_SHOWN: Final = "0" * 64
"""Stands where the digest of a file would, of one that the Manager has and does not show."""

JsonObject = Mapping[str, Any]


def state_digest(spec: JsonObject, labels: Mapping[str, str]) -> str:
    """The digest by which desired and live state are compared.

    Secrets count by fingerprint alone (so that re-encryption is no change), deployments not at
    all: they are compared one by one. SHA-256, 64 hex digits.
    """
    bare = {name: value for name, value in spec.items() if name != "deployments"}
    state = {"spec": bare, "labels": dict(labels)}
    encoded = canonical.encode(state)
    if secret.holds_leaf(encoded):
        encoded = canonical.encode(state | {"spec": _by_fingerprint(bare)})
    return canonical.digest_of(encoded)


def _by_fingerprint(node: Any) -> Any:
    if isinstance(node, str | int | float):  # nearly all nodes: spare them what follows
        return node
    leaf = secret.leaf_of(node)
    if leaf is not None:
        return {secret.MARK: leaf.fingerprint}
    if isinstance(node, Mapping):
        return {key: _by_fingerprint(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_by_fingerprint(value) for value in node]
    return node


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

    def formerly(self, text: str) -> "ResourceId":
        """The identity that `renamedFrom` means: a name in the same project, or `project/name`."""
        project, _, name = text.rpartition("/")
        return replace(self, project=project or self.project, name=name)

    def since(self, former: "ResourceId") -> str:
        """How `renamedFrom` writes a former identity of this one."""
        moved = former.project is not None and former.project != self.project
        return f"{former.project}/{former.name}" if moved else former.name

    @property
    def order(self) -> tuple[str, str, str]:
        """Sort key."""
        return (self.project or "", self.kind, self.name)


class FileMode(StrEnum):
    """What a tree entry is; anything but a FILE is reported, never followed."""

    FILE = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class File:
    """A tree entry: repository-relative POSIX path, Git blob id, mode."""

    path: str
    blob: str
    mode: FileMode = FileMode.FILE


@dataclass(frozen=True, slots=True)
class Target:
    """What is applied to: the target's name and the environment that it stands for.

    `settings` is the path of the settings file that says so, if it lies in the repository.
    """

    name: str
    environment: str
    settings: str = ""


NO_TARGET: Final = Target("default", "default")
"""What specifications are checked for where no settings name a target."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a resource was written: path and Git blob id of the file, and the document's index."""

    path: str
    blob: str
    document: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """One parsed, rendered document: parameters and patches applied, files resolved.

    `spec` is a JSON tree with `model.secret` leaves. `content` is the digest that authorization
    compares: over ciphertexts and every rendered input, file digests included. Where it runs is not
    in it (each deployment is judged by itself), how it runs there is. `files` are the
    files it refers to (an OpenAPI document, a certificate) by the JSON pointer of the field;
    beside such a field `spec` holds `<field>Digest`, the SHA-256 of the file's bytes. `authored`
    is the spec as the author wrote it, where `spec` is what a merge made of it (None: the same).
    `parts` has, by environment, the digest of what it says for that one alone (`model.reach`).
    `renamed_from` are its former names, newest first (`ResourceId.formerly` says whose).
    """

    id: ResourceId
    spec: JsonObject
    origin: Origin
    content: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    renamed_from: tuple[str, ...] = ()
    protected: bool = False
    authored: JsonObject | None = None
    parts: Mapping[str, str] = field(default_factory=dict)

    def with_spec(self, spec: JsonObject) -> "Resource":
        """The same resource with another spec; what the author wrote is remembered."""
        return replace(
            self, spec=spec, authored=self.spec if self.authored is None else self.authored
        )


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
    inventory it is in (None: nobody's); `applied` is what the author had written when the last
    run of that owner wrote it (`Resource.authored`, not what the merge made of it), to tell
    drift from a pending change and a field taken back from one that was never ours; `spec` has
    leaves for secrets; `unsettled` says that a run began to write it and its end is not recorded,
    so it is written, and recorded, again.
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
    unsettled: bool = False


def environments(resources: Iterable[LiveResource]) -> dict[str, JsonObject]:
    """The specs of the Environments among resources, by name."""
    found = (one for one in resources if one.id.kind == "Environment" and one.id.project is None)
    return {one.id.name: one.spec for one in found}


Positions = Mapping[tuple[str | int, ...], Location]
"""Field path inside a document → its place in the file."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What a revision describes for one target.

    `resources` are sorted by identity; `stopped` names the units that an error diagnostic
    stops, with its code: they are neither planned nor pruned. A fault that cannot be laid to a
    unit stops all (`EVERYTHING` is among the names); ask `stops`.
    """

    target: str
    environment: str
    resources: tuple[Resource, ...]
    stopped: Mapping[str, str] = field(default_factory=dict)

    def stops(self, unit: str) -> bool:
        """Whether a unit is neither planned nor pruned."""
        return unit in self.stopped or EVERYTHING in self.stopped
