"""`apiops schema`: the JSON Schemas of the kinds, for editors and other tools."""

from pathlib import Path
from typing import Any

import click

from apiops.cli import options
from apiops.errors import Exit, UsageError


@options.verb("schema", "apiops schema", "apiops schema ApiProxy", "apiops schema --write schemas")
@click.argument("kind", required=False)
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write all schemas and their catalogue into this folder.",
)
def command(kind: str | None, write: Path | None) -> int:
    """List the kinds, print one kind's JSON Schema (draft-07), or write them all."""
    from apiops.cli import console
    from apiops.model.kinds import KINDS
    from apiops.spec import catalog

    if write is not None:
        _copy(catalog.directory(), write)
        click.echo(f"wrote {len(KINDS)} schemas to {write}", err=True)
    elif kind is None:
        width = max(map(len, KINDS))
        lines = [f"{known.name:{width}}  {known.summary}\n" for known in KINDS.values()]
        console.put("".join(lines))
    else:
        console.put(_text(kind))
    return Exit.OK


def _copy(source: Path, folder: Path) -> None:
    """Copy every schema. Raises UsageError AO907."""
    import shutil

    try:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    except OSError as fault:  # shutil.Error, for several files, has no strerror
        raise UsageError(
            f"the schemas cannot be written to {folder}: {fault.strerror or 'see its permissions'}",
            code="AO907",
            hint="choose a folder that you may write to",
        ) from None


def _text(kind: str) -> str:
    import difflib

    from apiops.model.kinds import KINDS
    from apiops.spec import catalog

    if kind not in KINDS:
        near: list[Any] = difflib.get_close_matches(kind, KINDS, n=1)
        raise UsageError(
            f'there is no kind "{kind}"',
            code="AO902",
            hint=f'did you mean "{near[0]}"?' if near else "`apiops schema` lists the kinds",
        )
    return (catalog.directory() / f"{kind}.json").read_text(encoding="utf-8")
