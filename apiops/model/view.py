"""What people are shown: values put together for the renderers and for nothing else.

A view adds to a value of the line what a reader needs beside it (the subject of a commit, the
number of documents that were checked). It holds no logic and decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from apiops.model.access import Right, Scope, Verdict, Verdicts
from apiops.model.approval import Approvals
from apiops.model.audit import AuditEntry
from apiops.model.breaking import Breaking
from apiops.model.diagnostic import Diagnostic, Severity
from apiops.model.outcome import RunReport
from apiops.model.plan import Change, Plan
from apiops.model.revision import Revision
from apiops.model.settled import Settled
from apiops.model.shown import Shown


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with the verdicts on it (None: permission was not asked).

    `subjects` maps a commit id to its first line; `keyless` says that no age identity was at
    hand; `drift` that the plan was made from the last applied revision, to show what somebody
    changed in the Manager, and will not be applied; `notes` are sentences to show with it;
    `approvals` is how far its approval is, where it takes any; `left` are changes that would set
    right what somebody changed in the Manager, and are not in the plan; `breaking` is what new API
    documents break; `command` is what carries the plan out.
    """

    plan: Plan
    verdicts: Verdicts | None = None
    subjects: Mapping[str, str] = field(default_factory=dict)
    keyless: bool = False
    drift: bool = False
    notes: tuple[str, ...] = ()
    approvals: Approvals | None = None
    left: tuple[Change, ...] = ()
    breaking: tuple[Breaking, ...] = ()
    command: str = "apply"

    @property
    def uncompared(self) -> int:
        """How many secret fields could not be compared."""
        return sum(len(change.uncompared) for change in self.plan.changes)

    @property
    def refused(self) -> bool:
        """Whether a guard that was not overridden stops the whole plan."""
        return any(guard.unit is None and not guard.overridden for guard in self.plan.guards)

    @property
    def held(self) -> frozenset[str]:
        """The units that stay where they are: frozen by a verdict or stopped by a guard."""
        guarded = {g.unit for g in self.plan.guards if g.unit is not None and not g.overridden}
        return frozenset(guarded) | (self.verdicts.frozen if self.verdicts else frozenset())

    @property
    def applicable(self) -> bool:
        """Whether applying the plan would do anything."""
        return (
            not self.drift
            and not self.refused
            and bool(self.plan.head.commit)
            and any(unit not in self.held for unit in self.plan.units)
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """All diagnostics of one pass, and how many documents were checked."""

    diagnostics: tuple[Diagnostic, ...]
    checked: int = 0

    @property
    def sorted(self) -> tuple[Diagnostic, ...]:
        """By file, line and column."""
        return tuple(sorted(self.diagnostics, key=lambda diagnostic: diagnostic.order))

    @property
    def files(self) -> int:
        """How many files have a finding."""
        return len({diagnostic.location.path for diagnostic in self.diagnostics})

    def count(self, severity: Severity) -> int:
        """How many findings are so bad."""
        return sum(diagnostic.severity is severity for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan as it is shown, the diagnostics behind it, what it found to be settled, if all, and
    what a Manager elsewhere showed.
    """

    view: PlanView
    findings: Findings
    settled: Settled | None = None
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """A plan that was carried out: what it was, the diagnostics behind it, what became of it."""

    view: PlanView
    findings: Findings
    report: RunReport


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Audit entries as a query gave them, newest first."""

    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that changed something: its id, when, the commit that it applied, how many resources
    it changed.
    """

    run: str
    at: datetime
    commit: str
    resources: int


@dataclass(frozen=True, slots=True)
class PastRuns:
    """The runs of a target that can be undone, newest first."""

    target: str
    runs: tuple[PastRun, ...]


@dataclass(frozen=True, slots=True)
class Holders:
    """Who may do something: the verdict on each principal asked about, for one right and scope."""

    right: Right
    scope: Scope
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """Whether those who made the commits up to `head` might: the verdicts and nothing else.

    `base` maps each unit to the commit from which it was judged; `subjects` maps a commit id to
    its first line.
    """

    target: str
    head: Revision
    base: Mapping[str, str]
    verdicts: Verdicts
    subjects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PermissionMatrix:
    """The built-in roles: `cells` has a row for each category with one cell for each role.

    A cell has the letters of the actions, as `letters` spells them out. `expanded` says whether
    what one right brings along is in it.
    """

    roles: tuple[str, ...]
    cells: Mapping[str, tuple[str, ...]]
    letters: Mapping[str, str]
    expanded: bool
