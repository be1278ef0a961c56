"""Codes AO1xx: the text of a YAML file."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = ()
