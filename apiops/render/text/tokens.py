"""Tokens as they are listed, one line each."""

from apiops.model.token import TokenList
from apiops.render.facts import tokens as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink


def page(listed: TokenList) -> Page:
    """Draw the tokens, newest first."""
    out = Page()
    rows = [facts.HEADINGS, *facts.rows(listed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(facts.HEADINGS))]
    for number, row in enumerate(rows):
        text = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        out.line((text.rstrip(), Ink.QUIET) if number == 0 else text.rstrip())
    return out
