"""A Manager whose clock is hours away from ours: nothing is decided by comparing the two."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from apiops.remote.answer import Answer
from tests.remote.bank import VendorShop, manifest
from tests.shop import MERT

HOURS = [-5, 5]
GROUP = "spec:\n  ipList: [10.0.0.1]\n"


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[VendorShop]:
    with VendorShop(tmp_path) as shop:
        shop.begin()
        yield shop


@pytest.mark.parametrize("hours", HOURS)
def test_a_run_converges_whatever_the_manager_takes_for_now(bank: VendorShop, hours: int) -> None:
    bank.world.ahead = timedelta(hours=hours)
    bank.commit(MERT, {"payments/made.yaml": manifest("IpGroup", "made", GROUP)})

    done = bank.run("apply", "--yes")

    assert 0 == done.code, done.err
    assert 0 == bank.run("plan", "--detailed-exitcode").code


@pytest.mark.parametrize(("hours", "code"), [(-5, 0), (5, 7)])
def test_a_token_lives_by_the_managers_clock_and_who_is_wrong_is_said(
    bank: VendorShop, hours: int, code: int
) -> None:
    """It expires in an hour, as we see it."""
    user = bank.world.users[bank.standin.token]
    user.until = datetime.now(UTC) + timedelta(hours=1)
    bank.world.ahead = timedelta(hours=hours)

    done = bank.run("plan")

    if code == 0:
        assert 0 == done.code, done.err
    else:
        assert "AO761" in done.err
        assert "clock is 5 hours ahead of ours" in done.err


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(hours=5), "5 hours ahead of"),
        (timedelta(hours=-5), "5 hours behind"),
        (timedelta(minutes=10), "10 minutes ahead of"),
        (timedelta(days=-3), "3 days behind"),
    ],
)
def test_the_doctor_sees_it(bank: VendorShop, ahead: timedelta, told: str) -> None:
    bank.world.ahead = ahead

    checks = bank.run("doctor", "--target", "dev", "-o", "json").json["doctor"]["checks"]

    (found,) = [check for check in checks if check["name"] == "clock"]
    assert "warn" == found["status"]
    assert told in found["message"]


def test_the_doctor_says_nothing_of_clocks_that_agree(bank: VendorShop) -> None:
    checks = bank.run("doctor", "--target", "dev", "-o", "json").json["doctor"]["checks"]

    assert "clock" not in [check["name"] for check in checks]


@pytest.mark.parametrize("hours", [0, *HOURS])
def test_a_time_to_come_again_is_one_of_the_servers_clock(hours: int) -> None:
    there = datetime.now(UTC) + timedelta(hours=hours)
    headers = {
        "date": format_datetime(there, usegmt=True),
        "retry-after": format_datetime(there + timedelta(seconds=7), usegmt=True),
    }

    assert 7 == Answer(429, headers, b"").pause
