"""Ways around the audit log, each tried for real: by another client, by the application's own role, by
bulk and clever statements, with and without a ticket. None changes a row without an entry.

What needs to alter schema or triggers is the owner's, and is found: tests/security/test_audit_evidence.
"""

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, text

from apiops.errors import ApiopsError, StoreError, UnauditedWrite
from apiops.manager import audit, connect, embedded, faults, init, schema, tables
from apiops.manager.store import Store
from apiops.model.audit import AuditQuery
from tests import postgres
from tests.managers import House, a_context, fill
from tests.people import person

TICKET = {
    "at": "2026-03-01T12:00:00.000000Z", "actor": "a", "principal": "ayse", "tier": "system",
    "reason": '{"commit":"","commits":[],"pull_request":"","signer":"","text":"why"}',
    "run": "r", "source": "console", "address": "",
}  # fmt: skip


@pytest.fixture
def full(house):
    fill(house.manager)
    return house


@pytest.fixture
def file(tmp_path):
    with House(f"sqlite:///{tmp_path / 'file.db'}", tmp_path / "file.key") as house:
        fill(house.manager)
        yield house


def rows(house):
    """Every governed row, every kept one, and the log."""
    engine = connect.reader(connect.parse(house.url))
    names = (
        *(table.name for table in tables.GOVERNED),
        "snapshot",
        "attachment",
        "former_secret",
        "audit_entry",
    )
    try:
        with engine.connect() as connection:
            return {
                name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"')).all()))
                for name in names
            }
    finally:
        engine.dispose()


@contextmanager
def unchanged(house):
    before = rows(house)
    yield
    assert before == rows(house)
    assert house.manager.verify().first_bad is None


COLUMNS = "id, kind, project, name, spec, labels, protected, digest, serial, owner, applied"
COPIED = "lower(id) || 'x', kind, project, name || 'x', spec, labels, protected, digest, serial, owner, applied"
CLEVER = [
    f"INSERT INTO resource ({COLUMNS}) SELECT {COPIED} FROM resource",
    (
        f"INSERT INTO resource ({COLUMNS}) SELECT {COLUMNS} FROM resource WHERE true "
        "ON CONFLICT (kind, project, name) DO UPDATE SET owner = 'mallory'"
    ),
    "UPDATE resource SET owner = 'mallory' WHERE name = 'office' RETURNING id",
    "UPDATE resource SET owner = 'mallory' FROM sealed WHERE sealed.resource = resource.id",
    "DELETE FROM sealed WHERE resource IN (SELECT id FROM resource)",
    "WITH x AS (SELECT id FROM resource) UPDATE resource SET owner = 'm' WHERE id IN (SELECT id FROM x)",
    (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
        "INSERT INTO introduction SELECT 'r' || i, 't', 'c', 'm' FROM n"
    ),
]


# ── another client, which apiops knows nothing of ─────────────────────────────────────────────


@contextmanager
def stranger(house):
    if house.url.startswith("sqlite"):
        path = Path(house.url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path, isolation_level=None)) as found:
            yield found
    else:
        with postgres.connect(connect.parse(house.url)) as found:
            yield found


@pytest.mark.parametrize("statement", CLEVER)
def test_clever_statements_of_another_client(full, statement):
    with unchanged(full), stranger(full) as client, pytest.raises((sqlite3.Error, psycopg.Error)):
        client.execute(statement)


@pytest.mark.parametrize("statement", CLEVER)
def test_clever_statements_in_a_savepoint_that_is_released(full, statement):
    with unchanged(full), stranger(full) as client:
        client.execute("BEGIN")
        client.execute("SAVEPOINT s")
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            client.execute(statement)
        client.execute("ROLLBACK TO SAVEPOINT s")
        client.execute("RELEASE SAVEPOINT s")
        client.execute("COMMIT")


