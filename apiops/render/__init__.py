"""Values to text, for people and for machines: `render.render(value, "markdown")`.

Every renderer is a pure function of one value. A format is one entry of `_RENDERERS`, a value is
one line in it; nothing else in apiops knows how anything looks.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from apiops.errors import ApiopsError
from apiops.model.outcome import RunReport
from apiops.model.view import Findings, PlanView
from apiops.render.ink import Page
from apiops.render.text import findings, plan, report

Draw = Callable[[Any], Page]

_TEXT: Final[Mapping[type, Draw]] = {
    PlanView: plan.page,
    Findings: findings.page,
    RunReport: report.page,
    ApiopsError: findings.fault,
}


def render(value: Any, format: str, *, colour: bool = False) -> str:
    """The value in a format. Raises LookupError for what has no such rendering."""
    for kind in type(value).__mro__:
        if kind in _TEXT:
            return _TEXT[kind](value).text(colour=colour)
    raise LookupError(f"{type(value).__name__} has no {format} rendering")
