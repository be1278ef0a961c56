"""`apiops validate`: check the specifications of one target or of all."""

from typing import Any

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.errors import Exit

FORMATS = ("text", "json", "markdown", "github", "gitlab", "sarif", "junit")


@options.verb("validate", "apiops validate", "apiops validate --worktree -o json")
@options.place
@options.revision
@options.output(*FORMATS)
@options.option("-t", "--target", help="Only this target (default: every target).")
@click.pass_obj
def command(place: Place, /, console: Any, **chosen: Any) -> int:
    """Check the specifications, offline; no key and no Manager is needed.

    What is committed is looked at; with --worktree, the files as they lie in the folder.
    """
    from apiops.model.resource import NO_TARGET
    from apiops.model.view import Findings
    from apiops.reconcile import line
    from apiops.wiring import assemble

    snapshot = assemble.snapshot(place.directory, chosen["ref"], worktree=chosen["worktree"])
    names = [chosen["target"]] if chosen["target"] else list(place.settings.targets)
    targets = [assemble.target(place.directory, place.settings.target(name)) for name in names]
    loads = [line.validate(snapshot, one) for one in targets or [NO_TARGET]]
    unique = {d: None for loaded in loads for d in loaded.diagnostics}
    found = Findings(tuple(unique), max(loaded.checked for loaded in loads))
    console.show(found)
    if chosen["ref"] == "HEAD" and not chosen["worktree"]:
        _remark(console, assemble.uncommitted(place.directory))
    return Exit.INVALID if any(d.severity == "error" for d in unique) else Exit.OK


def _remark(console: Any, uncommitted: int) -> None:
    """Somebody who edits a file and validates expects that file to be looked at."""
    if uncommitted:
        files = "file is" if uncommitted == 1 else "files are"
        console.say(f"{uncommitted} {files} not as committed: --worktree looks at the folder")
