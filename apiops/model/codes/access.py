"""Codes AO5xx: signatures, principals and permission."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
