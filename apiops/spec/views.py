"""Commits as authorization sees them, each read from what a neighbouring commit was.

A `Reading` is what the files of one commit say for a target. The next one is made from the files
that are different: their pages are read anew, and those of other files only if an input that they
share (a parameter that they use, a patch, a file they refer to) is different as well. What comes
out is a function of the files alone, whatever neighbour it was made from: a property test holds
it against reading everything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from apiops.model import canonical, sharing
from apiops.model.diagnostic import Severity
from apiops.model.resource import EVERYTHING, File, JsonObject, Resource, ResourceId, Target
from apiops.model.revision import Commit, CommitView, Snapshot
from apiops.model.sharing import Shared
from apiops.spec import manifests, operation, pages, parameters
from apiops.spec.context import Context
from apiops.spec.documents import Documents
from apiops.spec.findings import Findings
from apiops.spec.parameters import Parameters
from apiops.spec.positions import Positions

PERMISSIONS: Final = frozenset({"User", "Role", "Team", "Membership"})
"""The kinds that give rights."""

Errors = tuple[tuple[str, str], ...]
"""Units (or `EVERYTHING`) that cannot be read, with the code that says why."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What is kept of a page: its resources, the patches it can have, its faults and inputs."""

    resources: tuple[Resource, ...]
    known: tuple[ResourceId, ...]
    errors: Errors
    uses: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What all pages are read with."""

    parameters: Parameters
    shared: pages.Shared
    errors: Errors


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files of one commit say for a target; `homes` has the files of each resource."""

    files: Mapping[str, File]
    inputs: _Inputs | None
    pages: Shared[str, _Page]
    homes: Shared[ResourceId, tuple[str, ...]]
    content: Shared[ResourceId, str]
    deployments: Shared[ResourceId, tuple[str, ...]]
    permissions: Shared[ResourceId, JsonObject]
    broken: Mapping[str, str]
    parts: Shared[ResourceId, Mapping[str, str]]

    def view(self, commit: Commit) -> CommitView:
        """The commit with this content."""
        return CommitView(
            commit, self.content, self.deployments, self.permissions, self.broken, self.parts
        )


NOTHING: Final = Reading(
    files=Shared({}, sharing.by_folder),
    inputs=None,
    pages=Shared({}, sharing.by_folder),
    homes=Shared.of({}),
    content=Shared.of({}),
    deployments=Shared.of({}),
    permissions=Shared.of({}),
    broken={},
    parts=Shared.of({}),
)
"""A commit without files."""


_NO_NAMES: Final[frozenset[str]] = frozenset()


class Reader:
    """Reads commits for one target; remembers which page was ever made from which other file.

    With `paths` it reads no other pages: those are the same in all commits that it is given.
    """

    def __init__(
        self,
        target: Target,
        documents: Documents | None = None,
        paths: frozenset[str] | None = None,
    ) -> None:
        self._target = target
        self._documents = documents or Documents()
        self._paths = paths
        self._made_from: dict[str, set[str]] = {}

    def read(self, snapshot: Snapshot, near: Reading = NOTHING) -> Reading:
        """What a snapshot says, worked out from the reading of a commit that has much of it."""
        moved = self._moved(near.files, snapshot.files)
        if not moved and near.inputs is not None:
            return near
        inputs = near.inputs
        if inputs is None or any(parameters.is_input(path, self._target) for path in moved):
            inputs = self._inputs(snapshot)
        stale = {*moved, *_affected(near, inputs)}
        for path in moved:
            stale |= self._made_from.get(path, set())
        context = self._context(snapshot, inputs.parameters)
        made = _with(near, snapshot, inputs, {p: self._page(p, context, inputs) for p in stale})
        if self._target.settings not in moved:
            return made
        said = {operation.identity(self._target): operation.content(snapshot, self._target)}
        return replace(made, content=made.content.put(said))

    def _moved(self, near: Mapping[str, File], now: Mapping[str, File]) -> set[str]:
        if self._paths is not None and not near:
            return {*self._paths}
        return sharing.differing(near, now)

    def _context(self, snapshot: Snapshot, given: Parameters) -> Context:
        findings = Findings(Positions(snapshot.read))
        return Context(snapshot, self._target, self._documents, findings, given)

    def _inputs(self, snapshot: Snapshot) -> _Inputs:
        context = self._context(snapshot, Parameters())
        given = parameters.load(snapshot, self._target, self._documents, context.findings)
        context = context.given(given)
        return _Inputs(given, pages.shared(context), _errors(context))

    def _page(self, path: str, context: Context, inputs: _Inputs) -> _Page | None:
        """The page of a file; None if there is nothing in it, or no such file.

        The context serves for as long as nothing is found: what is found is laid to this page
        alone, so a faulty one is read again with a context of its own.
        """
        file = context.snapshot.files.get(path)
        if file is None:
            return None
        told = context.findings.told
        page = self._read(file, context, inputs)
        if context.findings.told == told:
            return page
        context = self._context(context.snapshot, inputs.parameters)
        page = self._read(file, context, inputs) or _Page((), (), (), frozenset())
        errors = _errors(context)
        return replace(page, errors=errors) if page.known or errors else None

    def _read(self, file: File, context: Context, inputs: _Inputs) -> _Page | None:
        if not manifests.wanted(file, context):
            return None
        parsed = self._documents.manifests(file, context.snapshot.read)
        if parsed is None:
            return None
        context.referred.clear()
        page = pages.read(file, parsed, inputs.shared, context)
        for other in context.referred:
            self._made_from.setdefault(other, set()).add(file.path)
        trees = [document.tree for document in parsed.documents if parsed.parameterised]
        if inputs.shared.patches:
            trees += [one.tree for id in page.known for one in inputs.shared.patches.get(id, ())]
        uses = parameters.uses(trees) if trees else _NO_NAMES
        resources = tuple(described.resource for described in page.described)
        return _Page(resources, page.known, (), uses)


