"""Checkpoints that a served Manager keeps by itself."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from apiops.web.witness import LEASE, Keeping, Witness
from tests import managers
from tests.engines import ENGINES
from tests.managers import House
from tests.serving import Child
from tests.shop import the_bank
from tests.worlds import World, keep


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with keep(request.param, request, tmp_path) as world:
        world.shop.begin(the_bank())
        yield world


def test_a_server_keeps_a_checkpoint_when_it_starts_and_when_it_stops(world: World) -> None:
    file = world.shop.folder / "log.checkpoint"
    every = ("--checkpoint-every", "1h", "--checkpoint-to", file)
    where = ("--repositories", world.shop.folder / "kept", "--listen", "127.0.0.1:0")
    with Child(
        "manager", "serve", *where, *every, cwd=world.shop.repository, **world.shop.variables
    ):
        pass
    done = world.shop.run("audit", "verify", "--checkpoint", file)
    assert 0 == done.code, done.err


def test_another_who_makes_them_is_left_alone_and_the_failure_is_told(
    house: House, tmp_path: Path
) -> None:
    counted: Counter[str] = Counter()
    file = tmp_path / "log.checkpoint"
    witness = Witness(house.manager, Keeping(file, 3600, write), lambda r: counted.update([r]))
    with house.another().lease(LEASE, "another server"):
        witness.keep()
    assert not file.exists()
    witness.keep()
    assert {"failed": 1, "done": 1} == counted
    assert house.manager.verify().first_bad is None


def test_a_file_that_contradicts_the_log_stays_as_it_is(house: House, tmp_path: Path) -> None:
    counted: Counter[str] = Counter()
    file = tmp_path / "log.checkpoint"
    witness = Witness(house.manager, Keeping(file, 3600, write), lambda r: counted.update([r]))
    file.write_text("no checkpoint\n")
    witness.keep()
    assert {"failed": 1} == counted
    assert "no checkpoint\n" == file.read_text()


def test_stopping_keeps_what_was_added_last(house: House, tmp_path: Path) -> None:
    file = tmp_path / "log.checkpoint"
    counted: Counter[str] = Counter()
    witness = Witness(house.manager, Keeping(file, 3600, write), lambda r: counted.update([r]))
    witness.start()
    managers.settle(house.another())
    witness.stop()
    assert {"done": 2} == counted
    report = house.manager.checkpoints.verify([file.read_text()])
    assert report.first_bad is None


def test_a_time_without_a_file_is_refused(world: World) -> None:
    done = world.shop.run("manager", "serve", "--checkpoint-every", "1h")
    assert (64, True) == (done.code, "AO905" in done.err)
