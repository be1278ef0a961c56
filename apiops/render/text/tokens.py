"""Tokens as they are listed, one line each."""

from apiops.model.token import TokenList
from apiops.render.facts import tokens as facts
from apiops.render.ink import Page


def page(listed: TokenList) -> Page:
    """Draw the tokens, newest first."""
    out = Page()
    out.table(facts.HEADINGS, facts.rows(listed))
    return out
