"""Options about Git servers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from apiops.cli import options
from apiops.cli.options import Command

_FILES: Final = {
    "--git-token-file": (
        "File with the token for an https remote (or the token itself in APIOPS_GIT_TOKEN)."
    ),
    "--git-ssh-key": "Private key for an ssh remote; no agent and no other key is asked.",
    "--git-ssh-passphrase-file": "File with the passphrase of that key.",
    "--git-known-hosts": (
        "SSH servers that count, as known_hosts has them (default: your own known_hosts)."
    ),
}


def login(command: Command) -> Command:
    """What a Git server is shown, and by what it is known."""
    for name, told in reversed(_FILES.items()):
        path = click.Path(path_type=Path, dir_okay=False)
        command = options.option(name, type=path, help=told)(command)
    return command


def files(chosen: Mapping[str, Any]) -> tuple[Path | None, ...]:
    """The files that were named, in the order in which `wiring.source.login` takes them."""
    return tuple(chosen[name.strip("-").replace("-", "_")] for name in _FILES)
