"""GitLab's merge request widgets: code quality for findings, counts for a plan.

The counts are the document that `artifacts:reports:terraform` takes; who may read the job's
artifacts may read it, and it holds three numbers.
"""

from typing import Any, Final

from apiops.model.diagnostic import Severity
from apiops.model.view import PlanView
from apiops.render import machine
from apiops.render.facts import remarks
from apiops.render.facts.remarks import Remark

SEVERITIES: Final = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def report(value: Any) -> str:
    """The counts of a plan; a code quality report of anything else that has remarks."""
    if isinstance(value, PlanView):
        summary = value.plan.summary
        counts = {"create": summary.create, "update": summary.update, "delete": summary.delete}
        return machine.written(counts, ordered=False)
    told = remarks.fingerprints(remarks.of(value))
    return machine.written(
        [_issue(remark, known) for remark, known in told], indent=2, ordered=False
    )


def _issue(remark: Remark, known: str) -> dict[str, Any]:
    at = remark.location
    return {
        "description": f"{remark.code} {remark.text}".replace("\n", " – "),
        "check_name": remark.code,
        "fingerprint": known,
        "severity": SEVERITIES[remark.severity],
        "location": {
            "path": at.path if at else remark.about,
            "lines": {"begin": max(at.line, 1) if at else 1},
        },
    }
