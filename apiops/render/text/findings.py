"""Diagnostics and errors for a terminal: what, where, what was expected, what next."""

from typing import Final

from apiops.errors import ApiopsError, SpecInvalid
from apiops.model.diagnostic import Diagnostic, Severity
from apiops.model.view import Findings
from apiops.render import words
from apiops.render.facts import findings as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink

INKS: Final = {Severity.ERROR: Ink.BAD, Severity.WARNING: Ink.CARE, Severity.NOTE: Ink.STRONG}
SEEN: Final = 72
"""Columns of a source line that are shown."""


def page(findings: Findings) -> Page:
    """Draw all findings, by file and line, and count them."""
    out = Page()
    for diagnostic in findings.sorted:
        _finding(out, diagnostic)
        out.gap()
    out.line((facts.tally(findings), Ink.STRONG))
    return out


def fault(error: ApiopsError) -> Page:
    """Draw the error that ended a run."""
    if isinstance(error, SpecInvalid):
        return page(Findings(error.diagnostics))
    out = Page()
    out.line(("error", Ink.BAD), f" {error.code}  ", (error.message, Ink.STRONG))
    if error.location is not None:
        out.line("  ┌ ", str(error.location))
    if error.hint:
        margin = "  │ " if error.location else "  "
        out.line(margin, error.hint, then=margin)
    out.line("  └ " if error.location else "  ", (words.explain(error.code), Ink.QUIET))
    return out


def _finding(out: Page, found: Diagnostic) -> None:
    severity = (found.severity.value, INKS[found.severity])
    out.line(severity, f" {found.code}  ", (found.message, Ink.STRONG))
    number = str(found.location.line) if found.excerpt and found.location.line else ""
    gutter = " " * max(len(number) + 1, 2)
    out.line(f"{gutter}┌ {found.location}")
    if number:
        shown, caret = _excerpt(found)
        out.line(f"{number:<{len(gutter)}}│ {shown}", whole=True)
        out.line(f"{gutter}│ ", (caret, INKS[found.severity]), f" {found.hint}", then=f"{gutter}│ ")
    elif found.hint:
        out.line(f"{gutter}│ {found.hint}", then=f"{gutter}│ ")
    out.line(f"{gutter}└ ", (words.explain(found.code), Ink.QUIET))


def _excerpt(found: Diagnostic) -> tuple[str, str]:
    """The source line around the column, character for character, and the carets below it."""
    line = "".join(char if char.isprintable() else _stand_in(char) for char in found.excerpt)
    column = max(found.location.column, 1) - 1
    start = max(0, column - SEEN // 2) if len(line) > SEEN else 0
    shown = line[start : start + SEEN].rstrip()
    room = max(len(shown) - (column - start), 1)
    carets = "^" * min(max(found.width, 1), room) if found.location.column else ""
    return shown, " " * (column - start) + carets


def _stand_in(char: str) -> str:
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"
