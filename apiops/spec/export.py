"""Live resources as manifests: the way back from the Manager to a repository.

What is written loads to the very state that it was made from, so that it plans to nothing.
Where a file or a secret is not at hand, the manifest refers to a place that is still empty (a
hole), and `validate` says what has to be put there.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apiops.model.kinds import API_VERSION, KINDS, PROTECTED
from apiops.model.resource import SYSTEM, JsonObject, LiveResource, ResourceId
from apiops.model.secret import MARK, SecretValue, leaf_of
from apiops.spec import attachments, catalog, emit, marks, parameters, paths
from apiops.spec.leaves import CIPHERTEXT, FILE_MARK
from apiops.spec.paths import Path

Opened = Mapping[ResourceId, Mapping[str, SecretValue]]
"""The plaintexts at hand, by identity and by the JSON pointer of their leaf in `spec`."""

_LONGEST: Final = 128
"""Characters of a name that become part of a path: as many as our own names can have."""

_OPEN: Final = "_unencrypted"
"""The ending of a key by which sops leaves a value in the clear."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which resources: every field that is not empty narrows. `system` names the System tier."""

    projects: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def takes(self, id: ResourceId) -> bool:
        """Whether a resource is meant; a project's own settings belong to the project."""
        at_home = id.unit in self.projects or (id.kind == "Project" and id.name in self.projects)
        return (
            (not self.projects or at_home)
            and (not self.kinds or id.kind in self.kinds)
            and (not self.names or id.name in self.names)
        )


@dataclass(frozen=True, slots=True)
class Plain:
    """A file that is to be encrypted before it is written anywhere."""

    path: str
    content: SecretValue


@dataclass(frozen=True, slots=True)
class Manifest:
    """One resource as an author would write it.

    `plains` are the files with its secrets, still in the clear; `files` are those that it refers
    to, path → SHA-256 of their bytes; `holes` and `remarks` are sentences for the reader.
    """

    id: ResourceId
    path: str
    tree: JsonObject
    plains: tuple[Plain, ...] = field(default=(), repr=False)
    files: Mapping[str, str] = field(default_factory=dict)
    holes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The document."""
        return emit.document(self.tree)


def manifests(
    resources: Iterable[LiveResource], opened: Opened, root: str = ""
) -> tuple[Manifest, ...]:
    """A manifest for each resource of a known kind, in the order of their identities.

    Paths are relative to the repository; all of them lie below the folder `root`.
    """
    places = _Places(root)
    known = (one for one in resources if one.id.kind in KINDS)
    ordered = sorted(known, key=lambda one: one.id.order)
    return tuple(_manifest(one, opened.get(one.id, {}), places) for one in ordered)


def _manifest(live: LiveResource, opened: Mapping[str, SecretValue], places: "_Places") -> Manifest:
    spec = attachments.detach(live.id.kind, live.spec)
    if not spec.get("deployments", True):
        spec = {key: value for key, value in spec.items() if key != "deployments"}
    path, files, rewritten = places.settle(live, spec)
    for at, reference in rewritten.items():
        spec = paths.put(spec, at, reference)
    vault = _Vault(live.id, path, opened)
    spec = vault.emptied(spec)
    return Manifest(
        id=live.id,
        path=path,
        tree=_tree(live, spec),
        plains=vault.plains,
        files={file: digest for file, digest in files.items() if digest},
        holes=(
            *vault.holes,
            *(f"{live.id} needs {file}" for file, digest in files.items() if not digest),
        ),
        remarks=tuple(_remarks(live, rewritten)),
    )


def _tree(live: LiveResource, spec: JsonObject) -> dict[str, Any]:
    id = live.id
    metadata: dict[str, Any] = {"name": id.name}
    if id.project is not None:
        metadata["project"] = id.project
    if live.labels:
        metadata["labels"] = dict(live.labels)
    if live.protected:
        metadata["annotations"] = {PROTECTED: "true"}
    ordered = _as_documented(spec, catalog.kind(id.kind)["properties"]["spec"], id.kind)
    return {"apiVersion": API_VERSION, "kind": id.kind, "metadata": metadata, "spec": ordered}


def _as_documented(node: Any, schema: Any, kind: str) -> Any:
    """The tree with its fields in the order in which the kind's schema lists them."""
    schema = schema if isinstance(schema, dict) else {}  # `true` says nothing
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        schema = catalog.kind(kind)["definitions"][name]
    if isinstance(node, Mapping):
        fields, other = schema.get("properties", {}), schema.get("additionalProperties")
        known = [key for key in fields if key in node]
        return {
            key: _as_documented(node[key], fields.get(key, other), kind)
            for key in (*known, *(key for key in node if key not in fields))
        }
    if isinstance(node, list | tuple):
        return [_as_documented(one, schema.get("items"), kind) for one in node]
    return node


