"""The command that a plan ends with: typed as it stands, it applies that plan."""

import shlex
from pathlib import Path

import pytest

from apiops.cli import plan, reference
from tests.shop import AYSE, MERT, Done, Shop, a_proxy, run, the_bank

ORDERS = "payments/orders.yaml"
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    return shop


def told(shown: Done) -> list[str]:
    """The words after `apiops`."""
    _, found, command = shown.out.partition(":  apiops ")
    assert found, shown.out
    return shlex.split(command.splitlines()[0])


def applies(shown: Done, cwd: Path) -> None:
    done = run(*told(shown), "--no-input", cwd=cwd)
    assert 0 == done.code, done.out + done.err
    assert "Applied " in done.out


def test_of_the_first_plan_it_names_where_trust_begins(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.commit(AYSE, the_bank(), "Describe the bank")
    shop.manager()
    applies(shop.run("plan", "--introduction", "HEAD", "--approver", "ayse"), shop.repository)


def test_of_a_way_back_it_names_the_branch(shop: Shop) -> None:
    config = shop.story.path / ".git/config"
    config.write_text(config.read_text() + "[user]\n\tname = Mert\n\temail = mert@bank.example\n")
    good = shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    shop.commit(MERT, {ORDERS: a_proxy("orders")}, "Hurry")
    assert 0 == shop.run("apply", "--yes").code
    back = shop.run("rollback", "--to", good, "--sign-key", shop.person_key(MERT))
    assert ["apply", "--ref", f"rollback-{good[:7]}"] == told(back)[:3]
    applies(back, shop.repository)


def test_it_has_what_the_plan_was_asked_for_with(shop: Shop) -> None:
    shop.commit(MERT, {ORDERS: None, "payments/new.yaml": a_proxy("new")}, "Another one")
    shown = shop.run("plan", "-t", "dev", "--no-prune", "--ref", "main", "--allow", "freeze")
    said = ["apply", "--target", "dev", "--ref", "main", "--allow", "freeze", "--no-prune"]
    assert said == told(shown)[:-2]
    applies(shown, shop.repository)


def test_it_names_the_folder_that_was_named(shop: Shop, tmp_path: Path) -> None:
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    (tmp_path / "else where").mkdir()
    away = tmp_path / "else where"
    applies(run("plan", "-C", "../repo", cwd=away), away)


def test_what_variables_say_is_not_repeated(shop: Shop) -> None:
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    shop.variables |= {"APIOPS_TARGET": "dev", "APIOPS_REF": "HEAD"}
    assert ["apply", "--approve"] == told(shop.run("plan"))[:-1]


def test_nothing_of_it_is_an_address(shop: Shop) -> None:
    """A URL may hold a password, and this line becomes a comment that others read."""
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    shown = shop.run("plan", "--manager", "sqlite:///../dev.db")
    assert ["apply", "--approve"] == told(shown)[:-1]


def test_the_flags_are_those_of_apply() -> None:
    verbs = dict(reference.commands())
    assert set(plan.REPEATED.values()) <= {n for p in verbs["apply"].params for n in p.opts}
