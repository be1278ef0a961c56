"""Codes AO4xx: sops files, age identities, sealed fields."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
