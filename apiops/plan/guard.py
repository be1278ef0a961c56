"""Checks that can refuse a plan whatever the permissions are.

Each guard has a name by which it is overridden (`--allow mass-delete`). An override is part of
the plan, so whoever approves the digest approves the override. What a guard looks at is what
would be lost: resources of the inventory that are deleted or replaced.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from apiops.model import plaintext
from apiops.model.kinds import KINDS
from apiops.model.plan import GuardFinding
from apiops.model.resource import Desired, LiveResource, ResourceId
from apiops.plan import graph, match, place
from apiops.plan.change import Step
from apiops.ports import Live

SHARE: Final = 0.30
"""The part of an inventory that may be lost without a word."""

FLOOR: Final = 10
"""So many losses are needed before the share counts."""

EMPTY: Final = "empty"
MASS_DELETE: Final = "mass-delete"
PROTECTED: Final = "protected"
REPLACE: Final = "replace"
ADOPT: Final = "adopt"
RENAME: Final = "rename"
INVENTORY: Final = "inventory"
PLAINTEXT: Final = "plaintext"
STEPS: Final = "steps"
LASTING: Final = "lasting"
BEYOND: Final = "beyond"
BREAKING: Final = "breaking"
"""Spoken by `reconcile.breaking`, which has the documents that were applied."""

OVERRIDABLE: Final = frozenset(
    {EMPTY, MASS_DELETE, PROTECTED, REPLACE, ADOPT, RENAME, PLAINTEXT, BREAKING}
)
"""The guards that `allow` may name. What is not ours is never pruned, no step is left out, and
nobody takes from a Manager what it does not give."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the guards judge: the two states, and what the plan would do to them."""

    repository: str
    desired: Desired
    live: Live
    steps: tuple[Step, ...]
    pruned: tuple[LiveResource, ...]

    @property
    def inventory(self) -> tuple[LiveResource, ...]:
        """What this repository owns."""
        return tuple(r for r in self.live.resources if r.owner == self.repository)

    @property
    def replaced(self) -> tuple[LiveResource, ...]:
        """What would be deleted and made again."""
        return tuple(s.pair.live for s in self.steps if s.replaces and s.pair.live is not None)


def findings(outlook: Outlook, allow: frozenset[str]) -> tuple[GuardFinding, ...]:
    """What the guards say, those that `allow` names as overridden."""
    spoken = (finding for guard in _GUARDS for finding in guard(outlook))
    overridable = allow & OVERRIDABLE
    return tuple(replace(f, overridden=True) if f.guard in overridable else f for f in spoken)


def _empty(outlook: Outlook) -> Iterator[GuardFinding]:
    owned = len(outlook.inventory)
    if owned and not outlook.desired.resources and not outlook.desired.stopped:
        message = f"the revision describes nothing, and {owned} resources are in the inventory"
        yield GuardFinding("AO601", EMPTY, message)


def _mass_delete(outlook: Outlook) -> Iterator[GuardFinding]:
    owned = Counter(resource.id.unit for resource in outlook.inventory)
    lost = Counter(resource.id.unit for resource in (*outlook.pruned, *outlook.replaced))
    for unit in sorted(lost):
        if _too_many(lost[unit], owned[unit]):
            message = f"{lost[unit]} of {owned[unit]} resources of {unit} would be deleted"
            yield GuardFinding("AO602", MASS_DELETE, message, unit)
    if _too_many(lost.total(), owned.total()):
        message = f"{lost.total()} of {owned.total()} resources of the inventory would be deleted"
        yield GuardFinding("AO602", MASS_DELETE, message)


def _too_many(lost: int, owned: int) -> bool:
    return lost >= FLOOR and lost > SHARE * owned


def _protected(outlook: Outlook) -> Iterator[GuardFinding]:
    yield from _each(
        "AO603",
        PROTECTED,
        (r.id for r in outlook.pruned if r.protected),
        "{id} is protected and would be deleted",
    )
    yield from _each(
        "AO603",
        PROTECTED,
        (r.id for r in outlook.replaced if r.protected),
        "{id} is protected and would be deleted and made again",
    )


def _replace(outlook: Outlook) -> Iterator[GuardFinding]:
    for step in outlook.steps:
        if step.replaces:
            fields = " and ".join(step.pair.kind.immutable)
            message = (
                f"{step.pair.id}: {fields} cannot change in place; it would be deleted and made"
                " again, and is away in between"
            )
            yield GuardFinding("AO604", REPLACE, message, step.pair.id.unit)


