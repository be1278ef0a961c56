"""Collect the commits that answer for a plan, with the content that each of them describes.

Only the units that have changes are looked at, so a run with nothing to do walks no commit. A unit
has changes when the plan has some, and also when its files say something else than what was applied
and the plan shows nothing of it: it would move to the head, and that content with it. What it costs
follows what the commits changed, not how much there is.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import TopologicalSorter

from apiops.errors import PlanRefused, SourceError
from apiops.model import sharing
from apiops.model.audit import Introduction
from apiops.model.resource import Target
from apiops.model.revision import Commit, CommitView, History, Relation, Revision
from apiops.ports import Repository
from apiops.spec.views import Reader, Reading


def collect(
    repository: Repository,
    target: Target,
    head: Revision,
    bases: Mapping[str, str],
    units: Iterable[str],
    introduction: Introduction | None,
    reader: Reader | None = None,
) -> History:
    """The history behind changes of `units`, and of those units that moved without a change.

    `bases` maps a unit to its last applied commit; a unit without one starts at the
    introduction, and without an introduction its history is empty (and so is nobody's right).
    `reader` may know what was read of the head already.
    Raises SourceError AO818 when a base is not in the clone, PlanRefused AO625 when it is not an
    ancestor of the head.
    """
    past = _Reader(repository, reader or Reader(target), head)
    units = frozenset(units)
    units |= past.moved({unit: at for unit, at in bases.items() if unit not in units})
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
    views = past.views(order, sorted(outside))
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
    if applied and repository.relation(head.commit, base) is Relation.FORWARD:
        raise PlanRefused(
            f"commit {head.short} is older than {base[:7]}, which was applied last",
            code="AO625",
            hint="to go back, commit the older content anew (git revert) and apply that commit",
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


class _Reader:
    """Reads the commits of one repository for one target, starting at the head.

    The head is read whole: the caller has just done so, and what it made is remembered.
    """

    def __init__(self, repository: Repository, reader: Reader, head: Revision) -> None:
        self._repository = repository
        self._reader = reader
        self._head = head

    @cached_property
    def _whole(self) -> Reading:
        return self._reader.read(self._repository.snapshot(self._head))

    def moved(self, bases: Mapping[str, str]) -> frozenset[str]:
        """The units that say something else at the head than at the commit applied last.

        A commit that is not in the clone says nothing, so its units count as moved.
        """
        found: set[str] = set()
        for base in sorted(set(bases.values()) - {self._head.commit}):
            of_base = {unit for unit, commit in bases.items() if commit == base}
            if self._repository.relation(base, self._head.commit) is Relation.BASE_MISSING:
                found |= of_base
                continue
            reading = self._read(self._repository.commit(base), self._whole)
            ids = sharing.differing(reading.content, self._whole.content)
            ids |= sharing.differing(reading.deployments, self._whole.deployments)
            found |= of_base & {id.unit for id in ids}
        return frozenset(found)

    def views(self, commits: Iterable[Commit], at: Iterable[str]) -> dict[str, CommitView]:
        """The views of `commits` (parents first) and of those `at` which they begin.

        They are read from new to old, each from a child of it, so that only what a commit changed
        is read.
        """
        near: dict[str, Reading] = {}
        views: dict[str, CommitView] = {}
        for commit in (*reversed(tuple(commits)), *map(self._repository.commit, at)):
            reading = self._read(commit, near.pop(commit.id, self._whole))
            views[commit.id] = reading.view(commit)
            for below in (*commit.parents, *commit.bases):
                if below not in views:
                    near[below] = reading
        return views

    def _read(self, commit: Commit, near: Reading) -> Reading:
        revision = Revision(commit.id, commit.id, commit.tree, commit.subject)
        return self._reader.read(self._repository.snapshot(revision), near)
