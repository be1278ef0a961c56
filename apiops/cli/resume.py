"""`apiops resume`: end the suspension of a target."""

from typing import Any

import click

from apiops.cli import options, suspend
from apiops.cli.options import Place
from apiops.errors import Exit


@options.verb(
    "resume",
    "apiops resume --target production --as ayse --sign-key ~/.ssh/id_ed25519 "
    '--reason "4711 is over"',
)
@options.place
@options.target
@suspend.by_hand(required=True)
@click.pass_obj
def command(place: Place, /, **chosen: Any) -> int:
    """Let the next sync or apply carry out what waits.

    It takes the right to change the target's environment.
    """
    from apiops.wiring import suspending

    target = options.chosen_target(place, chosen)
    suspending.say(
        target,
        principal=chosen["principal"] or "",
        sign_key=chosen["sign_key"],
        reason=chosen["reason"],
        resumes=True,
    )
    click.echo(f"{target.name} is resumed", err=True)
    return Exit.OK
