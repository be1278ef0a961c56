"""`apiops access`: who may do what in the Manager, and who might with the commits at hand."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit, UsageError
from apiops.model.access import Category, Scope, Tier, Verb

FORMATS = ("text", "json", "markdown")
VERBS = {
    "view": Verb.VIEW,
    "manage": Verb.MANAGE,
    "deploy": Verb.DEPLOY_UNDEPLOY,
    "execute": Verb.EXECUTE,
    "export": Verb.EXPORT_IMPORT,
}


@click.group("access")
def command() -> None:
    """Who may do what."""


@command.command(
    "who",
    cls=options.Verb,
    examples=(
        "apiops access who --can deploy --project payments --environment production",
        "apiops access who --can manage --category SECRETS --project cards",
    ),
)
@options.place
@options.target
@options.option(
    "--can", type=click.Choice(list(VERBS)), default="manage", show_default=True, help="The action."
)
@options.option(
    "--category",
    type=click.Choice([category.value for category in Category]),
    default=Category.API_MANAGEMENT.value,
    show_default=True,
    help="What the action is about.",
)
@options.option("--project", help="In this project (default: the System tier).")
@options.option("--environment", help="In this environment, for deploy.")
@options.output(*FORMATS)
@click.pass_obj
def who(place: Place, /, console: Any, **chosen: Any) -> int:
    """Show every principal the Manager knows, and whether they may, by which rule."""
    from apiops.access import decide
    from apiops.cli import entry
    from apiops.model.access import Right
    from apiops.model.view import Holders
    from apiops.wiring import assemble

    right = Right(Category(chosen["category"]), VERBS[chosen["can"]])
    project = chosen["project"]
    scope = Scope(Tier.TEAM if project else Tier.SYSTEM, project, chosen["environment"])
    target = entry.chosen_target(place, chosen)
    with assemble.manager(target) as manager:
        grants = manager.grants()
        if not target.ledger:  # of a vendor's Manager only the ledger is ours
            _demand_there(manager, scope)
    verdicts = tuple(
        decide.decide(grants, name, right.verb, right.category, scope)
        for name in sorted(grants.enabled)
    )
    if not verdicts:
        raise UsageError(
            "the Manager knows nobody", code="AO909", hint="`apiops manager init` makes the first"
        )
    console.show(Holders(right, scope, verdicts))
    return Exit.OK


def _demand_there(manager: Any, scope: Scope) -> None:
    """Refuse places that nobody described: the answer would look like one. Raises StoreError."""
    from apiops.errors import StoreError
    from apiops.model.resource import ResourceId

    for kind, name in (("Project", scope.project), ("Environment", scope.environment)):
        id = ResourceId(kind, None, name or "")
        if name and not manager.read("", "", among=(id,)).resources:
            raise StoreError(
                f"the Manager has no {id}", code="AO727", hint="check the spelling of its name"
            )


@command.command(
    "check",
    cls=options.Verb,
    examples=(
        "apiops access check --target production",
        "apiops access check --target production --base origin/main --ref HEAD -o markdown",
    ),
)
@options.place
@options.target
@options.option("--ref", default="HEAD", show_default=True, help="Branch, tag or commit to check.")
@options.option(
    "--base",
    metavar="REV",
    help="Check the commits since this revision (default: since what was applied last).",
)
@options.introduction
@options.wishes
@options.output(*FORMATS)
@click.pass_obj
def check(place: Place, /, console: Any, base: str | None, **chosen: Any) -> int:
    """Say for every changed resource whether its committers may, by which rule, and what to do.

    Nothing is written and no secret is opened. Exit code 4: something is denied, 3: some
    specifications are invalid, so that their projects could not be checked.
    """
    from apiops.cli import checking, entry

    door = entry.Entry(place, console, {**chosen, "no_secrets": True})
    found, shown = checking.since(door, base) if base else checking.applied(door)
    if found.diagnostics:
        console.note(found)
    console.show(shown)
    if entry.invalid(found):
        return Exit.INVALID
    return Exit.DENIED if shown.verdicts.denied else Exit.OK


@command.command(
    "matrix",
    cls=options.Verb,
    examples=("apiops access matrix", "apiops access matrix --expanded -o markdown"),
)
@options.option("--expanded", is_flag=True, help="With all that each right brings along.")
@options.output(*FORMATS)
def matrix(console: Any, *, expanded: bool) -> int:
    """Show what the built-in roles may, category by category."""
    from apiops.access import matrix as tables

    console.show(tables.view(expanded=expanded))
    return Exit.OK


@command.command(
    "import-signers",
    cls=options.Verb,
    examples=("apiops access import-signers .git/allowed_signers > system/people.yaml",),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def import_signers(file: Path) -> int:
    """Print User manifests for the people in an OpenSSH allowed_signers file.

    Exit code 3: a line names nobody in particular, or cannot be read; then nothing is printed.
    """
    import yaml

    from apiops.access import signers
    from apiops.cli import evidence

    users = signers.users(signers.parse(evidence.text(file), str(file)))
    click.echo(yaml.safe_dump_all(users, sort_keys=False, allow_unicode=True), nl=False)
    return Exit.OK
