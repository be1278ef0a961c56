"""A plan: ordered changes, guard findings and a digest. A frozen value that holds no secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from apiops.model.diagnostic import Location
from apiops.model.resource import ResourceId
from apiops.model.revision import Revision


class Action(StrEnum):
    """What a change does."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DEPLOY = "deploy"
    UNDEPLOY = "undeploy"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one resource: path, value before and after (None: absent), desired position.

    `hidden` marks a secret: `before` and `after` are then always None.
    """

    path: str
    before: Any = None
    after: Any = None
    hidden: bool = False
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One action on one resource.

    `environment` is set for deploy and undeploy only. `serial` is the live serial this change
    expects (None: the resource must not exist). `digest` is that of the spec after the change
    (empty for delete and undeploy). `drifted` says that the live value differs from what was
    last applied. `uncompared` lists secret fields that could not be compared without a key.
    `renamed_from` is the live name, if it is another one, with its project before a slash where
    the resource moves.
    """

    action: Action
    id: ResourceId
    environment: str | None = None
    fields: tuple[FieldChange, ...] = ()
    location: Location | None = None
    serial: int | None = None
    digest: str = ""
    renamed_from: str | None = None
    drifted: bool = False
    adopts: bool = False
    uncompared: tuple[str, ...] = ()

    @property
    def former(self) -> ResourceId | None:
        """The live identity, if it is another one."""
        return None if self.renamed_from is None else self.id.formerly(self.renamed_from)

    @property
    def units(self) -> frozenset[str]:
        """The units that this changes: a move takes from one and gives to another."""
        return frozenset({self.id.unit} | ({self.former.unit} if self.former else set()))

    @property
    def key(self) -> tuple[str, str, str]:
        """What a verdict is about: identity, action and environment."""
        return (str(self.id), self.action.value, self.environment or "")


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """A guard that speaks: its code and name, the unit it stops (None: all), why, overridden?"""

    code: str
    guard: str
    message: str
    unit: str | None = None
    overridden: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a plan's changes."""

    create: int = 0
    update: int = 0
    delete: int = 0
    deploy: int = 0
    undeploy: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that would be done, and what it is bound to.

    Bound to the repository (its lineage: the root commit id), the target, the head revision, the
    last applied commit of each unit (`base`), the Manager's lineage and its permission snapshot,
    the live serials (in the changes) and the engine's version. `digest` is over all of that.
    """

    repository: str
    target: str
    environment: str
    head: Revision
    base: Mapping[str, str]
    lineage: str
    permissions: str
    engine: str
    changes: tuple[Change, ...]
    guards: tuple[GuardFinding, ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    unchanged: int = 0
    digest: str = ""

    @property
    def summary(self) -> Summary:
        """The counts, for the last line of every rendering."""
        counts = dict.fromkeys(Action, 0)
        for change in self.changes:
            counts[change.action] += 1
        return Summary(**{a.value: n for a, n in counts.items()}, unchanged=self.unchanged)

    @property
    def units(self) -> tuple[str, ...]:
        """The units that have changes: `system` first, then projects by name."""
        names = {change.id.unit for change in self.changes}
        return tuple(sorted(names, key=lambda unit: (unit != "system", unit)))

    @property
    def affected(self) -> tuple[str, ...]:
        """The units that have changes or out of which something moves, sorted."""
        return tuple(sorted({unit for change in self.changes for unit in change.units}))
