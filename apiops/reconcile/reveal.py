"""Open the secrets that a desired state points at, and put fingerprints where they stand.

The plaintexts leave this module beside the tree, for the store alone; the tree holds leaves.
Without any identity nothing is opened: the plan then says what it could not compare.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from apiops.model import canonical, secret
from apiops.model.resource import Desired, Resource, ResourceId
from apiops.model.revision import Snapshot
from apiops.model.secret import SecretValue, leaf_of
from apiops.ports import Keyring, Manager

Secrets = Mapping[str, SecretValue]
"""JSON pointer of a leaf inside `spec` → plaintext."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """The desired state with fingerprints, and the plaintexts by identity."""

    desired: Desired
    secrets: Mapping[ResourceId, Secrets] = field(default_factory=dict, repr=False)


def reveal(
    desired: Desired,
    snapshot: Snapshot,
    keyring: Keyring,
    manager: Manager,
    known: Collection[ResourceId] = (),
) -> Revealed:
    """Open every leaf of `desired`. Raises SecretError if an identity is there but does not fit.

    `known` are the identities that the Manager has: what is about to be renamed is fingerprinted
    under its old name too.
    """
    if not keyring.available:
        return Revealed(desired)
    secrets: dict[ResourceId, Secrets] = {}
    resources = []
    for resource in desired.resources:
        if not secret.holds_leaf(canonical.encode(resource.spec)):
            resources.append(resource)
            continue
        opened = _Opener(resource, snapshot, keyring, manager, known)
        spec = opened.walk(resource.spec, "")
        if opened.values:
            secrets[resource.id] = opened.values
        resources.append(resource.with_spec(spec) if opened.values else resource)
    return Revealed(replace(desired, resources=tuple(resources)), secrets)


class _Opener:
    """Walks one spec; collects the plaintexts on the way."""

    def __init__(
        self,
        resource: Resource,
        snapshot: Snapshot,
        keyring: Keyring,
        manager: Manager,
        known: Collection[ResourceId],
    ) -> None:
        self.values: dict[str, SecretValue] = {}
        self._id = resource.id
        formerly = (resource.id.formerly(name) for name in resource.renamed_from)
        new = resource.id not in known
        self._former = next((id for id in formerly if new and id in known), None)
        self._read = snapshot.read
        self._keyring = keyring
        self._manager = manager

    def walk(self, node: Any, pointer: str) -> Any:
        leaf = leaf_of(node)
        if leaf is not None:
            value = self._keyring.open(leaf, self._read(leaf.blob))
            self.values[pointer] = value
            where = (pointer, leaf.environment, value)
            print_ = self._manager.fingerprint(self._id, *where)
            old = self._manager.fingerprint(self._former, *where) if self._former else None
            return replace(leaf, fingerprint=print_, former=old).node()
        if isinstance(node, Mapping):
            return {key: self.walk(v, f"{pointer}/{escape(key)}") for key, v in node.items()}
        if isinstance(node, list | tuple):
            return [self.walk(v, f"{pointer}/{index}") for index, v in enumerate(node)]
        return node


def escape(key: str) -> str:
    """A key as a step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
