"""Every way we know to change the Manager without an audit entry, tried for real; none works.

What the owner of a file or database can do beyond that (drop triggers, rewrite history) is found
afterwards, by `verify` or by the next write: tests at the end.
"""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import delete as remove
from sqlalchemy import insert, text, update

from apiops.errors import ApiopsError, StoreError, UnauditedWrite
from apiops.manager import connect, embedded, faults, init, schema, tables
from apiops.manager.store import Store
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from apiops.model.plan import Action
from apiops.ports import Batch
from tests import postgres
from tests.managers import (
    REPOSITORY,
    TARGET,
    House,
    a_context,
    a_resource,
    a_write,
    fill,
    secret_resource,
    settle,
    write_batch,
)
from tests.people import person

OFFICE = a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]})
WIDER = a_resource("IpGroup", "office", {"ipList": ["10.0.0.0/8"]})

KEY = {"kid": "v9", "state": "active", "wrapped": "apf1.k.x", "created": "2026"}
GOVERNED = {
    "meta": ("trust", {"id": 1, "lineage": "x", "trust": "committer", "created": "2026"}),
    "resource": (
        "name",
        {
            "id": "x",
            "kind": "User",
            "project": "",
            "name": "mallory",
            "spec": '{"systemRoles":["sysAdmin"]}',
            "labels": "{}",
            "protected": False,
            "digest": "x",
            "serial": 1,
        },
    ),
    "sealed": (
        "fingerprint",
        {
            "resource": "x",
            "pointer": "/x",
            "environment": "production",
            "kid": "v1",
            "token": "apf1.v1.x",
            "fingerprint": "x",
        },
    ),
    "deployment": (
        "environment",
        {
            "resource": "x",
            "environment": "test",
            "active": True,
            "digest": "x",
            "revision": 1,
            "serial": 1,
        },
    ),
    "applied": (
        "commit",
        {
            "repository": "r",
            "target": "t",
            "unit": "u",
            "serial": 1,
            "commit": "c",
            "tree": "t",
            "previous": "",
            "digest": "d",
            "at": "2026",
            "run": "r",
        },
    ),
    "introduction": (
        "approver",
        {"repository": "r", "target": "t", "commit": "c", "approver": "mallory"},
    ),
    "keyring": ("state", {"environment": "x", "purpose": "seal", **KEY}),
    "access_token": (
        "principal",
        {
            "id": "x",
            "principal": "mallory",
            "name": "x",
            "kind": "person",
            "scopes": '["apply"]',
            "hash": "0" * 64,
            "maker": "mallory",
            "created": "2026",
            "expires": "2027",
        },
    ),
}
KEPT = {
    "snapshot": ("document", {"digest": "x", "document": "{}"}),
    "attachment": ("sha256", {"sha256": "x", "content": b"x"}),
    "former_secret": (
        "fingerprint",
        {
            "resource": "x",
            "pointer": "/password",
            "fingerprint": "x",
            "kind": "Credential",
            "environment": "production",
            "kid": "v1",
            "token": "apf1.v1.x",
            "run": "r",
            "at": "2026",
        },
    ),
}


@pytest.fixture
def full(house):
    """A Manager with a row in every governed table, and in every one that is kept."""
    fill(house.manager)
    replace_secret(house.manager)
    return house


@pytest.fixture
def file(tmp_path):
    """The same in a SQLite file."""
    with House(f"sqlite:///{tmp_path / 'file.db'}", tmp_path / "file.key") as house:
        fill(house.manager)
        replace_secret(house.manager)
        yield house


def replace_secret(manager):
    """What `fill` sealed becomes a former secret."""
    credential, plain = secret_resource(manager, "another password")
    write = a_write(Action.UPDATE, credential, secrets=plain, serial=1)
    manager.write(Batch("", "", "payments", None, None, (write,), a_context(), 0))


def everything(house):
    """All rows of all tables, read by a connection of our own."""
    engine = connect.reader(connect.parse(house.url))
    try:
        with engine.connect() as connection:
            return {
                name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"')).all()))
                for name in (*GOVERNED, *KEPT, "audit_entry")
            }
    finally:
        engine.dispose()


