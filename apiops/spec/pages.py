"""A page: what one file of a commit says for a target, on its own.

Beside the file itself only three things have a say in it: parameters, patches, and the files that
it refers to. Whatever is between pages (`references`) is looked at when all of them are read.
"""

from dataclasses import dataclass
from typing import Final

from apiops.model.resource import File, ResourceId
from apiops.spec import manifests, patches, references, render
from apiops.spec.context import Context
from apiops.spec.documents import Parsed
from apiops.spec.positions import Source


@dataclass(frozen=True, slots=True)
class Page:
    """One file's part in a commit.

    `described` are its sound documents, `known` the identities of all of them, faulty ones
    included; `unclaimed` are documents that are no manifests; `checked` counts documents; `used`
    are the other files that it was made from.
    """

    described: tuple[references.Described, ...] = ()
    known: tuple[ResourceId, ...] = ()
    unclaimed: tuple[Source, ...] = ()
    checked: int = 0
    used: tuple[File, ...] = ()


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
    """The page of a file that may hold manifests; whatever is wrong with it is reported.

    A page without fault is remembered: another commit that has all it was made from has it too.
    """
    parameterised = parsed.parameterised or shared.patches
    key = (file, context.target, shared.parameters if parameterised else "")
    page = context.documents.pages.get(key)
    if page is None or not _same(page, shared, context):
        before = context.findings.told
        page = _read(file, parsed, shared, context)
        if context.findings.told == before:
            context.documents.pages[key] = page
    context.referred.update(other.path for other in page.used)
    return page


def _same(page: Page, shared: Shared, context: Context) -> bool:
    """Whether the patches and files that a page was made from are as they were."""
    files = context.snapshot.files
    return all(files.get(other.path) == other for other in page.used) and all(
        tuple(shared.patches.get(one.resource.id, ())) == one.document.patches
        for one in page.described
    )


def _read(file: File, parsed: Parsed, shared: Shared, context: Context) -> Page:
    if parsed.pointer:
        manifests.pointer(file, context)
        return BLANK
    context.findings.text(file.blob, parsed.findings)
    context.used.clear()
    known: list[ResourceId] = []
    described: list[references.Described] = []
    unclaimed: list[Source] = []
    for document in parsed.documents:
        source = Source(file.path, file.blob, document.index, document.tree)
        if not manifests.is_manifest(document.tree):
            if document.sound and document.tree is not None:
                unclaimed.append(source)
            continue
        tree = document.tree
        if document.sound:
            rendered = render.render(source, parsed, shared.patches, context)
            tree = rendered.tree
            resource = render.resource(rendered, context)
            if resource is not None:
                described.append(references.described(resource, rendered))
        id = render.identity(tree)
        if id is not None:
            known.append(id)
    return Page(
        tuple(described), tuple(known), tuple(unclaimed), len(parsed.documents), tuple(context.used)
    )
