"""Suspending a target: what it stops, who may, and how it ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.people import Person
from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import AYSE, MERT, Done, Shop, a_proxy

ORDERS = "payments/orders.yaml"
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    return shop


def say(shop: Shop, verb: str, who: Person = AYSE, *more: str) -> Done:
    key = shop.person_key(who)
    by = ("--as", who.name.lower(), "--sign-key", key, "--reason", "incident 4711")
    return shop.run(verb, *by, *more)


def test_nothing_is_applied_while_it_lasts_and_the_plan_says_so(shop: Shop) -> None:
    assert 0 == say(shop, "suspend").code
    for verb in (("apply", "--yes"), ("sync",)):
        done = shop.run(*verb)
        assert (5, True) == (done.code, "AO617" in done.err), done.err
        assert "incident 4711" in done.err
    plan = shop.run("plan")
    assert (0, True) == (plan.code, "dev is suspended (by ayse" in plan.out), plan.out
    assert "1 update" in plan.out


def test_not_even_a_unit_without_changes_moves(shop: Shop) -> None:
    shop.run("apply", "--yes")
    before = shop.run("audit", "list", "-o", "json").json["entries"][0]["seq"]
    assert 0 == say(shop, "suspend").code
    shop.commit(MERT, {"README.md": "Nothing for a Manager\n"})
    assert 5 == shop.run("sync").code
    assert before + 1 == shop.run("audit", "list", "-o", "json").json["entries"][0]["seq"]


def test_whoever_resumes_it_lets_the_next_run_do_what_waits(shop: Shop) -> None:
    say(shop, "suspend")
    assert 0 == say(shop, "resume").code
    assert 0 == shop.run("sync").code
    assert "suspended" not in shop.run("plan").out


def test_it_says_when_it_ends_by_itself(shop: Shop) -> None:
    assert 0 == say(shop, "suspend", AYSE, "--for", "1h").code
    done = shop.run("sync")
    assert (5, True) == (done.code, "is suspended until 20" in done.err), done.err


def test_it_can_be_overridden_and_every_entry_says_so(shop: Shop) -> None:
    say(shop, "suspend")
    assert 0 == shop.run("apply", "--yes", "--allow", "suspension").code
    entry = shop.run("audit", "list", "--action", "update", "-o", "json").json["entries"][0]
    assert ["suspension"] == entry["reason"]["overrides"]


@pytest.mark.parametrize("verb", ["suspend", "resume"])
def test_whoever_may_not_change_the_environment_may_neither(shop: Shop, verb: str) -> None:
    if verb == "resume":
        say(shop, "suspend")
    done = say(shop, verb, MERT)
    assert (4, True) == (done.code, "AO520" in done.err), done.err
    (entry,) = shop.run("audit", "list", "--outcome", "denied", "-o", "json").json["entries"]
    assert ("mert", "suspend") == (entry["principal"], entry["action"])
    assert (0 if verb == "suspend" else 5) == shop.run("sync").code


def test_a_word_without_a_name_or_with_another_ones_key_is_refused(shop: Shop) -> None:
    assert 64 == shop.run("suspend", "--reason", "incident 4711").code
    key = shop.person_key(MERT)
    done = shop.run("suspend", "--as", "ayse", "--sign-key", key, "--reason", "incident 4711")
    assert (4, True) == (done.code, "AO502" in done.err), done.err
    assert 64 == say(shop, "suspend", AYSE, "--for", "-1h").code
    assert 0 == shop.run("sync").code


@pytest.fixture
def far(tmp_path: Path, database: str) -> Iterator[Remote]:
    with remote(tmp_path, database) as shop:
        shop.introduce()
        shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        yield shop


def test_over_http_a_token_says_who_it_is(far: Remote) -> None:
    ayse, mert = (a_token(far.open, name, "write") for name in ("ayse", "mert"))
    why = ("--reason", "incident 4711")
    assert 4 == far.there("suspend", *why, token=mert).code
    assert 4 == far.there("suspend", *why).code  # a service's token is for no such thing
    done = far.there("suspend", *why, "--for", "1h", token=ayse)
    assert 0 == done.code, done.err
    refused = far.there("apply", "--yes")
    assert (5, True) == (refused.code, "AO617" in refused.err), refused.err
    assert 0 == far.there("resume", *why, token=ayse).code
    assert 0 == far.there("apply", "--yes").code


@pytest.mark.parametrize(
    "until", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2020-01-01T00:00:00Z"]
)
def test_over_http_a_time_that_is_none_is_refused(far: Remote, until: str) -> None:
    headers = {"Authorization": f"Bearer {a_token(far.open, 'ayse', 'write')}"}
    order = {"reason": "incident 4711", "until": until}
    url = f"{far.url}/v1/targets/dev/suspend"
    answer = urllib3.request("POST", url, json=order, headers=headers, retries=False, timeout=30)
    assert (400, "AO787") == (answer.status, answer.json()["code"])
