"""`apiops export`: what the Manager holds, as manifests to begin a repository with."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit, UsageError


@options.verb(
    "export",
    "apiops export --target production --project payments > payments.yaml",
    "apiops export --target production --kind ApiProxy --name orders --into .",
    (
        "apiops export --target production --project payments --into . --encrypt-to age1… "
        '--as ayse --sign-key ~/.ssh/id_ed25519 --reason "adopt payments"'
    ),
)
@options.place
@options.target
@options.option(
    "--project", "projects", multiple=True, help="Only this project (`system`: the System tier)."
)
@options.option("--kind", "kinds", multiple=True, help="Only this kind.")
@options.option("--name", "names", multiple=True, help="Only resources of this name.")
@options.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write files into this folder, those that manifests refer to beside them.",
)
@options.option("--overwrite", is_flag=True, help="Replace files that are there already.")
@options.option(
    "--with-secrets",
    is_flag=True,
    help="Open the secrets and encrypt them for the recipients in .sops.yaml; audited.",
)
@options.option(
    "--encrypt-to",
    "recipients",
    multiple=True,
    metavar="RECIPIENT",
    help="Open the secrets and encrypt them for this age recipient; audited.",
)
@options.option("--as", "principal", metavar="NAME", help="Who you are: only what you may see.")
@options.option(
    "--sign-key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Your private SSH key: it proves who you are.",
)
@options.option("--reason", default="", help="Why secrets are opened; it stands in the audit log.")
@options.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr.")
@click.pass_obj
def command(place: Place, /, into: Path | None, quiet: bool, **chosen: Any) -> int:
    """Write what the Manager holds as manifests that plan to nothing.

    Without --into they go to stdout, as one YAML stream. A secret that is not opened, for want
    of --encrypt-to or of the right to take secrets out, becomes a hole: a reference to a file
    that is still missing, which `apiops validate` explains, as does every secret of a vendor's
    Manager. Exit code 4: a secret was denied.
    """
    from apiops.cli import console, entry
    from apiops.spec.export import Selection
    from apiops.wiring import export

    target = entry.chosen_target(place, chosen)
    order = export.Order(
        selection=Selection(*(frozenset(chosen[n]) for n in ("projects", "kinds", "names"))),
        folder=None if into is None else place.directory / into,
        person=_person(chosen),
        secrets=chosen["with_secrets"] or bool(chosen["recipients"]),
        recipients=chosen["recipients"],
    )
    done = export.collect(target, order)
    if into is None:
        console.put("---\n".join(one.text for one in done.manifests))
    else:
        written = export.write(done, overwrite=chosen["overwrite"])
        console.put("".join(f"  {path}\n" for path in written))
    if not quiet:
        _tell(done)
    return Exit.DENIED if done.denied else Exit.OK


def _person(chosen: dict[str, Any]) -> Any:
    from apiops.wiring.export import Person

    principal, sign_key = chosen["principal"], chosen["sign_key"]
    if (principal is None) != (sign_key is None):
        raise UsageError(
            "who you are is a name and the key that proves it",
            code="AO905",
            hint="give both: --as NAME --sign-key FILE",
        )
    return None if principal is None else Person(principal, sign_key, chosen["reason"])


def _tell(done: Any) -> None:
    from apiops.render import words

    for remark in done.remarks:
        click.echo(f"  {remark}", err=True)
    for denied in done.denied:
        click.echo(f"  denied: {denied}", err=True)
    secrets = f", {words.plural(done.opened, 'secret')} opened and recorded" if done.opened else ""
    exported = words.plural(len(done.manifests), "resource")
    click.echo(f"{exported} exported{secrets}.", err=True)
