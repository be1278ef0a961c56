"""The report of a run: what became of each change, where each unit is now, what to do next."""

from typing import Final

from apiops.model.outcome import Outcome, Result, RunReport
from apiops.render import words
from apiops.render.ink import Ink, Page

INKS: Final = {
    Result.DONE: Ink.GOOD,
    Result.DENIED: Ink.BAD,
    Result.REFUSED: Ink.BAD,
    Result.FAILED: Ink.BAD,
    Result.BLOCKED: Ink.CARE,
}


def page(report: RunReport) -> Page:
    """Draw a report."""
    out = Page()
    for outcome in report.outcomes:
        _outcome(out, outcome)
    out.gap()
    _units(out, report)
    out.gap()
    out.line((words.success(report), Ink.STRONG))
    for text in words.after(report):
        out.line(f"  {text}")
    return out


def _outcome(out: Page, outcome: Outcome) -> None:
    change = outcome.change
    entry = f"   audit {outcome.entry}" if outcome.entry is not None else ""
    title = f"  {words.SIGNS[change.action]} {words.what(change)}"
    out.line("  ", (f"{outcome.result.value:<7}", INKS[outcome.result]), title, (entry, Ink.QUIET))
    if outcome.message:
        out.line(f"             {outcome.code}  {outcome.message}")


def _units(out: Page, report: RunReport) -> None:
    names = sorted({*report.applied, *report.frozen}, key=lambda name: (name != "system", name))
    width = max((len(words.unit(name)) for name in names), default=0)
    for name in names:
        out.line(f"  {words.unit(name):<{width}}   {words.place(report, name)}")
