"""Where a Manager keeps the commits that were submitted to it: one bare repository per lineage.

A submission is read into a quarantine of its own, which sees the kept objects but is gone when the
run ends. Only what was applied is kept, so nobody can fill the repository with a plan.
"""

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pygit2

from apiops.errors import SourceError
from apiops.git import author, pack, repository
from apiops.git.repository import GitRepository

_FULL_ID: Final = re.compile(r"[0-9a-f]{40}")
_BRANCH: Final = "refs/heads/main"


class Inbox:
    """The repositories in one folder. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keeping = threading.Lock()

    def kept(self, lineage: str) -> GitRepository | None:
        """What was applied of a repository, if anything ever was."""
        path = self._path(lineage)
        return repository.open(path) if path.is_dir() else None

    @contextmanager
    def taken(self, lineage: str, head: str, content: bytes) -> Iterator[GitRepository]:
        """The repository as it is with a submitted pack, `head` being its HEAD.

        Raises SourceError: AO821 for the pack, AO822 when the head does not lead back to the
        commit that the submission says the repository began with.
        """
        kept = self._path(lineage)
        with tempfile.TemporaryDirectory(prefix="apiops-inbox-") as folder:
            path = Path(folder)
            author.init(path, bare=True)
            if kept.is_dir():
                alternates = path / "objects/info/alternates"
                alternates.parent.mkdir(exist_ok=True)
                alternates.write_text(f"{kept / 'objects'}\n", encoding="utf-8")
            plain = pygit2.Repository(str(path))
            pack.read(plain, content)
            _point(plain, head)
            found = repository.open(path)
            if found.lineage != lineage:
                raise SourceError(
                    f"commit {head[:7]} does not belong to repository {lineage[:7]}",
                    code="AO822",
                    hint="submit from a whole clone of the repository that is meant",
                )
            yield found

    def keep(self, lineage: str, head: str, content: bytes) -> None:
        """Keep what was applied."""
        path = self._path(lineage)
        with self._keeping:
            if not path.is_dir():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                author.init(path, bare=True)
            plain = pygit2.Repository(str(path))
            pack.read(plain, content)
            _point(plain, head)
            plain.references.create(f"refs/apiops/{head}", head, force=True)

    def ready(self) -> None:
        """Raise SourceError AO823 unless repositories can be kept."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                return
        except OSError as fault:
            raise SourceError(
                f"the folder of submitted repositories cannot be written: {fault.strerror}",
                code="AO823",
                hint="check owner, mode and free space of the folder that --repositories names",
            ) from None

    def _path(self, lineage: str) -> Path:
        if not _FULL_ID.fullmatch(lineage):
            raise SourceError(
                "a repository is named by the full id of its first commit",
                code="AO822",
                hint="it is what `git rev-list --max-parents=0 HEAD` prints",
            )
        return self._folder / f"{lineage}.git"


def _point(plain: pygit2.Repository, head: str) -> None:
    """Let the branch that HEAD names be at a commit. Raises SourceError AO821."""
    if _FULL_ID.fullmatch(head) and isinstance(plain.get(pygit2.Oid(hex=head)), pygit2.Commit):
        plain.references.create(_BRANCH, head, force=True)
        return
    raise SourceError(
        f"the submission has no commit {head[:40]}",
        code="AO821",
        hint="submit again with `apiops plan --manager` or `apiops apply --manager`",
    )
