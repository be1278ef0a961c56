"""Counters for `/metrics`, in a registry of the app's own. No label names anybody or anything."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from apiops import __version__
from apiops.model.outcome import RunReport


class Metrics:
    """What one server counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        build = Gauge(
            "apiops_build_info", "The version that runs.", ["version"], registry=self.registry
        )
        build.labels(__version__).set(1)
        self._requests = Histogram(
            "apiops_manager_request_duration_seconds",
            "Requests by method, route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.refused = Counter(
            "apiops_tokens_refused_total", "Tokens that did not count.", registry=self.registry
        )
        self._runs = Counter(
            "apiops_runs_total",
            "Submitted runs by what they were and how they ended.",
            ["trigger", "result"],
            registry=self.registry,
        )
        self._changes = Counter(
            "apiops_changes_total",
            "Changes of submitted runs.",
            ["kind", "action", "result"],
            registry=self.registry,
        )
        self._checkpoints = Counter(
            "apiops_checkpoints_total",
            "Checkpoints that the server kept by itself, by how that ended.",
            ["result"],
            registry=self.registry,
        )

    def checkpoint(self, result: str) -> None:
        """Count a checkpoint: done or failed."""
        self._checkpoints.labels(result).inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; a method that nobody knows is counted as such."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).observe(seconds)

    def planned(self) -> None:
        """Count a plan."""
        self._runs.labels("plan", "done").inc()

    def applied(self, report: RunReport) -> None:
        """Count an apply and its changes."""
        self._runs.labels("apply", "partial" if report.frozen else "done").inc()
        for outcome in report.outcomes:
            change = outcome.change
            self._changes.labels(change.id.kind, change.action.value, outcome.result.value).inc()

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
