"""The station of the line that turns a snapshot into the desired state of one target.

Every `*.yaml` outside of hidden folders and `targets/` is looked at. A document with
`apiVersion` or `kind` is a manifest: parameters are put in, patches applied, its shape and
meaning judged, its secrets turned into leaves, the files it refers to found. Whatever is wrong
is collected; an error stops the unit (project or System tier) it is in, and no other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from apiops.model.diagnostic import Diagnostic, Location, Severity
from apiops.model.resource import SYSTEM, Desired, File, Resource, ResourceId, Target
from apiops.model.revision import Snapshot
from apiops.model.settled import Settled
from apiops.spec import manifests, pages, parameters, patches, references, standing
from apiops.spec.context import Context, Rendered
from apiops.spec.documents import Documents
from apiops.spec.findings import Findings
from apiops.spec.part import Part
from apiops.spec.paths import Path
from apiops.spec.positions import Positions, Source

Locate = Callable[[ResourceId, Path], Location | None]
"""Where a field of a resource was written; the path starts at the document: `("spec", …)`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a snapshot says for one target.

    `diagnostics` are sorted by place; `checked` counts the documents that were looked at.
    `locate` composes positions when it is called, and reads the blob again for that. `settled` is
    what is remembered of it once all of it is in the inventory of a repository, whose lineage it is
    given (None for a part).
    """

    desired: Desired
    diagnostics: tuple[Diagnostic, ...]
    checked: int
    locate: Locate = field(compare=False, repr=False)
    settled: Callable[[str], Settled] | None = field(default=None, compare=False, repr=False)


def load(
    snapshot: Snapshot,
    target: Target,
    documents: Documents | None = None,
    part: Part | None = None,
) -> Loaded:
    """The desired state of `target` at a snapshot, with everything that is wrong with it.

    `documents` may be shared by the loads of many commits: what was parsed once is not parsed
    again. With a `part` only that is read, and all the rest taken for what it is known to be.
    Raises nothing for bad input: that is what diagnostics are for.
    """
    findings = Findings(Positions(snapshot.read))
    context = Context(snapshot, target, documents or Documents(), findings)
    context = context.given(parameters.load(snapshot, target, context.documents, findings))
    return _Load(context, pages.shared(context), part).run()


class _Load:
    """One pass over the files of a snapshot, or over a part of them."""

    def __init__(self, context: Context, shared: pages.Shared, part: Part | None) -> None:
        self._context = context
        self._shared = shared
        self._paths = None if part is None else part.paths
        self._beside = () if part is None else part.beside
        self._uses: dict[str, list[str]] = {}
        self._described: list[references.Described] = []
        self._known: list[ResourceId] = []
        self._unclaimed: list[Source] = []
        self._checked = 0 if part is None else part.checked

    def run(self) -> Loaded:
        context = self._context
        files = manifests.files(context, self._paths)
        others = [file for file in files if not self._page(file)]
        for file in others:
            if file.path not in context.referred:
                self._rest(file)
        known = [*self._known, *self._beside]
        patches.unmatched(self._shared.patches, set(known), context)
        references.check(self._described, known, context)
        standing.check(known, context)
        if not context.findings.errors:
            for source in self._unclaimed:
                manifests.unclaimed(source, context)
        return self._loaded()

    def _page(self, file: File) -> bool:
        """Take the manifests of a file; False if it does not look like one and was not parsed."""
        context = self._context
        parsed = context.documents.manifests(file, context.snapshot.read)
        if parsed is None:
            return False
        page = pages.read(file, parsed, self._shared, context)
        self._described += page.described
        self._known += page.known
        self._unclaimed += page.unclaimed
        self._checked += page.checked
        for other in page.used:
            self._uses.setdefault(other.path, []).append(file.path)
        return True

    def _rest(self, file: File) -> None:
        """A file that nothing refers to and that has no look of a manifest: worth a warning.

        Its text may be anything (a template, another tool's settings), so it stops nothing. But
        what turns out to be a manifest all the same is not passed over in silence.
        """
        context = self._context
        parsed = context.documents.parse(file, context.snapshot.read)
        context.findings.text(file.blob, parsed.findings, Severity.WARNING)
        for document in parsed.documents:
            source = Source(file.path, file.blob, document.index, document.tree)
            self._checked += 1
            if manifests.is_manifest(document.tree):
                manifests.disguised(source, context)
            elif document.sound and document.tree is not None:
                self._unclaimed.append(source)

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
            if not path:
                return found.positions.beginning(document.source)
            return found.positions.location(document.origin(path), path)

        settled = self._settled if self._paths is None else None
        return Loaded(desired, found.all(), self._checked, locate, settled)

    def _settled(self, repository: str) -> Settled:
        named = (references.names(one.resource, one.mentions) for one in self._described)
        return Settled(
            repository,
            self._context.snapshot.revision.commit,
            self._checked,
            frozenset(one.resource.id for one in self._described),
            {path: tuple(files) for path, files in self._uses.items()},
            frozenset(key for keys in named for key in keys),
        )
