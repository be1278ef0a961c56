"""What `apiops doctor` found: one check per line, each with its fix."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a check went: a warning may be left, a failure stands in the way."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its name, how it went, what was seen, and how to mend it."""

    name: str
    status: Health
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that is in force: its name, its value as it may be shown, and who said so."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All checks, in the order in which they were made; the settings, for whoever asks."""

    checks: tuple[Check, ...]
    settings: tuple[Setting, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing failed."""
        return all(check.status is not Health.FAIL for check in self.checks)
