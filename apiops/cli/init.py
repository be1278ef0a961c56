"""`apiops init`: a first specification repository that validates as it is."""

import shlex
from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.errors import Exit


@options.verb(
    "init",
    "apiops init gateway --admin ayse --email ayse@bank.example --admin-key ~/.ssh/id_ed25519.pub",
    "apiops init --admin ayse --email ayse@bank.example --admin-key key.pub --ci gitlab",
)
@click.argument("directory", default=".", type=click.Path(path_type=Path, file_okay=False))
@options.deliberate("--admin", required=True, metavar="NAME", help="The first system admin: you.")
@options.deliberate("--email", required=True, help="Their e-mail address.")
@options.deliberate(
    "--admin-key",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Their public SSH key, the one that signs their commits.",
)
@options.option("--ci", type=click.Choice(["github", "gitlab", "jenkins"]), help="Add a pipeline.")
def command(directory: Path, **chosen: Any) -> int:
    """Scaffold a specification repository; what exists is left as it is.

    Writes settings, a first project with a proxy and an encrypted credential, an age identity
    of your own (outside of Git), editor schemas and, with --ci, a pipeline.
    """
    from apiops.cli import console
    from apiops.wiring import admin, scaffold

    written = scaffold.write(
        directory,
        admin=admin.name(chosen["admin"]),
        email=admin.email(chosen["email"]),
        key=admin.public_key(chosen["admin_key"]),
        ci=chosen["ci"],
    )
    console.put("".join(f"  {path}\n" for path in written))
    if not written:
        click.echo("everything is there already; nothing was changed", err=True)
        return Exit.OK
    key, who = shlex.quote(str(chosen["admin_key"].resolve())), shlex.quote(chosen["admin"])
    steps = (
        f"cd {shlex.quote(str(directory))}",
        "git init -b main",
        f"git config gpg.format ssh && git config user.signingkey {key}",
        'git add . && git commit -S -m "Describe the gateway"',
        "apiops validate",
        f"apiops manager init --admin {who} --admin-key {key}",
        f"apiops plan  --introduction HEAD --approver {who}",
        f"apiops apply --introduction HEAD --approver {who}",
    )
    told = "".join(f"  {step}\n" for step in steps if step != "cd .")
    click.echo(
        f"\n{len(written)} files written to {directory}. Next:\n\n{told}", nl=False, err=True
    )
    return Exit.OK
