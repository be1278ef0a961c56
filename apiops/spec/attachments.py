"""Files that manifests refer to: found inside the repository only, and known by their digest.

A path is relative to the folder of the document that names it; a leading `/` is the repository's
root. It is looked up among the files of the snapshot, so nothing outside of the commit is read.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from apiops.model.kinds import KINDS
from apiops.model.resource import File, FileMode
from apiops.spec import marks, near, paths
from apiops.spec.context import Context, Rendered
from apiops.spec.documents import LFS

_NO_FILE: Final = (
    "paths start at this document's folder, or with / at the root; an export leaves such a hole "
    "where the Manager shows no file: put it there"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file cannot be used: code, message, hint."""

    code: str
    message: str
    hint: str = ""


def find(context: Context, folder: str, reference: str) -> File | Problem:
    """The file that a document in `folder` refers to."""
    path = confined(folder, reference)
    if path is None:
        message = f'the path "{reference}" leads out of the repository'
        return Problem("AO311", message, "refer to a file inside; `/` is the repository's root")
    context.referred.add(path)
    file = context.snapshot.files.get(path)
    if file is None:
        beside = [posixpath.basename(other) for other in _beside(context, path)]
        name = posixpath.basename(path)
        hint = near.hint(name, beside, _NO_FILE)
        return Problem("AO310", f'there is no file "{path}" at this revision', hint)
    if file.mode is not FileMode.FILE:
        message = f'"{path}" is a {file.mode.value}, which is never followed'
        return Problem("AO312", message, "commit the file itself")
    if context.snapshot.read(file.blob).startswith(LFS):
        return Problem("AO312", f'"{path}" is a Git LFS pointer', "commit the file itself")
    context.used.append(file)
    return file


def confined(folder: str, reference: str) -> str | None:
    """The repository path that `reference` means, or None if it leads out of the repository."""
    if not reference or "\0" in reference or "\\" in reference:
        return None
    joined = reference.lstrip("/") if reference[0] == "/" else posixpath.join(folder, reference)
    path = posixpath.normpath(joined)
    outside = path in ("..", ".") or path.startswith(("../", "/"))
    return None if outside else path


def attach(
    document: Rendered, spec: Mapping[str, Any], context: Context
) -> tuple[Mapping[str, Any], dict[str, File]]:
    """`spec` with the digest of each file beside the field that names it; the files by pointer.

    A pointer is a JSON pointer (RFC 6901) inside `spec`.
    """
    files: dict[str, File] = {}
    for pattern in KINDS[document.tree["kind"]].files:
        for path in tuple(marks.expand(pattern, spec)):
            reference = paths.value(spec, path)
            if not isinstance(reference, str):
                continue
            where = ("spec", *path)
            file = find(context, document.origin(where).folder, reference)
            if isinstance(file, Problem):
                document.report(context, where, file.code, file.message, file.hint)
                continue
            digest = context.documents.digest(file, context.snapshot.read)
            spec = paths.put(spec, (*path[:-1], f"{path[-1]}Digest"), digest)
            files[paths.pointer(path)] = file
    return spec, files


def detach(kind: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """`spec` without the digests that `attach` put in: as an author writes it."""
    for pattern in KINDS[kind].files:
        for path in tuple(marks.expand(pattern, spec)):
            parent = dict(paths.value(spec, path[:-1]))
            parent.pop(f"{path[-1]}Digest", None)
            spec = paths.put(spec, path[:-1], parent)
    return spec


def _beside(context: Context, path: str) -> list[str]:
    folder = posixpath.dirname(path)
    return [other for other in context.snapshot.files if posixpath.dirname(other) == folder]
