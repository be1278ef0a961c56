"""Codes AO7xx: the Manager, its database and its audit log."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
