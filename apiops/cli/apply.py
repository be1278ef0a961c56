"""`apiops apply`: carry out a plan that somebody looked at."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place

FORMATS = ("text", "json", "jsonl", "markdown", "github", "junit")


@options.verb(
    "apply", "apiops apply --target production --approve 4f1c9e2a", "apiops apply plan.json"
)
@click.argument(
    "planfile", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@options.place
@options.target
@options.pace
@options.option("--ref", default="HEAD", show_default=True, help="Branch, tag or commit.")
@options.deliberate("--approve", metavar="DIGEST", help="Apply exactly the plan with this digest.")
@options.deliberate("--yes", is_flag=True, help="Apply what the plan says, unseen.")
@options.introduction
@options.wishes
@options.reporting
@options.output(*FORMATS)
@options.option("--no-input", is_flag=True, help="Never ask.")
@click.pass_obj
def command(
    place: Place,
    /,
    console: Any,
    planfile: Path | None,
    approve: str | None,
    yes: bool,
    **chosen: Any,
) -> int:
    """Carry out a plan: the one in PLANFILE, the approved one, or the one you say yes to.

    The plan is made anew under a lease. If anything moved since it was looked at (commit, live
    state, permissions), nothing is written and the exit code is 5.
    """
    from dataclasses import replace

    from apiops.cli import carrying, entry

    stored = carrying.stored(planfile) if planfile else None
    if stored is not None:
        chosen["ref"] = stored.head.commit
        chosen["target"] = chosen["target"] or stored.target
    door = entry.Entry(place, console, chosen)
    with door.runs() as runs:
        order = door.order()
        if stored is not None:
            order = replace(order, stored=stored)
        elif approve:
            order = replace(order, approved=approve)
        elif not yes:
            order = replace(order, approved=carrying.ask(door, runs, order))
        return carrying.exit_code(carrying.carry_out(door, runs, order))
