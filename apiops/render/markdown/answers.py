"""Answers of `apiops access` and `doctor` in Markdown: one table each."""

from apiops.model.access import Trust, Verdicts
from apiops.model.doctor import DoctorReport, Health
from apiops.model.token import TokenList
from apiops.model.view import AccessCheck, Holders, PastRuns, PermissionMatrix
from apiops.render.facts import permission
from apiops.render.facts import plan as facts
from apiops.render.facts import runs as facts_of_runs
from apiops.render.facts import tokens as facts_of_tokens
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
            prose(verdict.because),
        )
        for verdict in sorted(holders.verdicts, key=lambda one: (not one.allowed, one.principal))
    )
    out.table(("who", "verdict", "rule", "why"), rows)
    return out


def check(view: AccessCheck) -> Paper:
    """Write what was ruled on every change."""
    out = Paper()
    target = "".join(char if char.isalnum() else "-" for char in view.target)
    out.line(f"<!-- apiops:check:{target} -->")
    tally = permission.summary(view.verdicts)
    out.paragraph(f"### Permission for {prose(view.target)} at {code(view.head.short)}: {tally}")
    if view.verdicts.trust is Trust.COMMITTER:
        out.paragraph(f"> **{facts.BELIEVED}**")
    if not view.verdicts.judgements:
        out.paragraph(permission.NOTHING)
        return out
    rulings(out, view.verdicts)
    for unit in sorted(view.verdicts.frozen):
        out.line(f"- {prose(permission.frozen(unit))}")
    return out


def rulings(out: Paper, verdicts: Verdicts) -> None:
    """Write the table of verdicts: commit, signer, right, verdict, rule and what to do."""
    rows = (
        (
            code(row.change),
            code(row.commit),
            prose(row.signer),
            "<br>".join(map(code, row.needs)),
            row.verdict if row.allowed else f"**{row.verdict}**",
            prose(row.rule),
            prose(row.next),
        )
        for row in permission.rulings(verdicts)
    )
    out.table(permission.HEADINGS, rows)


def matrix(matrix: PermissionMatrix) -> Paper:
    """Write the matrix of the built-in roles."""
    out = Paper()
    out.paragraph(f"### {permission.matrix_title(matrix)}")
    rows = (
        (code(category), *(cell or "–" for cell in cells))
        for category, cells in matrix.cells.items()
    )
    out.table(("category", *matrix.roles), rows)
    out.paragraph(permission.legend(matrix))
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
    if report.settings:
        told = ((code(one.name), code(one.value), prose(one.source)) for one in report.settings)
        out.table(("setting", "value", "from"), told)
    return out


def runs(past: PastRuns) -> Paper:
    """Write the runs, newest first."""
    out = Paper()
    out.table(facts_of_runs.HEADINGS, (tuple(map(code, row)) for row in facts_of_runs.rows(past)))
    return out


def tokens(listed: TokenList) -> Paper:
    """Write the tokens, newest first."""
    out = Paper()
    out.table(
        facts_of_tokens.HEADINGS, (tuple(map(prose, row)) for row in facts_of_tokens.rows(listed))
    )
    return out