def test_many_rows_at_once_by_another_client(full):
    mark = "?" if full.url.startswith("sqlite") else "%s"
    many = [(f"r{number}", "t", "c", "m") for number in range(3)]
    with unchanged(full), stranger(full) as client, pytest.raises((sqlite3.Error, psycopg.Error)):
        client.cursor().executemany(
            f"INSERT INTO introduction VALUES ({mark}, {mark}, {mark}, {mark})", many
        )


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE resource SET owner = 'm'; COMMIT;",
        "BEGIN; DELETE FROM sealed; COMMIT;",
        "INSERT OR REPLACE INTO introduction VALUES ('r', 't', 'c', 'm');",
        "REPLACE INTO introduction VALUES ('r', 't', 'c', 'm');",
        "UPDATE OR REPLACE resource SET name = 'office';",
        "UPDATE OR IGNORE resource SET owner = 'm';",
        "PRAGMA foreign_keys=OFF; DELETE FROM resource;",
        "PRAGMA ignore_check_constraints=ON; UPDATE sealed SET token = 'plain';",
        "PRAGMA recursive_triggers=OFF; REPLACE INTO introduction VALUES ('r', 't', 'c', 'm');",
        "PRAGMA trusted_schema=OFF; UPDATE resource SET owner = 'm';",
        "PRAGMA defer_foreign_keys=ON; DELETE FROM resource;",
        ("ATTACH ':memory:' AS o; CREATE TABLE o.r AS SELECT * FROM resource; "
        "UPDATE o.r SET owner = 'm'; INSERT INTO main.resource SELECT id || 'x', kind, project, "
        "name || 'x', spec, labels, protected, digest, serial, owner, applied FROM o.r;"),
        ("CREATE TEMP VIEW v AS SELECT * FROM resource; CREATE TEMP TRIGGER t INSTEAD OF UPDATE ON v "
        "BEGIN UPDATE resource SET owner = 'm'; END; UPDATE v SET owner = 'm';"),
        "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE seq = 1;",
        "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE seq = 1;",
        "UPDATE OR REPLACE audit_entry SET seq = 1 WHERE seq = 2;",
        "DELETE FROM audit_entry WHERE seq = (SELECT max(seq) FROM audit_entry);",
        "INSERT INTO audit_capture (action, outcome) VALUES ('x', 'done');",
        "INSERT INTO audit_event (action, outcome) VALUES ('x', 'denied');",
    ],
)  # fmt: skip
def test_scripts_of_the_sqlite_shell(file, script):
    with unchanged(file), stranger(file) as shell, pytest.raises(sqlite3.Error):
        shell.executescript(script)


REPLACES = [
    (
        "INSERT OR REPLACE INTO resource SELECT id, kind, project, name, '{}', labels, protected, "
        "digest, serial, owner, applied FROM resource WHERE name = 'office'"
    ),
    "UPDATE OR REPLACE resource SET name = 'office', kind = 'IpGroup' WHERE name = 'app'",
    (
        "REPLACE INTO keyring SELECT environment, purpose, kid, 'retired', wrapped, created, public, "
        "until FROM keyring"
    ),
]


@pytest.mark.parametrize("statement", REPLACES)
def test_a_forged_ticket_does_not_let_a_replaced_row_vanish(file, statement):
    """Whoever may open the file can define our functions. What they write is an entry even so; and
    REPLACE, which would pass by the triggers of what it replaces, is refused.
    """
    with unchanged(file), stranger(file) as forger:
        forge(forger)
        with pytest.raises(sqlite3.Error, match="AU003"):
            forger.execute(statement)


def forge(connection):
    connection.create_function("apiops_ticket", 1, TICKET.get)
    connection.create_function("apiops_digest", len(audit.FIELDS), audit.digest, deterministic=True)


def test_a_forged_ticket_leaves_an_entry_that_verifies(file):
    count = file.manager.verify().entries
    with stranger(file) as forger:
        forge(forger)
        forger.execute("PRAGMA recursive_triggers=ON")
        forger.execute("UPDATE resource SET owner = 'mallory' WHERE name = 'office'")
    report = file.manager.verify()
    assert (count + 1, None) == (report.entries, report.first_bad)
    assert "mallory" == next(file.manager.entries(AuditQuery())).after["owner"]


