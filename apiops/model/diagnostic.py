"""Findings: what is wrong, where, and what to do next.

Diagnostics are values and there may be many; an exception (`errors.py`) is one and ends a run.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is: an error stops the projects it touches, a warning only speaks."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file: repository-relative POSIX path, 1-based line and column (0 = unknown)."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return (
            f"{self.path}:{self.line}:{self.column}" if self.column else f"{self.path}:{self.line}"
        )


@dataclass(frozen=True, slots=True)
class Code:
    """One documented kind of finding: stable id, one-line title, why it exists, how to mend it."""

    id: str
    title: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` is a key of `model.codes.ALL`; `project` is the project whose resources it stops
    (None: everything; `"system"`: the System tier); `excerpt` is the source line at `location`,
    left empty where that line may hold a secret.
    """

    code: str
    message: str
    location: Location
    severity: Severity = Severity.ERROR
    hint: str = ""
    project: str | None = None
    excerpt: str = ""
    width: int = 1

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Sort key: by file, line, column, then code."""
        return (self.location.path, self.location.line, self.location.column, self.code)
