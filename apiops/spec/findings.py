"""Collecting what is wrong: one place that knows how a finding gets its position and its unit."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from apiops.model.diagnostic import Diagnostic, Location, Severity
from apiops.model.resource import EVERYTHING
from apiops.spec.paths import Path
from apiops.spec.positions import Positions, Source

LONGEST: Final = 400
"""Characters of a message: whoever wrote the file chose the names in it, and how long they are."""


class Findings:
    """The findings of one load."""

    def __init__(self, positions: Positions) -> None:
        self.positions = positions
        self.told = 0
        """How often anything was found, repetitions included."""
        self._found: dict[tuple[Location, str, str], Diagnostic] = {}

    def at(
        self,
        source: Source,
        path: Path,
        code: str,
        message: str,
        *,
        unit: str | None,
        hint: str = "",
        on_key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note a finding about a field of a document."""
        place = self.positions.place(source, path)
        key = on_key and place.key_line > 0
        width = place.key_width if key else place.width
        location = self.positions.location(source, path, on_key=on_key)
        excerpt = self.positions.excerpt(source.blob, location.line)
        self._add(Diagnostic(code, message, location, severity, hint, unit, excerpt, width))

    def file(
        self,
        path: str,
        code: str,
        message: str,
        *,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note a finding about a file as a whole: nobody can tell what it should have held."""
        self._add(Diagnostic(code, message, Location(path), severity, hint))

    def text(
        self, blob: str, found: Iterable[Diagnostic], severity: Severity = Severity.ERROR
    ) -> None:
        """Take over what reading found in a file."""
        for finding in found:
            excerpt = self.positions.excerpt(blob, finding.location.line)
            self._add(replace(finding, severity=severity, excerpt=excerpt))

    def all(self) -> tuple[Diagnostic, ...]:
        """Every finding, by file, line, column and code."""
        return tuple(sorted(self._found.values(), key=lambda finding: finding.order))

    @property
    def blind(self) -> bool:
        """Whether something could not be read at all, so that what is missing cannot be told."""
        return any(f.project is None for f in self.errors)

    def stopped(self, units: Iterable[str]) -> dict[str, str]:
        """Unit → the code that stops it. An error that names no unit stops all (`*` too)."""
        stopped: dict[str, str] = {}
        for finding in self.errors:
            names = [*units, EVERYTHING] if finding.project is None else [finding.project]
            for unit in names:
                stopped.setdefault(unit, finding.code)
        return dict(sorted(stopped.items()))

    @property
    def errors(self) -> list[Diagnostic]:
        """The findings that stop a unit."""
        return [finding for finding in self.all() if finding.severity is Severity.ERROR]

    def _add(self, finding: Diagnostic) -> None:
        """The same finding twice is one finding."""
        self.told += 1
        if len(finding.message) > LONGEST:
            finding = replace(finding, message=f"{finding.message[:LONGEST]}…")
        key = (finding.location, finding.code, finding.message)
        self._found.setdefault(key, finding)