def statements():
    """Insert, update and delete for every table that a wall protects."""
    for name, (column, row) in (GOVERNED | KEPT).items():
        columns = ", ".join(f'"{key}"' for key in row)
        values = ", ".join(_literal(value) for value in row.values())
        yield f'INSERT INTO "{name}" ({columns}) VALUES ({values})'
        yield f'UPDATE "{name}" SET "{column}" = "{column}"'
        yield f'DELETE FROM "{name}"'
    yield "UPDATE audit_entry SET principal = 'nobody'"
    yield "DELETE FROM audit_entry"
    yield (
        "INSERT INTO audit_entry SELECT seq + 1000, at, actor, principal, tier, action, kind, "
        "project, name, environment, outcome, before, after, note, reason, run, source, address, "
        "login, previous, digest FROM audit_entry"
    )
    yield "INSERT INTO audit_event (action, outcome) VALUES ('read', 'done')"


def _literal(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "'x'"
    return repr(value)


def test_a_stranger_with_a_connection_of_his_own_changes_nothing(full):
    before = everything(full)
    stranger = connected(full)
    for statement in statements():
        refused(stranger, statement)
    stranger.close()
    assert before == everything(full)
    assert full.manager.verify().first_bad is None


def connected(house):
    """A connection that apiops knows nothing of."""
    if house.url.startswith("sqlite"):
        path = Path(house.url.removeprefix("sqlite:///"))
        return sqlite3.connect(path, isolation_level=None)
    return postgres.connect(connect.parse(house.url))


def refused(stranger, statement):
    with pytest.raises((sqlite3.Error, psycopg.Error)):
        stranger.execute(statement)


@pytest.mark.parametrize("disguise", ["{}", "/* why not */ {}", "WITH x AS (SELECT 1) {}", "\n;{}"])
def test_our_own_engine_refuses_text_and_driver_statements_early(full, disguise):
    before = everything(full)
    url = connect.parse(full.url)
    engine = connect.writer(url)
    for statement in statements():
        for act in (text(disguise.format(statement)), disguise.format(statement)):
            with (
                pytest.raises(UnauditedWrite),
                faults.translated(url),
                engine.begin() as connection,
            ):
                carry_out(connection, act)
    engine.dispose()
    assert before == everything(full)


def carry_out(connection, act):
    if isinstance(act, str):
        connection.exec_driver_sql(act)
    else:
        connection.execute(act)


def test_a_cursor_taken_from_our_own_connection_meets_the_wall(full):
    before = everything(full)
    engine = connect.writer(connect.parse(full.url))
    for statement in statements():
        connection = engine.raw_connection()
        cursor = connection.cursor()
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            cursor.execute(statement)
        cursor.close()
        connection.close()
    engine.dispose()
    assert before == everything(full)


@pytest.mark.parametrize(
    "statement",
    [
        insert(tables.introduction).values(
            [{"repository": "r", "target": t, "commit": "c", "approver": "m"} for t in ("a", "b")]
        ),
        update(tables.resource).values(owner="mallory"),
        remove(tables.sealed),
    ],
    ids=["bulk insert", "update", "delete"],
)
def test_core_statements_without_a_unit_are_unaudited_writes(full, statement):
    before = everything(full)
    engine = connect.writer(connect.parse(full.url))
    with pytest.raises(UnauditedWrite), engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()
    assert before == everything(full)


def test_a_bookkeeping_transaction_has_no_ticket(full):
    before = everything(full)
    url = connect.parse(full.url)
    store = Store(connect.writer(url), full.clock)
    for statement in statements():
        with pytest.raises(ApiopsError), faults.translated(url), store.bookkeeping() as connection:
            connection.execute(text(statement))
    store.close()
    assert before == everything(full)


@pytest.mark.parametrize(
    "missing", [{"actor": ""}, {"principal": ""}, {"run": ""}], ids=lambda m: next(iter(m))
)
def test_a_context_that_names_nobody_opens_no_unit(full, missing):
    before = everything(full)
    fields = {"actor": "a", "principal": "ayse", "run": "r"} | missing
    context = AuditContext(**fields, reason=Reason("why"), source=Source.CONSOLE)
    with pytest.raises(UnauditedWrite):
        full.manager.change(OFFICE.id, {"x": 1}, principal="ayse", context=context)
    assert before == everything(full)


def test_the_ticket_ends_with_its_transaction(full):
    url = connect.parse(full.url)
    store = Store(connect.writer(url), full.clock)
    with store.unit(a_context()):
        pass
    with (
        pytest.raises(UnauditedWrite),
        faults.translated(url),
        store.bookkeeping() as connection,
    ):
        connection.execute(update(tables.resource).values(owner="mallory"))
    store.close()


def test_a_reader_cannot_write(full):
    before = everything(full)
    url = connect.parse(full.url)
    engine = connect.reader(url)
    for statement in statements():
        with pytest.raises(ApiopsError), faults.translated(url), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    assert before == everything(full)


def test_on_sqlite_a_replaced_row_leaves_its_image_before(file):
    store = Store(connect.writer(connect.parse(file.url)), file.clock)
    actions = []
    with pytest.raises(StoreError), store.unit(a_context()) as unit:
        actions += replaced(unit.connection)
    store.close()
    assert ["create", "delete"] == actions


def replaced(connection):
    connection.execute(
        text(
            "INSERT OR REPLACE INTO resource SELECT id, kind, project, name, '{}', labels, "
            "protected, digest, serial, owner, applied FROM resource WHERE name = 'office'"
        )
    )
    newest = "SELECT action FROM audit_entry ORDER BY seq DESC LIMIT 2"
    return connection.execute(text(newest)).scalars().all()


def test_on_sqlite_nothing_that_runs_may_change_the_schema(file):
    url = connect.parse(file.url)
    store = Store(connect.writer(url), file.clock)
    for statement in (
        "DROP TRIGGER resource_updated",
        "CREATE TRIGGER t AFTER INSERT ON resource BEGIN SELECT 1; END",
        "DROP TABLE audit_entry",
        "ALTER TABLE audit_entry RENAME TO old",
        "ATTACH DATABASE ':memory:' AS other",
        "PRAGMA writable_schema=ON",
        "PRAGMA recursive_triggers=OFF",
        "UPDATE sqlite_master SET sql = ''",
        "INSERT INTO audit_capture (action, outcome) VALUES ('x', 'done')",
    ):
        with pytest.raises(ApiopsError), faults.translated(url), store.unit(a_context()) as unit:
            unit.connection.exec_driver_sql(statement)
    store.close()
    assert file.manager.verify().first_bad is None


def test_the_application_role_on_postgresql_writes_and_cannot_touch_the_log(postgres_url, tmp_path):
    role = f"apiops_app_{postgres_url.query['options'][-12:]}"
    owner_url = postgres_url.render_as_string(hide_password=False)
    with postgres.connect(postgres_url) as owner, postgres.role(owner, role):
        _as_the_application(owner_url, postgres_url, role, tmp_path)


def _as_the_application(owner_url, url, role, tmp_path):
    schema.migrate(owner_url, application_role=role)
    app = url.set(username=role).render_as_string(hide_password=False)
    init.initialise(
        app,
        admin="ayse",
        admin_key_line=person("ayse").public_line,
        key_file=tmp_path / "key",
        migrate=False,
    )
    with embedded.open_manager(app, key_file=tmp_path / "key") as manager:
        fill(manager)
        replace_secret(manager)
        assert {role} == _logins(url)
        with postgres.connect(connect.parse(app)) as stranger:
            for statement in (
                *statements(),
                *(f'TRUNCATE "{name}" CASCADE' for name in (*GOVERNED, *KEPT, "audit_entry")),
                "ALTER TABLE resource DISABLE TRIGGER ALL",
                "DROP TRIGGER resource_captured ON resource",
                "SET session_replication_role = replica",
                "CREATE FUNCTION audit_ticket_here() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "INSERT INTO audit_ticket SELECT pg_current_xact_id(), now(), '', '', '', '', '', '', '', ''",
                "SELECT audit_record('x', NULL, NULL, NULL, NULL, 'done', NULL, NULL, NULL)",
                "COPY resource FROM PROGRAM 'true'",
            ):
                with pytest.raises(psycopg.Error):
                    stranger.execute(statement)
        assert manager.verify().first_bad is None


def _logins(url):
    with postgres.connect(url) as connection:
        rows = connection.execute("SELECT DISTINCT login FROM audit_entry").fetchall()
    return {row[0] for row in rows}


def test_a_temporary_table_cannot_shadow_the_log_on_postgresql(postgres_url, tmp_path):
    with House(postgres_url.render_as_string(hide_password=False), tmp_path / "key") as house:
        settle(house.manager)
        before = house.manager.verify().entries
        with postgres.connect(postgres_url) as stranger:
            stranger.execute("CREATE TEMPORARY TABLE audit_ticket (LIKE audit_ticket)")
            stranger.execute("CREATE TEMPORARY TABLE audit_entry (LIKE audit_entry)")
            with pytest.raises(psycopg.Error):
                stranger.execute("UPDATE resource SET owner = 'mallory'")
        assert before == house.manager.verify().entries


@pytest.mark.parametrize("table", [*GOVERNED, *KEPT, "audit_entry"])
def test_truncate_is_refused_even_for_the_owner(postgres_url, tmp_path, table):
    with (
        House(postgres_url.render_as_string(hide_password=False), tmp_path / "key"),
        postgres.connect(postgres_url) as owner,
        pytest.raises(psycopg.Error),
    ):
        owner.execute(f'TRUNCATE "{table}" CASCADE')


# ── what an owner can do is found ─────────────────────────────────────────────────────────────


def without_walls(house, *statements):
    """What somebody who owns the database can do: take the triggers away and write."""
    if house.url.startswith("sqlite"):
        owner = sqlite3.connect(Path(house.url.removeprefix("sqlite:///")))
        names = owner.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            owner.execute(f"DROP TRIGGER {name}")
    else:
        owner = postgres.connect(connect.parse(house.url))
        owner.execute("SET session_replication_role = replica")
    for statement in statements:
        owner.execute(statement)
    owner.commit()
    owner.close()


LAST = "(SELECT max(seq) FROM audit_entry)"


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE audit_entry SET principal = 'nobody' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 4", 4),
        ("UPDATE audit_entry SET after = NULL WHERE seq = 2", 2),
        ("UPDATE audit_entry SET digest = 'x' WHERE seq = 5", 5),
        ("DELETE FROM audit_entry WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 1", 1),
        ("UPDATE audit_entry SET seq = -1 WHERE seq = 3", 3),
        (f"UPDATE audit_entry SET previous = 'x' WHERE seq = {LAST}", None),
    ],
)
def test_a_changed_log_is_found_at_its_first_bad_entry(full, statement, bad):
    entries = full.manager.verify().entries
    without_walls(full, statement)
    report = full.manager.verify()
    assert (bad or entries) == report.first_bad
    assert str(report.first_bad) in report.problem


