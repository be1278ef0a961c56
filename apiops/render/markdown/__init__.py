"""Markdown for pull-request comments and job summaries: one module per family of values."""

from apiops.render.markdown import answers, audit, explain, findings, plan, report

__all__ = ["answers", "audit", "explain", "findings", "plan", "report"]
