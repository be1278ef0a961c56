"""Where a scheduled run gets its commits: a clone that is kept, a remote, and a token for it."""

import os
from pathlib import Path
from typing import Final

from apiops.errors import UsageError
from apiops.model.revision import Evidence
from apiops.model.secret import SecretValue
from apiops.wiring import files

VARIABLE: Final = "APIOPS_GIT_TOKEN"
LONGEST: Final = 16 * 1024
"""Bytes of a token's file: a longer one holds something else."""


def token(file: Path | None) -> SecretValue | None:
    """The token in a file, or in the variable. Raises UsageError AO907."""
    if file is None:
        given = os.environ.get(VARIABLE, "")
        return SecretValue(given) if given else None
    held = files.read(file, LONGEST).strip()
    if not held or not held.isascii():
        raise UsageError(
            f"the file {file} holds no token",
            code="AO907",
            hint="it must hold the token of the Git server and nothing else",
        )
    return SecretValue(held)


def clone(directory: Path, address: str, given: SecretValue | None) -> None:
    """Clone into an empty or missing folder; one that has something in it is left as it is.

    Raises SourceError, SourceUnavailable.
    """
    from apiops.git import remote

    if not directory.is_dir() or not any(directory.iterdir()):
        remote.clone(address, directory, given)


def fetch(directory: Path, remote: str, evidence: Evidence, given: SecretValue | None) -> None:
    """Fetch a remote, with the heads of the pull requests that the evidence names.

    Raises SourceError, SourceUnavailable.
    """
    from apiops.git import repository

    heads = {name for said in evidence.values() for name in said.heads}
    refs = sorted(name for name in heads if name.startswith("refs/"))
    repository.open(directory).fetch(remote, refs, given)
