"""Opening and making a Manager: every way it can go wrong has its own error, and loses nothing."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

import apiops.manager
from apiops.errors import (
    Conflict,
    Exit,
    ManagerUnavailable,
    SecretError,
    StoreError,
    UsageError,
)
from apiops.manager import connect, embedded, faults, init, keyring, schema, tables
from apiops.model.audit import AuditQuery, Source
from apiops.model.plan import Action
from tests import postgres
from tests.managers import (
    REPOSITORY,
    TARGET,
    House,
    a_resource,
    a_write,
    secret_resource,
    settle,
    write_batch,
)
from tests.people import person

OFFICE = a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]})


def initialise(url, tmp_path, **more):
    given = {"admin": "ayse", "admin_key_line": person("ayse").public_line} | more
    return init.initialise(url, key_file=tmp_path / "manager.key", **given)


def file_of(house):
    return Path(house.url.removeprefix("sqlite:///"))


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'manager.db'}"


def refusal(kind, act, *arguments, **more):
    with pytest.raises(kind) as caught:
        act(*arguments, **more)
    assert caught.value.hint
    return caught.value


def test_the_schema_is_what_the_queries_are_written_for(database):
    schema.migrate(database)
    engine = connect.owner(connect.parse(database))
    ours = set(tables.metadata.tables)

    def is_ours(name, type_, _parents):
        return type_ != "table" or name in ours

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert [] == compare_metadata(context, tables.metadata)
    engine.dispose()


def test_the_known_version_is_the_newest_migration():
    folder = Path(apiops.manager.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert schema.HEAD == ScriptDirectory.from_config(config).get_current_head()


def test_migrating_twice_changes_nothing(database):
    assert schema.HEAD == schema.migrate(database) == schema.migrate(database)


def test_the_first_entries_say_that_the_manager_was_initialised(house):
    entries = list(house.manager.entries(AuditQuery(limit=0)))
    assert {Source.INIT} == {entry.source for entry in entries}
    assert ["initialise", "create", "key-create"] == [one.action for one in reversed(entries)]


def test_a_manager_is_initialised_once(database, tmp_path):
    lineage = initialise(database, tmp_path)
    before = (tmp_path / "manager.key").read_bytes()
    assert "AO717" == refusal(StoreError, initialise, database, tmp_path, admin="mallory").code
    assert before == (tmp_path / "manager.key").read_bytes()
    with embedded.open_manager(database, key_file=tmp_path / "manager.key") as manager:
        assert lineage == manager.read(REPOSITORY, TARGET).lineage
        assert frozenset({"ayse"}) == manager.grants().enabled


def test_the_database_file_is_its_owners_alone(sqlite_url, tmp_path):
    initialise(sqlite_url, tmp_path)
    assert 0o600 == (tmp_path / "manager.db").stat().st_mode & 0o777


def test_a_key_that_cannot_sign_makes_no_admin_and_no_database(sqlite_url, tmp_path):
    found = refusal(UsageError, initialise, sqlite_url, tmp_path, admin_key_line="ssh-rsa AAAA")
    assert "AO731" == found.code
    assert [] == list(tmp_path.iterdir())


def test_a_missing_directory_is_named(tmp_path):
    found = refusal(StoreError, initialise, f"sqlite:///{tmp_path}/no/manager.db", tmp_path)
    assert ("AO705", True) == (found.code, "mkdir" in found.hint)


def test_a_database_that_is_not_there_is_not_made_by_opening_it(sqlite_url, tmp_path):
    found = refusal(StoreError, embedded.open_manager, sqlite_url, key_file=tmp_path / "key")
    assert "AO705" == found.code
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_refused_untouched(sqlite_url, tmp_path):
    path = tmp_path / "manager.db"
    path.write_text("dear diary, " * 100)
    found = refusal(StoreError, embedded.open_manager, sqlite_url, key_file=tmp_path / "key")
    assert "AO703" == found.code
    assert path.read_text().startswith("dear diary")


def test_a_database_of_something_else_is_refused_untouched(sqlite_url, tmp_path):
    other = sqlite3.connect(tmp_path / "manager.db")
    other.execute("CREATE TABLE recipes (name)")
    other.commit()
    assert "AO708" == refusal(StoreError, initialise, sqlite_url, tmp_path).code
    assert [("recipes",)] == other.execute("SELECT name FROM sqlite_master").fetchall()
    other.close()
    opening = refusal(StoreError, embedded.open_manager, sqlite_url, key_file=tmp_path / "key")
    assert "AO708" == opening.code


def test_tables_without_a_manager_are_not_a_manager(database, tmp_path):
    schema.migrate(database)
    found = refusal(StoreError, embedded.open_manager, database, key_file=tmp_path / "key")
    assert "AO708" == found.code


@pytest.mark.parametrize(("version", "code"), [("0000", "AO709"), ("9999", "AO714")])
def test_another_schema_is_refused_by_name(house, version, code):
    engine = connect.owner(connect.parse(house.url))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE schema_version SET version_num = '{version}'")
    engine.dispose()
    found = refusal(StoreError, embedded.open_manager, house.url, key_file=house.key_file)
    assert code == found.code
    assert version in found.message


def test_a_newer_database_is_not_migrated(house):
    engine = connect.owner(connect.parse(house.url))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version_num = '9999'")
    engine.dispose()
    assert "AO714" == refusal(StoreError, schema.migrate, house.url).code


def test_another_lineage_than_expected_is_refused(house):
    found = refusal(
        StoreError, embedded.open_manager, house.url, key_file=house.key_file, lineage="other"
    )
    assert "AO730" == found.code
    embedded.open_manager(house.url, key_file=house.key_file, lineage=house.lineage).close()


def test_a_wrong_key_file_is_found_at_the_door(house, tmp_path):
    keyring.make_file(tmp_path / "other.key")
    found = refusal(SecretError, embedded.open_manager, house.url, key_file=tmp_path / "other.key")
    assert ("AO723", Exit.SECRETS) == (found.code, found.exit_code)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "mysql://u:hunter2@h/d", "sqlite:///:memory:"]
)
def test_an_unusable_url_is_a_usage_error_that_shows_no_password(url, tmp_path):
    found = refusal(UsageError, embedded.open_manager, url, key_file=tmp_path / "key")
    assert "AO702" == found.code
    assert "hunter2" not in str(found)


def test_a_server_that_does_not_answer_is_unavailable_and_its_password_unseen(tmp_path):
    url = "postgresql://apiops:hunter2@127.0.0.1:1/manager"
    found = refusal(ManagerUnavailable, embedded.open_manager, url, key_file=tmp_path / "key")
    assert ("AO701", Exit.UNAVAILABLE) == (found.code, found.exit_code)
    assert "hunter2" not in repr(found) + str(found) + found.hint


def test_clients_that_wait_too_long_for_a_connection_are_asked_to_come_again(sqlite_url):
    few = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    engine = create_engine(sqlite_url, **few)
    with (
        engine.connect(),
        pytest.raises(ManagerUnavailable) as caught,
        faults.translated(engine.url),
    ):
        engine.connect()
    engine.dispose()
    assert ("AO704", True) == (caught.value.code, caught.value.retryable)


def test_a_database_that_is_not_there_on_the_server_is_named(postgres_server, tmp_path):
    url = postgres_server.set(database="nowhere").render_as_string(hide_password=False)
    found = refusal(StoreError, embedded.open_manager, url, key_file=tmp_path / "key")
    assert "AO705" == found.code


def test_a_locked_database_is_unavailable_and_may_be_tried_again(tmp_path, sqlite_url):
    initialise(sqlite_url, tmp_path)
    other = sqlite3.connect(tmp_path / "manager.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    url = connect.parse(sqlite_url)
    engine = connect.owner(url)
    impatient = engine.raw_connection()
    impatient.execute("PRAGMA busy_timeout=10").close()
    impatient.close()
    with pytest.raises(ManagerUnavailable) as found, faults.translated(url), engine.begin():
        pass
    engine.dispose()
    other.close()
    assert ("AO704", True) == (found.value.code, found.value.retryable)


def test_on_sqlite_a_full_disk_takes_the_whole_batch_back(sqlite_url, tmp_path):
    with House(sqlite_url, tmp_path / "manager.key") as house:
        settle(house.manager)
        _fill_the_disk(house)


def _fill_the_disk(house):
    before = house.manager.read(REPOSITORY, TARGET)
    engine = house.manager._store._engine
    with engine.connect() as connection:
        connection.connection.set_authorizer(None)
        connection.exec_driver_sql("PRAGMA max_page_count=1")
    large = a_resource("IpGroup", "large", {"ipList": ["10.0.0.1"] * 50_000})
    found = refusal(
        StoreError, write_batch, house.manager, a_write(Action.CREATE, large), base=1, number=2
    )
    assert "AO706" == found.code
    assert before == house.another().read(REPOSITORY, TARGET)


def test_no_plaintext_lies_in_any_byte_of_the_database(house):
    settle(house.manager)
    secret = "correct-horse-battery-staple"
    resource, plain = secret_resource(house.manager, secret)
    write_batch(house.manager, a_write(Action.CREATE, resource, secrets=plain), base=1, number=2)
    if house.url.startswith("sqlite"):
        found = b"".join(path.read_bytes() for path in file_of(house).parent.glob("manager.db*"))
        assert secret.encode() not in found
        return
    with postgres.connect(connect.parse(house.url)) as connection:
        for name in tables.metadata.tables:
            for row in connection.execute(f'SELECT x::text FROM "{name}" x').fetchall():
                assert secret not in row[0]


def test_two_writers_one_conflicts_and_the_log_has_no_gap(house):
    settle(house.manager)
    first, second = house.manager, house.another()
    with first.lease(f"{REPOSITORY}/{TARGET}", "run-1") as fence:
        write_batch(first, a_write(Action.CREATE, OFFICE), base=1, number=2, fence=fence)
        with pytest.raises(Conflict):
            write_batch(second, a_write(Action.CREATE, OFFICE), base=1, number=3, fence=fence)
    numbers = [entry.seq for entry in first.entries(AuditQuery(limit=0))]
    assert list(range(len(numbers), 0, -1)) == numbers
    assert first.verify().first_bad is None
