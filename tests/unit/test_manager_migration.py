"""A database of an older version becomes one of this version, with everything that is in it."""

from dataclasses import asdict
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import apiops.manager
from apiops.errors import StoreError, UnauditedWrite
from apiops.manager import connect, embedded, faults, fieldcrypt, keyring, schema, tables
from apiops.manager.fieldcrypt import Place
from apiops.manager.keyring import Ring
from apiops.manager.wrapping import InMemory
from apiops.model import canonical
from apiops.model.audit import AuditQuery, Reason, Source
from apiops.model.secret import SecretValue
from tests.managers import NOON

LINEAGE = "0123456789abcdef0123456789abcdef"
AT = tables.instant(NOON)
TICKET = {
    "at": AT, "actor": "ayse", "principal": "ayse", "tier": "system", "run": "r", "source": "init",
    "reason": canonical.encode(asdict(Reason("Long ago"))).decode(), "address": "",
}  # fmt: skip


@pytest.fixture
def old(database, tmp_path):
    """The URL of a Manager as version 0001 left it: an admin, keys, a sealed secret."""
    key = tmp_path / "manager.key"
    keyring.make_file(key)
    ring = Ring(InMemory(keyring.read_file(key), LINEAGE), LINEAGE, ())
    versions = [ring.make("", "digest", NOON), ring.make("production", "seal", NOON)]
    place = Place("production", "Credential", "c1", "/password")
    token = fieldcrypt.seal(ring.sealing_key("production")[1], "v1", place, SecretValue("hunter2"))
    url = connect.parse(database)
    if database.startswith("sqlite"):
        Path(url.database).touch(mode=0o600)
    engine = connect.owner(url)
    with engine.begin() as connection:
        upgrade(connection, "0001")
        connect.issue(connection, TICKET)
        fill(connection, versions, token)
        connect.withdraw(connection)
    engine.dispose()
    return database, key, place


def upgrade(connection, version):
    config = Config()
    folder = Path(apiops.manager.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def fill(connection, versions, token):
    put(connection, "meta", id=1, lineage=LINEAGE, trust="signed", created=AT)
    for id, kind, project, name, spec in (
        ("u1", "User", "", "ayse", '{"systemRoles":["sysAdmin"]}'),
        ("c1", "Credential", "payments", "app", "{}"),
    ):
        put(connection, "resource", id=id, kind=kind, project=project, name=name, spec=spec,
            labels="{}", protected=False, digest="d", serial=1)  # fmt: skip
    for one in versions:
        put(connection, "keyring", environment=one.environment, purpose=one.purpose, kid=one.kid,
            state=one.state, wrapped=one.wrapped.token, created=AT)  # fmt: skip
    put(connection, "sealed", resource="c1", pointer="/password", environment="production",
        kid="v1", token=token.token, fingerprint="f")  # fmt: skip


def put(connection, table, **row):
    columns = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f'INSERT INTO "{table}" ({columns}) VALUES ({values})'), row)


def rows(url, table):
    engine = connect.reader(connect.parse(url))
    with engine.connect() as connection:
        found = connection.execute(text(f'SELECT * FROM "{table}"')).mappings().all()
    engine.dispose()
    return [dict(row) for row in found]


def test_an_older_database_is_refused_until_it_is_migrated(old):
    url, key, _ = old
    with pytest.raises(StoreError) as found:
        embedded.open_manager(url, key_file=key)
    assert "AO709" == found.value.code


def test_everything_is_there_after_a_migration(old):
    url, key, place = old
    before = {name: rows(url, name) for name in ("meta", "resource", "sealed", "keyring")}
    assert schema.HEAD == schema.migrate(url)
    for name, held in before.items():
        now = [{k: v for k, v in row.items() if k in held[0]} for row in rows(url, name)]
        assert sorted(map(str, held)) == sorted(map(str, now))
    with embedded.open_manager(url, key_file=key) as manager:
        ring = Ring(InMemory(keyring.read_file(key), LINEAGE), LINEAGE, manager.keys.versions())
        token = fieldcrypt.SealedText(before["sealed"][0]["token"])
        opened = fieldcrypt.unseal(ring.opening_key("production", "v1"), place, token)
        assert SecretValue("hunter2") == opened


def test_a_migration_leaves_an_entry_and_an_unbroken_chain(old):
    url, key, _ = old
    schema.migrate(url)
    with embedded.open_manager(url, key_file=key) as manager:
        newest = next(manager.entries(AuditQuery()))
        assert ("migrate", "noted", Source.MIGRATION) == (
            newest.action,
            newest.outcome,
            newest.source,
        )
        assert {"from": "0001", "to": schema.HEAD} == newest.delta
        assert manager.verify().first_bad is None


def test_the_walls_stand_around_a_migrated_keyring(old):
    url = old[0]
    schema.migrate(url)
    before = rows(url, "keyring")
    parsed = connect.parse(url)
    for statement in (
        "UPDATE keyring SET state = 'retired'",
        "DELETE FROM keyring",
        "INSERT INTO keyring SELECT 'x', purpose, kid, state, wrapped, created, public, until FROM keyring",
    ):
        with pytest.raises(UnauditedWrite):
            gone_wrong(parsed, statement)
    assert before == rows(url, "keyring")


def gone_wrong(url, statement):
    """What a migration script would do that forgets the ticket."""
    engine = connect.owner(url)
    try:
        with faults.translated(url), engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def test_a_key_of_a_new_purpose_may_be_stored_and_of_an_unknown_one_may_not(old):
    url, key, _ = old
    schema.migrate(url)
    with embedded.open_manager(url, key_file=key) as manager:
        token = manager.keys.issue({"exp": manager.keys._clock().timestamp() + 60})
        assert token.count(".") == 2
    with pytest.raises(StoreError, match="purpose"):
        guess(url)


def guess(url):
    engine = connect.owner(connect.parse(url))
    try:
        with faults.translated(engine.url), engine.begin() as connection:
            connect.issue(connection, TICKET)
            put(connection, "keyring", environment="", purpose="guess", kid="v1", state="active",
                wrapped="apf1.k.x", created=AT)  # fmt: skip
    finally:
        engine.dispose()
