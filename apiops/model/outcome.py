"""What became of a run: outcomes per change, and the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apiops.model.plan import Change


class Result(StrEnum):
    """What became of one change."""

    DONE = "done"
    DENIED = "denied"
    REFUSED = "refused"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one change, with the audit entry's number when it was written."""

    change: Change
    result: Result
    entry: int | None = None
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of a run: the outcomes, and for each unit the commit it is now at.

    `stuck` are units without changes of their own that could not be moved to the head, and why:
    they are as the head describes them, and the next run moves them.
    """

    run: str
    target: str
    head: str
    outcomes: tuple[Outcome, ...] = ()
    applied: Mapping[str, str] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    stuck: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def count(self, result: Result) -> int:
        """How many changes ended so."""
        return sum(outcome.result is result for outcome in self.outcomes)