def _remarks(live: LiveResource, rewritten: Mapping[Path, str]) -> Iterator[str]:
    for at, reference in rewritten.items():
        field_ = ".".join(map(str, at))
        yield f"{live.id}: {field_} becomes {reference}, which its next plan shows"
    for deployment in live.deployments:
        if deployment.digest != live.digest:
            yield f"{live.id} runs in {deployment.environment} with older content than it has now"
    if any(parameters.uses(text) or text.startswith(CIPHERTEXT) for text in _texts(live.spec)):
        yield f"{live.id} has a text that a manifest takes for a parameter or a ciphertext"


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _texts(value)


class _Vault:
    """The secrets of one manifest: references in their place, and the files that are referred to.

    Text goes into one sops file beside the manifest, a key each; what is no text into a binary
    sops file of its own.
    """

    def __init__(self, id: ResourceId, path: str, opened: Mapping[str, SecretValue]) -> None:
        self.holes: tuple[str, ...] = ()
        self.plains: tuple[Plain, ...] = ()
        self._id = id
        self._stem = path.removesuffix(".yaml")
        self._opened = opened

    def emptied(self, spec: JsonObject) -> JsonObject:
        """The spec with a reference for each secret."""
        found = dict(_leaves(spec, ()))
        texts: dict[str, str] = {}
        for at, key in _keys(found).items():
            value = self._opened.get(paths.pointer(at))
            if value is None or not value.reveal():  # sops never encrypts what is empty
                self.holes += (f"{self._id} needs {key} in {self._stem}.sops.yaml",)
                value = None
            spec = paths.put(spec, at, self._reference(key, value, texts))
        if texts:
            content = SecretValue(emit.document(texts))
            self.plains += (Plain(f"{self._stem}.sops.yaml", content),)
        return spec

    def _reference(
        self, key: str, value: SecretValue | None, texts: dict[str, str]
    ) -> dict[str, str]:
        if value is not None:
            text = _readable(value)
            if text is None:
                path = f"{self._stem}.{key}.bin"
                self.plains += (Plain(path, value),)
                return {FILE_MARK: f"./{posixpath.basename(path)}"}
            texts[key] = text
        return {MARK: f"./{posixpath.basename(self._stem)}.sops.yaml#{key}"}


def _leaves(node: Any, at: Path) -> Iterator[tuple[Path, Any]]:
    if leaf_of(node) is not None:
        yield at, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, (*at, key))
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _leaves(value, (*at, index))


def _keys(found: Mapping[Path, Any]) -> dict[Path, str]:
    """A key of its own for each secret: the field's name where that is enough, else its path."""
    short = Counter(_safe(at[-1:]) for at in found)
    keys: dict[Path, str] = {}
    for at in found:
        key = _safe(at[-1:])
        key = key if short[key] == 1 else _safe(at)
        while key in keys.values():
            key += "-"
        keys[at] = key
    return keys


def _safe(at: Path) -> str:
    """A key that neither sops nor a reference takes for anything but a name."""
    key = re.sub(r"[^A-Za-z0-9_.-]", "_", ".".join(map(str, at)))
    return f"{key}-" if key == "sops" or key.endswith(_OPEN) else key


