"""A shop whose Manager is served over HTTP: `shop.there("plan")` goes through the server.

shop.here(…)    works on the database itself, as if there were no server
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apiops.git.login import Login
from apiops.manager.embedded import EmbeddedManager
from apiops.model.token import Holder
from apiops.web import app
from apiops.wiring import serving, settings, source
from tests.serving import a_token, served
from tests.shop import AYSE, SETTINGS, Done, Shop, the_bank

CI = ("plan", "apply")


class Remote(Shop):
    """A shop with a server in front of its Manager; the database may be any."""

    open: EmbeddedManager
    first: str

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder)
        self.database = database
        self.url = ""
        self.token = ""

    def manager(self) -> Done:
        """Make the Manager in the database itself."""
        return self.here(
            "manager", "init", "--admin", "ayse", "--admin-key", self.folder / "ayse.pub"
        )

    def here(self, *arguments: str | Path) -> Done:
        """A command that works on the database itself."""
        return self.run(*arguments, "--manager", self.database, "--key-file", self.folder / "kek")

    def there(self, *arguments: str | Path, token: str | None = None) -> Done:
        """A command that goes through the server."""
        self.variables["APIOPS_TOKEN"] = self.token if token is None else token
        return self.run(*arguments, "--manager", self.url)

    def introduce(self) -> None:
        """The first apply, by the person who answers for it."""
        mine = a_token(self.open, "ayse", "plan", "apply")
        done = self.there(
            "apply", "--introduction", self.first, "--approver", "ayse", "--yes", token=mine
        )
        assert done.code == 0, done.err


@contextmanager
def remote(
    folder: Path,
    database: str,
    files: Mapping[str, Any] | None = None,
    fetch_from: str | None = None,
    login: Callable[[], Login] = source.login,
) -> Iterator[Remote]:
    """A shop with a first commit, a Manager without anything, a server, and a CI token.

    `fetch_from` is the repository that the server may fetch commits from by itself, with
    `login`.
    """
    shop = Remote(folder, database)
    described = {**(files or the_bank()), "apiops.toml": SETTINGS}
    shop.first = shop.commit(AYSE, described, "Describe the bank")
    assert shop.manager().code == 0
    target = settings.TargetSettings("dev", "dev", database, folder / "kek")
    known = settings.Settings(None, {"dev": target})
    with serving.opened(known, target, folder / "kept", fetch_from, login) as opened:
        shop.open = opened.manager
        shop.token = a_token(opened.manager, "ci", *CI, kind=Holder.SERVICE)
        with served(app.create(opened)) as url:
            shop.url = url
            yield shop
