"""Options about Git servers."""

from pathlib import Path

import click

from apiops.cli import options
from apiops.cli.options import Command


def git_token(command: Command) -> Command:
    """--git-token-file: what a Git server is shown."""
    return options.option(
        "--git-token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File with the token for an https remote (or the token itself in APIOPS_GIT_TOKEN).",
    )(command)
