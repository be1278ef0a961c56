"""What apply and sync share: asking, carrying out, and the exit code of a report."""

from pathlib import Path

import click

from apiops.cli import entry, reporting
from apiops.errors import Exit, UsageError
from apiops.model.outcome import Result, RunReport
from apiops.model.plan import Plan
from apiops.model.revision import Snapshot
from apiops.plan import file
from apiops.reconcile import apply
from apiops.reconcile import line as walk
from apiops.reconcile.line import Line, Wish
from apiops.wiring import files


def stored(path: Path) -> Plan:
    """The plan in a file that `plan --out` wrote.

    Raises PlanRefused for anything else, UsageError AO907 if it cannot be read.
    """
    return file.from_json(files.read(path, file.LIMIT))


def ask(door: entry.Entry, line: Line, snapshot: Snapshot, wish: Wish) -> str | None:
    """Show the plan and ask; the approved digest, or None when there is nothing to approve.

    Raises UsageError AO906 when nobody can be asked, Abort when the answer is no.
    """
    prepared = walk.prepare(line, snapshot, wish)
    shown = entry.view(prepared, keyless=not line.keyring.available)
    door.console.note(shown)
    if not shown.applicable:
        return None
    if not entry.interactive(door.options):
        raise UsageError(
            "nobody can be asked whether to apply this plan",
            code="AO906",
            hint=f"give --approve {prepared.plan.digest[:8]}, or --yes for whatever it says",
        )
    click.confirm("Apply this plan?", abort=True, err=True)
    return prepared.plan.digest


def carry_out(door: entry.Entry, line: Line, snapshot: Snapshot, wish: Wish) -> int:
    """Apply, show diagnostics, denials and the report, and give the exit code."""
    prepared, report = apply.apply(line, snapshot, wish)
    found = entry.findings(prepared)
    entry.remark(door.console, found)
    if prepared.verdicts is not None and prepared.verdicts.denied:
        door.console.note(entry.view(prepared, keyless=not line.keyring.available))
    door.console.show(report)
    code = exit_code(report, invalid=entry.invalid(found))
    reporting.tell(door.console, door.options, report, code)
    return code


def exit_code(report: RunReport, *, invalid: bool) -> Exit:
    """What a report means to a shell: denials speak loudest, then failures, then faults."""
    if report.count(Result.DENIED):
        return Exit.DENIED
    if report.count(Result.FAILED) or report.stuck:
        return Exit.PARTIAL if report.count(Result.DONE) else Exit.FAILED
    if report.count(Result.REFUSED):
        return Exit.REFUSED
    return Exit.INVALID if invalid else Exit.OK
