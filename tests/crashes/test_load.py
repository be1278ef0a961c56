"""A short run of the load that `benchmarks/load.py` gives a served Manager on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from benchmarks import load
from tests.shop import the_bank
from tests.worlds import World, keep_on


@pytest.fixture
def world(postgres_server: URL, tmp_path: Path) -> Iterator[World]:
    with keep_on(postgres_server, tmp_path) as world:
        world.shop.begin(the_bank())
        yield world


def test_twenty_clients_of_every_kind_are_served_and_nothing_is_lost(world: World) -> None:
    book = load.load(world, clients=20, seconds=4)
    assert {} == book.errors
    kinds = {"apply", "audit query", "read", "reseal", "rotate", "state", "verify", "write"}
    assert kinds == book.took.keys()
