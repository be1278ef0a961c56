"""Where a scheduled run gets its commits: a clone that is kept, a remote, and a token for it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apiops.errors import UsageError
from apiops.model.revision import Evidence
from apiops.model.secret import SecretValue
from apiops.wiring import files

if TYPE_CHECKING:
    from apiops.git.login import Login

VARIABLE: Final = "APIOPS_GIT_TOKEN"
LONGEST: Final = 16 * 1024
"""Bytes of the file of a token or key: a longer one holds something else."""

MOST_HOSTS: Final = 4 * 1024 * 1024
"""Bytes of known hosts."""


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


def login(
    token_file: Path | None = None,
    ssh_key: Path | None = None,
    passphrase_file: Path | None = None,
    known_hosts: Path | None = None,
) -> "Login":
    """Who we are to a Git server, from files or, where none is named, from the environment.

    Raises UsageError AO907 for a file that cannot be read.
    """
    from apiops.git.login import Login

    key = ssh_key or _named("APIOPS_GIT_SSH_KEY")
    phrase = passphrase_file or _named("APIOPS_GIT_SSH_PASSPHRASE_FILE")
    hosts = known_hosts or _named("APIOPS_GIT_KNOWN_HOSTS") or _own_hosts()
    return Login(
        token=token(token_file),
        ssh_key=SecretValue(files.read(key, LONGEST)) if key else None,
        passphrase=SecretValue(files.read(phrase, LONGEST).strip(b"\r\n")) if phrase else None,
        known_hosts=files.read(hosts, MOST_HOSTS).decode(errors="replace") if hosts else None,
    )


def _own_hosts() -> Path | None:
    """The user's own known hosts, if there are any."""
    file = Path.home() / ".ssh" / "known_hosts"
    return file if file.is_file() else None


def _named(variable: str) -> Path | None:
    """The file that a variable names: the ledger in a Git ref has no flags for it."""
    given = os.environ.get(variable, "")
    return Path(given) if given else None


def clone(directory: Path, address: str, given: "Login") -> None:
    """Clone into an empty or missing folder, or go on with a clone that was not finished.

    A folder with anything else in it is left as it is.

    Raises SourceError, SourceUnavailable.
    """
    from apiops.git import remote

    empty = not directory.is_dir() or not any(directory.iterdir())
    if empty or remote.unfinished(directory):
        remote.clone(address, directory, given)


def fetch(directory: Path, remote: str, evidence: Evidence, given: "Login") -> None:
    """Fetch a remote, with the heads of the pull requests that the evidence names.

    Raises SourceError, SourceUnavailable.
    """
    from apiops.git import repository

    heads = {name for said in evidence.values() for name in said.heads}
    refs = sorted(name for name in heads if name.startswith("refs/"))
    repository.open(directory).fetch(remote, refs, given)
