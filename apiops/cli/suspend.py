"""`apiops suspend`: let nothing be applied to a target until further notice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit


def by_hand(*, required: bool) -> Callable[[Any], Any]:
    """--as, --sign-key and --reason: who does it, the proof of it, and why.

    The reason is `required` where the verb does nothing without one.
    """
    flags = (
        options.deliberate("--reason", required=required, help="Why; it stands in the audit log."),
        options.option(
            "--sign-key",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="Your private SSH key: it proves who you are.",
        ),
        options.option("--as", "principal", help="Who you are; over HTTP your token says."),
    )

    def decorate(command: Any) -> Any:
        for flag in flags:
            command = flag(command)
        return command

    return decorate


@options.verb(
    "suspend",
    "apiops suspend --target production --for 2h --as ayse --sign-key ~/.ssh/id_ed25519 "
    '--reason "incident 4711"',
)
@options.place
@options.target
@options.option(
    "--for",
    "length",
    type=options.Duration(),
    metavar="TIME",
    help="End by itself after so long (90s, 5m, 1h).",
)
@by_hand(required=True)
@click.pass_obj
def command(place: Place, /, length: float | None, **chosen: Any) -> int:
    """Let nothing be applied to a target: no sync, no apply, through no door.

    It holds until the time is over or somebody resumes it. A scheduled sync goes on and says so
    with exit code 5. It takes the right to change the target's environment.
    """
    from apiops.wiring import suspending

    target = options.chosen_target(place, chosen)
    until = None if length is None else datetime.now(UTC) + timedelta(seconds=length)
    suspending.say(
        target,
        principal=chosen["principal"] or "",
        sign_key=chosen["sign_key"],
        reason=chosen["reason"],
        until=until,
    )
    click.echo(f"{target.name} is suspended", err=True)
    return Exit.OK