def test_a_cut_tail_is_found_against_a_head_that_was_kept_elsewhere(full):
    kept = full.manager.verify()
    without_walls(full, f"DELETE FROM audit_entry WHERE seq = {LAST}")
    now = full.manager.verify()
    assert now.first_bad is None
    assert kept.entries != now.entries
    assert kept.head != now.head


def test_a_write_that_the_log_did_not_record_is_taken_back(full):
    if full.url.startswith("sqlite"):
        without_walls(full)
    else:
        with postgres.connect(connect.parse(full.url)) as owner:
            owner.execute("ALTER TABLE resource DISABLE TRIGGER USER")
    before = full.manager.read(REPOSITORY, TARGET)
    with pytest.raises(StoreError) as refusal:
        write_batch(full.manager, a_write(Action.UPDATE, WIDER, serial=1), base=2, number=3)
    assert "AO715" == refusal.value.code
    assert before == full.manager.read(REPOSITORY, TARGET)


def test_every_governed_row_was_written_with_exactly_one_entry(full):
    created = {"create", "seal", "deploy", "apply", "introduce", "key-create", "initialise"}
    created.add("token-create")
    rows = sum(len(everything(full)[name]) for name in GOVERNED)
    entries = list(full.manager.entries(AuditQuery(limit=0)))
    replaced = ["reseal", "update"]  # of the credential, once more
    assert replaced == [entry.action for entry in entries[:2]]
    assert created == {entry.action for entry in entries[2:]}
    assert rows == len(entries[2:])
