"""`apiops sync`: plan, judge and apply a ref, without asking; once, or at an interval."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from apiops.cli import options, remote
from apiops.cli.options import Place
from apiops.errors import ApiopsError, Exit, UsageError

if TYPE_CHECKING:
    from apiops.cli.entry import Entry
    from apiops.controller.metrics import Metrics
    from apiops.model.view import Carried

FORMATS = ("text", "json", "jsonl", "markdown", "github", "junit")


@options.verb(
    "sync",
    "apiops sync --target production --fetch origin --ref origin/main",
    "apiops sync -t production --clone https://git.example/gateway.git -C clone "
    "--fetch origin --ref origin/main --interval 5m",
)
@options.place
@options.target
@options.pace
@options.option("--ref", default="HEAD", show_default=True, help="Branch, tag or commit.")
@options.option("--fetch", metavar="REMOTE", help="Fetch this remote first.")
@options.option(
    "--clone", metavar="URL", help="Clone it first if the folder is empty (as origin, bare)."
)
@remote.login
@options.option(
    "--interval",
    type=options.Duration(),
    metavar="TIME",
    help="Go on: sync, wait so long (90s, 5m, 1h), sync again, until SIGTERM.",
)
@options.option(
    "--metrics-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write metrics for Prometheus' textfile collector there after every run.",
)
@options.introduction
@options.wishes
@options.reporting
@options.output(*FORMATS)
@click.pass_obj
def command(
    place: Place,
    /,
    console: Any,
    interval: float | None,
    metrics_file: Path | None,
    **chosen: Any,
) -> int:
    """Bring the Manager to a ref: plan, judge and apply under a lease, and report.

    Guards and permissions hold as everywhere: what is denied freezes its project, the others
    advance. With --interval an error ends its run and not the loop, unless it is one of settings
    or flags: once a run got through, these were right, and a file that is gone is waited for.
    """
    from apiops.cli import entry
    from apiops.cli.console import require_writable

    door = entry.Entry(place, console, {**chosen, "no_input": True})
    if metrics_file is None:
        counts = None
    else:
        from apiops.controller.metrics import Metrics

        require_writable(metrics_file)
        counts = Metrics(door.target.name)
    if interval is None:
        return _counted(door, counts, metrics_file)
    return _again(door, counts, metrics_file, interval)


def _again(door: "Entry", counts: "Metrics | None", file: Path | None, interval: float) -> Exit:
    import threading

    from apiops.cli import console
    from apiops.controller import loop

    stop, proven = threading.Event(), threading.Event()

    def once() -> Exit:
        try:
            code = _counted(door, counts, file)
        except ApiopsError as fault:
            if isinstance(fault, UsageError) and not proven.is_set():
                raise
            door.console.fail(fault)
            console.tell(fault)
            return fault.exit_code
        proven.set()
        return code

    def wait(seconds: float) -> None:
        door.console.say(f"next run in {seconds:.0f} s")
        stop.wait(seconds)

    with loop.draining(stop):
        code = loop.run(once, loop.Schedule(interval), stop, wait)
    door.console.say("stopped: the run in hand was finished")
    return code


def _counted(door: "Entry", counts: "Metrics | None", file: Path | None) -> Exit:
    """One run, and what it adds to the metrics."""
    import time

    from apiops.cli import carrying

    if counts is None or file is None:
        return carrying.exit_code(_once(door))
    began, code = time.monotonic(), Exit.FAILED
    try:
        carried = _once(door)
        counts.carried_out(carried.view, carried.report)
        code = carrying.exit_code(carried)
    except ApiopsError as fault:
        code = fault.exit_code
        raise
    finally:
        counts.ended(code, time.time(), time.monotonic() - began)
        counts.write(file)
    return code


def _once(door: "Entry") -> "Carried":
    from apiops.cli import carrying, evidence
    from apiops.wiring import source

    chosen, directory = door.options, door.place.directory
    if chosen["clone"] or chosen["fetch"]:
        login = source.login(*remote.files(chosen))
        if chosen["clone"]:
            source.clone(directory, chosen["clone"], login)
        if chosen["fetch"]:
            source.fetch(directory, chosen["fetch"], evidence.given(chosen["evidence"]), login)
    with door.runs() as runs:
        return carrying.carry_out(door, runs, door.order())
