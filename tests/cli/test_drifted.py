"""`--drift report`: what somebody changed in the Manager is told, and left."""

from pathlib import Path

import pytest

from tests.shop import AYSE, DENIZ, MERT, Shop, a_proxy, the_bank

ORDERS = "payments/orders.yaml"
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")
LIMITS = "cards/limits.yaml"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Somebody changed orders by hand."""
    shop = Shop(tmp_path)
    shop.begin()
    by_hand(shop, "orders", "payments")
    return shop


def by_hand(shop: Shop, name: str, project: str, seconds: int = 5) -> None:
    who = MERT if project == "payments" else DENIZ
    done = shop.run(
        *("manager", "set", f"ApiProxy/{project}/{name}"),
        f"spec.settings.connection.connectTimeout={seconds}",
        *("--as", who.name.lower(), "--sign-key", shop.person_key(who), "--reason", "by hand"),
    )
    assert done.code == 0, done.err


def changes(shop: Shop, *more: str) -> list[str]:
    told = shop.run("plan", *more, "-o", "json").json
    return [change["id"]["name"] for change in told["plan"]["changes"]]


def test_it_is_set_right_unless_it_is_only_to_be_told(shop: Shop) -> None:
    assert ["orders"] == changes(shop)
    assert [] == changes(shop, "--drift", "report")
    told = shop.run("plan", "--drift", "report")
    assert (0, True) == (told.code, "left as somebody changed it in the Manager: " in told.out)
    assert "Live matches" not in told.out
    assert "ApiProxy/payments/orders" in told.out


def test_a_sync_that_reports_leaves_it_and_moves_on(shop: Shop) -> None:
    shop.commit(DENIZ, {LIMITS: a_proxy("limits", "cards").replace("60", "70")}, "Wait longer")
    done = shop.run("sync", "--drift", "report")
    assert (0, False) == (done.code, "orders" in done.out), done.out
    assert ["orders"] == changes(shop)
    assert 2 == shop.run("drift", "--detailed-exitcode").code
    assert 0 == shop.run("sync").code
    assert [] == changes(shop)


def test_what_a_commit_touches_is_carried_out_whatever_was_done_to_it(shop: Shop) -> None:
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    assert ["orders", "orders"] == changes(shop, "--drift", "report")
    assert 0 == shop.run("sync", "--drift", "report").code
    assert [] == changes(shop)


def test_a_plan_that_leaves_drift_is_another_plan(shop: Shop) -> None:
    whole = shop.run("plan", "-o", "json").json["plan"]["digest"]
    part = shop.run("plan", "--drift", "report", "-o", "json").json["plan"]["digest"]
    assert whole != part
    done = shop.run("apply", "--approve", whole, "--drift", "report")
    assert (5, True) == (done.code, "AO620" in done.err), done.err


def test_nothing_to_do_is_not_remembered_as_settled(shop: Shop) -> None:
    for _ in range(2):
        assert [] == changes(shop, "--drift", "report")
        assert ["orders"] == changes(shop)


def test_the_metrics_count_what_was_left(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "apiops.prom"
    assert 0 == shop.run("sync", "--drift", "report", "--metrics-file", file).code
    assert 'apiops_drifted_resources{target="dev"} 1.0' in file.read_text()


def test_pipelines_are_told_as_well(shop: Shop) -> None:
    told = shop.run("plan", "--drift", "report", "-o", "github")
    assert "was changed in the Manager, and is left so" in told.out


@pytest.mark.parametrize("verb", ["plan", "apply", "sync"])
def test_a_run_with_nothing_to_do_has_no_drift_to_tell(tmp_path: Path, verb: str) -> None:
    shop = Shop(tmp_path)
    shop.begin()
    done = shop.run(verb, "--drift", "report")
    assert 0 == done.code, done.err


def test_nor_has_the_plan_of_what_was_never_applied(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.commit(AYSE, the_bank(), "Describe the bank")
    assert 0 == shop.manager().code
    assert "AO531" in shop.run("plan", "--drift", "report").out
