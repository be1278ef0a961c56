"""Worlds that can be copied: a bank with its Manager on either engine, over and over as it was.

with keep(engine, request, tmp_path) as world:      empty: a repository and no Manager
    world.shop.begin(...)
    with world.copied() as other: ...                the same, in a database of its own
"""

import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, make_url

from apiops.manager import embedded
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from tests import postgres
from tests.shop import Shop


@dataclass(frozen=True)
class World:
    """A shop, the URL of its database, and the server that copies can be made on (None: files)."""

    shop: Shop
    url: URL
    server: URL | None

    @property
    def key_file(self) -> Path:
        return Path(self.shop.variables["APIOPS_KEY_FILE"])

    @contextmanager
    def copied(self) -> Iterator["World"]:
        """The world as it is now; what happens to the copy does not happen here."""
        folder = self.shop.folder.with_name(f"w{uuid.uuid4().hex}")
        shutil.copytree(self.shop.folder, folder)
        with _database(self.server, folder, template=self.url.database) as url:
            yield World(_shop(self.shop, folder, url), url, self.server)
        shutil.rmtree(folder)

    def by(self, url: URL) -> "World":
        """The same world, whose commands go another way to the database."""
        return World(_shop(self.shop, self.shop.folder, url), url, self.server)

    @contextmanager
    def opened(self) -> Iterator[embedded.EmbeddedManager]:
        url = self.url.render_as_string(hide_password=False)
        with embedded.open_manager(url, key_file=self.key_file) as manager:
            yield manager

    def image(self) -> dict[str, Any]:
        """All that must be the same however often a run was killed on its way there."""
        with self.opened() as manager:
            live = manager.read(self.shop.lineage, "dev")
            report = manager.verify()
            assert report.first_bad is None, report.problem
            entries = list(manager.entries(AuditQuery(limit=0)))
            assert report.entries == len(entries)
            return {
                "resources": {
                    str(one.id): (
                        one.spec, one.serial, one.owner, one.applied, dict(one.labels),
                        one.protected, [(d.environment, d.digest) for d in one.deployments],
                    )
                    for one in live.resources
                },
                "applied": {u: (a.commit, a.serial) for u, a in live.ledger.applied.items()},
                "entries": Counter(
                    (e.action, str(e.resource), e.environment, e.outcome, e.principal, e.reason.text)
                    for e in entries
                ),
            }  # fmt: skip

    def plaintexts(self, principal: str) -> dict[str, bytes]:
        """Every secret of project payments, opened."""
        context = AuditContext(principal, principal, Reason("look"), "look", Source.CONSOLE)
        with self.opened() as manager:
            ids = [one.id for one in manager.read("", "dev").resources]
            opened = manager.open_secrets(ids, principal=principal, context=context)
            assert {} == opened.denied
            return {
                f"{id}{pointer}": value.reveal()
                for id, values in opened.values.items()
                for pointer, value in values.items()
            }


@contextmanager
def keep(engine: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    """A repository without a commit, and an empty database."""
    server = request.getfixturevalue("postgres_server") if engine == "postgresql" else None
    with keep_on(server, folder) as world:
        yield world


@contextmanager
def keep_on(server: URL | None, folder: Path) -> Iterator[World]:
    """A repository without a commit, and an empty database on that server (None: a file)."""
    start = folder / "world"
    start.mkdir()
    with _database(server, start) as url:
        yield World(_shop(Shop(start), start, url), url, server)


def _shop(like: Shop, folder: Path, url: URL) -> Shop:
    shop = copy(like)
    shop.folder, shop.repository = folder, folder / "repo"
    shop.story = copy(like.story)
    shop.story.path = shop.repository
    shop.variables = {
        "APIOPS_MANAGER": url.render_as_string(hide_password=False),
        "APIOPS_KEY_FILE": str(folder / "manager.key"),
        "SOPS_AGE_KEY": like.identity,
    }
    return shop


@contextmanager
def _database(server: URL | None, folder: Path, template: str | None = None) -> Iterator[URL]:
    if server is None:
        yield make_url(f"sqlite:///{folder}/manager.db")
        return
    with postgres.database(server, f"d{uuid.uuid4().hex}", template) as url:
        yield url
