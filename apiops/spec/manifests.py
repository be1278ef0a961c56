"""Which files of a snapshot are looked at, and which documents in them are manifests."""

from typing import Any

from apiops.model.diagnostic import Severity
from apiops.model.resource import File, FileMode
from apiops.spec import read
from apiops.spec.context import Context
from apiops.spec.parameters import DECLARATIONS
from apiops.spec.positions import Source

_ENDINGS = (".yaml", ".yml")
_TARGETS = "targets/"


def files(context: Context, paths: frozenset[str] | None = None) -> list[File]:
    """The YAML files that may hold manifests, by path (only of `paths`, if these are given).

    What is no file is reported.
    """
    there = context.snapshot.files
    chosen = sorted(there if paths is None else paths & there.keys())
    return [file for path in chosen if wanted(file := there[path], context)]


def wanted(file: File, context: Context) -> bool:
    """Whether a file may hold manifests. What is no file but might hide some is reported."""
    path = file.path
    if _hidden(path):
        return False
    if file.mode is FileMode.SUBMODULE:
        message = f'"{path}" is a submodule: its manifests would not be read'
        hint = "commit the files themselves, or move the submodule into a hidden folder"
        context.findings.file(path, "AO121", message, hint=hint)
    elif file.mode is FileMode.SYMLINK and _may_matter(path):
        message = f'"{path}" is a symbolic link, which is never followed'
        context.findings.file(path, "AO120", message, hint="commit the file itself")
    return may_hold(file)


def may_hold(file: File) -> bool:
    """Whether a file is one of those that are looked at."""
    path = file.path
    apart = path.startswith(_TARGETS) or path == DECLARATIONS
    named = path.endswith(_ENDINGS) and not apart and not _hidden(path)
    return named and file.mode is FileMode.FILE


def pointer(file: File, context: Context) -> None:
    """Report a file that is a Git LFS pointer."""
    message = f'"{file.path}" is a Git LFS pointer, not the file itself'
    hint = f"take it out of Git LFS: git lfs untrack {file.path}"
    context.findings.file(file.path, "AO122", message, hint=hint)


def is_manifest(tree: Any) -> bool:
    """Whether a document claims to be a manifest."""
    return isinstance(tree, dict) and ("apiVersion" in tree or "kind" in tree)


def disguised(source: Source, context: Context) -> None:
    """Report a manifest in a file that has no look of one: it might be passed over unseen."""
    context.findings.at(
        source,
        (),
        "AO241",
        "this manifest is written in a way that hides what it is",
        unit=read.unit_of(source.tree),
        hint="write apiVersion and kind plainly, each at the beginning of a line",
    )


def unclaimed(source: Source, context: Context) -> None:
    """Warn of a document that is no manifest and that nothing refers to.

    Not to be told while there are errors: what a faulty manifest refers to is not known.
    """
    context.findings.at(
        source,
        (),
        "AO240",
        "this document is not a manifest, and nothing refers to it",
        unit=read.unit_of(source.tree),
        hint="add apiVersion and kind, refer to it from a manifest, or move it to a hidden folder",
        severity=Severity.WARNING,
    )


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _may_matter(path: str) -> bool:
    """A link that is named like a manifest, or like a folder."""
    return path.endswith(_ENDINGS) or "." not in path.rpartition("/")[2]
