"""Markdown for pull-request comments and job summaries: one module per family of values."""
