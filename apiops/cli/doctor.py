"""`apiops doctor`: is this machine, repository and Manager ready?"""

import re
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
@options.output(*FORMATS)
@click.pass_context
def command(ctx: click.Context, /, console: Any, settings: bool, **chosen: Any) -> int:
    """Check what a run needs, one line each, with the fix; exit 1 if something failed."""
    from apiops.cli import entry
    from apiops.wiring import doctor

    place: Place = ctx.obj
    if settings:
        _show_settings(ctx)
    several = len(place.settings.targets) != 1 and not chosen["target"]
    target = None if several else entry.chosen_target(place, chosen)
    report = doctor.examine(place.directory, target)
    console.show(report)
    return Exit.OK if report.healthy else Exit.FAILED


def _show_settings(ctx: click.Context) -> None:
    """Each value and its source, as click resolved it."""
    for name, value in sorted(ctx.params.items()):
        source = ctx.get_parameter_source(name)
        words = {"DEFAULT_MAP": "apiops.toml", "COMMANDLINE": "flag", "ENVIRONMENT": "variable"}
        origin = words.get(source.name, "default") if source else "default"
        click.echo(f"{name.replace('_', '-'):<12} {_shown(value):<32} {origin}", err=True)


def _shown(value: object) -> str:
    """A setting, without the password and the parameters that a URL may hold."""
    text = str(value)
    if "://" not in text:
        return text
    return re.sub(r"://([^:/]*):.*@", r"://\1:***@", text.partition("?")[0])