def _adopt(outlook: Outlook) -> Iterator[GuardFinding]:
    for step in outlook.steps:
        live = step.pair.live
        if live is None or live.owner == outlook.repository:
            continue
        if live.owner is not None:
            message = (
                f"{step.pair.id} is in the inventory of another repository ({live.owner[:12]})"
            )
        elif step.replaces:
            message = f"{step.pair.id} is in nobody's inventory and would be deleted and made again"
        else:
            continue
        yield GuardFinding("AO605", ADOPT, message, step.pair.id.unit)


def _rename(outlook: Outlook) -> Iterator[GuardFinding]:
    """Both names exist, so nothing can be renamed: the old resource would be deleted."""
    gone = {graph.fold(resource.id): resource.id for resource in outlook.pruned}
    for step in outlook.steps:
        for name in step.pair.resource.renamed_from if step.pair.live else ():
            old = gone.get(graph.fold(step.pair.id.formerly(name)))
            if old is not None:
                message = f"{step.pair.id} exists, so {old} would be deleted and not renamed"
                yield GuardFinding("AO610", RENAME, message, step.pair.id.unit)


def _inventory(outlook: Outlook) -> Iterator[GuardFinding]:
    """The second lock on prune: it looks at the result, whatever chose it."""
    foreign = (r.id for r in outlook.pruned if r.owner != outlook.repository)
    yield from _each("AO606", INVENTORY, foreign, "{id} is not in the inventory")


def _plaintext(outlook: Outlook) -> Iterator[GuardFinding]:
    """What is about to be written; what stands there already was let through or is not ours."""
    for step in outlook.steps:
        for path, what in plaintext.find(step.result or {}):
            where = place.TOP
            for part in path:
                where = where.field(part) if isinstance(part, str) else where.item(part, part)
            message = f"{step.pair.id}: {where.text} looks like {what}, in plain text"
            yield GuardFinding("AO608", PLAINTEXT, message, step.pair.id.unit)


def _steps(outlook: Outlook) -> Iterator[GuardFinding]:
    for step in outlook.steps:
        steps, live = step.pair.kind.steps, step.pair.live
        if steps is None or live is None or step.result is None or step.replaces:
            continue
        why = steps.refusal(live.spec, step.result)
        if why:
            yield GuardFinding("AO609", STEPS, f"{step.pair.id}: {why}", step.pair.id.unit)


def _lasting(outlook: Outlook) -> Iterator[GuardFinding]:
    """What a vendor's Manager would delete to take a secret from it, and refuses to: it is used."""
    for step in outlook.steps if outlook.live.vendors else ():
        live, result = step.pair.live, step.result
        if live is None or result is None or step.replaces:
            continue
        gone = [
            name for name in step.pair.kind.lasting if live.spec.get(name) and not result.get(name)
        ]
        users = _users(outlook.live, live.id) if gone else []
        if users:
            told = f"{' and '.join(gone)} cannot be taken away while {', '.join(users)} uses it"
            yield GuardFinding("AO619", LASTING, f"{step.pair.id}: {told}", step.pair.id.unit)


def _beyond(outlook: Outlook) -> Iterator[GuardFinding]:
    """What a vendor's Manager has no call for: said before anything of the unit is sent."""
    for step in outlook.steps if outlook.live.vendors else ():
        id, live = step.pair.id, step.pair.live
        if step.changes and step.pair.kind.beyond:
            told = f"a vendor's Manager has no call for {id}"
            yield GuardFinding("AO769", BEYOND, told, id.unit)
        elif live and not match.renames(live.id, id):
            told = f"a vendor's Manager does not rename or move {live.id} to {id}"
            yield GuardFinding("AO769", BEYOND, told, id.unit)


def _users(live: Live, id: ResourceId) -> list[str]:
    """What refers to it, as it is now: it is written before those that refer to it."""
    meant = graph.fold(id)
    return [
        str(one.id)
        for one in live.resources
        if one.id.kind in KINDS and meant in map(graph.fold, graph.named(one.id, one.spec))
    ]


def _each(code: str, guard: str, ids: Iterable[ResourceId], text: str) -> Iterator[GuardFinding]:
    for id in ids:
        yield GuardFinding(code, guard, text.format(id=id), id.unit)


_GUARDS: Final[tuple[Callable[[Outlook], Iterator[GuardFinding]], ...]] = (
    _empty,
    _mass_delete,
    _protected,
    _replace,
    _adopt,
    _rename,
    _inventory,
    _plaintext,
    _steps,
    _lasting,
    _beyond,
)
