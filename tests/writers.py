"""Clients that write through a served Manager until it fails them, and what must be true then.

with served(world) as server:
    writers = Writers(server.url, token); writers.wait(); server.kill(); writers.join()
go_on(world, token, writers)
"""

import threading
from collections import Counter
from functools import partial
from random import Random

import orjson
import urllib3

from apiops.model.audit import AuditQuery
from tests.process import PATIENCE
from tests.serving import Child, a_token
from tests.worlds import World

CLIENTS = 4
ENOUGH = 12
"""Writes that are acknowledged before the fault."""
MOST = 2_000
"""Writes that one client tries at most."""


class Writers:
    """Clients that write one resource after the other until the server fails them."""

    def __init__(self, url: str, token: str, clients: int = CLIENTS, length: int = 1) -> None:
        self.tried: set[str] = set()
        self.acknowledged: set[str] = set()
        self.refused: list[urllib3.BaseHTTPResponse] = []
        self._url = url
        self._token = token
        self._length = length
        self._moved = threading.Condition()
        work = [partial(self._work, number) for number in range(clients)]
        self._threads = [threading.Thread(target=one) for one in work]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until enough is written."""
        with self._moved:
            assert self._moved.wait_for(lambda: len(self.acknowledged) >= ENOUGH, PATIENCE)

    def join(self) -> None:
        """Until no client writes any more."""
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _work(self, number: int) -> None:
        with urllib3.PoolManager(retries=False) as pool:
            for turn in range(MOST):
                name = f"office-{number}-{turn}"
                self.tried.add(name)
                try:
                    answer = post(pool, self._url, self._token, name, self._length)
                except urllib3.exceptions.HTTPError:
                    return
                with self._moved:
                    if answer.status != 200:
                        self.refused.append(answer)
                        return
                    self.acknowledged.add(name)
                    self._moved.notify_all()


def addresses(length: int) -> list[str]:
    """So many addresses without an order, so that they cannot be stored in much less."""
    any_of = Random(length)
    return [".".join(str(any_of.randrange(256)) for _ in range(4)) for _ in range(length)]


def post(
    pool: urllib3.PoolManager, url: str, token: str, name: str, length: int = 1
) -> urllib3.BaseHTTPResponse:
    """Create an IP group of so many addresses, which is one transaction."""
    return pool.request(
        "POST",
        f"{url}/apiops/projects/payments/ipGroups/",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        body=orjson.dumps({"name": name, "ipList": addresses(length)}),
        timeout=PATIENCE,
    )


def served(world: World, name: str = "kept", **fate: str) -> Child:
    """A server with a folder of that name; with a fate (`tests.stopping`) it meets that."""
    kept = ("--repositories", world.shop.folder / name)
    serve = ("manager", "serve", "--listen", "127.0.0.1:0", *kept)
    program = "tests.stopping" if fate else "apiops"
    met = {f"FATE_{what.upper()}": text for what, text in fate.items()}
    cwd, variables = world.shop.repository, world.shop.variables | met
    return Child(*serve, cwd=cwd, program=program, **variables)


def a_writer(world: World) -> str:
    with world.opened() as manager:
        return a_token(manager, "mert", "read", "write")


def standing(world: World) -> set[str]:
    """The groups that are there; each has one entry, and the chain holds."""
    with world.opened() as manager:
        held = [
            one.id.name for one in manager.read("", "dev").resources if one.id.kind == "IpGroup"
        ]
        entries = manager.entries(AuditQuery(kind="IpGroup", action="create", limit=0))
        told = Counter(entry.resource.name for entry in entries if entry.resource)
        report = manager.verify()
    assert report.first_bad is None, report.problem
    assert dict.fromkeys(held, 1) == told
    return set(held)


def go_on(world: World, token: str, writers: Writers) -> None:
    """What was acknowledged is there, and the next server takes what was not."""
    there = standing(world)
    assert writers.acknowledged <= there <= writers.tried
    with served(world) as server, urllib3.PoolManager(retries=False) as pool:
        for name in sorted(writers.tried - there):
            assert post(pool, server.url, token, name).status == 200
    assert standing(world) == writers.tried
