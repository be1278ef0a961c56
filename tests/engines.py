"""A bank in an empty database of either engine, as often as a property needs one.

with fresh(engine, postgres_server) as shop: ...
"""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from tests import postgres
from tests.shop import Shop

ENGINES = ("sqlite", "postgresql")


@contextmanager
def fresh(engine: str, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop without a Manager yet, whose commands use a new database and can open its secrets."""
    with tempfile.TemporaryDirectory() as name, _database(engine, request, name) as url:
        shop = Shop(Path(name))
        shop.variables = {
            "APIOPS_MANAGER": url.render_as_string(hide_password=False),
            "APIOPS_KEY_FILE": f"{name}/manager.key",
            "SOPS_AGE_KEY": shop.identity,
        }
        yield shop


@contextmanager
def _database(engine: str, request: pytest.FixtureRequest, folder: str) -> Iterator[URL]:
    sqlite = nullcontext(make_url(f"sqlite:///{folder}/manager.db"))
    server = None if engine == "sqlite" else request.getfixturevalue("postgres_server")
    new = sqlite if server is None else postgres.schema(server, f"t{uuid.uuid4().hex}")
    with new as url:
        yield url
