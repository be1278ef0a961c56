"""Values to text, for people and for machines: `render.render(value, "markdown")`.

Every renderer is a pure function of one value. A value is one line in `_SHAPES`, a format one
function in `_FORMATS`; nothing else in apiops knows how anything looks.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from apiops.render import machine
from apiops.render.ink import wanted

__all__ = ["FORMATS", "render", "wanted"]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one type of value is shown: its name for machines, its page for people at a terminal
    (`module:function` below `text`) and its paper for Markdown (below `markdown`).
    """

    kind: str
    page: str
    paper: str


_SHAPES: Final[dict[str, _Shape]] = {
    "PlanView": _Shape("plan", "plan:page", "plan:paper"),
    "Findings": _Shape("diagnostics", "findings:page", "findings:paper"),
    "RunReport": _Shape("report", "report:page", "report:paper"),
    "AuditTrail": _Shape("audit", "audit:table", "audit:table"),
    "AuditEntry": _Shape("entry", "audit:entry", "audit:entry"),
    "KeyList": _Shape("keys", "audit:keys", "audit:keys"),
    "ProofReport": _Shape("proof", "audit:proof", "audit:proof"),
    "ChainReport": _Shape("chain", "audit:chain", "audit:chain"),
    "Holders": _Shape("holders", "access:page", "answers:holders"),
    "AccessCheck": _Shape("check", "access:check", "answers:check"),
    "PermissionMatrix": _Shape("matrix", "access:matrix", "answers:matrix"),
    "Explanation": _Shape("explanation", "explain:page", "explain:paper"),
    "DoctorReport": _Shape("doctor", "doctor:page", "answers:doctor"),
    "TokenList": _Shape("tokens", "tokens:page", "answers:tokens"),
    "PastRuns": _Shape("runs", "runs:page", "answers:runs"),
    "ApiopsError": _Shape("error", "findings:fault", "findings:fault"),
}
"""Type name → shape; by name, so that a value's module is loaded only by whoever makes it."""


@dataclass(frozen=True, slots=True)
class _Options:
    """What a caller may say about a rendering; a format heeds what concerns it."""

    colour: bool
    width: int | None
    full: str


_FORMATS: Final[dict[str, Callable[[Any, _Shape, _Options], str]]] = {
    "text": lambda value, shape, options: _found("text", shape.page)(value).text(
        colour=options.colour, width=options.width
    ),
    "json": lambda value, shape, _: machine.document(value, shape.kind),
    "jsonl": lambda value, shape, _: machine.lines(value, shape.kind),
    "markdown": lambda value, shape, options: _found("markdown", shape.paper)(value).text(
        pointer=options.full
    ),
    "github": lambda value, *_: _found("pipeline", "github:annotations")(value),
    "gitlab": lambda value, *_: _found("pipeline", "gitlab:report")(value),
    "junit": lambda value, shape, _: _found("pipeline", "junit:suite")(value, shape.kind),
    "sarif": lambda value, *_: _found("pipeline", "sarif:log")(value),
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


def _found(package: str, name: str) -> Callable[..., Any]:
    """A renderer: loaded when it is needed, for a command needs one or two of three dozen."""
    module, _, function = name.partition(":")
    renderer: Callable[..., Any] = getattr(
        importlib.import_module(f"apiops.render.{package}.{module}"), function
    )
    return renderer


ELSEWHERE: Final = "The text output has the rest: `-o text=FILE`."
