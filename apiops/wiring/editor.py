"""Whether an editor finds the schemas that manifests name in their first line (the modeline).

`apiops init` writes the schemas where Git does not see them: a fresh clone has none, and those of
an older apiops stay behind.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from apiops.model.doctor import Check, Health
from apiops.spec import catalog

NAME: Final = "editor schemas"
MOST: Final = 2_000
"""Manifests that are looked at."""

_MODELINE: Final = re.compile(rb"# yaml-language-server: \$schema=(\S+\.json)\s")


def check(directory: Path) -> Check | None:
    """Look at the manifests of a work tree; None if they name no schema, or there is none."""
    above = (directory.resolve(), *directory.resolve().parents)
    root = next((folder for folder in above if (folder / ".git").exists()), None)
    named = set(_named(root)) if root is not None else set()
    if not named:
        return None
    missing = sorted(file for file in named if not file.is_file())
    stale = sorted(file for file in named.difference(missing) if not _current(file))
    if not missing and not stale:
        return Check(NAME, Health.OK, "where the manifests say, and of this version")
    first = (missing or stale)[0]
    seen = "is not there" if missing else "is not of this version"
    fix = f"apiops schema --write {first.parent}"
    return Check(NAME, Health.WARN, f"{first.name}, which manifests name, {seen}", fix)


def _named(root: Path) -> Iterator[Path]:
    """The schemas that modelines name by a relative path."""
    files = (file for file in root.rglob("*.yaml") if _is_seen(file.relative_to(root)))
    for file in islice(files, MOST):
        modeline = _MODELINE.match(_beginning(file))
        if modeline is not None and b"://" not in modeline[1]:
            yield (file.parent / modeline[1].decode(errors="replace")).resolve()


def _is_seen(path: Path) -> bool:
    return not any(part.startswith(".") for part in path.parts)


def _beginning(file: Path) -> bytes:
    """The first bytes of a file; nothing of what cannot be read, which other checks name."""
    with suppress(OSError):
        if file.is_file():
            with file.open("rb") as stream:
                return stream.read(512)
    return b""


def _current(file: Path) -> bool:
    """Whether a schema is the one of its name that this version has."""
    ours = catalog.directory() / file.name
    if not ours.is_file():
        return True  # of something else: none of our business
    content = ours.read_bytes()
    return file.stat().st_size == len(content) and file.read_bytes() == content
