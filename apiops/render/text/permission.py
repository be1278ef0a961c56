"""The permission block of a plan: who needs what, and for a denial what to do next."""

from collections.abc import Mapping

from apiops.model.access import Right, Scope, Verdicts
from apiops.render.facts import permission as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink


def block(out: Page, verdicts: Verdicts, subjects: Mapping[str, str]) -> None:
    """Draw what was needed and held, then each denied change with its causes."""
    if not verdicts.judgements:
        return
    out.gap()
    out.line("  Permission")
    _allowed(out, facts.allowed_needs(verdicts))
    for titles, lines in facts.denials(verdicts, subjects):
        _denied(out, titles, lines)
    for unit in sorted(verdicts.frozen):
        out.line("    ", ("frozen", Ink.BAD), f"   {facts.frozen(unit)}", then=" " * 13)


def _allowed(out: Page, rows: tuple[tuple[str, Right, Scope], ...]) -> None:
    who = max((len(row[0]) for row in rows), default=0)
    what = max((len(str(row[1])) for row in rows), default=0)
    for principals, right, scope in rows:
        text = f"  {principals:<{who}}   {right!s:<{what}}   {scope}"
        out.line("    ", ("allowed", Ink.GOOD), text)


def _denied(out: Page, titles: tuple[str, ...], lines: facts.Lines) -> None:
    first, *others = titles
    out.line("    ", ("denied", Ink.BAD), f"   {first}")
    for title in others:
        out.line(f"             {title}")
    for label, text in lines:
        out.line(f"        {label:<9}{text}", then=" " * 17)
