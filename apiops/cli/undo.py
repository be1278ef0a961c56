"""`apiops undo`: put back what a run changed, from what the Manager kept of it."""

from typing import Any

import click

from apiops.cli import options, suspend
from apiops.cli.options import Place
from apiops.errors import Exit, UsageError

FORMATS = ("text", "json", "markdown")


@options.verb(
    "undo",
    "apiops undo --target production",
    "apiops undo 4f1c9e2a --target production --as ayse --sign-key ~/.ssh/id_ed25519 "
    '--reason "incident 4711"',
)
@click.argument("run", required=False)
@options.place
@options.target
@suspend.by_hand(required=False)
@options.option(
    "--allow",
    multiple=True,
    metavar="GUARD",
    help="Override a guard by name (audited), repeatable.",
)
@options.deliberate("--approve", metavar="DIGEST", help="Carry out exactly the plan you saw.")
@options.output(*FORMATS)
@options.option("--no-input", is_flag=True, help="Never ask.")
@click.pass_obj
def command(
    place: Place, /, console: Any, run: str | None, approve: str | None, **chosen: Any
) -> int:
    """Put back in the Manager what RUN and later runs changed; without RUN, list the runs.

    The way out when a commit cannot bring it back: secrets that were never in the repository or
    that nobody can open any more, and what was changed in the Manager by hand. For anything else
    use `apiops rollback`. The target must be suspended, or the next sync would take it back.
    """
    from apiops.wiring import assemble, undoing

    wiring = assemble.Wiring(place.directory, options.chosen_target(place, chosen), secrets=False)
    with console.progress() as observer:
        if run is None:
            console.show(undoing.runs(wiring, observer))
            return Exit.OK
        wish = _wish(run, chosen)
        with undoing.opened(wiring, observer, wish) as way:
            return _go(console, way, approve, chosen)


def _wish(run: str, chosen: dict[str, Any]) -> Any:
    from apiops.reconcile import runs
    from apiops.wiring import undoing

    allow = runs.overrides(chosen["allow"])
    who, why = chosen["principal"] or "", chosen["reason"] or ""
    return undoing.Undo(run, who, chosen["sign_key"], why, allow)


def _go(console: Any, way: Any, approve: str | None, chosen: dict[str, Any]) -> int:
    """Show the plan; carry it out once somebody said yes to it, or named its digest."""
    from apiops.model.outcome import Result

    shown = way.plan()
    if not shown.plan.changes:
        console.show(shown)
        return Exit.OK
    if approve is None:
        console.note(shown)
        approve = _asked(console, shown, chosen)
        if approve is None:
            return Exit.REFUSED
    report = way.carry_out(approve)
    console.show(report)
    failed = report.count(Result.FAILED)
    return Exit.OK if not failed else Exit.PARTIAL if report.count(Result.DONE) else Exit.FAILED


def _asked(console: Any, shown: Any, chosen: dict[str, Any]) -> str | None:
    digest: str = shown.plan.digest
    if not options.interactive(chosen):
        raise UsageError(
            "nobody can be asked whether to put this back",
            code="AO906",
            hint=f"look at it, and give --approve {digest[:8]}",
        )
    if click.confirm("Put this back?", err=True):
        return digest
    console.say("Nothing was changed.")
    return None
