"""The environment that a target stands for must be one that the repository describes.

With a name that nothing has, every deployment would be another environment's and nothing would be
deployed, and secrets would be sealed for an environment that nobody runs.
"""

import re
from collections.abc import Iterable

from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.resource import NO_TARGET, ResourceId
from apiops.spec import near
from apiops.spec.context import Context

_KIND = "Environment"
_SETTINGS = "apiops.toml"


def check(known: Iterable[ResourceId], context: Context) -> None:
    """Report a target whose environment is not among those of the repository, where it has any.

    What the System tier has may be described elsewhere: then nothing is known here.
    """
    target = context.target
    names = [id.name for id in known if id.kind == _KIND]
    if not names or target == NO_TARGET or target.environment in names or context.findings.blind:
        return
    otherwise = f"the repository describes {', '.join(sorted(names))}: correct it, or describe it"
    message = (
        f'target {target.name} stands for "{target.environment}", and no Environment has that name'
    )
    hint = near.hint(target.environment, names, otherwise)
    file = context.snapshot.files.get(target.settings) if target.settings else None
    if file is None:  # the settings are the operator's own file, elsewhere
        context.findings.file(_SETTINGS, "AO308", message, hint=hint)
        return
    content = context.snapshot.read(file.blob).decode(errors="replace")
    place = _place(content.splitlines(), target.name)
    found = Diagnostic("AO308", message, Location(file.path, *place), hint=hint)
    context.findings.text(file.blob, [found])


def _place(lines: list[str], target: str) -> tuple[int, int]:
    """Line and column of the target's `environment`, or of its table; zeros where neither is."""
    head = re.compile(rf"\s*\[\s*targets\s*\.\s*[\"']?{re.escape(target)}[\"']?\s*\]")
    table, inside = 0, False
    for number, text in enumerate(lines, 1):
        if text.lstrip().startswith("["):
            inside = head.match(text) is not None
            table = number if inside else table
        elif inside and (said := re.match(r"\s*environment\s*=\s*", text)):
            return number, said.end() + 1
    return table, min(table, 1)
