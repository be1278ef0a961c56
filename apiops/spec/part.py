"""The part of a commit that has to be looked at, where all the rest of it is settled.

A resource is settled when the Manager had it as a commit describes it, and neither the Manager nor
anything that has a say in it is different now. Beside its own page only three things have one:
parameters and patches, the files that the page refers to, and other resources (`references`).
So the rest may be left out only if no such thing moved. Whatever is in doubt gives no part at all,
and everything is looked at: a part may make a plan faster, never another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apiops.model import sharing
from apiops.model.kinds import KINDS
from apiops.model.resource import SYSTEM, Resource, ResourceId, Target
from apiops.model.revision import Snapshot
from apiops.model.settled import Key, Settled
from apiops.spec import manifests, marks, parameters, references, views
from apiops.spec.documents import Documents
from apiops.spec.marks import Mention

WORTHWHILE: Final = 0.5
"""Of a larger share of the files both versions would be read, where the whole is read once."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is looked at: the files `paths`, with which the resources `ids` have to do.

    `beside` are the resources that all other files describe, in `checked` documents. `units` are
    those of whatever these files describe at any of the commits.
    """

    paths: frozenset[str]
    ids: frozenset[ResourceId]
    units: frozenset[str]
    beside: frozenset[ResourceId]
    checked: int


def of(
    settled: Settled,
    target: Target,
    documents: Documents,
    base: Snapshot,
    head: Snapshot,
    others: Sequence[Snapshot],
) -> Part | None:
    """The part in which `head` differs from `base`, which is settled, and from all `others`.

    None where something outside of that part could be different too, or it would save nothing.
    """
    paths = _paths(settled, head, (base, *others))
    inputs = any(p == target.settings or parameters.is_input(p, target) for p in paths)
    if inputs or len(paths) > WORTHWHILE * len(head.files):
        return None
    counted = _documents(paths, settled, base, documents)
    if counted is None:
        return None
    reader = views.Reader(target, documents, paths)
    was = reader.read(base)
    now = reader.read(head, was)
    if was.broken or now.broken:
        return None
    before, after = _resources(was), _resources(now)
    seen = {*before, *after}.union(*(_resources(reader.read(one, now)) for one in others))
    beside = settled.ids - before.keys()
    rights = any(id.kind in views.PERMISSIONS for id in seen)
    lasting = any(KINDS[id.kind].lasting for id in seen)  # what uses it has a say in what can be
    if rights or lasting or not _apart(before, after, beside, settled):
        return None
    former = {id.formerly(name) for id, one in after.items() for name in one.renamed_from}
    return Part(
        paths=paths,
        ids=frozenset({*before, *after, *former}) - beside,
        units=frozenset(id.unit for id in seen),
        beside=beside,
        checked=settled.checked - counted,
    )


def _paths(settled: Settled, head: Snapshot, others: Iterable[Snapshot]) -> frozenset[str]:
    """The files that are not everywhere the same, and the manifests that refer to one of them."""
    moved: set[str] = set()
    for other in others:
        moved |= sharing.differing(other.files, head.files)
    return frozenset(moved.union(*(settled.uses.get(path, ()) for path in moved)))


def _documents(
    paths: Iterable[str], settled: Settled, base: Snapshot, documents: Documents
) -> int | None:
    """How many documents were counted in these files; None if one is there for no reason."""
    counted = 0
    for path in paths:
        file = base.files.get(path)
        if file is None or not manifests.may_hold(file):
            continue
        parsed = documents.manifests(file, base.read)
        if parsed is not None:
            counted += len(parsed.documents)
        elif path not in settled.uses:
            return None
    return counted


def _resources(reading: views.Reading) -> Mapping[ResourceId, Resource]:
    return {one.id: one for page in reading.pages.values() for one in page.resources}


def _apart(
    before: Mapping[ResourceId, Resource],
    after: Mapping[ResourceId, Resource],
    beside: frozenset[ResourceId],
    settled: Settled,
) -> bool:
    """Whether nothing that the part does to names is felt outside of it."""
    if not before.keys() <= after.keys():
        return False
    if any(_is_felt(id, beside, settled.named) for id in after.keys() - before.keys()):
        return False
    mentions = {id: _mentions(one) for id, one in after.items()}
    named = settled.named.union(*(references.names(after[id], mentions[id]) for id in after))
    return not any(
        references.key(id) in named
        and _referred(mentions[id]) - _referred(_mentions(before.get(id)))
        for id in after
    )


def _is_felt(id: ResourceId, beside: frozenset[ResourceId], named: frozenset[Key]) -> bool:
    """Whether a new resource may mean something to another, or be one that there is already."""
    kind = KINDS[id.kind]
    if id.unit == SYSTEM or kind.folds_case or id in beside or references.key(id) in named:
        return True
    return kind.unique and any((one.kind, one.name) == (id.kind, id.name) for one in beside)


def _mentions(one: Resource | None) -> tuple[Mention, ...]:
    return () if one is None else tuple(marks.references(one.id.kind, one.spec))


def _referred(mentions: Iterable[Mention]) -> set[tuple[str, str, bool]]:
    """What is referred to, wherever that stands: a new one of these might close a circle."""
    return {(mention.kind, mention.name, mention.system) for mention in mentions}