def _errors(context: Context) -> Errors:
    found = context.findings.all() if context.findings.told else ()
    return tuple(
        (finding.project or EVERYTHING, finding.code)
        for finding in found
        if finding.severity is Severity.ERROR
    )


def _affected(near: Reading, inputs: _Inputs) -> Iterable[str]:
    """The pages that parameters or patches make different."""
    before = near.inputs
    if before is None or before is inputs:
        return ()
    names = parameters.differing(before.parameters, inputs.parameters)
    one, other = before.shared.patches, inputs.shared.patches
    patched = {id for id in one.keys() | other.keys() if one.get(id) != other.get(id)}
    return tuple(
        path
        for path, page in near.pages.items()
        if not names.isdisjoint(page.uses) or not patched.isdisjoint(page.known)
    )


def _with(
    near: Reading, snapshot: Snapshot, inputs: _Inputs, changed: Mapping[str, _Page | None]
) -> Reading:
    """The reading with other pages."""
    now = near.pages.put(changed)
    homes: dict[ResourceId, set[str]] = {}
    for path, page in changed.items():
        before = near.pages.get(path)
        for one in before.resources if before else ():
            homes.setdefault(one.id, set(near.homes.get(one.id, ()))).discard(path)
        for one in page.resources if page else ():
            homes.setdefault(one.id, set(near.homes.get(one.id, ()))).add(path)
    copies = {id: _copies(id, sorted(paths), now) for id, paths in homes.items()}
    rights = {id: found for id, found in copies.items() if id.kind in PERMISSIONS}
    return Reading(
        files=snapshot.files,
        inputs=inputs,
        pages=now,
        homes=near.homes.put({id: tuple(sorted(paths)) or None for id, paths in homes.items()}),
        content=near.content.put({id: _content(found) for id, found in copies.items()}),
        deployments=near.deployments.put({id: _runs(found) for id, found in copies.items()}),
        permissions=near.permissions.put(
            {id: found[0].spec if found else None for id, found in rights.items()}
        ),
        broken=_broken(near, inputs, changed, now),
        parts=near.parts.put({id: _parts(found) for id, found in copies.items()}),
    )


def _copies(id: ResourceId, paths: Iterable[str], now: Mapping[str, _Page]) -> list[Resource]:
    """Every description of a resource; more than one is a fault that somebody brought in."""
    return [one for path in paths for one in now[path].resources if one.id == id]


def _content(copies: list[Resource]) -> str | None:
    """The digest that is compared. Two descriptions are like neither: who adds one is charged."""
    if len(copies) > 1:
        return canonical.digest([one.content for one in copies])
    return copies[0].content if copies else None


def _runs(copies: list[Resource]) -> tuple[str, ...] | None:
    """Where a resource is to run; None if it does not say so."""
    said: list[Any] = [one.spec["deployments"] for one in copies if "deployments" in one.spec]
    if not said:
        return None
    return tuple(dict.fromkeys(one["environment"] for some in said for one in some or ()))


def _parts(copies: list[Resource]) -> Mapping[str, str] | None:
    """What a resource says for each environment; two descriptions are like neither here too."""
    if len(copies) > 1:
        said = [one.parts for one in copies]
        return {at: canonical.digest(said) for parts in said for at in parts} or None
    return (copies[0].parts if copies else None) or None


def _broken(
    near: Reading, inputs: _Inputs, changed: Mapping[str, _Page | None], now: Shared[str, _Page]
) -> Mapping[str, str]:
    """The units that cannot be read, with a code."""
    whole = near.broken or inputs.errors or any(page and page.errors for page in changed.values())
    if not whole:
        return near.broken
    faulty = sorted((path, page.errors) for path, page in now.items() if page.errors)
    broken: dict[str, str] = {}
    for errors in (inputs.errors, *(errors for _, errors in faulty)):
        for unit, code in errors:
            broken.setdefault(unit, code)
    return broken
