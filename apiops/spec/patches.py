"""Patches: what a target changes in a resource beyond parameters.

`targets/<target>/patches/*.yaml` have the frame of a manifest; `spec` and `metadata.labels` are
JSON merge patches (RFC 7386) onto the resource of that identity. A list is replaced whole, `null`
takes a field away.
"""

from collections.abc import Mapping
from typing import Any

from apiops.model.kinds import API_VERSION, KINDS
from apiops.model.resource import FileMode, ResourceId
from apiops.spec import near, parameters, read
from apiops.spec.context import Context
from apiops.spec.paths import Path
from apiops.spec.positions import Source

_METADATA = {"name", "project", "labels"}

Patches = dict[ResourceId, list[Source]]
"""The patches of each resource, in the order in which they apply (by path, then index)."""


def folder(target: str) -> str:
    """Where the patches of a target lie."""
    return f"targets/{target}/patches/"


def load(context: Context) -> Patches:
    """The sound patches of the context's target, parameters put in."""
    patches: Patches = {}
    start = folder(context.target.name)
    for path in sorted(context.snapshot.files):
        file = context.snapshot.files[path]
        named = path.startswith(start) and path.endswith((".yaml", ".yml"))
        if named and file.mode is FileMode.FILE:
            parsed = context.documents.parse(file, context.snapshot.read)
            context.findings.text(file.blob, parsed.findings)
            for document in parsed.documents:
                source = Source(path, file.blob, document.index, document.tree)
                if document.sound and document.tree is not None:
                    _take(source, patches, context)
    return patches


def apply(tree: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The document `tree` after one patch."""
    patched = dict(tree)
    if "spec" in patch:
        patched["spec"] = merge(tree.get("spec"), patch["spec"])
    labels = patch["metadata"].get("labels")
    if labels is not None:
        metadata = dict(tree["metadata"])
        metadata["labels"] = merge(metadata.get("labels"), labels)
        patched["metadata"] = metadata
    return patched


def merge(value: Any, patch: Any) -> Any:
    """RFC 7386, section 2."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(value) if isinstance(value, Mapping) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), change)
    return merged


def unmatched(patches: Patches, used: set[ResourceId], context: Context) -> None:
    """Report the patches whose resource no manifest describes."""
    for id, sources in patches.items():
        if id in used:
            continue
        names = [
            other.name for other in used if (other.kind, other.project) == (id.kind, id.project)
        ]
        for source in sources:
            context.findings.at(
                source,
                ("metadata", "name"),
                "AO330",
                f"this patch is for {id}, which no manifest describes",
                unit=id.unit,
                hint=near.hint(id.name, names, "remove the patch, or correct its identity"),
            )


def _take(source: Source, patches: Patches, context: Context) -> None:
    unit = read.unit_of(source.tree)
    problem = _problem(source.tree)
    if problem is not None:
        path, message = problem
        context.findings.at(source, path, "AO331", message, unit=unit)
        return

    def report(path: Path, code: str, message: str, hint: str) -> None:
        context.findings.at(source, path, code, message, unit=unit, hint=hint)

    tree = parameters.substitute(source.tree, context.parameters, report)
    metadata = tree["metadata"]
    id = ResourceId(tree["kind"], metadata.get("project"), metadata["name"])
    patches.setdefault(id, []).append(Source(source.path, source.blob, source.index, tree))


def _problem(tree: Any) -> tuple[Path, str] | None:
    """What keeps a document from being a patch: where and what, the first thing only."""
    if not isinstance(tree, dict):
        return (), "a patch is a mapping with apiVersion, kind, metadata and spec"
    metadata = tree.get("metadata")
    if not isinstance(metadata, dict):
        return ("metadata",), "a patch needs metadata with the name of the resource"
    others = sorted({*metadata} - _METADATA) + sorted({*tree} - _FRAME)
    wrong: list[tuple[Path, str, bool]] = [
        (
            ("apiVersion",),
            f"a patch needs apiVersion {API_VERSION}",
            tree.get("apiVersion") != API_VERSION,
        ),
        (("kind",), f"a patch needs a kind: {', '.join(KINDS)}", tree.get("kind") not in KINDS),
        (
            ("metadata", "name"),
            "a patch needs the name of the resource",
            not isinstance(metadata.get("name"), str),
        ),
        (
            ("metadata", "project"),
            "the project is text",
            not isinstance(metadata.get("project", ""), str),
        ),
        ((), f"a patch sets spec and metadata.labels only, not {', '.join(others)}", bool(others)),
        (("spec",), "spec is a mapping", not isinstance(tree.get("spec", {}), dict)),
        (
            ("metadata", "labels"),
            "labels are a mapping",
            not isinstance(metadata.get("labels", {}), dict),
        ),
    ]
    return next(((path, message) for path, message, at_fault in wrong if at_fault), None)


_FRAME = {"apiVersion", "kind", "metadata", "spec", "sops"}
