"""`apiops secrets recipients`: who can open sops files, and changes of that."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit

if TYPE_CHECKING:
    from apiops.wiring.holders import Held, Renewed

PLACE = click.Path(path_type=Path, exists=True)

_LEFT = (
    "whoever left could open these files until now, and can still open them in the Git history: "
    "replace the secrets themselves"
)


@click.group("recipients")
def command() -> None:
    """List, add and remove those who can open sops files.

    A folder means all sops files in it. Each file is replaced at once; nothing is changed unless
    all of them can be.
    """


def _changing(name: str, *examples: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that changes files: it needs places, and identities to open them."""

    def make(function: Callable[..., Any]) -> click.Command:
        for part in (
            click.pass_obj,
            options.option("--no-input", is_flag=True, help="Do not look for a key at home."),
            options.option(
                "-t", "--target", help="Take the identities of this target (default: the only one)."
            ),
            options.place,
            click.argument("places", nargs=-1, required=True, type=PLACE),
        ):
            function = part(function)
        made: click.Command = command.command(name, cls=options.Verb, examples=examples)(function)
        return made

    return make


_who = options.deliberate(
    "--age", "who", multiple=True, required=True, metavar="RECIPIENT", help="age recipient."
)


@command.command("list", cls=options.Verb, examples=("apiops secrets recipients list .",))
@click.argument("places", nargs=-1, required=True, type=PLACE)
def show(places: tuple[Path, ...]) -> int:
    """Show who can open files, and where that is not what .sops.yaml says. Needs no key."""
    from apiops.cli import console
    from apiops.wiring import holders

    shown = [_shown(holders.held(file)) for file in holders.sealed(places)]
    console.put("".join(shown).encode())
    return Exit.OK


@_changing("add", "apiops secrets recipients add --age age1… credentials")
@_who
def add(place: Place, /, places: tuple[Path, ...], who: tuple[str, ...], **chosen: Any) -> int:
    """Let more recipients open files. Their values and tokens stay as they are."""
    from apiops.cli import entry
    from apiops.wiring import holders

    files, identities = holders.sealed(places), entry.identities(place, chosen)
    put(holders.join(files, identities, who), "changed")
    return Exit.OK


@_changing("remove", "apiops secrets recipients remove --age age1… credentials")
@_who
def remove(place: Place, /, places: tuple[Path, ...], who: tuple[str, ...], **chosen: Any) -> int:
    """Take recipients out of files: all values are encrypted anew under a new data key."""
    from apiops.cli import entry
    from apiops.wiring import holders

    files, identities = holders.sealed(places), entry.identities(place, chosen)
    if put(holders.leave(files, identities, who), "changed"):
        click.echo(_LEFT, err=True)
    return Exit.OK


@_changing("sync", "apiops secrets recipients sync .", "apiops secrets recipients sync --check .")
@options.deliberate("--check", is_flag=True, help="Change nothing; exit 3 if a file does not fit.")
def sync(place: Place, /, places: tuple[Path, ...], check: bool, **chosen: Any) -> int:
    """Make files fit .sops.yaml: those can open them whom the creation rules name.

    Only a file that does not fit is changed. When nobody leaves, its values keep their tokens.
    """
    from apiops.cli import console, entry
    from apiops.wiring import holders

    files = holders.sealed(places)
    if check:
        strange = [one for one in map(holders.held, files) if not one.fits]
        console.put("".join(map(_shown, strange)).encode())
        return Exit.INVALID if strange else Exit.OK
    put(holders.follow_rules(files, entry.identities(place, chosen)), "changed")
    return Exit.OK


def put(renewed: "Sequence[Renewed]", verb: str) -> bool:
    """Write the files, telling each once it is there. Returns whether there were any."""
    from apiops.cli import console

    for one in renewed:
        for warning in one.done.warnings:
            click.echo(f"warning {warning.code}  {warning.message} ({warning.location})", err=True)
        console.write(one.file, one.done.content)
        click.echo(f"{verb} {one.file}", err=True)
    if not renewed:
        click.echo("nothing changed", err=True)
    return bool(renewed)


def _shown(one: "Held") -> str:
    lines = [f"{one.file}\n"]
    groups = one.holders.groups
    for number, group in enumerate(groups, 1):
        if len(groups) > 1:
            lines.append(f"  group {number} of {len(groups)}, {one.holders.threshold} needed\n")
        lines += [f"  {name}\n" for name in group]
    if one.rule is not None and not one.fits:
        lines.append("  but .sops.yaml says:\n")
        lines += [f"    {name}\n" for group in one.rule.groups for name in group]
    return "".join(lines)
