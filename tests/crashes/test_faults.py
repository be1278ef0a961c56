"""A served Manager that is killed, or whose disk is full, while many write through it: what was
acknowledged is there, nothing is there twice, the chain holds, and the next server goes on.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.engines import ENGINES
from tests.process import PATIENCE
from tests.shop import the_bank
from tests.worlds import World, keep
from tests.writers import Writers, a_writer, go_on, served, standing


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with keep(request.param, request, tmp_path) as world:
        world.shop.begin(the_bank())
        yield world


@pytest.mark.parametrize("world", ENGINES, indirect=True)
def test_a_server_that_is_killed_keeps_what_it_acknowledged(world: World) -> None:
    token = a_writer(world)
    with served(world) as server:
        writers = Writers(server.url, token)
        writers.wait()
        server.kill()
        writers.join()
    assert [] == writers.refused
    go_on(world, token, writers)


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_a_server_on_a_full_disk_lives_on_and_keeps_what_it_acknowledged(world: World) -> None:
    token = a_writer(world)
    room = Path(world.url.database or "").stat().st_size
    with served(world) as server:
        server.limit(room)
        writers = Writers(server.url, token, clients=2)
        writers.join()
        with urllib3.PoolManager(retries=False) as pool:
            alive = pool.request("GET", f"{server.url}/livez", timeout=PATIENCE)
    assert alive.status == 200
    assert [500, 500] == [answer.status for answer in writers.refused]
    assert writers.acknowledged == standing(world)
    go_on(world, token, writers)
