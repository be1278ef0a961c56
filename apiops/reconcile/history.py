"""Collect the commits that answer for a plan, with the content that each of them describes.

Only the units that have changes are looked at, so a run with nothing to do walks no commit. What
it costs follows what the commits changed, not how much there is.
"""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

from apiops.errors import PlanRefused, SourceError
from apiops.model.audit import Introduction
from apiops.model.resource import Target
from apiops.model.revision import Commit, CommitView, History, Relation, Revision
from apiops.ports import Repository
from apiops.spec.documents import Documents
from apiops.spec.views import Reader, Reading


def collect(
    repository: Repository,
    target: Target,
    head: Revision,
    bases: Mapping[str, str],
    units: Iterable[str],
    introduction: Introduction | None,
    documents: Documents | None = None,
) -> History:
    """The history behind changes of `units`.

    `bases` maps a unit to its last applied commit; a unit without one starts at the
    introduction, and without an introduction its history is empty (and so is nobody's right).
    `documents` is what was read of the head already.
    Raises SourceError AO818 when a base is not in the clone, PlanRefused AO625 when it is not an
    ancestor of the head.
    """
    base = {unit: bases[unit] for unit in units if unit in bases}
    starts = set(base.values())
    if introduction is not None and any(unit not in base for unit in units):
        starts.add(introduction.commit)
    for start in sorted(starts):
        _require_forward(repository, start, head, applied=start in base.values())
    commits = {c.id: c for start in sorted(starts) for c in repository.commits(start, head.commit)}
    if not starts:
        return History(head.commit, base, ())
    outside = starts | {edge for c in commits.values() for edge in (*c.parents, *c.bases)}
    outside -= commits.keys()
    order = _parents_first(commits)
    views = _views(repository, Reader(target, documents), head, order, sorted(outside))
    return History(
        head=head.commit,
        base=base,
        views=tuple(views[commit.id] for commit in order),
        boundary={id: views[id] for id in sorted(outside)},
    )


def _require_forward(repository: Repository, base: str, head: Revision, *, applied: bool) -> None:
    relation = repository.relation(base, head.commit)
    if relation in (Relation.SAME, Relation.FORWARD):
        return
    which = "applied last" if applied else "the introduction"
    if relation is Relation.BASE_MISSING:
        raise SourceError(
            f"commit {base[:7]}, {which}, is not in this clone",
            code="AO818",
            hint="fetch the whole history: git fetch --unshallow",
        )
    cure = "bring the applied commit back into it" if applied else "name a commit of this branch"
    raise PlanRefused(
        f"commit {base[:7]}, {which}, is not an ancestor of {head.short} ({head.ref})",
        code="AO625",
        hint=f"the branch was rewritten or is another one; {cure}",
    )


def _parents_first(commits: Mapping[str, Commit]) -> list[Commit]:
    graph = {
        id: [parent for parent in commit.parents if parent in commits]
        for id, commit in sorted(commits.items())
    }
    return [commits[id] for id in TopologicalSorter(graph).static_order()]


def _views(
    repository: Repository,
    reader: Reader,
    head: Revision,
    commits: Iterable[Commit],
    at: Iterable[str],
) -> dict[str, CommitView]:
    """The views of `commits` (parents first) and of those `at` which they begin.

    They are read from new to old, each from a child of it, so that only what a commit changed is
    read. The head is read whole: the caller has just done so, and what it made is remembered.
    """
    whole = reader.read(repository.snapshot(head))
    near: dict[str, Reading] = {}
    views: dict[str, CommitView] = {}
    for commit in (*reversed(tuple(commits)), *map(repository.commit, at)):
        revision = Revision(commit.id, commit.id, commit.tree, commit.subject)
        reading = reader.read(repository.snapshot(revision), near.pop(commit.id, whole))
        views[commit.id] = reading.view(commit)
        for below in (*commit.parents, *commit.bases):
            if below not in views:
                near[below] = reading
    return views
