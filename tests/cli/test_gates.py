"""What stops an apply beside permission: freezes and guards; and that overriding leaves a trace."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.shop import AYSE, MERT, Shop, a_proxy, the_bank

ORDERS = "payments/orders.yaml"
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")


def an_environment(begins: timedelta, ends: timedelta) -> str:
    now = datetime.now(UTC)
    first, last = ((now + delta).strftime("%Y-%m-%dT%H:%M:%SZ") for delta in (begins, ends))
    return (
        "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: dev}\nspec:\n  type: TEST\n"
        f"  freezes:\n    - {{begins: {first}, ends: {last}, reason: Year end}}\n"
    )


HOUR = timedelta(hours=1)
NOW = (-HOUR, HOUR)


def frozen(tmp_path: Path, begins: timedelta, ends: timedelta) -> Shop:
    shop = Shop(tmp_path)
    shop.begin({**the_bank(), "system/dev.yaml": an_environment(begins, ends)})
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    return shop


class TestFreezes:
    def test_in_a_freeze_a_plan_is_shown_and_not_carried_out(self, tmp_path: Path) -> None:
        shop = frozen(tmp_path, *NOW)
        plan = shop.run("plan")
        assert (0, True) == (plan.code, "dev is frozen until" in plan.out)
        done = shop.run("apply", "--yes")
        assert (5, True, True) == (done.code, "AO613" in done.err, "Year end" in done.err)
        assert "1 update" in shop.run("plan").out

    def test_a_plan_that_was_approved_in_it_is_good_after_it(self, tmp_path: Path) -> None:
        shop = frozen(tmp_path, *NOW)
        digest = shop.run("plan", "-o", "json").json["plan"]["digest"]
        assert 5 == shop.run("apply", "--approve", digest).code
        done = shop.run("apply", "--approve", digest, "--allow", "freeze")
        assert 0 == done.code, done.err

    @pytest.mark.parametrize("window", [(-2 * HOUR, -HOUR), (HOUR, 2 * HOUR)])
    def test_before_and_after_it_nothing_is_stopped(
        self, tmp_path: Path, window: tuple[timedelta, timedelta]
    ) -> None:
        shop = frozen(tmp_path, *window)
        assert "frozen" not in shop.run("plan").out
        assert 0 == shop.run("apply", "--yes").code

    def test_a_commit_cannot_end_it_for_its_own_batch(self, tmp_path: Path) -> None:
        shop = frozen(tmp_path, *NOW)
        shop.commit(AYSE, {"system/dev.yaml": an_environment(-2 * HOUR, -HOUR)}, "End the freeze")
        assert 5 == shop.run("apply", "--yes").code

    def test_a_run_with_nothing_to_do_is_no_matter_of_a_freeze(self, tmp_path: Path) -> None:
        shop = frozen(tmp_path, *NOW)
        shop.commit(MERT, {ORDERS: a_proxy("orders")}, "Back again")
        assert 0 == shop.run("sync").code

    def test_one_that_ends_before_it_begins_is_no_freeze(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        shop.commit(AYSE, {**the_bank(), "system/dev.yaml": an_environment(HOUR, -HOUR)})
        done = shop.run("validate")
        assert (3, True) == (done.code, "ends must be after begins" in done.out)


class TestOverrides:
    def test_an_overridden_freeze_stands_in_every_entry_of_the_run(self, tmp_path: Path) -> None:
        shop = frozen(tmp_path, *NOW)
        assert 0 == shop.run("apply", "--yes", "--allow", "freeze").code
        entry = shop.run("audit", "list", "--action", "update", "-o", "json").json["entries"][0]
        assert "orders" == entry["resource"]["name"]
        assert ["freeze"] == entry["reason"]["overrides"]
        assert "overrode" in shop.run("audit", "show", str(entry["seq"])).out
        assert 0 == shop.run("audit", "verify").code

    def test_an_overridden_guard_does_too(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        many = {f"payments/p{n}.yaml": a_proxy(f"p{n}") for n in range(12)}
        shop.begin({**the_bank(), **many})
        shop.commit(MERT, dict.fromkeys(many), "Tidy up")
        assert 5 == shop.run("apply", "--yes").code
        assert 0 == shop.run("apply", "--yes", "--allow", "mass-delete").code
        entries = shop.run("audit", "list", "--action", "delete", "-o", "json").json["entries"]
        assert [["mass-delete"]] * 12 == [entry["reason"]["overrides"] for entry in entries]

    @pytest.mark.parametrize("verb", ["plan", "apply", "sync"])
    def test_a_guard_that_does_not_exist_is_a_slip(self, tmp_path: Path, verb: str) -> None:
        shop = Shop(tmp_path)
        shop.begin()
        shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        done = shop.run(verb, "--allow", "frieze", "--allow", "empty")
        assert (64, True) == (done.code, "AO914" in done.err), done.err
        assert 'did you mean "freeze"?' in done.err
        assert "1 update" in shop.run("plan").out

    def test_what_was_not_in_the_way_was_not_overridden(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        shop.begin()
        shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        shop.run("apply", "--yes", "--allow", "freeze", "--allow", "mass-delete")
        entry = shop.run("audit", "list", "--action", "update", "-o", "json").json["entries"][0]
        assert "orders" == entry["resource"]["name"]
        assert [] == entry["reason"]["overrides"]
