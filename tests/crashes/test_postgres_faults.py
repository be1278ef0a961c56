"""PostgreSQL that is killed, whose disk is full, or whose connection breaks in mid-commit: a client
is told what is known, a rerun converges, nothing acknowledged is lost or doubled, the chain holds,
and who held the lease before cannot write after another took over.
"""

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import URL

from apiops.errors import ApiopsError, Conflict, ManagerUnavailable
from apiops.manager import embedded
from apiops.manager.leases import LIFE
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.model.token import Holder
from tests import postgres, process
from tests.managers import REPOSITORY, TARGET, House, a_resource, a_write, settle, write_batch
from tests.ownpostgres import SEGMENT, Moment, Postgres, Way
from tests.process import PATIENCE
from tests.serving import Child, a_token
from tests.shop import MERT, Done, a_proxy, run, the_bank
from tests.worlds import World, keep_on
from tests.writers import Writers, a_writer, addresses, go_on, post, served, standing

LEASE = f"{REPOSITORY}/{TARGET}"
CLIENTS = 2
MOST = 200
"""Groups that are created at most until nothing more fits."""
LONG = 5_000
"""Addresses of a group that fills a disk soon."""
MOMENTS = pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
CHANGES = {
    "payments/refunds.yaml": a_proxy("refunds"),
    "payments/orders.yaml": a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def way(server: Postgres) -> Iterator[Way]:
    with Way(server) as way:
        yield way


@pytest.fixture
def url(server: Postgres) -> Iterator[URL]:
    with postgres.database(server.url, f"d{uuid.uuid4().hex}") as url:
        yield url


@pytest.fixture
def house(url: URL, way: Way, tmp_path: Path) -> Iterator[House]:
    """A Manager that is reached by the way that can be cut."""
    text = way.to(url).render_as_string(hide_password=False)
    with House(text, tmp_path / "manager.key") as house:
        settle(house.manager)
        yield house


@pytest.fixture
def world(server: Postgres, tmp_path: Path) -> Iterator[World]:
    with keep_on(server.url, tmp_path) as world:
        world.shop.begin(the_bank())
        yield world


def a_group(name: str, of: list[str]) -> str:
    return f"apiVersion: apiops/v1\nkind: IpGroup\nmetadata: {{name: {name}, project: payments}}\nspec:\n  ipList: {of}\n"


def a_service(world: World) -> str:
    with world.opened() as manager:
        return a_token(manager, "ci", "plan", "apply", kind=Holder.SERVICE)


def submit(world: World, server: Child, token: str, verb: str = "apply", *more: str) -> Done:
    """A client's run over HTTP; the server does it."""
    where = ("--manager", server.url, *more)
    return run(verb, *where, cwd=world.shop.repository, APIOPS_TOKEN=token)


def submitted(world: World, server: Child, token: str, heads: Sequence[str]) -> list[Done]:
    """Clients that hand in a commit each, at once."""
    words = ("apply", "--yes", "--manager", server.url, "--ref")
    client = partial(process.child, cwd=world.shop.repository, APIOPS_TOKEN=token)
    with ThreadPoolExecutor(len(heads)) as pool:
        return list(pool.map(lambda head: client(*words, head), heads, timeout=PATIENCE))


def later(world: World) -> None:
    """The lease of the run that was killed is over: somebody took it afterwards, and gave it back."""
    url = world.url.render_as_string(hide_password=False)
    moment = datetime.now(UTC) + 2 * LIFE
    name = f"{world.shop.lineage}/dev"
    with (
        embedded.open_manager(url, key_file=world.key_file, clock=lambda: moment) as manager,
        manager.lease(name, "run-after"),
    ):
        pass


class Groups:
    """Groups that are created one after the other, each in a transaction of the unit's next run."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tried: list[str] = []
        self.acknowledged: list[str] = []

    def create(self, fence: int, length: int = 1) -> None:
        """One more, if it is not refused."""
        applied = self.house.manager.state(REPOSITORY, TARGET).applied["payments"]
        last = int(applied.commit, 16)
        name = f"office-{len(self.tried)}"
        self.tried.append(name)
        group = a_resource("IpGroup", name, {"ipList": addresses(length)})
        write = a_write(Action.CREATE, group)
        write_batch(self.house.manager, write, base=last, number=last + 1, fence=fence)
        self.acknowledged.append(name)

    def until_refused(self, fence: int, length: int) -> ApiopsError:
        """What the Manager said when it could take no more."""
        for _ in range(MOST):
            try:
                self.create(fence, length)
            except ApiopsError as refused:
                return refused
        raise AssertionError("there is room for everything")

    def stored(self) -> list[str]:
        """Each group that is there has one entry, and the chain holds."""
        manager = self.house.manager
        report = manager.verify()
        assert report.first_bad is None, report.problem
        entries = list(manager.entries(AuditQuery(kind="IpGroup", action="create", limit=0)))
        told = [one.resource.name for one in entries if one.resource]
        live = manager.read(REPOSITORY, TARGET).resources
        assert sorted(told) == sorted(one.id.name for one in live if one.id.kind == "IpGroup")
        return told[::-1]


def taken_over(house: House, groups: Groups, old: int) -> None:
    """After its time the lease is another's, and whoever held it before writes no more."""
    house.clock.at += LIFE + timedelta(seconds=1)
    before = groups.stored()
    with house.another().lease(LEASE, "run-after") as new:
        assert new > old
        with pytest.raises(Conflict) as caught:
            groups.create(old)
        assert "AO719" == caught.value.code
        assert before == groups.stored()
        groups.create(new)
    assert [*before, groups.acknowledged[-1]] == groups.stored()


@MOMENTS
def test_a_commit_whose_answer_is_lost_is_said_to_be_unknown(
    house: House, way: Way, moment: Moment
) -> None:
    groups = Groups(house)
    with house.manager.lease(LEASE, "run-before") as fence:
        groups.create(fence)
        way.cut(moment)
        with pytest.raises(ManagerUnavailable) as caught:
            groups.create(fence)
        assert ("AO734", True) == (caught.value.code, caught.value.retryable)
        assert "not known" in caught.value.message
        assert way.cut_through.wait(PATIENCE)  # we hear of it before the server has committed
        stored = 2 if moment is Moment.AFTER else 1
        assert groups.tried[:stored] == groups.stored()
        groups.create(fence)
        taken_over(house, groups, fence)


def test_a_killed_postgresql_keeps_what_was_acknowledged(house: House, server: Postgres) -> None:
    groups = Groups(house)
    with house.manager.lease(LEASE, "run-before") as fence:
        groups.create(fence)
        server.kill()
        with pytest.raises(ManagerUnavailable) as caught:
            groups.create(fence)
        assert "AO701" == caught.value.code
        server.start()
        assert groups.acknowledged == groups.stored()
        groups.create(fence)
        taken_over(house, groups, fence)


def test_a_table_that_cannot_grow_takes_nothing_in_part(house: House, server: Postgres) -> None:
    groups = Groups(house)
    server.kill()
    server.start(room=SEGMENT)
    with house.manager.lease(LEASE, "run-before") as fence:
        told = groups.until_refused(fence, length=LONG)
        assert "AO706" == told.code
        assert groups.acknowledged == groups.stored()
        server.kill()
        server.start()
        groups.create(fence, length=LONG)
        assert groups.acknowledged == groups.stored()
        taken_over(house, groups, fence)


def test_a_log_that_cannot_grow_ends_the_server_and_loses_nothing(
    house: House, server: Postgres, url: URL
) -> None:
    groups = Groups(house)
    with postgres.connect(url) as connection:
        connection.execute("SELECT pg_switch_wal()")  # what follows begins a file of the log,
        connection.execute("CHECKPOINT")  # which is there before the disk is full
    server.kill()
    server.start(room=SEGMENT - 8192)
    with house.manager.lease(LEASE, "run-before") as fence:
        told = groups.until_refused(fence, length=LONG)
        assert told.code in ("AO701", "AO734")
        server.kill()
        server.start()
        stored = groups.stored()
        assert groups.acknowledged == stored[: len(groups.acknowledged)]
        assert stored in (groups.acknowledged, groups.tried)
        groups.create(fence)
        taken_over(house, groups, fence)


@MOMENTS
def test_an_apply_after_a_lost_answer_does_what_is_missing(
    world: World, way: Way, moment: Moment
) -> None:
    world.shop.commit(MERT, CHANGES, "Take refunds, and read for longer")
    with world.copied() as other:
        assert 0 == other.shop.run("apply", "--yes").code
        expected = other.image()
    cut = world.by(way.to(world.url)).shop
    way.cut(moment)
    done = cut.run("apply", "--yes")
    assert way.cut_through.wait(PATIENCE)
    assert 7 == done.code, done
    assert "AO734" in done.err
    assert 0 == cut.run("apply", "--yes").code
    assert expected == world.image()


@MOMENTS
def test_a_submission_after_a_lost_answer_does_what_is_missing(
    world: World, way: Way, moment: Moment
) -> None:
    world.shop.commit(MERT, CHANGES, "Take refunds, and read for longer")
    token = a_service(world)
    with world.copied() as other:
        assert 0 == other.shop.run("apply", "--yes").code
        expected = other.image()
    with served(world.by(way.to(world.url))) as server:
        way.cut(moment)
        done = submit(world, server, token, "apply", "--yes")
        assert way.cut_through.wait(PATIENCE)
        assert 7 == done.code, done
        assert "AO734" in done.err
        assert 0 == submit(world, server, token, "apply", "--yes").code
    assert expected == world.image()


@MOMENTS
def test_a_manager_killed_in_mid_commit_is_asked_again_by_all_its_clients(
    world: World, way: Way, moment: Moment
) -> None:
    heads = [
        world.shop.commit(MERT, {f"payments/more{n}.yaml": a_proxy(f"more{n}")}, f"Add {n}")
        for n in range(CLIENTS)
    ]
    token = a_service(world)
    with served(world.by(way.to(world.url))) as server:
        way.cut(moment, server.kill)
        codes = [done.code for done in submitted(world, server, token, heads)]
        assert way.cut_through.wait(PATIENCE)
        assert {7} == set(codes)
    with served(world) as server:
        later(world)
        assert 0 == submit(world, server, token, "apply", "--yes").code
        assert 0 == submit(world, server, token, "plan").code
    entries = world.image()["entries"]
    assert {1} == {many for (action, *_), many in entries.items() if action == "create"}


def test_a_served_manager_outlives_its_postgresql(world: World, server: Postgres) -> None:
    token = a_writer(world)
    with served(world) as child, urllib3.PoolManager(retries=False) as pool:
        writers = Writers(child.url, token)
        writers.wait()
        server.kill()
        writers.join()
        assert [200, 503] == [
            pool.request("GET", child.url + path, timeout=PATIENCE).status
            for path in ("/livez", "/readyz")
        ]
        server.start()
        there = standing(world)
        assert writers.acknowledged <= there <= writers.tried
        assert 200 == pool.request("GET", f"{child.url}/readyz", timeout=PATIENCE).status
        assert 200 == post(pool, child.url, token, "after").status
        writers.tried.add("after")
    go_on(world, token, writers)


def completed(server: Child, token: str, writers: Writers, there: set[str]) -> None:
    """The same server takes what it did not take before."""
    with urllib3.PoolManager(retries=False) as pool:
        for name in sorted(writers.tried - there):
            assert 200 == post(pool, server.url, token, name, LONG).status


def test_a_served_manager_whose_tables_cannot_grow_refuses_and_goes_on_when_they_can(
    world: World, server: Postgres
) -> None:
    token, service = a_writer(world), a_service(world)
    world.shop.commit(MERT, {"payments/long.yaml": a_group("long", addresses(LONG))}, "Long")
    with served(world) as child, urllib3.PoolManager(retries=False) as pool:
        server.limit(SEGMENT)
        writers = Writers(child.url, token, CLIENTS, LONG)
        writers.join()
        assert [500] * CLIENTS == [answer.status for answer in writers.refused]
        done = submit(world, child, service, "apply", "--yes")
        assert (1, True) == (done.code, "AO706" in done.out), done
        for path in ("/livez", "/readyz"):
            assert 200 == pool.request("GET", child.url + path, timeout=PATIENCE).status
        there = standing(world)
        assert writers.acknowledged == there
        server.limit()
        completed(child, token, writers, there)
        assert 0 == submit(world, child, service, "apply", "--yes").code
    assert {*writers.tried, "long"} == standing(world)


def test_a_served_manager_whose_postgresql_has_no_room_for_its_log_goes_on_with_the_next(
    world: World, server: Postgres
) -> None:
    token = a_writer(world)
    with served(world) as child:
        server.limit(SEGMENT - 8192)
        writers = Writers(child.url, token, CLIENTS, LONG)
        writers.join()
        assert [500] * CLIENTS == [answer.status for answer in writers.refused]
        server.kill()
        server.start()
        there = standing(world)
        assert writers.acknowledged <= there <= writers.tried
        completed(child, token, writers, there)
    assert writers.tried == standing(world)
