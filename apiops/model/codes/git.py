"""Codes AO8xx: the Git repository."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
