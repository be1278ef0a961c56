"""A process that is killed at any of its steps loses nothing and doubles nothing.

Every test runs once to the end and counts the steps. Then it is killed at each of them, in a copy
of the world as it was, and run again: what stands there afterwards is what would have stood there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from apiops.manager import leases
from tests.dying import Mortals
from tests.engines import ENGINES
from tests.estates import Thing, written
from tests.people import person
from tests.shop import AYSE, MERT, a_member, a_proxy, a_user, the_bank
from tests.worlds import World, keep

SELIN = person("selin")
LATER = leases.LIFE + timedelta(seconds=1)
SHARDS = 4
"""Each test is several, so that workers share the deaths."""

KEY = Thing(
    "Credential",
    "partner",
    {"email": "p@bank.example", "fullName": "P", "password": {"$plain": "plaintext-1"}},
)
FRESH = Thing(
    "ApiProxy",
    "fresh",
    {
        "type": "OPEN_API",
        "source": {"file": "api.yaml"},
        "clientRoute": {"relativePathList": ["/fresh"]},
        "routing": {"addresses": [{"address": "https://fresh.bank.example"}]},
        "settings": {"proxyServer": {"proxyHost": "p", "proxyPassword": {"$plain": "plaintext-2"}}},
        "deployments": [{"environment": "dev"}],
    },
    files={"api.yaml": b"openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\n"},
)


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with Mortals() as server:
        yield server


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The bank after its first apply, with a commit that does everything at once."""
    with keep(request.param, request, tmp_path) as world:
        shop = world.shop
        people = {
            "system/selin.yaml": a_user(SELIN),
            "payments/selin.yaml": a_member(SELIN, "payments", "API Developer"),
            "cards/selin.yaml": a_member(SELIN, "cards", "API Developer"),
        }
        shop.begin({**the_bank(), **people, **written([KEY], shop.recipient)})
        edited = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")
        moved = replace(KEY, project="cards", renamed_from="payments/partner")
        shop.commit(MERT, {"payments/orders.yaml": edited})
        shop.commit(SELIN, {"cards/limits.yaml": None, **written([FRESH], shop.recipient)})
        gone = dict.fromkeys(written([KEY], shop.recipient))
        shop.commit(SELIN, {**gone, **written([moved], shop.recipient)}, "Move")
        shop.commit(AYSE, {"system/cem.yaml": a_user(person("cem"))}, "Add Cem")
        yield world


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_an_apply_that_is_killed_at_any_step_ends_as_if_it_was_not(
    world: World, mortals: Mortals, shard: int
) -> None:
    with world.copied() as whole:
        done = apply(mortals, whole)
        assert 0 == done.code, done.err
        expected, secrets = whole.image(), whole.plaintexts("selin")
    assert {b"plaintext-1", b"plaintext-2"} == set(secrets.values())
    for at in range(1 + shard, done.steps + 1, SHARDS):
        with world.copied() as copy:
            assert apply(mortals, copy, at).code is None, f"not killed at step {at}"
            again = apply(mortals, copy, later=LATER)
            assert 0 == again.code, f"after a death at step {at}: {again.out}{again.err}"
            assert expected == copy.image(), f"after a death at step {at}"
            assert secrets == copy.plaintexts("selin")


def apply(mortals: Mortals, world: World, at: int = 0, later: timedelta = timedelta()):
    shop = world.shop
    arguments = ("apply", "--yes")
    return mortals.run(
        *arguments, cwd=shop.repository, variables=shop.variables, at=at, later=later
    )


@pytest.mark.slow
def test_the_lease_of_the_dead_holds_others_up_until_it_ends(
    world: World, mortals: Mortals
) -> None:
    with world.copied() as whole:
        steps = apply(mortals, whole).steps
    with world.copied() as copy:
        assert apply(mortals, copy, at=steps - 6).code is None
        refused = apply(mortals, copy)
        assert (7, True) == (refused.code, "AO718" in refused.err)
        assert 0 == apply(mortals, copy, later=LATER).code
