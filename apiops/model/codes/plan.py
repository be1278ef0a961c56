"""Codes AO6xx: plans, guards and staleness."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
