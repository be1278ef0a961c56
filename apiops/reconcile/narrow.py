"""Which part of a commit a run has to look at, from what is settled and what was applied.

Everything that the run compares the head with is asked: the commit at which all was settled, those
that were applied last, and each commit in between that somebody answers for.
"""

from collections.abc import Mapping
from typing import Final

from apiops.model.resource import Target
from apiops.model.revision import Relation, Revision, Snapshot
from apiops.model.settled import Settled
from apiops.ports import Repository
from apiops.spec import part as parts
from apiops.spec.documents import Documents
from apiops.spec.part import Part

MANY: Final = 1000
"""With more commits to answer for, everything is looked at."""

_FORWARD: Final = (Relation.SAME, Relation.FORWARD)


def part(
    repository: Repository,
    target: Target,
    head: Snapshot,
    applied: Mapping[str, str],
    settled: Settled,
    documents: Documents,
) -> Part | None:
    """The part of `head` that may differ from what the Manager has; None: all of it.

    `applied` maps a unit to its last applied commit. A unit that never was gives None (it has to
    get to its first one), as does whatever is no plain step forward. Raises SourceError.
    """
    at = head.revision.commit
    if not {id.unit for id in settled.ids} <= applied.keys():
        return None
    bases = sorted(set(applied.values()))
    forward = all(repository.relation(base, at) in _FORWARD for base in bases)
    if not forward or repository.relation(settled.commit, at) is Relation.BASE_MISSING:
        return None
    base = _snapshot(repository, settled.commit)
    others = [_snapshot(repository, commit) for commit in bases]
    found = parts.of(settled, target, documents, base, head, others)
    if found is None or not found.units <= applied.keys():
        return None
    between = _between(repository, {applied[unit] for unit in found.units}, at)
    if len(between) > MANY:
        return None
    more = between - {settled.commit, at, *bases}
    if more:
        others += [_snapshot(repository, commit) for commit in sorted(more)]
        found = parts.of(settled, target, documents, base, head, others)
    return found if found is not None and found.units <= applied.keys() else None


def _between(repository: Repository, starts: set[str], head: str) -> set[str]:
    """The commits that `history.collect` may look at."""
    commits = [one for start in sorted(starts) for one in repository.commits(start, head)]
    edges = {edge for one in commits for edge in (*one.parents, *one.bases)}
    return edges | {one.id for one in commits}


def _snapshot(repository: Repository, id: str) -> Snapshot:
    commit = repository.commit(id)
    return repository.snapshot(Revision(id, id, commit.tree, commit.subject))
