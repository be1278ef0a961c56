"""`apiops approve`: a second person's word for a plan."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place

FORMATS = ("text", "json", "markdown")


@options.verb("approve", "apiops approve 4f1c9e2a… --target production --as mert --sign-key KEY")
@click.argument("digest")
@options.place
@options.target
@options.pace
@options.option("--ref", default="HEAD", show_default=True, help="Branch, tag or commit.")
@options.option("--as", "principal", metavar="NAME", help="Who you are; over HTTP your token says.")
@options.option(
    "--sign-key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Your private SSH key: it proves who you are.",
)
@options.deliberate("--withdraw", is_flag=True, help="Take your approval back.")
@options.wishes
@options.introduction
@options.output(*FORMATS)
@options.option("--no-input", is_flag=True, help="Never ask.")
@click.pass_obj
def command(
    place: Place,
    /,
    console: Any,
    digest: str,
    principal: str | None,
    sign_key: Path | None,
    withdraw: bool,
    **chosen: Any,
) -> int:
    """Approve the plan with DIGEST, where an environment asks for more than one person.

    The plan is made anew: if it is another one by now, nothing is recorded and the exit code
    is 5. You approve with the rights that the plan needs, and nothing that you made yourself.
    """
    from dataclasses import replace

    from apiops.cli import entry
    from apiops.wiring import approving

    door = entry.Entry(place, console, chosen)
    with console.progress() as observer:
        planned = approving.approve(
            door.wiring(),
            observer,
            replace(door.order(), approved=digest),
            principal=principal or "",
            sign_key=sign_key,
            withdraw=withdraw,
        )
    console.show(planned.view)
    console.say("Your approval was taken back." if withdraw else "Your approval was recorded.")
    return 0
