"""Past runs as they are listed, one line each."""

from apiops.model.view import PastRuns
from apiops.render.facts import runs as facts
from apiops.render.ink import Page


def page(past: PastRuns) -> Page:
    """Draw the runs, newest first."""
    out = Page()
    out.table(facts.HEADINGS, facts.rows(past))
    return out
