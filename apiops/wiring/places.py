"""Where a target's things are: its database, its key file, the age identities."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from apiops.errors import UsageError
from apiops.wiring.settings import TargetSettings

if TYPE_CHECKING:
    from apiops.age.identities import Identities


def gather_identities(folder: Path | None, *, interactive: bool) -> "Identities":
    """The age identities of the variables, of a mounted folder and, for a person, of their home.

    Raises SecretError for a key that was named but cannot be used.
    """
    from apiops.age import identities

    home = Path.home() if interactive else None
    return identities.gather(os.environ, directory=folder, home=home)


def over_http(target: TargetSettings) -> bool:
    """Whether the target's Manager is one of ours on the other side of HTTP."""
    return not target.ledger and target.manager.partition("://")[0].lower() in ("http", "https")


def key_file(target: TargetSettings) -> Path:
    """The file with the wrapping key: the one that is set, or the database's own name + `.key`."""
    if target.wrapping is not None:
        return target.wrapping
    from apiops.manager import connect

    connect.parse(url(target))  # a URL that cannot be used is the worse fault: tell it first
    raise UsageError(
        f"target {target.name} has no key file",
        code="AO908",
        hint=f'write key-file = "FILE" into [targets.{target.name}], or give --key-file',
    )


def url(target: TargetSettings) -> str:
    """The database's URL. Raises UsageError AO908 if there is none, AO748 if it is elsewhere."""
    if over_http(target):
        raise UsageError(
            f"this works on the Manager's database, and target {target.name} is reached over HTTP",
            code="AO748",
            hint="run it where `apiops manager serve` runs, or give --manager with the database",
        )
    if target.database:
        return target.database
    raise UsageError(
        f"target {target.name} has no Manager",
        code="AO908",
        hint=f'write manager = "sqlite:///FILE" into [targets.{target.name}], or give --manager',
    )
