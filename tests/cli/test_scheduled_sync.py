"""`apiops sync --interval`: a process that goes on, tells what it did, and stops when told."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.process import PATIENCE, command, environment
from tests.shop import DENIZ, MERT, Shop, a_proxy

ORDERS = "payments/orders.yaml"


def orders(timeout: int) -> str:
    return a_proxy("orders").replace("readTimeout: 60", f"readTimeout: {timeout}")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.begin()
    return made


@contextmanager
def syncing(
    shop: Shop, *more: str | Path, interval: str = "1s", **variables: str
) -> Iterator[subprocess.Popen[str]]:
    steady = ("--interval", interval, "--metrics-file", shop.folder / "m.prom")
    words = command("sync", *steady, *more)
    child = subprocess.Popen(
        words,
        cwd=shop.repository,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate(timeout=PATIENCE)


def until(child: subprocess.Popen[str], said: str) -> list[str]:
    """The lines on stderr up to one that begins so."""
    assert child.stderr is not None
    lines = []
    for line in child.stderr:
        lines.append(line.rstrip())
        if line.startswith(said):
            return lines
    raise AssertionError(f"it never said {said!r}: {lines}")


def metrics(shop: Shop) -> dict[str, float]:
    text = (shop.folder / "m.prom").read_text()
    return {
        " ".join([sample.name, *(v for k, v in sorted(sample.labels.items()) if k != "target")]): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_applies_what_comes_counts_it_and_stops_after_the_run_in_hand(shop: Shop) -> None:
    with syncing(shop) as child:
        until(child, "next run in 1 s")
        assert 1 == metrics(shop)["apiops_runs_total ok"]
        shop.commit(MERT, {ORDERS: orders(90)})
        while "apiops_changes_total update ApiProxy done" not in metrics(shop):
            until(child, "next run in 1 s")
        child.send_signal(signal.SIGTERM)
        until(child, "stopped")
        assert 0 == child.wait(PATIENCE)
    assert "No changes." in shop.run("plan").out
    assert 0 < metrics(shop)["apiops_last_success_timestamp_seconds"]


def test_a_denial_ends_its_run_and_not_the_loop(shop: Shop) -> None:
    shop.commit(DENIZ, {ORDERS: orders(91)})
    with syncing(shop) as child:
        until(child, "next run in 1 s")
        shop.commit(MERT, {ORDERS: orders(60)})
        while "apiops_runs_total ok" not in metrics(shop):
            until(child, "next run in 1 s")
        child.send_signal(signal.SIGTERM)
        assert 0 == child.wait(PATIENCE)
    assert 1 <= metrics(shop)["apiops_runs_total denied"]


def test_a_remote_that_is_away_is_tried_again(shop: Shop) -> None:
    subprocess.run(
        ["git", "remote", "add", "origin", shop.folder / "away"], cwd=shop.repository, check=True
    )
    with syncing(shop, "--fetch", "origin") as child:
        said = until(child, "next run in 1 s")
        assert any("AO812" in line for line in said)
        until(child, "next run in 1 s")
        child.send_signal(signal.SIGTERM)
        assert 7 == child.wait(PATIENCE)
    assert 2 <= metrics(shop)["apiops_runs_total unavailable"]


def test_a_flag_that_cannot_be_ends_the_loop(shop: Shop) -> None:
    with syncing(shop, "--allow", "no-such-guard", "-t", "nowhere") as child:
        assert 64 == child.wait(PATIENCE)


@pytest.mark.parametrize("length", ["0s", "5", "m", "1d", "-1s", "999999s"])
def test_an_interval_is_a_length_of_time(shop: Shop, length: str) -> None:
    done = shop.run("sync", f"--interval={length}")
    assert (64, True) == (done.code, "write 90s, 5m or 1h" in done.err)


def test_one_run_can_be_counted_too(shop: Shop) -> None:
    shop.commit(MERT, {ORDERS: orders(90)})
    assert 0 == shop.run("sync", "--metrics-file", "../m.prom").code
    assert 1 == metrics(shop)["apiops_changes_total update ApiProxy done"]


def test_a_file_that_cannot_be_written_is_found_before_the_run(shop: Shop) -> None:
    done = shop.run("sync", "--metrics-file", "../nowhere/m.prom")
    assert (64, True) == (done.code, "AO907" in done.err)
