"""Codes AO3xx: names that must exist, duplicates, cycles."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
