"""Many clients at once against a served Manager on PostgreSQL, and whether it kept its promises.

    nice -n 10 python -m benchmarks.load [--clients 200] [--seconds 120]

Of the clients one applies commits, one rotates the key of an environment and seals its secrets
anew, one verifies the whole log, and of the others two fifths write, two fifths read and one fifth
asks the log: each as fast as it is answered. Prints, for each kind of work, answers a second and
how long they took, errors by code, and the server's memory. At the end it checks that everything
acknowledged is there, nothing is there twice, every secret opens, and the chain holds.
"""

import argparse
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import urllib3

from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.model.token import Holder
from apiops.ports import Batch
from tests import managers, postgres, process
from tests.process import PATIENCE
from tests.serving import Child, a_token
from tests.shop import MERT, a_proxy, the_bank
from tests.worlds import World, keep_on
from tests.writers import served, standing

SECRETS = 50
BAD = 400
SCOPES = ("read", "write", "audit", "keys")
WHY = {"environment": managers.ENVIRONMENT, "reason": "Load"}


@dataclass
class Book:
    """What was answered, by all clients."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    tried: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    applied: set[str] = field(default_factory=set)
    memory: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, began: float, error: str = "") -> bool:
        """One answer; whether it was a good one."""
        with self.lock:
            if error:
                self.errors[what, error] += 1
            else:
                self.took[what].append(time.monotonic() - began)
        return not error


class Client:
    """One client, with a connection of its own."""

    def __init__(self, number: int, server: Child, token: str, book: Book) -> None:
        self.number, self.server, self.book = number, server, book
        self._token = token
        self._pool = urllib3.PoolManager(retries=False)

    def ask(self, what: str, method: str, path: str, tree: Any = None) -> bytes | None:
        """The answer's content; None when it was refused, or did not come."""
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {self._token}"}
        if tree is not None:
            headers["Content-Type"] = "application/json"
        body = None if tree is None else orjson.dumps(tree)
        try:
            answer = self._pool.request(
                method, self.server.url + path, headers=headers, body=body, timeout=PATIENCE
            )
        except urllib3.exceptions.HTTPError as fault:
            self.book.note(what, began, type(fault).__name__)
            return None
        good = self.book.note(what, began, "" if answer.status < BAD else _code(answer))
        return answer.data if good else None

    def write(self, turn: int) -> None:
        """One group more."""
        name = f"office-{self.number}-{turn}"
        self.book.tried.add(name)
        group = {"name": name, "ipList": ["10.0.0.1"]}
        if self.ask("write", "POST", "/apiops/projects/payments/ipGroups/", group) is not None:
            self.book.written.add(name)

    def read(self, turn: int) -> None:
        """One resource; each tenth time the whole state."""
        if turn % 10:
            self.ask("read", "GET", "/v1/projects/payments/ApiProxy/orders")
        else:
            self.ask("state", "GET", "/v1/state")

    def query(self, _turn: int) -> None:
        """A page of the log."""
        self.ask("audit query", "GET", "/v1/audit?project=payments&limit=50")

    def rotate(self, _turn: int) -> None:
        """Another key, and everything sealed with it."""
        if self.ask("rotate", "POST", "/v1/keys/rotate", {**WHY, "purpose": "seal"}) is None:
            return
        left = 1
        while left:
            done = self.ask("reseal", "POST", "/v1/keys/reseal", WHY)
            left = orjson.loads(done)["left"] if done else 0

    def verify(self, _turn: int) -> None:
        """The whole log, from its first entry."""
        done = self.ask("verify", "POST", "/v1/audit/verify", {})
        if done and orjson.loads(done)["first_bad"] is not None:
            self.book.note("verify", 0, "the chain does not hold")

    def close(self) -> None:
        """No connection is left."""
        self._pool.clear()