def _readable(value: SecretValue) -> str | None:
    """The plaintext as text that YAML carries back unchanged; None if it is none."""
    try:
        text = value.reveal().decode()
    except UnicodeDecodeError:
        return None
    return text if all(line.isprintable() for line in re.split(r"[\n\t]", text)) else None


class _Places:
    """Which path is whose, so that no two things are written to one place."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._taken: dict[str, str] = {}

    def settle(
        self, live: LiveResource, spec: JsonObject
    ) -> tuple[str, dict[str, str], dict[Path, str]]:
        """Where the manifest goes and where its files go, with those of its references that
        must change because their place is taken or leads out of the folder.

        The digest of a file is empty where the Manager does not have it.
        """
        id = live.id
        wanted = tuple(_attached(id.kind, spec, live.spec))
        usual = posixpath.join(self._root, _home(id))
        own = f"{usual.removesuffix('.yaml')}/{_step(id.name)}.yaml"
        path = next((p for p in (usual, own) if self._fits(p, wanted)), self._free(usual))
        self._taken[path.casefold()] = self._taken[_vault(path)] = ""
        files: dict[str, str] = {}
        rewritten: dict[Path, str] = {}
        for at, reference, digest in wanted:
            place = attachments.confined(posixpath.dirname(path), reference)
            if place is None or not self._holds(place, digest):
                name = posixpath.basename(reference) or "file"
                place = self._free(f"{path.removesuffix('.yaml')}-{name}")
                rewritten[at] = f"./{posixpath.basename(place)}"
            self._taken[place.casefold()] = files[place] = digest
        return path, files, rewritten

    def _fits(self, path: str, wanted: Iterable[tuple[Path, str, str]]) -> bool:
        if not {path.casefold(), _vault(path)}.isdisjoint(self._taken):
            return False
        places = (
            (attachments.confined(posixpath.dirname(path), reference), digest)
            for _, reference, digest in wanted
        )
        return all(place is not None and self._holds(place, digest) for place, digest in places)

    def _holds(self, place: str, digest: str) -> bool:
        """Whether a file with that content may lie there."""
        below = not self._root or place.startswith(f"{self._root}/")
        return below and self._taken.get(place.casefold(), digest or None) == (digest or None)

    def _free(self, path: str) -> str:
        stem, dot, ending = path.rpartition(".")
        number = 1
        while not {path.casefold(), _vault(path)}.isdisjoint(self._taken):
            number += 1
            path = f"{stem}-{number}{dot}{ending}"
        return path


def _vault(path: str) -> str:
    return f"{path.removesuffix('.yaml')}.sops.yaml".casefold()


def _attached(kind: str, spec: JsonObject, stored: JsonObject) -> Iterator[tuple[Path, str, str]]:
    """The files that a spec refers to: where, how, and the digest of their bytes."""
    for pattern in KINDS[kind].files:
        for at in tuple(marks.expand(pattern, spec)):
            reference = paths.value(spec, at)
            if isinstance(reference, str):
                beside = paths.value(stored, at[:-1])
                yield at, reference, str(beside.get(f"{at[-1]}Digest") or "")


def _home(id: ResourceId) -> str:
    """Where a resource is looked for first: its tier, its kind in the plural, its name."""
    if id.kind == "Project":
        return f"projects/{_step(id.name)}/project.yaml"
    tier = SYSTEM if id.project is None else f"projects/{_step(id.project)}"
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", id.kind).lower()
    plural = re.sub(r"(?<![aeiou])y$", "ie", words.removesuffix("s")) + "s"
    return f"{tier}/{plural}/{_step(id.name)}.yaml"


def _step(name: str) -> str:
    """A name as one step of a path. Names that a kind allows stay as they are.

    A Manager that is not ours may hold any other: none of them leads out of the folder.
    """
    step = re.sub(r"[^\w .-]", "_", name)[:_LONGEST]
    return re.sub(r"^[. ]+|[. ]+$", lambda found: "_" * len(found[0]), step) or "_"
