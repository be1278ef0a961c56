"""What the HTTP face serves: one open Manager, the targets that live in it, and their commits."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from apiops import __version__
from apiops.errors import UsageError
from apiops.model.audit import Source
from apiops.model.resource import Target
from apiops.ports import Event
from apiops.reconcile.line import Line
from apiops.reconcile.runs import InProcess
from apiops.reconcile.within import Sees
from apiops.wiring import assemble, source
from apiops.wiring.mirror import Mirror
from apiops.wiring.settings import Settings, TargetSettings

if TYPE_CHECKING:
    from apiops.git.inbox import Inbox
    from apiops.git.login import Login
    from apiops.git.repository import GitRepository
    from apiops.manager.embedded import EmbeddedManager


@dataclass(frozen=True, slots=True)
class Serving:
    """One Manager and everything that serving it takes. Threads share it."""

    manager: "EmbeddedManager"
    inbox: "Inbox"
    targets: Mapping[str, TargetSettings]
    mirror: Mirror | None = None

    def runs(
        self, target: str, repository: "GitRepository", sees: Sees | None, address: str
    ) -> InProcess:
        """The line over a submitted or a kept repository, for one target. Raises KeyError."""
        settings = self.targets[target]
        line = Line(
            repository=repository,
            keyring=assemble.keyring(assemble.Wiring(Path(), settings)),
            manager=self.manager,
            ledger=self.manager,
            observer=_Silent(),
            target=Target(settings.name, settings.environment),
            run=uuid.uuid4().hex,
            engine=__version__,
            now=lambda: datetime.now(UTC),
            source=Source.HTTP,
            address=address,
        )
        return InProcess(line, sees=sees)


class _Silent:
    """An observer for nobody: whoever asked waits for the answer."""

    def notice(self, event: Event) -> None:
        """Take note of nothing."""


@contextmanager
def opened(
    settings: Settings,
    target: TargetSettings,
    repositories: Path | None,
    fetch_from: str | None = None,
    login: Callable[[], "Login"] = source.login,
) -> Iterator[Serving]:
    """The Manager of a target, with every other target that the settings put into it.

    `fetch_from` is the address of the repository that commits may be fetched from, `login`
    is what its server is shown.

    Raises UsageError AO908 for a Manager that is itself reached over HTTP, StoreError and kin.
    """
    from apiops.git.inbox import Inbox

    if target.manager.startswith(("http:", "https:")):
        raise UsageError(
            f"the Manager of {target.name} is served elsewhere already",
            code="AO908",
            hint="serve a database: sqlite:///FILE or postgresql://USER@HOST/DATABASE",
        )
    folder = repositories or _folder(target)
    same = {name: one for name, one in settings.targets.items() if one.manager == target.manager}
    with assemble.manager(target) as manager:
        mirror = Mirror(fetch_from, folder / "fetched.git", login) if fetch_from else None
        yield Serving(manager, Inbox(folder), {**same, target.name: target}, mirror)


def _folder(target: TargetSettings) -> Path:
    """Where the commits are kept: beside a SQLite file. Raises UsageError AO908."""
    if target.manager.startswith("sqlite:///"):
        return Path(target.manager.removeprefix("sqlite:///") + ".git")
    raise UsageError(
        "there is no folder for the repositories that are submitted",
        code="AO908",
        hint="give --repositories FOLDER: a volume that outlives the process",
    )
