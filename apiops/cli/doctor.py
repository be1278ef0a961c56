"""`apiops doctor`: is this machine, repository and Manager ready?"""

from dataclasses import replace
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit

FORMATS = ("text", "json", "markdown")


@options.verb("doctor", "apiops doctor", "apiops doctor --target production --settings")
@options.place
@options.target
@options.option("--settings", is_flag=True, help="Show each setting and where it came from.")
@options.option(
    "--probe-writes",
    is_flag=True,
    help="Ask a vendor's Manager for rights to write, by deletes of names that nobody has.",
)
@options.output(*FORMATS)
@click.pass_context
def command(
    ctx: click.Context, /, console: Any, settings: bool, probe_writes: bool, **chosen: Any
) -> int:
    """Check what a run needs, one line each, with the fix; exit 1 if something failed."""
    from apiops.cli import entry, inforce
    from apiops.wiring import doctor

    place: Place = ctx.obj
    several = len(place.settings.targets) != 1 and not chosen["target"]
    target = None if several else entry.chosen_target(place, chosen)
    report = doctor.examine(place.directory, target, trials=probe_writes)
    if settings:
        report = replace(report, settings=inforce.settings(ctx, place, target))
    console.show(report)
    return Exit.OK if report.healthy else Exit.FAILED
