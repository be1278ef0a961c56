"""`apiops access`: who may do what in the Manager, now."""

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
    with assemble.manager(entry.chosen_target(place, chosen)) as manager:
        grants = manager.grants()
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
