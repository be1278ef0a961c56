"""`apiops rollback`: commit an earlier revision's files again, and plan that."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.cli.plan import FORMATS


@options.verb(
    "rollback",
    "apiops rollback --to v1.4 --sign-key ~/.ssh/id_ed25519",
    "apiops rollback --to 8d2f01c --only projects/payments --sign-key ~/.ssh/id_ed25519",
)
@options.place
@options.target
@options.option("--ref", default="HEAD", show_default=True, help="Branch to go back from.")
@options.deliberate("--to", required=True, metavar="REVISION", help="The earlier revision.")
@options.deliberate(
    "--only", multiple=True, metavar="PATH", help="Only this file or folder, repeatable."
)
@options.deliberate("--branch", help="Branch to make (default: rollback-REVISION).")
@options.deliberate(
    "--sign-key",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Your private SSH key, without passphrase.",
)
@options.wishes
@options.output(*FORMATS)
@click.pass_obj
def command(
    place: Place,
    /,
    console: Any,
    to: str,
    only: tuple[str, ...],
    branch: str | None,
    sign_key: Path,
    **chosen: Any,
) -> int:
    """Make a branch that has an earlier revision's files again, and show its plan.

    The commit is yours: signed with your key, judged by your rights. Nothing is applied. Push the
    branch and merge it like any other change, or apply it at once with the command shown.
    What is in no commit, `apiops undo` brings back from what the Manager kept.
    """
    from apiops.cli import plan
    from apiops.wiring import rollback

    made, head = rollback.commit(
        place.directory,
        to,
        ref=chosen.pop("ref"),
        only=only,
        sign_key=sign_key,
        branch=branch or "",
    )
    console.say(f"branch {made} at {head.short}: {head.subject}")
    beyond = {"worktree": False, "introduction": None, "approver": None, "comment": "never"}
    return plan.show(place, console, {**chosen, **beyond, "status": False, "ref": made})
