"""Text for people at a terminal: one module per family of values, each giving a `Page`."""

from apiops.render.text import access, audit, doctor, explain, findings, plan, report, runs, tokens

__all__ = ["access", "audit", "doctor", "explain", "findings", "plan", "report", "runs", "tokens"]
