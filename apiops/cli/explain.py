"""`apiops explain`: kinds, fields and codes, from the schemas and the code table."""

from typing import Any

import click

from apiops.cli import options
from apiops.errors import Exit

FORMATS = ("text", "json", "markdown")


@options.verb(
    "explain",
    "apiops explain ApiProxy",
    "apiops explain ApiProxy.spec.routing",
    "apiops explain AO203",
)
@click.argument("topic")
@options.output(*FORMATS)
def command(topic: str, console: Any) -> int:
    """Explain a kind, a field or a code."""
    from apiops.spec import explain

    console.show(explain.explain(topic))
    return Exit.OK
