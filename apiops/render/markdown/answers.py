"""Answers of `access who` and `doctor` in Markdown: one table each."""

from apiops.model.doctor import DoctorReport, Health
from apiops.model.view import Holders
from apiops.render.markdown.paper import Paper, code, prose


def holders(holders: Holders) -> Paper:
    """Write the verdict on each principal."""
    out = Paper()
    out.paragraph(f"### {code(str(holders.right))} in {prose(str(holders.scope))}")
    rows = (
        (
            prose(verdict.principal),
            "allowed" if verdict.allowed else "denied",
            prose(verdict.rule),
            prose(verdict.explanation),
        )
        for verdict in sorted(holders.verdicts, key=lambda one: (not one.allowed, one.principal))
    )
    out.table(("who", "verdict", "rule", "why"), rows)
    return out


def doctor(report: DoctorReport) -> Paper:
    """Write the checks in the order in which they were made."""
    out = Paper()
    out.paragraph(f"### {'Ready' if report.healthy else 'Not ready'}")
    rows = (
        (
            check.status.value,
            prose(check.name),
            prose(check.message),
            prose(check.fix) if check.status is not Health.OK else "",
        )
        for check in report.checks
    )
    out.table(("", "check", "seen", "fix"), rows)
    return out
