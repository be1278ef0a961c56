"""Who may do something, for a terminal."""

from apiops.model.view import Holders
from apiops.render.ink import Ink, Page


def page(holders: Holders) -> Page:
    """Draw the verdict on each principal: those who may first, then those who may not."""
    out = Page()
    out.line((str(holders.right), Ink.STRONG), f"   in {holders.scope}")
    out.gap()
    if not any(verdict.allowed for verdict in holders.verdicts):
        out.line("  Nobody may.")
    who = max((len(verdict.principal) for verdict in holders.verdicts), default=0)
    rule = max((len(verdict.rule) for verdict in holders.verdicts), default=0)
    for verdict in sorted(holders.verdicts, key=lambda one: (not one.allowed, one.principal)):
        word, ink = ("allowed", Ink.GOOD) if verdict.allowed else ("denied", Ink.BAD)
        told = f"  {verdict.principal:<{who}}   {verdict.rule:<{rule}}   {verdict.explanation}"
        out.line("  ", (f"{word:<7}", ink), told)
    return out