# ── our own connection, with a ticket ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMP TRIGGER t BEFORE INSERT ON main.audit_entry BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TEMP VIEW v AS SELECT * FROM resource",
        "CREATE TRIGGER t BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(IGNORE); END",
        "PRAGMA ignore_check_constraints=ON",
        "PRAGMA writable_schema=ON",
        "PRAGMA trusted_schema=OFF",
        "ATTACH ':memory:' AS o",
        "DETACH main",
        "UPDATE audit_entry SET principal = 'nobody'",
        "DELETE FROM audit_entry",
        "REINDEX",
    ],
)
def test_on_sqlite_our_own_connection_may_not(file, statement):
    url = connect.parse(file.url)
    store = Store(connect.writer(url), file.clock)
    with unchanged(file), pytest.raises(ApiopsError):
        _in_a_unit(store, url, statement)
    store.close()


def _in_a_unit(store, url, *statements):
    with faults.translated(url), store.unit(a_context()) as unit:
        for statement in statements:
            unit.connection.exec_driver_sql(statement)


@pytest.mark.parametrize("statement", CLEVER)
def test_a_clever_statement_in_a_unit_is_not_what_the_unit_wrote_and_is_taken_back(full, statement):
    url = connect.parse(full.url)
    store = Store(connect.writer(url), full.clock)
    with unchanged(full), pytest.raises(ApiopsError):
        _in_a_unit(store, url, statement)
    store.close()


BULK = [{"repository": "r", "target": f"t{n}", "commit": "c", "approver": "m"} for n in range(5)]


def test_with_a_ticket_every_row_of_a_bulk_statement_has_its_entry(full):
    count = full.manager.verify().entries
    with ticketed(full) as connection:
        connection.execute(insert(tables.introduction), BULK[:2])
        connection.execute(insert(tables.introduction).values(BULK[2:]))
        connection.execute(text("UPDATE resource SET owner = 'mallory'"))
        resources = connection.execute(text("SELECT count(*) FROM resource")).scalar_one()
    report = full.manager.verify()
    assert (count + 5 + resources, None) == (report.entries, report.first_bad)


@contextmanager
def ticketed(house):
    """A transaction with a ticket and without the store, as a migration could open it."""
    engine = connect.owner(connect.parse(house.url))
    try:
        with engine.begin() as connection:
            connect.issue(connection, TICKET)
            yield connection
            connect.withdraw(connection)
    finally:
        engine.dispose()


def test_what_a_savepoint_takes_back_leaves_neither_row_nor_entry(full):
    with unchanged(full), ticketed(full) as connection:
        with connection.begin_nested() as savepoint:
            connection.execute(insert(tables.introduction), BULK)
            savepoint.rollback()
        assert (
            0
            == connection.execute(
                text("SELECT count(*) FROM introduction WHERE repository = 'r'")
            ).scalar_one()
        )


def test_an_entry_cannot_be_stored_so_the_change_is_not(full):
    """Here the log's own key is taken: the change goes with the entry."""
    with unchanged(full), pytest.raises(StoreError):
        _with_a_broken_log(full)


def _with_a_broken_log(house):
    url = connect.parse(house.url)
    store = Store(connect.writer(url), house.clock)
    try:
        with faults.translated(url), store.unit(a_context()) as unit:
            connect.issue(unit.connection, {**TICKET, "reason": None})
            unit.connection.execute(text("UPDATE resource SET owner = 'm' WHERE name = 'office'"))
    finally:
        store.close()


# ── PostgreSQL: the application's own role ────────────────────────────────────────────────────


