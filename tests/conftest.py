"""Fixtures that every test may use: a real PostgreSQL, and the embedded Manager on both engines."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL

from tests import fakemanager, managers, postgres

# No test fails because the machine is busy: what is slow is told by the benchmarks.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI judges a change, so the same tree always gets the same examples; people's runs seek new ones.
settings.register_profile("ci", settings.get_profile("unhurried"), derandomize=True, database=None)
settings.load_profile("ci" if "CI" in os.environ else "unhurried")


@pytest.fixture(scope="session", autouse=True)
def _own_memory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What plans remember goes into the session's folder, not into the developer's home."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets variables of this process for one test; None takes one away.

    monkeypatch puts them back: the environment is an input here, nothing of ours is replaced.
    """

    def put(**variables: str | None) -> None:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return put


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """The session's PostgreSQL, as its superuser."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with postgres.server(shared) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: URL) -> Iterator[URL]:
    """A fresh, empty schema on the session's PostgreSQL."""
    with postgres.schema(postgres_server, f"t{uuid.uuid4().hex}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: the URL that a user would write, for each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'manager.db'}"
    url: URL = request.getfixturevalue("postgres_url")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[managers.House]:
    """An initialised Manager with its first admin, on each engine."""
    with managers.House(database, tmp_path / "manager.key") as house:
        yield house


@pytest.fixture(params=["sqlite", "postgresql", "fake"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[fakemanager.FakeManager]:
    """Everything that plays the Manager and Ledger ports, with ayse as the first system admin."""
    if request.param == "fake":
        yield fakemanager.FakeManager("ayse")
        return
    url = f"sqlite:///{tmp_path / 'manager.db'}"
    if request.param == "postgresql":
        found: URL = request.getfixturevalue("postgres_url")
        url = found.render_as_string(hide_password=False)
    with managers.House(url, tmp_path / "manager.key") as house:
        yield house.manager