class Applier(Client):
    """A client that commits, and submits what it committed."""

    world: World
    service: str

    def apply(self, turn: int) -> None:
        """One signed commit with a proxy more, by the real client."""
        name = f"proxy-{turn}"
        shop = self.world.shop
        shop.commit(MERT, {f"payments/{name}.yaml": a_proxy(name)}, f"Add {name}")
        words = ("apply", "--yes", "--manager", self.server.url)
        began = time.monotonic()
        done = process.child(*words, cwd=shop.repository, APIOPS_TOKEN=self.service)
        if self.book.note("apply", began, "" if done.code == 0 else done.err[-300:]):
            self.book.applied.add(name)


def _code(answer: urllib3.BaseHTTPResponse) -> str:
    tree = orjson.loads(answer.data) if answer.data.startswith(b"{") else {}
    return f"{answer.status} {tree.get('code') or tree.get('resultMessage') or ''}"


def load(world: World, clients: int, seconds: float) -> Book:
    """Let all of them work for so long, then hold what is there against what was said."""
    with world.opened() as manager:
        token = a_token(manager, "ayse", *SCOPES)
        service = a_token(manager, "ci", "plan", "apply", kind=Holder.SERVICE)
        for number in range(SECRETS):
            resource, secrets = managers.secret_resource(manager, name=f"client-{number}")
            context = managers.a_context()
            write = managers.a_write(Action.CREATE, resource, secrets=secrets, context=context)
            manager.write(Batch("", "", "payments", None, None, (write,), context, 0))
    book = Book()
    with served(world) as server:
        book.memory.append(_memory(server))
        applier = Applier(0, server, token, book)
        applier.world, applier.service = world, service
        others = [Client(number, server, token, book) for number in range(1, clients)]
        _work(applier, others, time.monotonic() + seconds, lambda: _sample(book, server))
        book.memory.append(_memory(server))
    _check(world, book)
    return book


def _work(applier: Applier, others: list[Client], end: float, sample: Callable[[], None]) -> None:
    shares = [Client.write, Client.write, Client.read, Client.read, Client.query]
    works = [applier.apply, others[0].rotate, others[1].verify]
    works += [shares[one.number % 5].__get__(one) for one in others[2:]]

    def repeat(work: Callable[[int], None]) -> None:
        turn = 0
        while time.monotonic() < end:
            work(turn)
            turn += 1

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    threads[0].join(max(0, end - time.monotonic()) / 2)
    sample()
    for thread in threads:
        thread.join(2 * PATIENCE + max(0, end - time.monotonic()))
        assert not thread.is_alive(), "a client was never answered"
    for one in (applier, *others):
        one.close()


def _check(world: World, book: Book) -> None:
    there = standing(world)
    assert book.written <= there <= book.tried
    assert len(world.plaintexts("ayse")) == SECRETS
    with world.opened() as manager:
        made = manager.entries(AuditQuery(kind="ApiProxy", action="create", limit=0))
        told = Counter(entry.resource.name for entry in made if entry.resource)
    assert book.applied <= told.keys()
    assert {1} == set(told.values())


def _sample(book: Book, server: Child) -> None:
    book.memory.append(_memory(server))


def _memory(server: Child) -> int:
    """The server's resident memory, in MiB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def lines(book: Book, seconds: float) -> Iterator[str]:
    """What is printed of it."""
    yield f"{'':12}{'answers/s':>10}{'p50 ms':>10}{'p99 ms':>10}"
    for what, took in sorted(book.took.items()):
        took.sort()
        p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
        yield f"{what:12}{len(took) / seconds:10.1f}{p50 * 1000:10.0f}{p99 * 1000:10.0f}"
    for (what, code), many in book.errors.most_common():
        yield f"{what}: {many} × {code}"
    yield f"the server's memory, MiB: {', '.join(map(str, book.memory))}"
    yield f"{len(book.written)} writes and {len(book.applied)} applies are there, once each"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--clients", type=int, default=200)
    arguments.add_argument("--seconds", type=float, default=120)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "pg").mkdir()
        with postgres.server(folder / "pg") as url, keep_on(url, folder) as world:
            world.shop.begin(the_bank())
            for line in lines(load(world, chosen.clients, chosen.seconds), chosen.seconds):
                print(line)


if __name__ == "__main__":
    main()
