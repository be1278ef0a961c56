"""Which environments a plan concerns: what each of them demands holds for it.

A proxy runs in each as it was deployed there, and what a variable says for one environment is for
that one alone. All the rest is for every environment of the Manager, whichever target it comes
through: people and their rights, connections, whatever workers receive at once.
"""

from collections.abc import Iterable, Iterator

from apiops.model.access import Judgement, Need, Verdicts
from apiops.model.kinds import KINDS, Reference
from apiops.model.plan import Action, Change, Plan
from apiops.model.resource import ResourceId
from apiops.ports import Live


def carried(verdicts: Verdicts | None) -> tuple[Judgement, ...]:
    """The judgements on what would be carried out."""
    if verdicts is None:
        return ()
    units = verdicts.frozen
    if not units:
        return verdicts.judgements
    return tuple(one for one in verdicts.judgements if not one.change.units & units)


def of_plan(plan: Plan, live: Live, verdicts: Verdicts | None) -> tuple[str, ...]:
    """The environments that a plan concerns, its own first; none if nothing is to be done."""
    if not plan.changes:
        return ()
    judged = ((one.change, one.needs) for one in carried(verdicts))
    return environments(live, plan.environment, judged)


def by_hand(live: Live, change: Change) -> tuple[str, ...]:
    """The environments that a person's own change in the Manager concerns, where it runs too."""
    held = (one.deployments for one in live.resources if one.id == change.id)
    running = {at.environment for deployments in held for at in deployments}
    return tuple(sorted({*running, *_others(live, change, ())} & live.environments.keys()))


def where(plan: Plan, id: ResourceId) -> tuple[str, ...]:
    """The environments in which a proxy will be another one: the plan's, and where it is deployed.

    A plan deploys everywhere that the Manager has, whatever its own environment is.
    """
    deployed = (one.environment for one in plan.changes if one.id == id and one.environment)
    return tuple(dict.fromkeys((plan.environment, *deployed)))


def environments(
    live: Live, environment: str, changes: Iterable[tuple[Change, tuple[Need, ...]]]
) -> tuple[str, ...]:
    """The environments that changes concern, each with the rights it takes; the plan's own first.

    Only those that the Manager has: another one demands nothing yet.
    """
    others = {name for change, needs in changes for name in _others(live, change, needs)}
    known = sorted((others - {environment}) & live.environments.keys())
    return (environment, *known)


def _others(live: Live, change: Change, needs: tuple[Need, ...]) -> Iterator[str]:
    kind = KINDS.get(change.id.kind)
    if change.environment is not None:
        yield change.environment
    elif kind is None:
        yield from live.environments
    elif kind.name == "Environment":
        yield from (id.name for id in (change.id, change.former) if id is not None)
    elif kind.deployable:
        yield from _losing(live, change)
    elif _within(change, [one.path for one in kind.references if _by_environment(one)]):
        named = [scope.environment for _, scope in needs if scope.environment]
        yield from named or live.environments
    else:
        yield from live.environments


def _losing(live: Live, change: Change) -> Iterator[str]:
    """Where something runs that goes, or that has another name then."""
    gone = change.id if change.action is Action.DELETE else change.former
    for one in live.resources:
        if one.id == gone:
            yield from (deployment.environment for deployment in one.deployments)


def _by_environment(reference: Reference) -> bool:
    return reference.kind == "Environment" and reference.key


def _within(change: Change, mappings: list[str]) -> bool:
    """Whether a change is of what a resource says for single environments, and of nothing else."""
    if change.action is not Action.UPDATE or change.former is not None or not change.fields:
        return False
    starts = tuple(f"spec.{path}" for path in mappings)
    return bool(starts) and all(field.path.startswith(starts) for field in change.fields)
