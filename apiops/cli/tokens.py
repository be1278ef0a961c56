"""`apiops manager tokens`: who may call the Manager over HTTP, as what, and until when."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit

FORMATS = ("text", "json", "markdown")


@click.group("tokens")
def command() -> None:
    """Make, list and revoke the tokens that callers of the Manager's HTTP face show."""


def _proven(function: Any) -> Any:
    """--as and --sign-key: who asks, and the proof of it."""
    for decorator in (
        options.option("--as", "principal", required=True, metavar="NAME", help="Who you are."),
        options.option(
            "--sign-key",
            required=True,
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="Your private SSH key: it proves who you are.",
        ),
    ):
        function = decorator(function)
    return function


@command.command(
    "create",
    cls=options.Verb,
    examples=(
        (
            "apiops manager tokens create ayse --name laptop --scope read --scope audit "
            "--as ayse --sign-key ~/.ssh/id_ed25519"
        ),
        (
            "apiops manager tokens create ci --bearer service --name pipeline --scope plan "
            "--scope apply --as ayse --sign-key ~/.ssh/id_ed25519"
        ),
        (
            "apiops manager tokens create production --bearer worker --name worker-1 "
            "--scope bundle --as ayse --sign-key ~/.ssh/id_ed25519"
        ),
    ),
)
@click.argument("holder")
@options.option(
    "--bearer",
    type=click.Choice(["person", "service", "worker"]),
    default="person",
    show_default=True,
    help="person: HOLDER is a user, and their rights count; service: a CI job, which holds no "
    "rights and submits what others signed; worker: HOLDER is an environment.",
)
@options.option("--name", required=True, help="What it is for, as the list shows it.")
@options.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="What it may be used for, repeatable: read, write, plan, apply, approve, override, "
    "attest, audit, keys, tokens, bundle.",
)
@options.option(
    "--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it lives."
)
@options.option("--repository", metavar="COMMIT", help="A service's only repository: its root.")
@options.option("--reason", default="", help="Why; it stands in the audit log.")
@_proven
@options.place
@options.target
@click.pass_obj
def create(place: Place, /, holder: str, **chosen: Any) -> int:
    """Make a token for HOLDER and print it, this once: only its hash is kept."""
    from apiops.cli import entry
    from apiops.wiring import tokens

    made, secret = tokens.create(
        entry.chosen_target(place, chosen),
        tokens.wanted(
            chosen["bearer"], holder, chosen["name"], chosen["scopes"], chosen["repository"]
        ),
        timedelta(days=chosen["days"]),
        principal=chosen["principal"],
        sign_key=chosen["sign_key"],
        reason=chosen["reason"],
    )
    click.echo(secret.reveal().decode())
    click.echo(
        f"Token {made.id} of {made.principal} counts until {made.expires:%Y-%m-%d}. "
        "It is shown this once.",
        err=True,
    )
    return Exit.OK


@command.command(
    "list",
    cls=options.Verb,
    examples=("apiops manager tokens list --as ayse --sign-key ~/.ssh/id_ed25519",),
)
@_proven
@options.place
@options.target
@options.output(*FORMATS)
@click.pass_obj
def list_(place: Place, /, console: Any, **chosen: Any) -> int:
    """List your tokens; all of them, if you manage the System tier's identities."""
    from apiops.cli import entry
    from apiops.wiring import tokens

    console.show(
        tokens.listed(
            entry.chosen_target(place, chosen),
            principal=chosen["principal"],
            sign_key=chosen["sign_key"],
        )
    )
    return Exit.OK


@command.command(
    "revoke",
    cls=options.Verb,
    examples=("apiops manager tokens revoke 0a1b2c3d4e5f6071 --as ayse --sign-key KEY",),
)
@click.argument("id")
@options.option("--reason", default="", help="Why; it stands in the audit log.")
@_proven
@options.place
@options.target
@click.pass_obj
def revoke(place: Place, /, id: str, **chosen: Any) -> int:
    """Let a token count no more, from the next request on."""
    from apiops.cli import entry
    from apiops.wiring import tokens

    ended = tokens.revoke(
        entry.chosen_target(place, chosen),
        id,
        principal=chosen["principal"],
        sign_key=chosen["sign_key"],
        reason=chosen["reason"],
    )
    click.echo(f"Token {ended.id} of {ended.principal} counts no more.", err=True)
    return Exit.OK
