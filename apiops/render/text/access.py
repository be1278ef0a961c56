"""Answers of `apiops access` for a terminal: who may, who might, and the matrix of roles."""

from collections.abc import Iterable
from typing import Final

from apiops.model.access import Trust
from apiops.model.view import AccessCheck, Holders, PermissionMatrix
from apiops.render.facts import permission
from apiops.render.facts import plan as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink

ABREAST: Final = 7
"""Roles that stand beside each other in the matrix."""


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
        told = f"  {verdict.principal:<{who}}   {verdict.rule:<{rule}}   {verdict.because}"
        out.line("  ", (f"{word:<7}", ink), told, then=" " * (17 + who + rule))
    return out


def check(view: AccessCheck) -> Page:
    """Draw what was ruled on every change; below each denial what to do."""
    out = Page()
    if view.verdicts.trust is Trust.COMMITTER:
        out.line((facts.BELIEVED, Ink.CARE))
        out.gap()
    out.line(("Permission", Ink.STRONG), f"   {view.target} at {view.head.short}")
    out.gap()
    rows = permission.rulings(view.verdicts)
    if not rows:
        out.line(f"  {permission.NOTHING}")
        return out
    lines = [
        (row.verdict, row.change, row.commit, row.signer, ", ".join(row.needs), row.rule)
        for row in rows
    ]
    titles = ("verdict", *permission.HEADINGS[:4], "rule")
    widths = [max(map(len, column)) for column in zip(titles, *lines, strict=True)]
    out.line((f"  {_row(titles, widths)}", Ink.QUIET))
    for ruling, (word, *cells) in zip(rows, lines, strict=True):
        ink = Ink.GOOD if ruling.allowed else Ink.BAD
        out.line("  ", (f"{word:<{widths[0]}}", ink), f"   {_row(cells, widths[1:])}")
        if ruling.next:
            out.line(f"  {'':<{widths[0]}}   next: {ruling.next}")
    out.gap()
    for unit in sorted(view.verdicts.frozen):
        out.line("  ", ("frozen", Ink.BAD), f"   {permission.frozen(unit)}")
    out.line(f"  {permission.summary(view.verdicts)}")
    return out


def matrix(matrix: PermissionMatrix) -> Page:
    """Draw the matrix, a few roles abreast, their names in two lines."""
    out = Page()
    out.line((permission.matrix_title(matrix), Ink.STRONG))
    first = max(map(len, matrix.cells), default=0)
    for start in range(0, len(matrix.roles), ABREAST):
        columns = range(len(matrix.roles))[start : start + ABREAST]
        names = [matrix.roles[column].rpartition(" ") for column in columns]
        widths = [max(len(head), len(tail), 4) for head, _, tail in names]
        out.gap()
        out.line((f"  {'':<{first}}  {_row((n[0] for n in names), widths, 2)}", Ink.QUIET))
        out.line((f"  {'':<{first}}  {_row((n[2] for n in names), widths, 2)}", Ink.QUIET))
        for category, cells in matrix.cells.items():
            shown = (cells[column] or "–" for column in columns)
            out.line(f"  {category:<{first}}  {_row(shown, widths, 2)}")
    out.gap()
    out.line(f"  {permission.legend(matrix)}")
    return out


def _row(cells: Iterable[str], widths: Iterable[int], gap: int = 3) -> str:
    pairs = zip(cells, widths, strict=True)
    return (" " * gap).join(f"{cell:<{width}}" for cell, width in pairs).rstrip()
