"""Codes AO9xx: settings, command line, apiops itself."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