@pytest.fixture
def application(postgres_url, tmp_path):
    """A Manager whose tables another role owns, and a connection as the application."""
    role = f"apiops_app_{postgres_url.query['options'][-12:]}"
    url = postgres_url.set(username=role)
    with (
        postgres.connect(postgres_url) as owner,
        postgres.role(owner, role, on_database="CREATE, TEMPORARY"),
    ):
        schema.migrate(postgres_url.render_as_string(hide_password=False), application_role=role)
        yield _made(url.render_as_string(hide_password=False), tmp_path / "key")


def _made(url, key_file):
    init.initialise(
        url,
        admin="ayse",
        admin_key_line=person("ayse").public_line,
        key_file=key_file,
        migrate=False,
    )
    with embedded.open_manager(url, key_file=key_file) as manager:
        fill(manager)
    return url, key_file


APPLICATION = [
    *CLEVER,
    "WITH x AS (UPDATE resource SET owner = 'm' RETURNING id) SELECT * FROM x",
    "WITH x AS (DELETE FROM sealed RETURNING *) INSERT INTO introduction SELECT 'r', 't', 'c', 'm' FROM x",
    "MERGE INTO resource r USING sealed s ON s.resource = r.id WHEN MATCHED THEN UPDATE SET owner = 'm'",
    "DO $$ BEGIN UPDATE resource SET owner = 'm'; END $$",
    "COPY introduction FROM PROGRAM 'echo x'",
    "SET CONSTRAINTS ALL DEFERRED; UPDATE resource SET owner = 'm'",
    "SET session_replication_role = replica",
    "SET LOCAL session_replication_role = replica; UPDATE resource SET owner = 'm'",
    "ALTER TABLE resource DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE resource OWNER TO CURRENT_USER",
    "DROP TRIGGER resource_captured ON resource",
    "CREATE TRIGGER t BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE r AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    "CREATE TEMP TABLE child () INHERITS (resource)",
    "CREATE TEMP TABLE child (LIKE resource); ALTER TABLE child INHERIT resource",
    "CREATE TEMP VIEW v AS SELECT * FROM resource; UPDATE v SET owner = 'm'",
    "ALTER FUNCTION audit_capture() RENAME TO other",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION begin_audit SECURITY INVOKER",
    "SELECT audit_ticket_here()",
    "INSERT INTO audit_ticket SELECT pg_current_xact_id(), now(), '', '', '', '', '', '', '', ''",
    "SELECT lo_import('/etc/passwd')",
    "TRUNCATE resource CASCADE",
    "TRUNCATE audit_entry",
    "DELETE FROM pg_trigger",
    "UPDATE pg_class SET relowner = 0 WHERE relname = 'resource'",
]


@pytest.mark.parametrize("statement", APPLICATION)
@pytest.mark.parametrize("ticket", [False, True], ids=["bare", "ticketed"])
def test_the_application_role_passes_by_nothing(application, statement, ticket):
    """With a ticket of its own making it can write resources (and leaves entries): nothing else."""
    url, key_file = application
    with _opened(url, key_file) as house:
        before = rows(house)
        with postgres.connect(connect.parse(url)) as client:
            _try(client, statement, ticket=ticket)
        _same_or_told(house, before, ticket=ticket)


@contextmanager
def _opened(url, key_file):
    with embedded.open_manager(url, key_file=key_file) as manager:
        house = House.__new__(House)
        house.url, house.manager = url, manager
        yield house


def _try(client, statement, *, ticket):
    try:
        with client.transaction():
            if ticket:
                client.execute(
                    "SELECT begin_audit(%(at)s, %(actor)s, %(principal)s, %(tier)s, %(reason)s, "
                    "%(run)s, %(source)s, %(address)s)",
                    TICKET,
                )
            client.execute(statement)
    except psycopg.Error:
        return
    assert ticket, "it was carried out without a ticket"


GROWS = ("audit_entry", "former_secret")
"""What an audited change adds to: its entry, and the secret that stood there."""


