"""`apiops drift`: the live state against the last applied revision."""

from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit

FORMATS = ("text", "json", "markdown", "github", "gitlab", "junit")


@options.verb("drift", "apiops drift --target production --detailed-exitcode")
@options.place
@options.target
@options.pace
@options.option("--no-secrets", is_flag=True, help="Open no secret, even if a key is at hand.")
@options.output(*FORMATS)
@options.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there is drift (0: none).")
@click.pass_obj
def command(place: Place, /, console: Any, detailed_exitcode: bool, **chosen: Any) -> int:
    """Show what somebody changed in the Manager since the last apply.

    A newer commit that nobody applied yet is pending, not drift. `apiops apply` brings the
    Manager back.
    """
    from apiops.cli import entry

    door = entry.Entry(place, console, {**chosen, "no_input": True})
    with door.runs() as runs:
        planned = runs.drift()
    if planned is None:
        console.say("Nothing was ever applied to this target, so nothing can have drifted.")
        return Exit.OK
    console.show(planned.view)
    return Exit.CHANGES if detailed_exitcode and planned.view.plan.changes else Exit.OK
