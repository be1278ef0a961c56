"""`apiops audit checkpoint`, `key`, `prove` and `export`: the log as evidence."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from apiops.cli import options
from apiops.cli.options import Command, Place
from apiops.errors import Exit, UsageError

TIME: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"])
FORMATS: Final = ("jsonl", "csv")
FILTERS: Final = (
    "principal", "project", "environment", "kind", "name", "commit", "run", "action", "outcome",
)  # fmt: skip
_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)

EXPORT: Final = options.option(
    "--export", type=_FILE, help="Verify this export (JSON lines) instead of a database."
)
PROOF: Final = options.option(
    "--proof", type=_FILE, help="Verify this proof of `apiops audit prove` instead of a database."
)
CHECKPOINT: Final = options.deliberate(
    "--checkpoint",
    type=_FILE,
    multiple=True,
    help="A checkpoint that was kept elsewhere, repeatable: the log must still hold its entries.",
)
KEY: Final = options.deliberate(
    "--key",
    multiple=True,
    metavar="KEY",
    help="The log's public key or a file with it, repeatable. Without it, online, the key in the "
    "database is believed.",
)


def filters(command: Command) -> Command:
    """Which entries."""
    for decorator in reversed(
        (
            options.option("--principal", help="Who did it."),
            options.option("--project", help="In this project."),
            options.option("--environment", help="In this environment."),
            options.option("--kind", help="Of this kind."),
            options.option("--name", help="Of this name."),
            options.option("--commit", help="Because of this commit (a beginning is enough)."),
            options.option("--run", help="In this run."),
            options.option("--action", help="create, update, delete, deploy, undeploy, read, …"),
            options.option("--outcome", help="done, denied or noted."),
            options.option("--since", type=TIME, help="Not before (UTC)."),
            options.option("--until", type=TIME, help="Before (UTC)."),
        )
    ):
        command = decorator(command)
    return command


def query(chosen: dict[str, Any]) -> Any:
    """What `filters` ask for."""
    from datetime import UTC

    from apiops.model.audit import AuditQuery

    def utc(moment: datetime | None) -> datetime | None:
        return moment.replace(tzinfo=UTC) if moment else None

    return AuditQuery(
        **{name: chosen[name] for name in FILTERS},
        since=utc(chosen["since"]),
        until=utc(chosen["until"]),
        limit=chosen.get("limit", 0),
    )


@click.command(
    "checkpoint",
    cls=options.Verb,
    examples=(
        "apiops audit checkpoint --target production --file audit/production.checkpoint",
        "apiops audit checkpoint --target production >> /mnt/worm/checkpoints",
    ),
)
@options.place
@options.target
@options.deliberate(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep it in this file instead of stdout. A checkpoint that is there already must agree.",
)
@click.pass_obj
def checkpoint(place: Place, /, file: Path | None, **chosen: Any) -> int:
    """Sign what the log is now: one small text that its owner cannot make again for another log.

    Keep it where the database's owner cannot write: commit it, print it, send it to an archive.
    """
    from apiops.cli import console
    from apiops.wiring import assemble, trail

    if file is not None:
        console.require_writable(file)
    with assemble.log(options.chosen_target(place, chosen)) as log:
        if file is None:
            console.put(log.checkpoints.make())
        else:
            trail.witness(log.checkpoints, file, console.write)
    return Exit.OK


@click.command("key", cls=options.Verb, examples=("apiops audit key -t production > audit.pub",))
@options.place
@options.target
@click.pass_obj
def key(place: Place, /, **chosen: Any) -> int:
    """Print the log's public key: what an auditor verifies exports, checkpoints and proofs with.

    After a rotation the older keys follow, one a line.
    """
    from apiops.cli import console
    from apiops.wiring import assemble

    with assemble.log(options.chosen_target(place, chosen)) as log:
        console.put("".join(f"{one}\n" for one in log.checkpoints.public_keys()))
    return Exit.OK


@click.command(
    "prove",
    cls=options.Verb,
    examples=(
        "apiops audit prove 42 --target production > entry-42.tlog-proof",
        "apiops audit prove --grown-since january.checkpoint -t production > growth.proof",
    ),
)
@click.argument("number", type=click.IntRange(1, 2**63 - 1), required=False)
@options.place
@options.target
@options.option(
    "--grown-since", type=_FILE, help="Prove that the log only grew since this checkpoint."
)
@click.pass_obj
def prove(place: Place, /, number: int | None, grown_since: Path | None, **chosen: Any) -> int:
    """Prove that one entry is in the log, or that the log only grew, to somebody without it."""
    from apiops.cli import console
    from apiops.wiring import assemble, trail

    if (number is None) == (grown_since is None):
        raise UsageError(
            "what is to be proven?",
            code="AO905",
            hint="give the number of an entry, or --grown-since CHECKPOINT",
        )
    with assemble.log(options.chosen_target(place, chosen)) as log:
        if grown_since is not None:
            proof = log.checkpoints.extend(trail.text(grown_since))
        else:
            proof = log.checkpoints.prove(number or 0)
    console.put(proof)
    return Exit.OK


@click.command(
    "export",
    cls=options.Verb,
    examples=(
        "apiops audit export --target production -o jsonl=log.jsonl",
        "apiops audit export --target production --project payments -o csv=payments.csv",
        "apiops audit export -t production --follow --syslog syslog+tcp://127.0.0.1 --position at",
    ),
)
@options.place
@options.target
@filters
@options.deliberate(
    "--syslog", metavar="URL", help="Send to syslog+tls://, +tcp://, +udp:// or +unix://."
)
@options.option("--follow", is_flag=True, help="Go on, and send each entry when it comes.")
@options.option(
    "--poll",
    type=click.FloatRange(0.05, 3600),
    default=2.0,
    show_default=True,
    help="Seconds between two looks with --follow.",
)
@options.deliberate(
    "--position",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the last sent entry's number in this file, and begin after it.",
)
@options.output(*FORMATS)
@click.pass_obj
def export(place: Place, /, console: Any, **chosen: Any) -> int:
    """Write the log, oldest entry first, as JSON lines (which can be verified) or CSV."""
    from apiops.wiring import assemble, trail

    position = trail.Position(chosen["position"])
    pause = trail.waiting(chosen["poll"]) if chosen["follow"] else lambda: False
    with (
        assemble.manager(options.chosen_target(place, chosen)) as manager,
        _sink(console, chosen, appends=position.read() > 0) as sink,
    ):
        count = trail.deliver(manager, query(chosen), sink, position, pause)
    console.say(f"{count:,} entries")
    return Exit.OK


@contextmanager
def _sink(console: Any, chosen: dict[str, Any], *, appends: bool) -> Iterator[Any]:
    """Where entries go: a receiver, a file, or stdout."""
    from contextlib import closing

    from apiops.cli.console import put
    from apiops.wiring import syslog, trail

    if chosen["syslog"]:
        with closing(syslog.Syslog(chosen["syslog"])) as receiver:
            yield receiver
        return
    ((format, file), *others) = console.outputs
    if others:
        raise UsageError("an export has one output", code="AO905", hint="give -o once")
    if file is None:
        yield trail.Lines(format, put, header=not appends)
        return
    with trail.written(file, appends=appends) as write:
        yield trail.Lines(format, write, header=not appends)
