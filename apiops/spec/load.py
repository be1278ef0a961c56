"""The station of the line that turns a snapshot into the desired state of one target.

Every `*.yaml` outside of hidden folders and `targets/` is looked at. A document with
`apiVersion` or `kind` is a manifest: parameters are put in, patches applied, its shape and
meaning judged, its secrets turned into leaves, the files it refers to found. Whatever is wrong
is collected; an error stops the unit (project or System tier) it is in, and no other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from apiops.model.diagnostic import Diagnostic, Location, Severity
from apiops.model.resource import SYSTEM, Desired, File, Resource, ResourceId, Target
from apiops.model.revision import Snapshot
from apiops.spec import manifests, parameters, patches, references, render
from apiops.spec.context import Context, Rendered
from apiops.spec.documents import Documents, Parsed
from apiops.spec.findings import Findings
from apiops.spec.paths import Path
from apiops.spec.positions import Positions, Source

Locate = Callable[[ResourceId, Path], Location | None]
"""Where a field of a resource was written; the path starts at the document: `("spec", …)`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a snapshot says for one target.

    `diagnostics` are sorted by place; `checked` counts the documents that were looked at.
    `locate` composes positions when it is called, and reads the blob again for that.
    """

    desired: Desired
    diagnostics: tuple[Diagnostic, ...]
    checked: int
    locate: Locate = field(compare=False, repr=False)


def load(snapshot: Snapshot, target: Target, documents: Documents | None = None) -> Loaded:
    """The desired state of `target` at a snapshot, with everything that is wrong with it.

    `documents` may be shared by the loads of many commits: what was parsed once is not parsed
    again. Raises nothing for bad input: that is what diagnostics are for.
    """
    findings = Findings(Positions(snapshot.read))
    context = Context(snapshot, target, documents or Documents(), findings)
    context = replace(
        context, parameters=parameters.load(snapshot, target, context.documents, findings)
    )
    return _Load(context, patches.load(context)).run()


class _Load:
    """One pass over the documents of a snapshot."""

    def __init__(self, context: Context, by_identity: patches.Patches) -> None:
        self._context = context
        self._patches = by_identity
        self._described: list[references.Described] = []
        self._known: list[ResourceId] = []
        self._unclaimed: list[Source] = []
        self._checked = 0
        self._parameters = context.parameters.digest

    def run(self) -> Loaded:
        context = self._context
        files = manifests.files(context)
        others = [file for file in files if not self._manifests(file)]
        for file in others:
            if file.path not in context.referred:
                self._rest(file)
        patches.unmatched(self._patches, set(self._known), context)
        references.check(self._described, self._known, context)
        if not context.findings.errors:
            for source in self._unclaimed:
                manifests.unclaimed(source, context)
        return self._loaded()

    def _manifests(self, file: File) -> bool:
        """Take the manifests of a file; False if it does not look like one and was not parsed."""
        context = self._context
        parsed = context.documents.manifests(file, context.snapshot.read)
        if parsed is None:
            return False
        self._take(file, parsed)
        return True

    def _rest(self, file: File) -> None:
        """A file that nothing refers to and that has no look of a manifest: worth a warning.

        Its text may be anything (a template, another tool's settings), so it stops nothing.
        """
        parsed = self._context.documents.parse(file, self._context.snapshot.read)
        self._take(file, parsed, Severity.WARNING)

    def _take(self, file: File, parsed: Parsed, severity: Severity = Severity.ERROR) -> None:
        context = self._context
        if parsed.pointer:
            manifests.pointer(file, context)
            return
        context.findings.text(file.blob, parsed.findings, severity)
        for document in parsed.documents:
            source = Source(file.path, file.blob, document.index, document.tree)
            self._checked += 1
            if manifests.is_manifest(document.tree):
                self._manifest(source, parsed, document.sound)
            elif document.sound and document.tree is not None:
                self._unclaimed.append(source)

    def _manifest(self, source: Source, parsed: Parsed, sound: bool) -> None:
        if not sound:
            self._know(render.identity(source.tree))
            return
        document = render.render(source, parsed, self._patches, self._context)
        self._know(render.identity(document.tree))
        made = self._made(document, parsed)
        if made is not None:
            self._described.append(made)

    def _made(self, document: Rendered, parsed: Parsed) -> references.Described | None:
        """What a document describes, remembered from another commit if nothing has changed."""
        context, source = self._context, document.source
        key = (
            *(source.path, source.blob, source.index, context.target),
            self._parameters if parsed.parameterised or document.patches else "",
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

    def _know(self, id: ResourceId | None) -> None:
        if id is not None:
            self._known.append(id)

    def _loaded(self) -> Loaded:
        context, found = self._context, self._context.findings
        sources: dict[ResourceId, Rendered] = {}
        resources: dict[ResourceId, Resource] = {}
        for described in self._described:
            resources.setdefault(described.resource.id, described.resource)
            sources.setdefault(described.resource.id, described.document)
        units = {SYSTEM, *(id.unit for id in self._known)}
        desired = Desired(
            context.target.name,
            context.target.environment,
            tuple(sorted(resources.values(), key=lambda resource: resource.id.order)),
            found.stopped(units),
        )

        def locate(id: ResourceId, path: Path = ()) -> Location | None:
            document = sources.get(id)
            if document is None:
                return None
            return found.positions.location(document.origin(path), path)

        return Loaded(desired, found.all(), self._checked, locate)
