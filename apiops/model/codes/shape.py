"""Codes AO2xx: kinds, fields and types."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
