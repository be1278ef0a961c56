"""What a scheduled sync counts, for Prometheus: a file that node-exporter's collector reads.

Names have base units and the prefix `apiops_`; no label carries a revision, a person or a
resource, so their number stays small however long it runs.
"""

import os
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, write_to_textfile

from apiops import __version__
from apiops.errors import Exit, UsageError
from apiops.model.outcome import RunReport
from apiops.model.view import PlanView

GOOD: Final = (Exit.OK, Exit.CHANGES)


class Metrics:
    """The counts of this process; they begin anew with it."""

    def __init__(self, target: str) -> None:
        self.registry = CollectorRegistry()
        self._target = target
        self._runs = Counter(
            "apiops_runs", "Runs, by exit code.", ["target", "result"], registry=self.registry
        )
        self._changes = Counter(
            "apiops_changes",
            "Changes, by what became of them.",
            ["target", "kind", "action", "result"],
            registry=self.registry,
        )
        self._drifted = self._gauge("drifted_resources", "Found changed in the Manager.")
        self._frozen = self._gauge("frozen_units", "Units that stay, by denial or fault.")
        self._seconds = self._gauge("run_duration_seconds", "How long the last run took.")
        self._last = self._gauge("last_run_timestamp_seconds", "When the last run ended.")
        self._success = self._gauge(
            "last_success_timestamp_seconds", "When the last run ended that left nothing undone."
        )
        build = Gauge("apiops_build_info", "This version.", ["version"], registry=self.registry)
        build.labels(__version__).set(1)

    def _gauge(self, name: str, help: str) -> Gauge:
        return Gauge(f"apiops_{name}", help, ["target"], registry=self.registry)

    def ended(self, code: Exit, at: float, seconds: float) -> None:
        """Count a run that ended with `code` at a time (seconds since 1970)."""
        self._runs.labels(self._target, code.name.lower()).inc()
        self._seconds.labels(self._target).set(seconds)
        self._last.labels(self._target).set(at)
        if code in GOOD:
            self._success.labels(self._target).set(at)

    def carried_out(self, view: PlanView, report: RunReport) -> None:
        """Count what became of a plan's changes, and what was only told of."""
        for outcome in report.outcomes:
            change, result = outcome.change, outcome.result.value
            names = (self._target, change.id.kind, change.action.value, result)
            self._changes.labels(*names).inc()
        drifted = {change.id for change in view.plan.changes if change.drifted}
        drifted |= {change.id for change in view.left}
        self._drifted.labels(self._target).set(len(drifted))
        self._frozen.labels(self._target).set(len(report.frozen))

    def write(self, file: Path) -> None:
        """Replace the file at once. Raises UsageError AO907."""
        try:
            write_to_textfile(os.fspath(file), self.registry)
        except OSError as fault:
            raise UsageError(
                f"{file} cannot be written: {fault.strerror}",
                code="AO907",
                hint="choose a place that you may write to and that has space",
            ) from None
