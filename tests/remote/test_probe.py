"""`apiops doctor` against a vendor's Manager: what the token may, before anything is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.bank import VendorShop
from tests.shop import Done

EVERYTHING = [
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


def said(done: Done) -> dict[str, str]:
    checks = done.json["doctor"]["checks"]
    (found,) = [check for check in checks if check["name"] == "vendor's Manager"]
    return {"health": found["status"], "message": found["message"]}


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
