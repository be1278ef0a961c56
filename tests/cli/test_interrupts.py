"""Ctrl-C, and a CI job that is cancelled: exit code 130, a whole database, and the next run goes."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.process import PATIENCE, command, environment
from tests.shop import MERT, Shop, a_proxy

TIMEOUT = ("readTimeout: 60", "readTimeout: 90")
STATIONS = ("load", "read", "reveal", "plan", "judge", "apply")


@pytest.fixture(autouse=True)
def heedful() -> Iterator[None]:
    """A shell makes its background jobs ignore Ctrl-C, and so do their children unless we heed it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})
    return shop


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A key file that nobody writes: who opens it waits, until a signal comes."""
    pipe = tmp_path / "key.txt"
    os.mkfifo(pipe)
    return pipe


@contextmanager
def asked(shop: Shop) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`apiops apply` at a terminal, at its question, and our end of the terminal.

    If it ends before it asks, the terminal ends too, and reading fails.
    """
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        command("apply"),
        cwd=shop.repository,
        env=environment(HOME=str(shop.folder), TERM="dumb"),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    with running:
        shown = b""
        while b"Apply this plan? [y/N]" not in shown:
            shown += os.read(ours, 4096)
        yield running, ours
    os.close(ours)


def opened(pipe: Path, reader: subprocess.Popen[bytes]) -> int:
    """The writing end of a pipe, once somebody reads it."""
    while reader.poll() is None:
        with suppress(OSError):  # nobody reads it yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        with suppress(subprocess.TimeoutExpired):
            reader.wait(0.01)
    raise AssertionError("it ended before it read the pipe")


def stopped(running: subprocess.Popen[bytes], name: str) -> int:
    """Its exit code after a signal. In the moment before it waits Python can miss one: press again."""
    while running.poll() is None:
        running.send_signal(signal.Signals[name])
        with suppress(subprocess.TimeoutExpired):
            running.wait(5)
    return running.returncode


def whole(shop: Shop) -> None:
    """The log verifies, nothing is half applied, and the next run brings the Manager to the head."""
    assert 0 == shop.run("audit", "verify").code
    assert 0 == shop.run("sync").code
    assert "No changes." in shop.run("plan").out
    assert 0 == shop.run("drift", "--detailed-exitcode").code


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_while_it_waits_for_something(shop: Shop, pipe: Path, name: str) -> None:
    running = subprocess.Popen(
        command("apply", "--yes"),
        cwd=shop.repository,
        env=environment(SOPS_AGE_KEY_FILE=str(pipe)),
        stderr=subprocess.PIPE,
    )
    with running:
        end = opened(pipe, running)
        assert 130 == stopped(running, name)
        os.close(end)
        assert running.stderr is not None
        assert b"interrupted" in running.stderr.read()
    whole(shop)


@pytest.mark.parametrize("station", STATIONS)
def test_at_each_station_of_the_line(shop: Shop, station: str) -> None:
    running = subprocess.Popen(
        command("apply", "--yes"),
        cwd=shop.repository,
        env=environment(CI="true"),  # where each station is told, however fast the run
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stderr is not None
        said = iter(running.stderr.readline, "")
        assert any(line.startswith(f"{station}: ") for line in said)
        running.send_signal(signal.SIGINT)
        assert running.wait(PATIENCE) in {130, 0}  # 0: it was faster than the signal
        assert "Traceback" not in "".join(said)
    whole(shop)


def test_at_the_question_nothing_is_applied(shop: Shop) -> None:
    with asked(shop) as (running, _):
        assert 130 == stopped(running, "SIGINT")
    assert "readTimeout" in shop.run("plan").out
    whole(shop)


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 5), (b"\n", 5), (b"y\n", 0)])
def test_the_question_is_answered(shop: Shop, answer: bytes, code: int) -> None:
    with asked(shop) as (running, terminal):
        os.write(terminal, answer)
        assert code == running.wait(PATIENCE)
    assert (code == 0) == ("No changes." in shop.run("plan").out)
