"""The one repository that a served Manager fetches commits from by itself.

Where it is says whoever starts the server, and nobody over HTTP: a client names a commit, never an
address.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from apiops.errors import ApiopsError, SourceError, SourceUnavailable, UsageError
from apiops.wiring import source

if TYPE_CHECKING:
    from apiops.git.login import Login
    from apiops.git.repository import GitRepository


@dataclass(slots=True)
class Mirror:
    """A bare clone of `address` in `folder`. Threads share it; one fetches at a time.

    `login` is asked for each time, so that a token or key can be changed meanwhile.
    """

    address: str
    folder: Path
    login: Callable[[], "Login"] = source.login
    _fetching: threading.Lock = field(default_factory=threading.Lock)

    def pack(self, head: str, have: Iterable[str]) -> bytes:
        """What leads to `head` and not to `have`, fetched only if the commit is not here yet.

        Raises SourceUnavailable AO812 and SourceError: AO824 for a commit on no branch, AO828 for
        what only whoever runs the server can mend. The cause of AO812 and AO828 says where.
        """
        with self._fetching:
            try:
                clone = self._with(head)
            except SourceUnavailable as fault:
                raise _away() from fault
            except (SourceError, UsageError) as fault:
                raise _unusable(fault) from fault
        if not clone.has(head):
            raise SourceError(
                f"no branch of the repository that this server fetches leads to {head[:12]}",
                code="AO824",
                hint="push the commit first, or submit it with `--manager` from a clone",
            )
        return clone.pack([head], [one for one in have if clone.has(one)])

    def ready(self) -> None:
        """Look at what the server is shown and known by, without asking it anything.

        Raises UsageError AO907, SourceError AO826, AO827.
        """
        with self.login().pinned(self.address):
            return

    def _with(self, head: str) -> "GitRepository":
        """The clone, after a fetch if it does not have the commit."""
        from apiops.git import repository

        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        login = self.login()
        source.clone(self.folder, self.address, login)
        clone = repository.open(self.folder)
        if not clone.has(head):
            source.fetch(self.folder, "origin", {}, login)
            clone = repository.open(self.folder)
        return clone


def _away() -> SourceUnavailable:
    """That it may work the next time, without the words of libgit2: they hold the address."""
    return SourceUnavailable(
        "the repository that this server fetches does not answer",
        code="AO812",
        hint="try again; if it stays so, ask whoever runs the server: its log says more",
    )


def _unusable(fault: ApiopsError) -> SourceError:
    """Says to a client nothing of where things lie on the server."""
    return SourceError(
        f"this server cannot fetch the commit ({fault.code}), and trying again changes nothing",
        code="AO828",
        hint="ask whoever runs the server: its log says what is wrong. Meanwhile submit with "
        "`--manager` from a clone, which carries the commits along",
    )
