"""`apiops plan`: what would change, and whether you may."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from apiops.cli import options, recall
from apiops.cli.options import Place
from apiops.errors import Exit

FORMATS = ("text", "json", "markdown", "github", "gitlab", "junit")

REPEATED: Final = {
    "directory": "--directory",
    "config": "--config",
    "target": "--target",
    "ref": "--ref",
    "introduction": "--introduction",
    "approver": "--approver",
    "allow": "--allow",
    "no_prune": "--no-prune",
    "drift": "--drift",
}
"""What `apply` must be given again to make the same plan. Never an address: others read the line,
and it may hold a password.
"""


@options.verb(
    "plan",
    "apiops plan --target production",
    "apiops plan --target test --worktree",
    "apiops plan --target production -o text -o markdown=plan.md --out plan.json",
)
@options.place
@options.target
@options.pace
@options.revision
@options.introduction
@options.wishes
@options.reporting
@recall.first
@options.output(*FORMATS)
@options.deliberate(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the plan to a file for `apiops apply FILE`; it holds no secret.",
)
@options.option(
    "--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes (0: none)."
)
@options.option("--no-input", is_flag=True, help="Never ask.")
@click.pass_obj
def command(
    place: Place, /, console: Any, out: Path | None, detailed_exitcode: bool, **chosen: Any
) -> int:
    """Show what would change, field by field, and whether the committers may.

    Nothing is written. Exit code 3: some specifications are invalid, 4: a change is denied,
    5: a guard stops the plan.
    """
    return show(place, console, chosen, out=out, detailed=detailed_exitcode)


def show(
    place: Place,
    console: Any,
    chosen: dict[str, Any],
    *,
    out: Path | None = None,
    detailed: bool = False,
) -> int:
    """Plan what the options ask for, show it, and give the exit code."""
    from apiops.cli import entry, reporting
    from apiops.cli.console import require_writable, write
    from apiops.plan import file

    if out is not None:
        require_writable(out)
    planned = _planned(entry.Entry(place, console, chosen))
    found, shown = planned.findings, replace(planned.view, command=_again(chosen))
    entry.remark(console, found)
    console.show(shown)
    if out is not None:
        write(out, file.to_json(shown.plan))
    code = _exit(shown, invalid=entry.invalid(found), detailed=detailed)
    reporting.tell(console, chosen, shown, code)
    if code == Exit.OK and not (found.diagnostics or _moves(shown)):
        recall.keep(console.text(shown), planned.shown)
    return code


def _planned(door: Any) -> Any:
    """The plan, of what is not settled if that is known; and what it settles is kept."""
    memory = recall.Memory(door.place, door.options)
    order = door.order()
    with door.runs() as runs:
        planned = runs.plan(order, memory.ground())
    memory.keep(planned)
    return planned


def _again(chosen: Mapping[str, Any]) -> str:
    """The verb that applies this plan, with what the caller gave; variables still hold then."""
    return shlex.join(["apply", *_repeated(click.get_current_context(), chosen)])


def _repeated(context: click.Context, chosen: Mapping[str, Any]) -> Iterator[str]:
    given = {**chosen, **{name: context.meta.get(f"apiops.{name}") for name in _PLACE}}
    for name, flag in REPEATED.items():
        value = given.get(name)
        if name == "ref":
            said = value != "HEAD"  # a way back plans the branch that it made, whoever named it
        else:
            said = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if said and isinstance(value, bool):
            yield flag
        elif said and value:
            for one in value if isinstance(value, tuple) else (value,):
                yield from (flag, str(one))


_PLACE: Final = ("directory", "config")


def _moves(shown: Any) -> bool:
    """Whether there is something to do, or a commit had to be judged: keys expire, so that answer
    is one of its moment.
    """
    return bool(shown.plan.changes or shown.plan.stopped or shown.subjects)


def _exit(shown: Any, *, invalid: bool, detailed: bool) -> int:
    if invalid:
        return Exit.INVALID
    if any(not guard.overridden for guard in shown.plan.guards):
        return Exit.REFUSED
    if shown.verdicts is not None and shown.verdicts.denied:
        return Exit.DENIED
    return Exit.CHANGES if detailed and shown.plan.changes else Exit.OK
