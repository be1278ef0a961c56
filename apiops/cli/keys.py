"""`apiops manager keys`: the keys that seal secrets, sign tokens and sign checkpoints."""

from pathlib import Path
from typing import Any, Final

import click

from apiops.cli import options
from apiops.cli.options import Command, Place
from apiops.errors import Exit

FORMATS: Final = ("text", "json", "markdown")


@click.group("keys")
def command() -> None:
    """List, rotate, retire and rewrap the Manager's keys."""


def person(command: Command) -> Command:
    """--as, --sign-key, --reason: who does it, proven, and why."""
    for decorator in (
        options.deliberate("--as", "principal", required=True, metavar="NAME", help="Who you are."),
        options.deliberate(
            "--sign-key",
            required=True,
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="Your private SSH key: it proves who you are.",
        ),
        options.deliberate("--reason", required=True, help="Why; it stands in the audit log."),
    ):
        command = decorator(command)
    return command


def which(command: Command) -> Command:
    """--environment and --purpose: which keys."""
    for decorator in (
        options.option(
            "--environment", default="", help="Keys of this environment; without: the Manager's."
        ),
        options.option(
            "--purpose",
            type=click.Choice(["seal", "sign", "checkpoint"]),
            default="seal",
            show_default=True,
            help="seal: secrets at rest; sign: access tokens; checkpoint: the audit log.",
        ),
    ):
        command = decorator(command)
    return command


@command.command(
    "list", cls=options.Verb, examples=("apiops manager keys list --target production",)
)
@options.place
@options.target
@options.output(*FORMATS)
@click.pass_obj
def list_(place: Place, /, console: Any, **chosen: Any) -> int:
    """List all key versions: state, age, and how many values each one seals."""
    from apiops.model.audit import KeyList
    from apiops.wiring import keywork

    console.show(KeyList(keywork.versions(options.chosen_target(place, chosen))))
    return Exit.OK


@command.command(
    "rotate",
    cls=options.Verb,
    examples=(
        (
            "apiops manager keys rotate -t production --environment production --as ayse "
            "--sign-key ~/.ssh/id_ed25519 --reason yearly"
        ),
    ),
)
@options.place
@options.target
@which
@options.deliberate(
    "--prepare",
    is_flag=True,
    help="Publish the new signing key only; the next rotation lets it sign.",
)
@person
@options.output(*FORMATS)
@click.pass_obj
def rotate(place: Place, /, console: Any, prepare: bool, **chosen: Any) -> int:
    """Let a new key take over, and seal again what older keys sealed.

    It may be interrupted at any time: run it again, and it goes on. Readers and writers work all
    the while. What older keys sealed opens until they are retired.
    """
    from apiops.model.audit import KeyList
    from apiops.ports import Event
    from apiops.wiring import keywork

    with console.progress() as observer:

        def told(done: int, total: int) -> None:
            observer.notice(Event("keys", "sealing again", done, total))

        version = keywork.rotate(
            options.chosen_target(place, chosen),
            _person(chosen),
            chosen["environment"],
            chosen["purpose"],
            prepare=prepare,
            told=told,
        )
    console.show(KeyList((version,)))
    return Exit.OK


@command.command(
    "retire",
    cls=options.Verb,
    examples=(
        (
            "apiops manager keys retire v1 -t production --environment production --as ayse "
            "--sign-key ~/.ssh/id_ed25519 --reason yearly"
        ),
    ),
)
@click.argument("kid", metavar="KEY")
@options.place
@options.target
@which
@options.deliberate(
    "--compromised", is_flag=True, help="End a signing key at once, and all tokens with it."
)
@person
@options.output(*FORMATS)
@click.pass_obj
def retire(place: Place, /, console: Any, kid: str, compromised: bool, **chosen: Any) -> int:
    """Refuse a key version from now on; only when nothing needs it any more."""
    from apiops.model.audit import KeyList
    from apiops.wiring import keywork

    version = keywork.retire(
        options.chosen_target(place, chosen),
        _person(chosen),
        chosen["environment"],
        chosen["purpose"],
        kid,
        compromised=compromised,
    )
    console.show(KeyList((version,)))
    return Exit.OK


@command.command(
    "rewrap",
    cls=options.Verb,
    examples=(
        (
            "apiops manager keys rewrap age:manager.key.age -t production --as ayse "
            "--sign-key ~/.ssh/id_ed25519 --reason 'leave the key file'"
        ),
    ),
)
@click.argument("wrapping_key", metavar="WRAPPING-KEY")
@options.place
@options.target
@options.option(
    "--recipient", multiple=True, help="With age: who else can open the new key, repeatable."
)
@person
@click.pass_obj
def rewrap(place: Place, /, wrapping_key: str, recipient: tuple[str, ...], **chosen: Any) -> int:
    """Wrap all keys with another wrapping key: file:, age:, passphrase: or plugin:.

    A key file or age file that is not there is made. Afterwards set `wrapping-key` of the target,
    and start what runs anew: the former wrapping key opens nothing any more.
    """
    from apiops.wiring import keywork

    target = options.chosen_target(place, chosen)
    count = keywork.rewrap(target, _person(chosen), wrapping_key, recipient)
    click.echo(f'{count} keys are wrapped anew; now set wrapping-key = "{wrapping_key}"', err=True)
    return Exit.OK


def _person(chosen: dict[str, Any]) -> Any:
    from apiops.wiring import keywork

    return keywork.Person(chosen["principal"], chosen["sign_key"], chosen["reason"])
