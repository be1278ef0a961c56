"""`apiops secrets`: encrypt, decrypt, edit and rotate sops files."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options, recipients
from apiops.cli.options import Place
from apiops.errors import Exit, SecretError

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group("secrets")
def command() -> None:
    """Encrypt, decrypt, edit and rotate sops files with age recipients; sops reads them too."""


command.add_command(recipients.command)


@command.command(
    "encrypt",
    cls=options.Verb,
    examples=(
        "apiops secrets encrypt --in-place credentials/partner.yaml",
        "apiops secrets encrypt --age age1… --encrypted-regex '^password$' partner.yaml",
    ),
)
@click.argument("file", type=FILE)
@options.deliberate(
    "--age", "recipients", multiple=True, metavar="RECIPIENT", help="age recipient."
)
@options.deliberate(
    "--encrypted-regex", metavar="REGEX", help="Encrypt only values under keys that match."
)
@click.option("-i", "--in-place", is_flag=True, help="Replace the file (default: to stdout).")
def encrypt(file: Path, in_place: bool, **chosen: Any) -> int:
    """Encrypt a file for the recipients of its .sops.yaml rule, or for --age."""
    from apiops.wiring import vault

    done = vault.encrypt(file, tuple(chosen["recipients"]), chosen["encrypted_regex"])
    _finish(file, done, in_place=in_place)
    return Exit.OK


@command.command(
    "keygen",
    cls=options.Verb,
    examples=(
        "apiops secrets keygen key.txt",
        "apiops secrets keygen --post-quantum key.txt",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.deliberate(
    "--post-quantum", is_flag=True, help="ML-KEM-768 with X25519; sops reads these from 3.12 on."
)
def keygen(file: Path, post_quantum: bool) -> int:
    """Make a key pair: the private key into a new file, the recipient to stdout."""
    from apiops.wiring import vault

    click.echo(vault.keygen(file, post_quantum=post_quantum))
    return Exit.OK


@command.command(
    "decrypt", cls=options.Verb, examples=("apiops secrets decrypt credentials/partner.yaml",)
)
@click.argument("file", type=FILE)
@options.place
@options.option(
    "-t", "--target", help="Take the identities of this target (default: the only one)."
)
@options.option("--no-input", is_flag=True, help="Do not look for a key in the home directory.")
@click.option("-i", "--in-place", is_flag=True, help="Replace the file (default: to stdout).")
@click.pass_obj
def decrypt(place: Place, /, file: Path, in_place: bool, **chosen: Any) -> int:
    """Decrypt a file with the age identities at hand; its MAC is checked."""
    from apiops.cli import entry
    from apiops.wiring import vault

    _put(file, vault.decrypt(file, entry.identities(place, chosen)), in_place=in_place)
    return Exit.OK


@command.command(
    "edit", cls=options.Verb, examples=("EDITOR=vim apiops secrets edit credentials/partner.yaml",)
)
@click.argument("file", type=FILE)
@options.place
@options.option(
    "-t", "--target", help="Take the identities of this target (default: the only one)."
)
@click.pass_obj
def edit(place: Place, /, file: Path, **chosen: Any) -> int:
    """Open the decrypted file in $EDITOR and encrypt it again; unchanged values keep their text.

    The plaintext lies in a private file in memory where the system has one, and is wiped.
    """
    from apiops.cli import console, entry
    from apiops.wiring import vault

    def again(fault: SecretError) -> bool:
        """Nobody's edits are lost to a slip: whoever can be asked may mend it."""
        if not entry.interactive(chosen):
            return False
        console.tell(fault)
        return click.confirm("Edit again?", default=True, err=True)

    done = vault.edit(file, entry.identities(place, chosen), _editor, again)
    if done is None:
        click.echo("nothing changed", err=True)
        return Exit.OK
    _finish(file, done, in_place=True)
    return Exit.OK


@command.command(
    "rotate",
    cls=options.Verb,
    examples=(
        "apiops secrets rotate credentials/partner.yaml",
        "apiops secrets rotate .",
    ),
)
@click.argument("places", nargs=-1, required=True, type=recipients.PLACE)
@options.place
@options.option(
    "-t", "--target", help="Take the identities of this target (default: the only one)."
)
@options.option("--no-input", is_flag=True, help="Do not look for a key in the home directory.")
@click.pass_obj
def rotate(place: Place, /, places: tuple[Path, ...], **chosen: Any) -> int:
    """Give files a new data key: every value is encrypted anew, for the same recipients.

    A folder means all sops files in it. Each file is replaced at once; nothing is changed unless
    all of them can be.
    """
    from apiops.cli import entry
    from apiops.wiring import holders

    files = holders.sealed(places)
    recipients.put(holders.rotate(files, entry.identities(place, chosen)), "rotated")
    return Exit.OK


def _editor(file: Path) -> None:
    click.edit(filename=str(file))


def _finish(file: Path, done: Any, *, in_place: bool) -> None:
    """Tell the warnings and write the encrypted file."""
    for warning in done.warnings:
        click.echo(f"warning {warning.code}  {warning.message} ({warning.location})", err=True)
    _put(file, done.content, in_place=in_place)


def _put(file: Path, content: bytes, *, in_place: bool) -> None:
    from apiops.cli import console

    if in_place:
        console.write(file, content)
    else:
        console.put(content)
