"""The report of a run: what became of each change, where each unit is now, what to do next."""

from itertools import zip_longest
from typing import Final

from apiops.model.outcome import Outcome, Result, RunReport
from apiops.render.facts import plan
from apiops.render.facts import report as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink

INKS: Final = {
    Result.DONE: Ink.GOOD,
    Result.DENIED: Ink.BAD,
    Result.REFUSED: Ink.BAD,
    Result.FAILED: Ink.BAD,
    Result.BLOCKED: Ink.CARE,
}
WIDEST: Final = 72
"""Where the column of audit entries begins at the latest."""


def page(report: RunReport) -> Page:
    """Draw a report."""
    out = Page()
    width = max((len(_title(outcome)) for outcome in report.outcomes), default=0)
    for outcome, after in zip_longest(report.outcomes, report.outcomes[1:]):
        _outcome(out, outcome, min(width, WIDEST))
        if outcome.message and (after is None or _told(after) != _told(outcome)):
            out.line(f"             {outcome.code}  {outcome.message}", then=" " * 13)
    out.gap()
    _units(out, report)
    out.gap()
    out.line((facts.success(report), Ink.STRONG))
    for text in facts.after(report):
        out.line(f"  {text}")
    return out


def _title(outcome: Outcome) -> str:
    return f"{plan.SIGNS[outcome.change.action]} {plan.what(outcome.change)}"


def _told(outcome: Outcome) -> tuple[Result, str, str]:
    """What is said of an outcome; of those in a row that say the same it is said once, below."""
    return outcome.result, outcome.code, outcome.message


def _outcome(out: Page, outcome: Outcome, width: int) -> None:
    result = (f"{outcome.result.value:<7}", INKS[outcome.result])
    entry = f"   audit {outcome.entry}" if outcome.entry is not None else ""
    out.line("  ", result, f"  {_title(outcome):<{width}}", (entry, Ink.QUIET))


def _units(out: Page, report: RunReport) -> None:
    places = facts.places(report)
    width = max((len(name) for name, _ in places), default=0)
    for name, place in places:
        out.line(f"  {name:<{width}}   {place}")
