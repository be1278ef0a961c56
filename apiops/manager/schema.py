"""The database's schema: bring it up to date, and refuse to work on any other.

`HEAD` is the version this apiops works with. It is written here so that an ordinary run need not
import alembic; a test holds it equal to the newest migration.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, insert, inspect, text

from apiops.access.grants import ENGINE
from apiops.errors import StoreError
from apiops.manager import connect, faults, state, tables
from apiops.model import canonical
from apiops.model.access import Tier
from apiops.model.audit import Reason, Source

HEAD: Final = "0006"

_ROLE_GRANTS: Final = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "REVOKE ALL ON audit_ticket FROM {role}",
    "GRANT INSERT, UPDATE, DELETE ON resource, sealed, deployment, keyring TO {role}",
    "GRANT INSERT ON applied, introduction, attachment, snapshot, audit_event TO {role}",
    "GRANT INSERT, UPDATE ON meta, lease, journal, access_token TO {role}",
    "GRANT UPDATE, DELETE ON former_secret TO {role}",
    "GRANT EXECUTE ON FUNCTION begin_audit TO {role}",
)


def migrate(text_url: str, *, application_role: str | None = None) -> str:
    """Create the tables or bring them up to date; returns the version. Safe to repeat.

    On PostgreSQL the URL's role becomes the owner. With `application_role` that role is given
    what the running Manager needs and no more: it owns nothing and cannot change the log.
    Raises StoreError, ManagerUnavailable, UsageError.
    """
    url = connect.parse(text_url)
    with faults.translated(url):
        _make_file(url)
        engine = connect.owner(url)
        try:
            with engine.begin() as connection:
                before = _refuse_foreign(connection, url)
                _upgrade(connection)
                if before not in (None, HEAD):
                    _record(connection, str(before))
                if application_role is not None and connection.dialect.name == "postgresql":
                    _grant(connection, application_role)
        finally:
            engine.dispose()
    return HEAD


def require_current(engine: Engine) -> None:
    """Refuse a database that is not at `HEAD`: empty, foreign, older, newer. Raises StoreError."""
    with engine.connect() as connection:
        version = _version(connection)
    if version == HEAD:
        return
    where = faults.shown(engine.url)
    if version is None:
        raise StoreError(
            f"{where} is not an apiops Manager",
            code="AO708",
            hint="run `apiops manager init` to make one, or check the database URL",
        )
    if version < HEAD:
        raise StoreError(
            f"{where} has schema {version} and must be migrated to {HEAD}",
            code="AO709",
            hint="make a backup, then run `apiops manager migrate`",
        )
    raise _newer(where, version)


def _newer(where: str, version: str) -> StoreError:
    return StoreError(
        f"{where} has schema {version}, newer than {HEAD}, which this apiops works with",
        code="AO714",
        hint="use the apiops version that migrated it, or a newer one",
    )


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("schema_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM schema_version")).first()
    return None if row is None else str(row[0])


def _refuse_foreign(connection: Connection, url: URL) -> str | None:
    version = _version(connection)
    if version is not None and version > HEAD:
        raise _newer(faults.shown(url), version)
    if version is None and inspect(connection).get_table_names():
        raise StoreError(
            f"{faults.shown(url)} holds tables of something else",
            code="AO708",
            hint="give the Manager a database (or a PostgreSQL schema) of its own",
        )
    return version


def _record(connection: Connection, before: str) -> None:
    """Leave an entry: the walls were rebuilt by whoever owns the database, from here to there."""
    if state.identity(connection) is None:
        return
    note = canonical.encode({"from": before, "to": HEAD}).decode()
    context = {
        "at": tables.instant(datetime.now(UTC)),
        "actor": ENGINE,
        "principal": ENGINE,
        "tier": Tier.SYSTEM.value,
        "reason": canonical.encode(asdict(Reason("Migrate the database"))).decode(),
        "run": "migrate",
        "source": Source.MIGRATION.value,
        "address": "",
    }
    connect.issue(connection, context)
    event = {"action": "migrate", "outcome": "noted", "note": note}
    connection.execute(insert(tables.audit_event), event)
    connect.withdraw(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _grant(connection: Connection, role: str) -> None:
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    for statement in _ROLE_GRANTS:
        connection.exec_driver_sql(statement.format(schema=quote(schema), role=quote(role)))


def _make_file(url: URL) -> None:
    """Make SQLite's file, if it is not there, for its owner alone: it holds everything."""
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "").absolute()
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as fault:
        raise StoreError(
            f"cannot make the database file {path}: {fault.strerror}",
            code="AO705",
            hint=f"check the directory, or make it: mkdir -p {path.parent}",
        ) from None
