"""What apply and sync share: asking, carrying out, and the exit code of a report."""

from pathlib import Path

import click

from apiops.cli import entry, recall, reporting
from apiops.errors import Exit, UsageError
from apiops.model.order import Order
from apiops.model.outcome import Result, RunReport
from apiops.model.plan import Plan
from apiops.model.view import Carried
from apiops.plan import file
from apiops.ports import Runs
from apiops.wiring import files


def stored(path: Path) -> Plan:
    """The plan in a file that `plan --out` wrote.

    Raises PlanRefused for anything else, UsageError AO907 if it cannot be read.
    """
    return file.from_json(files.read(path, file.LIMIT))


def ask(door: entry.Entry, runs: Runs, order: Order) -> str | None:
    """Show the plan and ask; the approved digest, or None when there is nothing to approve.

    Raises UsageError AO906 when nobody can be asked; leaves the command when the answer is no.
    """
    shown = runs.plan(order, recall.Memory(door.place, door.options).ground()).view
    door.console.note(shown)
    if not shown.applicable:
        return None
    if not entry.interactive(door.options):
        raise UsageError(
            "nobody can be asked whether to apply this plan",
            code="AO906",
            hint=f"give --approve {shown.plan.digest[:8]}, or --yes for whatever it says",
        )
    if not click.confirm("Apply this plan?", err=True):
        door.console.say("Nothing was applied.")
        raise click.exceptions.Exit(Exit.REFUSED)
    return shown.plan.digest


def carry_out(door: entry.Entry, runs: Runs, order: Order) -> Carried:
    """Apply, and show diagnostics, denials and the report."""
    carried = runs.apply(order, recall.Memory(door.place, door.options).ground())
    entry.remark(door.console, carried.findings)
    if carried.view.verdicts is not None and carried.view.verdicts.denied:
        door.console.note(carried.view)
    door.console.show(carried.report)
    reporting.tell(door.console, door.options, carried.report, exit_code(carried))
    return carried


def exit_code(carried: Carried) -> Exit:
    """What a run means to a shell: denials speak loudest, then failures, then faults."""
    report = carried.report
    if report.count(Result.DENIED):
        return Exit.DENIED
    if report.count(Result.FAILED) or report.stuck:
        return Exit.PARTIAL if report.count(Result.DONE) else _failure(report)
    if report.count(Result.REFUSED):
        return Exit.REFUSED
    return Exit.INVALID if entry.invalid(carried.findings) else Exit.OK


def _failure(report: RunReport) -> Exit:
    """Of a run that did nothing: secrets, if no change failed but for want of their values."""
    codes = {one.code for one in report.outcomes if one.result is Result.FAILED}
    return Exit.SECRETS if codes == {"AO726"} and not report.stuck else Exit.FAILED
