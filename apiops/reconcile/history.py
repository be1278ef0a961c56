"""Collect the commits that answer for a plan, with the content that each of them describes.

Only the units that have changes are looked at, so a run with nothing to do walks no commit.
A document is parsed once for all commits that share its blob.
"""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

from apiops.errors import PlanRefused, SourceError
from apiops.model.audit import Introduction
from apiops.model.resource import Target
from apiops.model.revision import Commit, CommitView, History, Relation, Revision
from apiops.ports import Repository
from apiops.spec import load, views
from apiops.spec.documents import Documents


def collect(
    repository: Repository,
    target: Target,
    head: Revision,
    bases: Mapping[str, str],
    units: Iterable[str],
    introduction: Introduction | None,
) -> History:
    """The history behind changes of `units`.

    `bases` maps a unit to its last applied commit; a unit without one starts at the
    introduction, and without an introduction its history is empty (and so is nobody's right).
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
    viewer = _Viewer(repository, target)
    outside = starts | {edge for c in commits.values() for edge in (*c.parents, *c.bases)}
    return History(
        head=head.commit,
        base=base,
        views=tuple(viewer.view(commit) for commit in _parents_first(commits)),
        boundary={
            id: viewer.view(repository.commit(id)) for id in sorted(outside - commits.keys())
        },
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


class _Viewer:
    """Reads commits for one target; parsed documents are shared between them."""

    def __init__(self, repository: Repository, target: Target) -> None:
        self._repository = repository
        self._target = target
        self._documents = Documents()

    def view(self, commit: Commit) -> CommitView:
        revision = Revision(commit.id, commit.id, commit.tree, commit.subject)
        snapshot = self._repository.snapshot(revision)
        return views.view(commit, load.load(snapshot, self._target, self._documents))
