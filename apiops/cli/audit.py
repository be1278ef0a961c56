"""`apiops audit`: list, show and verify the audit log."""

from datetime import datetime
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit, UsageError

FORMATS = ("text", "json", "markdown")
MAX_NUMBER = 2**63 - 1  # a database's largest integer
TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"])


@click.group("audit")
def command() -> None:
    """List, show and verify the audit log: every write, with its commit as the reason."""


def _query(chosen: dict[str, Any]) -> Any:
    from datetime import UTC

    from apiops.model.audit import AuditQuery

    def utc(moment: datetime | None) -> datetime | None:
        return moment.replace(tzinfo=UTC) if moment else None

    names = ("principal", "project", "environment", "kind", "name", "commit", "run", "action")
    return AuditQuery(
        **{name: chosen[name] for name in names},
        since=utc(chosen["since"]),
        until=utc(chosen["until"]),
        limit=chosen["limit"],
    )


@command.command(
    "list",
    cls=options.Verb,
    examples=(
        "apiops audit list --target production --project payments --since 2026-11-01",
        "apiops audit list --target production --commit 8d2f01c -o json",
    ),
)
@options.place
@options.target
@options.option("--principal", help="Who did it.")
@options.option("--project", help="In this project.")
@options.option("--environment", help="In this environment.")
@options.option("--kind", help="Of this kind.")
@options.option("--name", help="Of this name.")
@options.option("--commit", help="Because of this commit (a beginning is enough).")
@options.option("--run", help="In this run.")
@options.option("--action", help="create, update, delete, deploy, undeploy, denied, …")
@options.option("--since", type=TIME, help="Not before (UTC).")
@options.option("--until", type=TIME, help="Before (UTC).")
@options.option(
    "--limit",
    type=click.IntRange(0, MAX_NUMBER),
    default=50,
    show_default=True,
    help="Newest first; 0: all.",
)
@options.output(*FORMATS)
@click.pass_obj
def list_(place: Place, /, console: Any, **chosen: Any) -> int:
    """List audit entries, newest first."""
    from apiops.cli import entry
    from apiops.model.view import AuditTrail
    from apiops.wiring import assemble

    with assemble.log(entry.chosen_target(place, chosen)) as log:
        console.show(AuditTrail(tuple(log.entries(_query(chosen)))))
    return Exit.OK


@command.command("show", cls=options.Verb, examples=("apiops audit show 42 --target production",))
@click.argument("number", type=click.IntRange(1, MAX_NUMBER))
@options.place
@options.target
@options.output(*FORMATS)
@click.pass_obj
def show(place: Place, /, console: Any, number: int, **chosen: Any) -> int:
    """Show one entry with what was before, what is after, and why."""
    from apiops.cli import entry
    from apiops.wiring import assemble

    with assemble.log(entry.chosen_target(place, chosen)) as log:
        found = log.entry(number)
    if found is None:
        raise UsageError(
            f"there is no audit entry {number}",
            code="AO909",
            hint="`apiops audit list` shows the numbers",
        )
    console.show(found)
    return Exit.OK


@command.command("verify", cls=options.Verb, examples=("apiops audit verify --target production",))
@options.place
@options.target
@options.output(*FORMATS)
@click.pass_obj
def verify(place: Place, /, console: Any, **chosen: Any) -> int:
    """Walk the hash chain of the log; exit 1 and name the first bad entry if it is broken."""
    from apiops.cli import entry
    from apiops.wiring import assemble

    with assemble.manager(entry.chosen_target(place, chosen)) as manager:
        report = manager.verify()
    console.show(report)
    return Exit.OK if report.first_bad is None else Exit.FAILED
