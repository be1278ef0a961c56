"""The report of a run in Markdown."""

from apiops.model.outcome import Outcome, Result, RunReport
from apiops.render.facts import plan
from apiops.render.facts import report as facts
from apiops.render.markdown.paper import Paper, code, marker, prose


def paper(report: RunReport) -> Paper:
    """Write a report: what was not done above the fold, what was done in it."""
    out = Paper()
    out.line(marker("report", report.target))
    out.paragraph(f"### {prose(facts.success(report))}")
    open_ends = [one for one in report.outcomes if one.result is not Result.DONE]
    done = [one for one in report.outcomes if one.result is Result.DONE]
    if open_ends:
        out.table(("result", "change", "why"), map(_row, open_ends))
    for text in facts.after(report):
        out.line(f"- {prose(text)}")
    units = [(prose(name), prose(place)) for name, place in facts.places(report)]
    if units:
        out.line()
        out.table(("unit", "commit"), units)
    if done:
        out.fold(f"{len(done):,} done")
        out.table(("result", "change", "audit entry"), map(_row, done))
        out.unfold()
    return out


def _row(outcome: Outcome) -> tuple[str, str, str]:
    change = outcome.change
    title = code(f"{plan.SIGNS[change.action]} {plan.what(change)}")
    if outcome.result is Result.DONE:
        return outcome.result.value, title, "" if outcome.entry is None else str(outcome.entry)
    return outcome.result.value, title, f"{outcome.code} {prose(outcome.message)}"
