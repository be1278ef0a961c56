"""`apiops version`: what a bug report needs to know."""

import json
import platform

import click

from apiops import __version__
from apiops.cli import options
from apiops.errors import Exit


@options.verb("version", "apiops version", "apiops version -o json")
@options.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Output format."
)
def command(output: str) -> int:
    """Print the versions of apiops and of what it stands on."""
    from apiops.cli import console
    from apiops.wiring import versions

    facts = {
        "apiops": __version__,
        "apiVersion": "apiops/v1",
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        **versions.libraries(),
    }
    if output == "json":
        console.put(json.dumps({"format_version": "1.0", **facts}, indent=2) + "\n")
    else:
        console.put("".join(f"{name:<14}{version}\n" for name, version in facts.items()))
    return Exit.OK
