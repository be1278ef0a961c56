"""`apiops completion`: the completion script that click makes for a shell."""

import click
from click.shell_completion import get_completion_class

from apiops.cli import options
from apiops.errors import Exit


@options.verb(
    "completion",
    "apiops completion bash > ~/.local/share/bash-completion/completions/apiops",
    'eval "$(apiops completion zsh)"',
    "apiops completion fish > ~/.config/fish/completions/apiops.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for a shell."""
    from apiops.cli import console
    from apiops.cli.main import apiops

    kind = get_completion_class(shell)
    assert kind is not None, "click knows every shell in the choice"
    console.put(kind(apiops, {}, "apiops", "_APIOPS_COMPLETE").source() + "\n")
    return Exit.OK
