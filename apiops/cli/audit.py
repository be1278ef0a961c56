"""`apiops audit`: list, show and verify the audit log."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options, trail
from apiops.cli.options import Place
from apiops.errors import Exit, UsageError

FORMATS = ("text", "json", "markdown")
MAX_NUMBER = 2**63 - 1  # a database's largest integer


@click.group("audit")
def command() -> None:
    """List, show, export and verify the audit log: every write, with its commit as the reason."""


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
@trail.filters
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
    from apiops.model.view import AuditTrail
    from apiops.wiring import assemble

    with assemble.log(options.chosen_target(place, chosen)) as log:
        console.show(AuditTrail(tuple(log.entries(trail.query(chosen)))))
    return Exit.OK


@command.command("show", cls=options.Verb, examples=("apiops audit show 42 --target production",))
@click.argument("number", type=click.IntRange(1, MAX_NUMBER))
@options.place
@options.target
@options.output(*FORMATS)
@click.pass_obj
def show(place: Place, /, console: Any, number: int, **chosen: Any) -> int:
    """Show one entry with what was before, what is after, and why."""
    from apiops.wiring import assemble

    with assemble.log(options.chosen_target(place, chosen)) as log:
        found = log.entry(number)
    if found is None:
        raise UsageError(
            f"there is no audit entry {number}",
            code="AO909",
            hint="`apiops audit list` shows the numbers",
        )
    console.show(found)
    return Exit.OK


@command.command(
    "verify",
    cls=options.Verb,
    examples=(
        "apiops audit verify --target production --checkpoint production.checkpoint",
        "apiops audit verify --export log.jsonl --key audit.pub --checkpoint production.checkpoint",
        "apiops audit verify --proof entry-42.tlog-proof --key audit.pub",
    ),
)
@options.place
@options.target
@trail.EXPORT
@trail.PROOF
@trail.CHECKPOINT
@trail.KEY
@options.output(*FORMATS)
@click.pass_obj
def verify(
    place: Place, /, console: Any, export: Path | None, proof: Path | None, **chosen: Any
) -> int:
    """Check that no entry was altered, removed, inserted or moved; exit 1 and name the first one.

    With --export or --proof no database is needed, only files and the log's public key (--key).
    A log whose owner rewrote it as a whole, or cut off its end, is found against a --checkpoint
    that was kept elsewhere. A Manager over HTTP must prove that its log grew from each
    --checkpoint; the proof is checked here, with --key.
    """
    from apiops.wiring import assemble
    from apiops.wiring import trail as files

    keys = files.keys(chosen["key"])
    kept = [files.text(file) for file in chosen["checkpoint"]]
    report: Any
    if proof is not None:
        console.show(files.verify_proof(proof, keys, kept))
        return Exit.OK
    if export is not None:
        report = files.verify_export(export, keys, kept)
    else:
        with assemble.log(options.chosen_target(place, chosen)) as log:
            report = files.verify(log.checkpoints, keys, kept)
    console.show(report)
    return Exit.OK if report.first_bad is None else Exit.FAILED


for verb in (trail.checkpoint, trail.key, trail.prove, trail.export):
    command.add_command(verb)
