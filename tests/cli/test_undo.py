"""Undo: what a run changed comes back as it was, with secrets that no commit could bring back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from apiops.model.audit import AuditQuery
from tests.people import person
from tests.shop import AYSE, DENIZ, MERT, a_proxy, a_user, run, the_bank
from tests.undoshop import (
    APP,
    CREDENTIAL,
    NEWER,
    ORDERS,
    PLAIN,
    SECRET,
    Estate,
    credential,
    waiting,
)


@pytest.fixture
def estate(tmp_path: Path, database: str) -> Estate:
    return Estate(tmp_path, database)


@pytest.fixture
def shop(tmp_path: Path) -> Estate:
    return Estate(tmp_path, f"sqlite:///{tmp_path / 'manager.db'}")


def test_everything_that_a_run_did_is_undone_secrets_among_it(estate: Estate) -> None:
    before = estate.state()
    run = estate.applied(
        AYSE,
        {
            ORDERS: waiting(5),
            APP: None,
            SECRET: None,
            "payments/new.yaml": a_proxy("new"),
            "cards/limits.yaml": None,
            "system/zeki.yaml": a_user(person("zeki")),
        },
        "A bad day",
    )
    assert before != estate.state()
    estate.suspended()
    done = estate.undone(run)
    assert 0 == done.code, done.out + done.err
    assert before == estate.state()
    assert PLAIN == estate.password()
    with estate.open_manager() as manager:
        assert manager.verify().first_bad is None
        entries = list(manager.entries(AuditQuery(action="create", limit=0)))
    (back,) = [one for one in entries if one.resource == CREDENTIAL][:1]
    assert ("ayse", "incident 4711", "console") == (back.principal, back.reason.text, back.source)


def test_a_secret_that_was_replaced_comes_back_although_nobody_can_open_its_file(
    estate: Estate,
) -> None:
    run = estate.applied(MERT, {SECRET: estate.sealed(NEWER)}, "Rotate")
    assert NEWER == estate.password()
    estate.variables.pop("SOPS_AGE_KEY")
    estate.suspended()
    done = estate.undone(run)
    assert 0 == done.code, done.out + done.err
    assert PLAIN == estate.password()
    told = done.out + done.err
    assert not any(secret.decode() in told for secret in (PLAIN, NEWER))


def test_to_undo_a_run_undoes_the_later_ones_too(shop: Estate) -> None:
    before = shop.state()
    first = shop.applied(MERT, {SECRET: shop.sealed(NEWER)}, "Rotate")
    shop.applied(MERT, {APP: None, SECRET: None, ORDERS: waiting(5)}, "Remove")
    shop.suspended()
    assert 0 == shop.undone(first).code
    assert (before, PLAIN) == (shop.state(), shop.password())


def test_only_the_last_of_two_runs_is_undone_if_only_that_is_named(shop: Estate) -> None:
    shop.applied(MERT, {SECRET: shop.sealed(NEWER)}, "Rotate")
    between = shop.state()
    last = shop.applied(MERT, {APP: None, SECRET: None}, "Remove")
    shop.suspended()
    assert 0 == shop.undone(last).code
    assert (between, NEWER) == (shop.state(), shop.password())


def test_what_was_changed_by_hand_and_set_right_by_a_sync_comes_back(shop: Estate) -> None:
    hand = ("manager", "set", "ApiProxy/payments/orders")
    assert 0 == shop.by_hand(*hand, "spec.settings.connection.readTimeout=90").code
    before = shop.state()
    shop.commit(MERT, {"README.md": "Nothing\n"})
    done = shop.run("sync", "-o", "json")
    assert 0 == done.code, done.err
    shop.suspended()
    undone = shop.undone(str(done.json["report"]["run"]))
    assert 0 == undone.code, undone.err
    assert before == shop.state()


def test_a_rename_is_undone_with_the_secret(shop: Estate) -> None:
    before = shop.state()
    renamed = credential().replace(
        "{name: app, project: payments}",
        "{name: client, project: payments, renamedFrom: app}",
    )
    run = shop.applied(MERT, {APP: renamed}, "Rename")
    shop.suspended()
    done = shop.undone(run)
    assert 0 == done.code, done.out + done.err
    assert (before, PLAIN) == (shop.state(), shop.password())


def test_afterwards_a_commit_says_the_same_and_the_plan_is_empty(shop: Estate) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5), APP: None, SECRET: None}, "Break")
    shop.suspended()
    assert 0 == shop.undone(run).code
    shop.commit(MERT, {ORDERS: a_proxy("orders"), APP: credential(), SECRET: shop.sealed(PLAIN)})
    assert 0 == shop.by_hand("resume").code
    assert 0 == shop.run("apply", "--yes").code
    plan = shop.run("plan", "--detailed-exitcode")
    assert (0, PLAIN) == (plan.code, shop.password()), plan.out


def test_the_runs_that_changed_something_are_listed(shop: Estate) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.applied(MERT, {"README.md": "Nothing for a Manager\n"})
    listed = shop.run("undo", "-o", "json").json["runs"]
    assert ("dev", 2) == (listed["target"], len(listed["runs"]))
    assert (run, 1) == (listed["runs"][0]["run"], listed["runs"][0]["resources"])
    head = shop.story.open().commit(shop.story.open().resolve("main").commit)
    assert head.parents[0] == listed["runs"][0]["commit"]
    for format, row in (("text", f"{run}  2"), ("markdown", f"| `{run}` | `2")):
        assert row in shop.run("undo", "-o", format).out


def test_a_rotated_key_takes_the_former_secrets_along(estate: Estate) -> None:
    run = estate.applied(MERT, {SECRET: estate.sealed(NEWER)}, "Rotate")
    keys = ("manager", "keys")
    assert 0 == estate.by_hand(*keys, "rotate", "--environment", "dev").code
    assert 0 == estate.by_hand(*keys, "retire", "v1", "--environment", "dev").code
    estate.suspended()
    assert 0 == estate.undone(run).code
    assert PLAIN == estate.password()


def test_a_secret_is_kept_for_so_many_runs_and_no_longer(shop: Estate) -> None:
    settings = (shop.repository / "apiops.toml").read_text() + 'undo-runs = "1"\n'
    first = shop.applied(
        AYSE, {SECRET: shop.sealed(NEWER), "apiops.toml": settings}, "Rotate, and keep less"
    )
    (shop.repository / "apiops.toml").write_text(settings)
    last = shop.applied(MERT, {SECRET: shop.sealed(b"third")}, "Rotate again")
    shop.suspended()
    done = shop.undone(first)
    assert (5, True) == (done.code, "AO629" in done.err), done.err
    assert "Credential/payments/app/password" in done.err
    assert b"third" == shop.password()
    assert 0 == shop.undone(last).code
    assert NEWER == shop.password()


def test_only_a_write_that_replaces_a_secret_looks_at_those_that_are_kept(shop: Estate) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "former_secret" in statement:
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        shop.applied(MERT, {ORDERS: waiting(5), "payments/new.yaml": a_proxy("new")}, "Hurry")
        assert [] == asked
        shop.applied(MERT, {SECRET: shop.sealed(NEWER)}, "Rotate")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert 1 == len(asked)


def approvals(shop: Estate) -> None:
    environment = the_bank()["system/dev.yaml"].replace("TEST}", "TEST, approvals: 1}")
    shop.applied(AYSE, {"system/dev.yaml": environment}, "Ask two")


def frozen(shop: Estate) -> None:
    freeze = "{begins: '2020-01-01T00:00:00Z', ends: '2099-01-01T00:00:00Z', reason: ledger}"
    environment = the_bank()["system/dev.yaml"].replace("TEST}", f"TEST, freezes: [{freeze}]}}")
    shop.applied(AYSE, {"system/dev.yaml": environment}, "Freeze")


@pytest.mark.parametrize(
    ("prepare", "code", "exit"),
    [
        (lambda _shop: None, "AO627", 5),
        (Estate.suspended, "", 0),
        (lambda shop: (frozen(shop), shop.suspended()), "AO613", 5),
        (lambda shop: (approvals(shop), shop.suspended()), "AO628", 5),
    ],
    ids=["not suspended", "suspended", "frozen", "approvals"],
)
def test_it_is_refused_where_it_would_not_hold(
    shop: Estate, prepare: Callable[[Estate], object], code: str, exit: int
) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    prepare(shop)
    before = shop.state()
    done = shop.undone(run)
    assert (exit, True) == (done.code, code in done.err), done.err
    assert (code == "") == (before != shop.state())


def test_a_freeze_can_be_overridden_and_the_entry_says_so(shop: Estate) -> None:
    frozen(shop)
    run = shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    done = shop.run("apply", "--yes", "--allow", "freeze", "-o", "json")
    run = str(done.json["report"]["run"])
    shop.suspended()
    assert 0 == shop.undone(run, "--allow", "freeze").code
    with shop.open_manager() as manager:
        newest = next(manager.entries(AuditQuery(action="update")))
    assert ("freeze",) == newest.reason.overrides


def test_whoever_lacks_a_right_undoes_nothing_and_is_in_the_log(shop: Estate) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.suspended()
    before = shop.state()
    done = shop.undone(run, who=DENIZ)
    assert (4, True) == (done.code, "AO520" in done.err), done.err
    assert before == shop.state()
    with shop.open_manager() as manager:
        (denied,) = manager.entries(AuditQuery(outcome="denied"))
    assert ("deniz", "update") == (denied.principal, denied.action)
    assert 0 == shop.undone(run, who=MERT).code


def test_another_plan_than_the_one_that_was_seen_is_not_carried_out(shop: Estate) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.suspended()
    done = shop.by_hand("undo", run, "--approve", "0123abcd")
    assert (5, True) == (done.code, "AO620" in done.err), done.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("undo", "RUN", "--no-input"), "AO905"),
        (("undo", "RUN", "--as", "ayse", "--sign-key", "KEY", "--no-input"), "AO910"),
        (("undo", "RUN", "--as", "mert", "--sign-key", "KEY", "--reason", "r"), "AO502"),
        (
            ("undo", "RUN", "--as", "ayse", "--sign-key", "KEY", "--reason", "r", "--allow", "x"),
            "AO914",
        ),
        (
            ("undo", "RUN", "--as", "ayse", "--sign-key", "KEY", "--reason", "r", "--no-input"),
            "AO906",
        ),
        (("undo", "abc", "--as", "ayse", "--sign-key", "KEY", "--reason", "r"), "AO626"),
        (("undo", "0123456789", "--as", "ayse", "--sign-key", "KEY", "--reason", "r"), "AO626"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    shop: Estate, arguments: tuple[str, ...], code: str
) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.suspended()
    before = shop.state()
    given = {"RUN": run, "KEY": str(shop.person_key(AYSE))}
    done = shop.run(*(given.get(one, one) for one in arguments))
    assert done.code
    assert code in done.err, done.err
    assert before == shop.state()


def test_a_run_that_is_undone_already_says_that_nothing_is_to_be_done(shop: Estate) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.suspended()
    assert 0 == shop.undone(run).code
    done = shop.undone(run)
    assert (0, True) == (done.code, "No changes" in done.out), done.out + done.err


def test_an_undo_can_be_undone_by_nobody_but_the_next_sync(shop: Estate) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.suspended()
    bad = shop.state()
    assert 0 == shop.undone(run).code
    assert 0 == shop.by_hand("resume").code
    assert 0 == shop.run("sync").code
    assert bad == shop.state()


def test_what_is_shown_says_how_it_is_carried_out(shop: Estate) -> None:
    run = shop.applied(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.suspended()
    shown = shop.by_hand("undo", run, "--no-input").err
    assert f"apiops undo {run} … --approve " in shown
    assert "apiops apply" not in shown


def test_a_vendors_manager_keeps_nothing_to_undo_from(shop: Estate) -> None:
    vendors = "[targets.gw]\nmanager = 'https://gw.example'\nledger = 'sqlite:///gw.db'\n"
    (shop.repository / "apiops.toml").write_text(vendors)
    done = run("undo", "-t", "gw", cwd=shop.repository)
    assert (64, True, True) == (done.code, "AO748" in done.err, "rollback" in done.err), done.err


def test_another_secret_than_the_log_names_holds_its_project_and_no_other(shop: Estate) -> None:
    before = shop.state()
    limits = a_proxy("limits", "cards").replace("readTimeout: 60", "readTimeout: 5")
    run = shop.applied(AYSE, {SECRET: shop.sealed(NEWER), "cards/limits.yaml": limits}, "Both")
    bad = shop.state()
    with closing(sqlite3.connect(shop.folder / "manager.db")) as owner:
        owner.execute("DROP TRIGGER former_secret_updated")
        owner.execute("UPDATE former_secret SET token = (SELECT token FROM sealed)")
        owner.commit()
    shop.suspended()
    done = shop.undone(run)
    assert (8, True) == (done.code, "AO711" in done.out), done.out + done.err
    assert NEWER == shop.password()
    for was, spoilt, now in zip(before, bad, shop.state(), strict=True):
        assert now == (spoilt if was[0] == str(CREDENTIAL) else was)
