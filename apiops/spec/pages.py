"""A page: what one file of a commit says for a target, on its own.

Beside the file itself only three things have a say in it: parameters, patches, and the files that
it refers to. Whatever is between pages (`references`) is looked at when all of them are read.
"""

from dataclasses import dataclass
from typing import Final, cast

from apiops.model.resource import File, ResourceId
from apiops.spec import manifests, patches, references, render
from apiops.spec.context import Context, Rendered
from apiops.spec.documents import Parsed
from apiops.spec.positions import Source


@dataclass(frozen=True, slots=True)
class Page:
    """One file's part in a commit.

    `described` are its sound documents, `known` the identities of all of them, faulty ones
    included; `unclaimed` are documents that are no manifests; `checked` counts documents.
    """

    described: tuple[references.Described, ...] = ()
    known: tuple[ResourceId, ...] = ()
    unclaimed: tuple[Source, ...] = ()
    checked: int = 0


BLANK: Final = Page()


@dataclass(frozen=True, slots=True)
class Shared:
    """What all pages are read with: the context's patches, and what its parameters are."""

    patches: patches.Patches
    parameters: str


def shared(context: Context) -> Shared:
    """What the pages of a context have in common; faults in patches are reported."""
    return Shared(patches.load(context), context.parameters.digest)


def read(file: File, parsed: Parsed, shared: Shared, context: Context) -> Page:
    """The page of a file that may hold manifests; whatever is wrong with it is reported."""
    if parsed.pointer:
        manifests.pointer(file, context)
        return BLANK
    context.findings.text(file.blob, parsed.findings)
    known: list[ResourceId] = []
    described: list[references.Described] = []
    unclaimed: list[Source] = []
    for document in parsed.documents:
        source = Source(file.path, file.blob, document.index, document.tree)
        if not manifests.is_manifest(document.tree):
            if document.sound and document.tree is not None:
                unclaimed.append(source)
            continue
        tree, made = document.tree, None
        if document.sound:
            rendered = render.render(source, parsed, shared.patches, context)
            tree, made = rendered.tree, _made(rendered, parsed, shared, context)
        id = render.identity(tree)
        known += [id] if id is not None else []
        described += [made] if made is not None else []
    return Page(tuple(described), tuple(known), tuple(unclaimed), len(parsed.documents))


def _made(
    document: Rendered, parsed: Parsed, shared: Shared, context: Context
) -> references.Described | None:
    """What a document describes, remembered from another commit if nothing has changed."""
    source = document.source
    key = (
        *(source.path, source.blob, source.index, context.target),
        shared.parameters if parsed.parameterised or document.patches else "",
        tuple((patch.path, patch.blob, patch.index) for patch in document.patches),
    )
    made, used = context.documents.made.get(key, (None, ()))
    if made and all(context.snapshot.files.get(file.path) == file for file in used):
        context.referred.update(file.path for file in used)
        return cast("references.Described", made)
    context.used.clear()
    before = len(context.findings)
    resource = render.resource(document, context)
    if resource is None:
        return None
    described = references.described(resource, document)
    if len(context.findings) == before:
        context.documents.made[key] = (described, tuple(context.used))
    return described
