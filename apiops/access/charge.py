"""For what a commit answers: the resources whose content it changed.

The unit of charge is a resource's identity, never a file. A commit with one parent answers for
what differs from it; a merge only for what is not the clean three-way result per resource; an
octopus for everything that differs from any of its parents. Why:
docs/adr/0006-charges-and-taint.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apiops.access import decide, roles
from apiops.model.access import Need
from apiops.model.kinds import KINDS
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from apiops.model.revision import CommitView

_PAIR = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """What is charged: a resource, or (with an environment) that it runs there."""

    id: ResourceId
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """How a commit came to a subject's state: `inherits` from parents, or its maker is charged."""

    inherits: tuple[str, ...]
    charged: bool


def subjects(change: Change) -> tuple[Subject, ...]:
    """The subjects that a change of a plan is about; a rename is about the old name too."""
    new = Subject(change.id, change.environment)
    if change.former is None or change.environment is not None:
        return (new,)
    return (new, Subject(change.former))


def state(view: CommitView, subject: Subject) -> str | None:
    """The content of a subject at a commit; None when it is absent, or does not run.

    What cannot be read is like nothing else, so every commit answers for a resource that it
    leaves unreadable, and whoever makes it readable again answers for what then stands there.
    """
    content = view.content.get(subject.id)
    if content is None and view.is_broken(subject.id.unit):
        return f"unreadable at {view.commit.id}"
    if content is None or subject.environment is None:
        return content
    return content if subject.environment in view.deployments.get(subject.id, ()) else None


def trace(view: CommitView, subject: Subject, views: Mapping[str, CommitView]) -> Trace:
    """How the commit's state of a subject came about. `views` has its parents and merge bases."""
    parents = view.commit.parents
    now = state(view, subject)
    before = {parent: state(views[parent], subject) for parent in parents}
    if len(parents) == _PAIR and (side := _clean(view, now, before, subject, views)):
        return Trace((side,), charged=False)
    same = tuple(parent for parent in before if before[parent] == now)
    if len(same) == len(before):
        return Trace(same, charged=bool(now is not None and not parents))
    return Trace(same or tuple(before), charged=True)


def _clean(
    view: CommitView,
    now: str | None,
    before: Mapping[str, str | None],
    subject: Subject,
    views: Mapping[str, CommitView],
) -> str | None:
    """The one side that a clean merge takes the subject from, if it is one.

    Git may find several merge bases (criss-cross); only what all of them agree on is clean.
    """
    bases = view.commit.bases
    if not bases or any(base not in views for base in bases):
        return None
    below = {state(views[base], subject) for base in bases}
    left, right = view.commit.parents
    for side, other in ((left, right), (right, left)):
        if before[side] == now and before[other] != now and below == {before[other]}:
            return side
    return None


def needs(
    subject: Subject, before: Iterable[CommitView], after: CommitView, environment: str
) -> tuple[Need, ...]:
    """What the step from `before` (a commit's parents; empty: nothing was there) to `after` needs.

    `environment` is the one that the plan is for: what runs in others, their own plans judge.
    """
    earlier = tuple(before)
    step = action(subject, earlier, after)
    if subject.environment is not None:
        return decide.need(subject.id.kind, step, subject.id, (subject.environment,))
    reached = reaches(subject.id, earlier, after, environment)
    return decide.need(subject.id.kind, step, subject.id, reached)


def moved(subject: Subject, before: CommitView, after: CommitView) -> bool:
    """Whether a step is one of the subject's own: other content, or to run and not to run."""
    was, now = state(before, subject), state(after, subject)
    if subject.environment is None:
        return was != now
    return (was is None) is not (now is None)


def action(subject: Subject, before: Iterable[CommitView], after: CommitView) -> Action:
    """What a step from `before` (empty: nothing was there) to `after` does to a subject."""
    exists = state(after, subject) is not None
    if subject.environment is not None:
        return Action.DEPLOY if exists else Action.UNDEPLOY
    if not exists:
        return Action.DELETE
    existed = any(state(view, subject) is not None for view in before)
    return Action.UPDATE if existed else Action.CREATE


def reaches(
    id: ResourceId, before: Iterable[CommitView], after: CommitView, environment: str
) -> tuple[str, ...]:
    """The environments in which a write of the resource changes what gateways do.

    The plan's own, if it runs there or workers receive it at once; and those for which it says
    something else than `before` (empty: than nothing).
    """
    earlier = tuple(before)
    kind = KINDS.get(id.kind)
    if kind is None:
        return ()
    if kind.deployable:
        here = any(environment in view.deployments.get(id, ()) for view in (*earlier, after))
    else:
        here = kind.category in roles.REACHES_WORKERS
    now = after.parts.get(id, {})
    moved = {
        at
        for was in ([view.parts.get(id, {}) for view in earlier] or [{}])
        for at in was.keys() | now.keys()
        if was.get(at) != now.get(at)
    }
    return tuple(dict.fromkeys([*([environment] if here else ()), *sorted(moved)]))
