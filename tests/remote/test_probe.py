"""`apiops doctor` against a vendor's Manager: what the token may, before anything is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.bank import VendorShop, manifest
from tests.shop import AYSE, MERT, Done, a_project, a_proxy

EVERYTHING = [
    "AI_BUDGETS",
    "AI_DEVELOPMENT",
    "API_MANAGEMENT",
    "CONNECTIONS",
    "GLOBAL_SETTINGS",
    "IDENTITY",
    "SECRETS",
]


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[VendorShop]:
    with VendorShop(tmp_path) as shop:
        shop.begin()
        shop.world.requests.clear()
        yield shop


def said(done: Done, name: str = "vendor's Manager") -> dict[str, str]:
    checks = done.json["doctor"]["checks"]
    (found,) = [check for check in checks if check["name"] == name]
    return {"health": found["status"], "message": found["message"], "fix": found["fix"]}


def asked(bank: VendorShop) -> Done:
    done = bank.run("doctor", "--target", "dev", "-o", "json")
    assert {"GET"} >= {method for method, _ in bank.world.requests}
    return done


def let(bank: VendorShop, *rights: str, admin: bool = False) -> None:
    """The token has these rights in payments and no other."""
    there = {("payments", right) for right in rights}
    bank.world.add_user("reader", rights=there, admin=admin)
    bank.variables["APIOPS_TOKEN"] = "reader"


def test_a_token_that_may_read_everything_is_well(bank: VendorShop) -> None:
    found = said(bank.run("doctor", "--target", "dev", "-o", "json"))

    assert "ok" == found["health"]
    assert "payments" in found["message"]
    assert {"GET"} == {method for method, _ in bank.world.requests}


def test_a_right_that_is_missing_is_named(bank: VendorShop) -> None:
    rights = {("payments", f"{right}.VIEW") for right in EVERYTHING if right != "SECRETS"}
    bank.world.add_user("reader", rights=rights)
    bank.variables["APIOPS_TOKEN"] = "reader"

    found = said(bank.run("doctor", "--target", "dev", "-o", "json"))

    assert "warn" == found["health"]
    assert "SECRETS.VIEW in payments" in found["message"]


def test_a_token_without_a_project_is_useless(bank: VendorShop) -> None:
    bank.world.add_user("nobody", rights=set())
    bank.variables["APIOPS_TOKEN"] = "nobody"

    assert "fail" == said(bank.run("doctor", "--target", "dev", "-o", "json"))["health"]


def test_something_else_at_the_address_is_found_out(bank: VendorShop) -> None:
    bank.commit_settings("http://127.0.0.1:9/")

    done = bank.run("doctor", "--target", "dev", "-o", "json")

    assert "fail" == said(done)["health"]


VIEWS = [f"{right}.VIEW" for right in EVERYTHING]


def test_what_the_repository_describes_and_the_token_cannot_see_will_be_refused(
    bank: VendorShop,
) -> None:
    let(bank, *(right for right in VIEWS if right not in ("CONNECTIONS.VIEW", "SECRETS.VIEW")))

    done = asked(bank)

    found = said(done, "rights")
    assert (1, "fail") == (done.code, found["health"])
    assert "Connection in payments, which takes CONNECTIONS.VIEW" in found["message"]
    assert "Certificate" not in found["message"]
    for right in ("API_MANAGEMENT.DEPLOY_UNDEPLOY", "API_MANAGEMENT.MANAGE", "CONNECTIONS.MANAGE"):
        assert right in found["fix"]


def test_what_it_takes_to_write_is_said_though_nobody_can_ask_for_it(bank: VendorShop) -> None:
    let(bank, *VIEWS)

    found = said(asked(bank), "rights")

    assert "ok" == found["health"]
    assert (
        "to write it takes API_MANAGEMENT.DEPLOY_UNDEPLOY, API_MANAGEMENT.MANAGE, "
        "CONNECTIONS.MANAGE, GLOBAL_SETTINGS.MANAGE, IDENTITY.MANAGE in payments"
    ) in found["message"]
    assert "SECRETS" not in found["message"]


GEOLOCATION = (
    "apiVersion: apiops/v1\nkind: Geolocation\nmetadata: {name: default}\nspec: {enabled: true}\n"
)


@pytest.mark.parametrize("admin", [True, False])
def test_what_belongs_to_no_project_takes_an_administrator(bank: VendorShop, admin: bool) -> None:
    bank.commit(AYSE, {"system/geolocation.yaml": GEOLOCATION})
    let(bank, *VIEWS, admin=admin)

    done = asked(bank)

    found = said(done, "rights")
    assert ("ok" if admin else "fail") == found["health"]
    assert "an administrator's token" in found["message"]
    assert admin is ("is an administrator's" in said(done)["message"])


def test_what_has_errors_was_not_looked_at_and_that_is_said(bank: VendorShop) -> None:
    bank.commit(MERT, {"payments/orders.yaml": manifest("ApiProxy", "orders", "spec: {type: 5}\n")})
    let(bank, *VIEWS)

    found = said(asked(bank), "rights")

    assert "warn" == found["health"]
    assert "but for payments, whose specifications have errors" in found["message"]
    assert "apiops validate" in found["fix"]


def test_a_project_that_the_token_does_not_see_is_named(bank: VendorShop) -> None:
    bank.commit(
        AYSE, {"cards/project.yaml": a_project("cards"), "cards/x.yaml": a_proxy("x", "cards")}
    )
    let(bank, *VIEWS)

    found = said(asked(bank), "rights")

    assert "fail" == found["health"]
    assert "project cards, which the token does not see" in found["message"]


def test_what_the_api_does_not_have_is_named(bank: VendorShop) -> None:
    wish = "spec: {credential: partner, target: {name: orders}}\n"
    bank.commit(MERT, {"payments/wish.yaml": manifest("Subscription", "wish", wish)})

    found = said(asked(bank), "rights")

    assert "Subscription in payments, which the API does not have" in found["message"]


WRITES = (
    "API_MANAGEMENT.MANAGE",
    "API_MANAGEMENT.DEPLOY_UNDEPLOY",
    "CONNECTIONS.MANAGE",
    "GLOBAL_SETTINGS.MANAGE",
    "IDENTITY.MANAGE",
)
"""What it takes to write the bank."""


def tried(bank: VendorShop) -> Done:
    """Rights to write are asked for, and nothing of what is there moves."""
    there = bank.world.copy().projects
    done = bank.run("doctor", "--target", "dev", "--probe-writes", "-o", "json")
    assert there == bank.world.projects
    assert {"GET", "DELETE"} == {method for method, _ in bank.world.requests}
    return done


@pytest.mark.parametrize("missing", WRITES)
def test_a_right_to_write_that_is_missing_is_named_before_anything_is_written(
    bank: VendorShop, missing: str
) -> None:
    let(bank, *VIEWS, *(right for right in WRITES if right != missing))

    done = tried(bank)

    found = said(done, "rights to write")
    assert (1, "fail") == (done.code, found["health"])
    assert f"the token lacks {missing} in payments" == found["message"]
    assert "in the console" in found["fix"]


def test_rights_that_are_not_refused_are_named(bank: VendorShop) -> None:
    let(bank, *VIEWS, *WRITES)

    found = said(tried(bank), "rights to write")

    assert "ok" == found["health"]
    assert all(f"{right} in payments" in found["message"] for right in WRITES)


def test_a_manager_that_looks_for_the_thing_first_proves_nothing_and_that_is_said(
    bank: VendorShop,
) -> None:
    bank.world.quirks.add("things-before-rights")
    let(bank, *VIEWS)

    found = said(tried(bank), "rights to write")

    assert "ok" == found["health"]
    assert "looks for the thing before the right" in found["message"]


def test_what_cannot_be_asked_for_is_not_taken_for_granted(bank: VendorShop) -> None:
    budget = "spec:\n  target: {type: API_PROXY, name: orders}\n  budget: {enabled: true, tokensPerDay: 5}\n"
    bank.commit(MERT, {"payments/budget.yaml": manifest("AiBudget", "daily", budget)})
    let(bank, *VIEWS, *WRITES)

    found = said(tried(bank), "rights to write")

    assert "nothing is told of AI_BUDGETS.MANAGE in payments" in found["message"]


def test_without_the_flag_nothing_is_tried_and_the_way_to_ask_is_said(bank: VendorShop) -> None:
    let(bank, *VIEWS)

    done = asked(bank)

    assert "--probe-writes" in said(done, "rights")["message"]
    assert "rights to write" not in {one["name"] for one in done.json["doctor"]["checks"]}
