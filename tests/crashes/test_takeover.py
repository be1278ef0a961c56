"""A served Manager that stops or dies in the middle of a run, and another one, on the same database,
that takes over when the lease is over: nothing is doubled, and who wakes up late writes no more.
"""

import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import pytest

from apiops.manager.leases import LIFE
from apiops.model.token import Holder
from tests.engines import ENGINES
from tests.process import PATIENCE, child
from tests.serving import Child, a_token
from tests.shop import DENIZ, MERT, Done, a_proxy, the_bank
from tests.worlds import World, keep
from tests.writers import served

AHEAD = str(LIFE.total_seconds() + 1)
EDIT = ("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The bank, with a commit for each of two projects, which are a transaction each."""
    with keep(request.param, request, tmp_path) as world:
        shop = world.shop
        shop.begin(the_bank())
        payments = {f"payments/{name}.yaml": a_proxy(name) for name in ("orders", "refunds")}
        payments["payments/orders.yaml"] = a_proxy("orders").replace(*EDIT)
        shop.commit(MERT, payments, "Take refunds")
        shop.commit(DENIZ, {"cards/limits.yaml": a_proxy("limits", "cards").replace(*EDIT)}, "Wait")
        yield world


@pytest.fixture
def token(world: World) -> str:
    with world.opened() as manager:
        return a_token(manager, "ci", "plan", "apply", kind=Holder.SERVICE)


def submit(world: World, server: Child, token: str) -> Done:
    """A client's run, in a process of its own."""
    words = ("apply", "--yes", "--manager", server.url)
    return child(*words, cwd=world.shop.repository, APIOPS_TOKEN=token)


@contextmanager
def halted(world: World, token: str, name: str, at: str) -> Iterator[tuple[Child, Future[Done]]]:
    """A server that a signal met in the middle of a run, and the client that waits for it."""
    with ThreadPoolExecutor() as pool, served(world, signal=name, at=at) as server:
        asked, met = pool.submit(submit, world, server, token), pool.submit(server.halted)
        wait((asked, met), PATIENCE, FIRST_COMPLETED)
        assert met.done(), asked.result(0)
        assert signal.Signals[name] == met.result()
        yield server, asked


def expected(world: World) -> dict[str, object]:
    """What stands there when nothing happens to anybody."""
    with world.copied() as other:
        assert 0 == other.shop.run("apply", "--yes").code
        return other.image()


def fence(world: World) -> int:
    """The next that is given out."""
    with world.opened() as manager, manager.lease("another/dev", "run-of-the-test") as fence:
        return fence


@pytest.mark.slow
@pytest.mark.parametrize("world", ENGINES, indirect=True)
def test_whoever_is_stopped_and_overtaken_between_two_projects_writes_no_more(
    world: World, token: str
) -> None:
    whole = expected(world)
    with halted(world, token, "SIGSTOP", "applied") as (first, asked):
        before = fence(world)
        with served(world, "other", ahead=AHEAD) as second:
            done = submit(world, second, token)
            assert 0 == done.code, done
            assert before < fence(world)
            assert whole == world.image()
            first.go_on()
            late = asked.result(PATIENCE)
            assert (8, True) == (late.code, "AO719" in late.out + late.err), late
            assert whole == world.image()
            again = submit(world, first, token)
            assert (0, True) == (again.code, "Nothing to apply" in again.out), again


@pytest.mark.slow
@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_whoever_is_stopped_in_the_middle_of_a_transaction_keeps_others_out_and_ends_it(
    world: World, token: str
) -> None:
    """SQLite's writer has the file: nobody takes over, so nothing has to be refused."""
    whole = expected(world)
    with halted(world, token, "SIGSTOP", "writing") as (first, asked):
        with served(world, "other", ahead=AHEAD) as second:
            waiting = submit(world, second, token)
            assert (7, True) == (waiting.code, "AO704" in waiting.err), waiting
            first.go_on()
            assert 0 == asked.result(PATIENCE).code
        assert whole == world.image()


@pytest.mark.slow
@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
def test_whoever_is_stopped_in_the_middle_of_a_transaction_loses_it_and_the_lease(
    world: World, token: str
) -> None:
    whole = expected(world)
    with halted(world, token, "SIGSTOP", "writing") as (first, asked):
        with served(world, "other", ahead=AHEAD) as second:
            done = submit(world, second, token)
            assert 0 == done.code, done
            assert whole == world.image()
            first.go_on()
            late = asked.result(PATIENCE)
            assert (7, True) == (late.code, "AO701" in late.err), late
            assert whole == world.image()
        again = submit(world, first, token)
        assert (0, True) == (again.code, "Nothing to apply" in again.out), again


@pytest.mark.slow
@pytest.mark.parametrize("world", ENGINES, indirect=True)
@pytest.mark.parametrize("at", ["writing", "applied"])
def test_whoever_is_killed_holds_others_up_until_the_lease_is_over(
    world: World, token: str, at: str
) -> None:
    whole = expected(world)
    with halted(world, token, "SIGKILL", at) as (_, asked):
        assert 7 == asked.result(PATIENCE).code
    with served(world) as soon:
        waiting = submit(world, soon, token)
        assert (7, True) == (waiting.code, "AO718" in waiting.err), waiting
    with served(world, ahead=AHEAD) as later:
        done = submit(world, later, token)
        assert 0 == done.code, done
    assert whole == world.image()
