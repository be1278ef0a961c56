"""What a kind, a field or a code is, for a terminal."""

from typing import TYPE_CHECKING, Final

from apiops.render.facts import explain as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink

if TYPE_CHECKING:
    from apiops.spec.explain import Explanation

WIDTH: Final = 96
"""Columns of running text."""

NAMES: Final = 28
"""How far a long field name may push what follows to the right."""

TYPES: Final = 32
"""How far a long type may."""


def page(told: "Explanation") -> Page:
    """Draw an explanation: what it is, what it may be, what is inside, how it is written."""
    out = Page()
    out.line((told.title, Ink.STRONG), f"   {facts.nature(told.type, required=told.required)}")
    out.gap()
    _text(out, told.description)
    for label, text in facts.bounds(told):
        out.gap()
        _text(out, f"{label}: {text}")
    if told.remedy:
        out.gap()
        out.line(("  What to do", Ink.STRONG))
        _text(out, told.remedy, indent=4)
    _fields(out, told)
    if told.example:
        out.gap()
        out.line(("  Example", Ink.STRONG))
        for line in told.example.splitlines():
            out.line(f"    {line}", whole=True)
    return out


def _fields(out: Page, told: "Explanation") -> None:
    """Draw what is inside: name, type and description in columns, the description beside them."""
    if not told.children:
        return
    out.gap()
    out.line(("  Inside", Ink.STRONG))
    names = [child.name for child in told.children]
    types = [facts.nature(child.type, required=child.required) for child in told.children]
    name_width, type_width = _widest(names, NAMES), _widest(types, TYPES)
    then = " " * (4 + name_width + 3 + type_width + 3)
    for name, type, child in zip(names, types, told.children, strict=True):
        typed = (f"{type:<{type_width}}", Ink.QUIET)
        named = f"    {name:<{name_width}}   "
        out.line(named, typed, f"   {_words(child.description)}", then=then, most=WIDTH)


def _widest(texts: list[str], most: int) -> int:
    return min(max(map(len, texts)), most)


def _text(out: Page, text: str, *, indent: int = 2) -> None:
    start = " " * indent
    out.line(start + _words(text), then=start, most=WIDTH)


def _words(text: str) -> str:
    return " ".join(text.split())
