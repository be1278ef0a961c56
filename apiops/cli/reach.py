"""Options of what goes over a network: for how long, how hard, and what Git servers are shown."""

import re
from pathlib import Path
from typing import Any, Final

import click

from apiops.cli import options
from apiops.cli.options import Command

_UNITS: Final = {"s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """A length of time as people write it: `90s`, `5m`, `1h`; gives seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds."""
        found = re.fullmatch(r"([1-9]\d{0,4})([smh])", str(value))
        if found is None:
            self.fail(f'"{value}" is no length of time: write 90s, 5m or 1h', param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


def git_token(command: Command) -> Command:
    """--git-token-file: what a Git server is shown."""
    return options.option(
        "--git-token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File with the token for an https remote (or the token itself in APIOPS_GIT_TOKEN).",
    )(command)


def pace(command: Command) -> Command:
    """--deadline and --parallel: how long a run may take over a network, and how hard it asks."""
    for decorator in reversed(
        (
            options.option(
                "--deadline",
                type=Duration(),
                metavar="TIME",
                help="Send nothing more over the network after so long (90s, 5m, 1h).",
            ),
            options.option(
                "--parallel",
                type=click.IntRange(1, 64),
                metavar="N",
                help="Calls of a vendor's Manager at once, at most (default 8; fewer while it is "
                "slow).",
            ),
        )
    ):
        command = decorator(command)
    return command
