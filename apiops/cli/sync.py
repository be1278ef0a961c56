"""`apiops sync`: plan, judge and apply a ref, without asking."""

from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place

FORMATS = ("text", "json", "jsonl", "markdown", "github", "junit")


@options.verb("sync", "apiops sync --target production --fetch origin --ref origin/main")
@options.place
@options.target
@options.option("--ref", default="HEAD", show_default=True, help="Branch, tag or commit.")
@options.option("--fetch", metavar="REMOTE", help="Fetch this remote first.")
@options.introduction
@options.wishes
@options.reporting
@options.output(*FORMATS)
@click.pass_obj
def command(place: Place, /, console: Any, fetch: str | None, **chosen: Any) -> int:
    """Bring the Manager to a ref: plan, judge and apply under a lease, and report.

    Guards and permissions hold as everywhere: what is denied freezes its project, the others
    advance.
    """
    from apiops.cli import carrying, entry, evidence
    from apiops.wiring import assemble

    door = entry.Entry(place, console, {**chosen, "no_input": True})
    if fetch:
        assemble.fetch(place.directory, fetch, evidence.given(chosen["evidence"]))
    with door.runs() as runs:
        return carrying.carry_out(door, runs, door.order())
