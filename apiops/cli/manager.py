"""`apiops manager`: set up the embedded Manager, and change it by hand, audited like any."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import keys, options, serve, tokens
from apiops.cli.options import Command, Place
from apiops.errors import Exit

FORMATS = ("text", "json", "markdown")


@click.group("manager")
def command() -> None:
    """Set up and change the embedded Manager."""


command.add_command(keys.command)


def owner(command: Command) -> Command:
    """--owner-url and --app-role: two roles on PostgreSQL."""
    for decorator in (
        options.deliberate(
            "--owner-url",
            metavar="URL",
            help="PostgreSQL: make the tables as this role, so that the Manager's own role owns "
            "nothing and cannot change the audit log.",
        ),
        options.deliberate(
            "--app-role",
            metavar="ROLE",
            help="The role that the Manager runs as; default: the one in its URL.",
        ),
    ):
        command = decorator(command)
    return command


@command.command(
    "init",
    cls=options.Verb,
    examples=(
        "apiops manager init --target production --admin ayse --admin-key ~/.ssh/id_ed25519.pub",
    ),
)
@options.place
@options.target
@options.deliberate("--admin", required=True, metavar="NAME", help="The first system admin.")
@options.deliberate(
    "--admin-key",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Their public SSH key, the one that signs their commits.",
)
@options.deliberate(
    "--trust",
    type=click.Choice(["signed", "host-attested", "committer"]),
    default="signed",
    show_default=True,
    help="signed: keys prove who committed; host-attested: also the forge's own key, with "
    "evidence of who merged; committer: names are believed (sandbox only).",
)
@options.deliberate(
    "--recipient",
    multiple=True,
    help="With wrapping-key = age:FILE: who else can open it (age1…), repeatable.",
)
@owner
@click.pass_obj
def init(place: Place, /, admin: str, admin_key: Path, trust: str, **chosen: Any) -> int:
    """Create the database, its keys and the first system admin.

    On PostgreSQL give --owner-url: then the Manager's own role owns nothing.
    """
    from apiops.wiring import assemble

    target = options.chosen_target(place, chosen)
    lineage = assemble.initialise(
        target,
        admin=admin,
        admin_key=admin_key,
        trust=trust,
        recipients=chosen["recipient"],
        owner=_owner(target, chosen),
    )
    click.echo(f"Manager {lineage} is ready for {target.name}; {admin} is its admin.", err=True)
    return Exit.OK


@command.command(
    "migrate", cls=options.Verb, examples=("apiops manager migrate --target production",)
)
@options.place
@options.target
@owner
@click.pass_obj
def migrate(place: Place, /, **chosen: Any) -> int:
    """Bring the database to this version's schema."""
    from apiops.wiring import assemble

    target = options.chosen_target(place, chosen)
    revision = assemble.migrate(target, _owner(target, chosen))
    click.echo(f"the database of {target.name} is at schema {revision}", err=True)
    return Exit.OK


def _owner(target: Any, chosen: dict[str, Any]) -> Any:
    from apiops.wiring import assemble

    return assemble.owner(target, chosen["owner_url"], chosen["app_role"])


@command.command(
    "set",
    cls=options.Verb,
    examples=(
        (
            "apiops manager set ApiProxy/payments/orders spec.settings.connection.readTimeout=90 "
            '--as mert --sign-key ~/.ssh/id_ed25519 --reason "incident 4711"'
        ),
    ),
)
@click.argument("resource")
@click.argument("assignments", nargs=-1, required=True, metavar="spec.FIELD=VALUE…")
@options.place
@options.target
@options.deliberate("--as", "principal", required=True, metavar="NAME", help="Who you are.")
@options.deliberate(
    "--sign-key",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Your private SSH key: it proves who you are.",
)
@options.deliberate("--reason", required=True, help="Why; it stands in the audit log.")
@options.output(*FORMATS)
@click.pass_obj
def set_(
    place: Place, /, console: Any, resource: str, assignments: tuple[str, ...], **chosen: Any
) -> int:
    """Change a resource in the Manager by hand: permission-checked and audited.

    The next `apiops drift` shows it, and the next `apiops apply` takes it back unless the
    specification says the same. Values are JSON; what is not JSON is text.
    """
    from apiops.wiring import handwork

    target = options.chosen_target(place, chosen)
    report = handwork.change(
        target,
        handwork.identity(resource),
        handwork.patch(assignments),
        principal=chosen["principal"],
        sign_key=chosen["sign_key"],
        reason=chosen["reason"],
    )
    console.show(report)
    return Exit.OK


command.add_command(serve.command)
command.add_command(tokens.command)
