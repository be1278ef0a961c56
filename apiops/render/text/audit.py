"""The audit trail for a terminal: a table of entries, one entry in full, the state of the chain."""

from typing import Final

from apiops.model.audit import AuditEntry, ChainReport, KeyList, ProofReport
from apiops.model.view import AuditTrail
from apiops.render.facts import audit as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink

MOST: Final = 60
"""Differences that are shown of one entry; the rest is counted."""


def table(trail: AuditTrail) -> Page:
    """Draw entries as a table, one line each."""
    out = Page()
    if not trail.entries:
        out.line("No audit entries match.")
        return out
    _draw(out, facts.HEADINGS, [facts.row(entry) for entry in trail.entries])
    return out


def keys(found: KeyList) -> Page:
    """Draw key versions as a table, one line each."""
    out = Page()
    _draw(out, facts.KEY_HEADINGS, [facts.key(one) for one in found.keys])
    return out


def entry(entry: AuditEntry) -> Page:
    """Draw one entry in full: what happened, why, and what was different afterwards."""
    out = Page()
    out.line((f"Audit entry {entry.seq}", Ink.STRONG), f"   {facts.deed(entry)}")
    out.gap()
    for label, text in facts.lines(entry):
        out.line(f"  {label:<10}{text}", then=" " * 12)
    differences = facts.delta(entry.before, entry.after)
    if differences:
        out.gap()
    width = min(max((len(path) for path, _ in differences), default=0), 48)
    for path, difference in differences[:MOST]:
        out.line(f"    {path:<{width}}   {difference}")
    if len(differences) > MOST:
        out.line(f"    … and {len(differences) - MOST:,} more: -o json shows all")
    return out


def chain(report: ChainReport) -> Page:
    """Say whether the audit chain holds, and where it first breaks."""
    out = Page()
    first, *rest = facts.chain(report)
    out.line((first, Ink.GOOD if report.first_bad is None else Ink.BAD))
    for text in rest:
        out.line(f"  {text}")
    return out


def proof(report: ProofReport) -> Page:
    """Say what was proven, and show the entry that it was proven of."""
    out = entry(report.entry) if report.entry is not None else Page()
    if report.entry is not None:
        out.gap()
    out.line((facts.proof(report), Ink.GOOD))
    return out


def _draw(out: Page, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    out.line((_padded(headings, widths), Ink.STRONG))
    for row in rows:
        out.line(_padded(row, widths), then=" " * (widths[0] + 3))


def _padded(row: tuple[str, ...], widths: list[int]) -> str:
    return "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
