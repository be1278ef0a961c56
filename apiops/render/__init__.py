"""Values to text, for people and for machines: `render.render(value, "markdown")`.

Every renderer is a pure function of one value. A value is one line in `_SHAPES`, a format one
function in `_FORMATS`; nothing else in apiops knows how anything looks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from apiops.render import machine, markdown, text
from apiops.render.ink import Page, wanted
from apiops.render.markdown import answers
from apiops.render.markdown.paper import Paper
from apiops.render.pipeline import github, gitlab, junit, sarif

__all__ = ["FORMATS", "render", "wanted"]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one type of value is shown: its name for machines, its page, its paper."""

    kind: str
    page: Callable[[Any], Page]
    paper: Callable[[Any], Paper]


_SHAPES: Final[dict[str, _Shape]] = {
    "PlanView": _Shape("plan", text.plan.page, markdown.plan.paper),
    "Findings": _Shape("diagnostics", text.findings.page, markdown.findings.paper),
    "RunReport": _Shape("report", text.report.page, markdown.report.paper),
    "AuditTrail": _Shape("audit", text.audit.table, markdown.audit.table),
    "AuditEntry": _Shape("entry", text.audit.entry, markdown.audit.entry),
    "KeyList": _Shape("keys", text.audit.keys, markdown.audit.keys),
    "ProofReport": _Shape("proof", text.audit.proof, markdown.audit.proof),
    "ChainReport": _Shape("chain", text.audit.chain, markdown.audit.chain),
    "Holders": _Shape("holders", text.access.page, answers.holders),
    "AccessCheck": _Shape("check", text.access.check, answers.check),
    "PermissionMatrix": _Shape("matrix", text.access.matrix, answers.matrix),
    "Explanation": _Shape("explanation", text.explain.page, markdown.explain.paper),
    "DoctorReport": _Shape("doctor", text.doctor.page, answers.doctor),
    "TokenList": _Shape("tokens", text.tokens.page, answers.tokens),
    "PastRuns": _Shape("runs", text.runs.page, answers.runs),
    "ApiopsError": _Shape("error", text.findings.fault, markdown.findings.fault),
}
"""Type name → shape; by name, so that a value's module is loaded only by whoever makes it."""


@dataclass(frozen=True, slots=True)
class _Options:
    """What a caller may say about a rendering; a format heeds what concerns it."""

    colour: bool
    width: int | None
    full: str


_FORMATS: Final[dict[str, Callable[[Any, _Shape, _Options], str]]] = {
    "text": lambda value, shape, options: shape.page(value).text(
        colour=options.colour, width=options.width
    ),
    "json": lambda value, shape, _: machine.document(value, shape.kind),
    "jsonl": lambda value, shape, _: machine.lines(value, shape.kind),
    "markdown": lambda value, shape, options: shape.paper(value).text(pointer=options.full),
    "github": lambda value, *_: github.annotations(value),
    "gitlab": lambda value, *_: gitlab.report(value),
    "junit": lambda value, shape, _: junit.suite(value, shape.kind),
    "sarif": lambda value, *_: sarif.log(value),
}

FORMATS: Final = tuple(_FORMATS)
"""The formats there are; the last four are for values with remarks (findings, plans, runs)."""


def render(
    value: Any, format: str, *, colour: bool = False, width: int | None = None, full: str = ""
) -> str:
    """The value in one of FORMATS, ended by a line feed.

    `colour` and `width` (of a terminal, for wrapping) are for text alone. `full` is a sentence
    that says where the whole document is, in case Markdown must be cut.

    Raises LookupError for a format or a value that is not known.
    """
    names = (kind.__name__ for kind in type(value).__mro__)
    shape = next((_SHAPES[name] for name in names if name in _SHAPES), None)
    if shape is None:
        raise LookupError(f"{type(value).__name__} has no rendering")
    if format not in _FORMATS:
        raise LookupError(f"no such format: {format}")
    return _FORMATS[format](value, shape, _Options(colour, width, full or ELSEWHERE))


ELSEWHERE: Final = "The text output has the rest: `-o text=FILE`."