def _same_or_told(house, before, *, ticket):
    """Nothing is different, or the log tells of every row that is."""
    after = rows(house)
    told = len(after["audit_entry"]) - len(before["audit_entry"])
    different = sum(
        len(set(after[name]) - set(before[name])) or len(before[name]) - len(after[name])
        for name in before
        if name not in GROWS
    )
    for name in GROWS:
        assert set(before[name]) <= set(after[name])
    assert different <= told
    assert ticket or told == 0
    assert house.manager.verify().first_bad is None


def test_copy_by_the_application_role(application):
    url, key_file = application
    with (
        _opened(url, key_file) as house,
        unchanged(house),
        postgres.connect(connect.parse(url)) as client,
        pytest.raises(psycopg.Error, match="ticket"),
        client.cursor().copy("COPY introduction FROM STDIN") as copy,
    ):
        copy.write_row(("r", "t", "c", "m"))


def test_a_ticket_counts_in_its_own_transaction_only(application):
    url, _ = application
    with postgres.connect(connect.parse(url)) as one, postgres.connect(connect.parse(url)) as other:
        begin = (
            "SELECT begin_audit(%(at)s, %(actor)s, %(principal)s, %(tier)s, %(reason)s, %(run)s, "
            "%(source)s, %(address)s)"
        )
        with one.transaction():
            one.execute(begin, TICKET)
            with pytest.raises(psycopg.Error, match="ticket"):
                other.execute("UPDATE resource SET owner = 'm'")
        with pytest.raises(psycopg.Error, match="ticket"):
            one.execute("UPDATE resource SET owner = 'm'")


def test_a_ticket_that_a_savepoint_took_back_is_gone(application):
    url, key_file = application
    with (
        _opened(url, key_file) as house,
        unchanged(house),
        postgres.connect(connect.parse(url)) as client,
        pytest.raises(psycopg.Error, match="ticket"),
    ):
        _after_a_rolled_back_ticket(client)


def _after_a_rolled_back_ticket(client):
    with client.transaction():
        client.execute("SAVEPOINT s")
        client.execute(
            "SELECT begin_audit(%(at)s, %(actor)s, %(principal)s, %(tier)s, %(reason)s, %(run)s, "
            "%(source)s, %(address)s)",
            TICKET,
        )
        client.execute("ROLLBACK TO SAVEPOINT s")
        client.execute("UPDATE resource SET owner = 'm'")


def test_nothing_unaudited_is_prepared_for_a_commit_in_two_phases(application):
    url, key_file = application
    with _opened(url, key_file) as house, unchanged(house):
        with postgres.connect(connect.parse(url)) as client:
            client.execute("BEGIN")
            with pytest.raises(psycopg.Error, match="ticket"):
                client.execute("UPDATE resource SET owner = 'm'")
            client.execute("PREPARE TRANSACTION 'later'")  # of a failed one: taken back
        with postgres.connect(connect.parse(url)) as client:
            assert [] == client.execute("SELECT gid FROM pg_prepared_xacts").fetchall()


def test_the_application_role_owns_nothing_and_cannot_change_the_log(application):
    url, _ = application
    parsed = connect.parse(url)
    with postgres.connect(parsed) as client:
        owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
        assert (0,) == client.execute(owned).fetchone()
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
            asked = f"SELECT has_table_privilege('audit_entry', '{right}')"
            assert (False,) == client.execute(asked).fetchone(), right
        for table in ("resource", "keyring", "sealed", "meta", "introduction", "applied"):
            for right in ("TRUNCATE", "TRIGGER", "REFERENCES"):
                asked = f"SELECT has_table_privilege('{table}', '{right}')"
                assert (False,) == client.execute(asked).fetchone(), (table, right)


def test_writes_through_our_own_engine_are_refused_early(full):
    url = connect.parse(full.url)
    engine = connect.writer(url)
    for statement in CLEVER:
        with (
            unchanged(full),
            pytest.raises(UnauditedWrite),
            faults.translated(url),
            engine.begin() as connection,
        ):
            connection.execute(text(statement))
    engine.dispose()
