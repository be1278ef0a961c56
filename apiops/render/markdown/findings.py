"""Diagnostics and errors in Markdown."""

from apiops.errors import ApiopsError, SpecInvalid
from apiops.model.diagnostic import Diagnostic
from apiops.model.view import Findings
from apiops.render import words
from apiops.render.facts import findings as facts
from apiops.render.markdown.paper import Paper, code, prose


def paper(findings: Findings) -> Paper:
    """Write all findings as a table, by file and line."""
    out = Paper()
    out.line("<!-- apiops:validate -->")
    out.paragraph(f"### {facts.tally(findings)}")
    if findings.diagnostics:
        out.table(("", "code", "where", "what"), map(_row, findings.sorted))
    return out


def _row(found: Diagnostic) -> tuple[str, str, str, str]:
    hint = f"<br>{prose(found.hint)}" if found.hint else ""
    where = code(str(found.location))
    return found.severity.value, found.code, where, f"{prose(found.message)}{hint}"


def fault(error: ApiopsError) -> Paper:
    """Write the error that ended a run."""
    if isinstance(error, SpecInvalid):
        return paper(Findings(error.diagnostics))
    out = Paper()
    out.paragraph(f"### Error {error.code}")
    out.paragraph(prose(error.message))
    if error.location is not None:
        out.paragraph(f"Where: {code(str(error.location))}")
    if error.hint:
        out.paragraph(prose(error.hint))
    out.paragraph(code(words.explain(error.code)))
    return out
