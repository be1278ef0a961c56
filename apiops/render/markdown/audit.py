"""The audit trail in Markdown."""

from apiops.model.audit import AuditEntry, ChainReport, KeyList, ProofReport
from apiops.model.view import AuditTrail
from apiops.render.facts import audit as facts
from apiops.render.markdown.paper import Paper, code, prose


def table(trail: AuditTrail) -> Paper:
    """Write entries as a table, one row each."""
    out = Paper()
    if not trail.entries:
        out.paragraph("No audit entries match.")
        return out
    rows = (map(prose, facts.row(entry)) for entry in trail.entries)
    out.table(map(prose, facts.HEADINGS), rows)
    return out


def entry(entry: AuditEntry) -> Paper:
    """Write one entry in full."""
    out = Paper()
    out.paragraph(f"### Audit entry {entry.seq}: {prose(facts.deed(entry))}")
    out.table(("", ""), ((label, prose(text)) for label, text in facts.lines(entry)))
    differences = facts.delta(entry.before, entry.after)
    if differences:
        cells = ((code(path), code(difference)) for path, difference in differences)
        out.table(("field", "before → after"), cells)
    return out


def chain(report: ChainReport) -> Paper:
    """Write whether the audit chain holds, and where it first breaks."""
    out = Paper()
    first, *rest = facts.chain(report)
    out.paragraph(f"**{prose(first)}**")
    for text in rest:
        out.paragraph(prose(text))
    return out


def proof(report: ProofReport) -> Paper:
    """Write what was proven, and the entry that it was proven of."""
    out = entry(report.entry) if report.entry is not None else Paper()
    out.paragraph(f"**{prose(facts.proof(report))}**")
    return out


def keys(found: KeyList) -> Paper:
    """Write key versions as a table, one row each."""
    out = Paper()
    out.table(map(prose, facts.KEY_HEADINGS), (map(prose, facts.key(one)) for one in found.keys))
    return out
