"""A vendor's Manager under our own: stand-in, ledger and adapter, without Git in front.

with Gateway(tmp_path, "policies-nameless") as gateway:
    gateway.apply([a_variable])            outcomes of a run
    gateway.plan([a_variable]).changes     what the next run would do
    moment = gateway.moment()              as a process killed now would leave it
with Gateway(elsewhere, since=moment) as gateway:
"""

import atexit
import hashlib
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

import urllib3

from apiops.manager.book import open_book
from apiops.model.outcome import Outcome, Result
from apiops.model.plan import Plan
from apiops.model.resource import Desired, Origin, Resource, ResourceId
from apiops.model.secret import SecretLeaf, SecretValue
from apiops.plan import build
from apiops.ports import Batch, Write
from apiops.remote.client import Client, Reach
from apiops.remote.vendor.api import Api
from apiops.remote.vendor.manager import VendorManager
from tests import managers
from tests.managers import REPOSITORY, TARGET, Clock, House
from tests.standin import Standin, World

ENVIRONMENTS = ("dev", "production")


@cache
def settled_ledger() -> Path:
    """A folder with a ledger in which ayse owns project payments: made once, copied often."""
    folder = Path(tempfile.mkdtemp(prefix="apiops-ledger-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with House(f"sqlite:///{folder}/ledger.db", folder / "ledger.key") as house:
        managers.settle(house.manager)
    return folder


def secret(text: str) -> dict[str, Any]:
    """A secret as it stands in a spec of these tests; its plaintext is `text`."""
    return {"$plain": text}


def a_resource(kind: str, name: str, project: str | None = "payments", **spec: Any) -> Resource:
    return Resource(ResourceId(kind, project, name), spec, Origin("x.yaml", "b" * 40), "c")


@dataclass(frozen=True)
class Moment:
    """What Manager and ledger held, lease and all; what was not committed is not in it."""

    world: World
    ledger: bytes


class Gateway:
    """`address` is where the adapter goes instead of the stand-in (a proxy in between).

    `since` a moment it goes on an hour later, when no lease of then lives any more.
    """

    def __init__(self, folder: Path, *quirks: str, since: Moment | None = None) -> None:
        self.standin = Standin(*quirks)
        self._file = folder / "ledger.db"
        for file in settled_ledger().iterdir():
            shutil.copy(file, folder)
        clock = Clock()
        if since is None:
            for name in ENVIRONMENTS:
                self.world.add_environment(name)
            self.world.add_project(
                "payments", path="/pay" if "project-path-in-routes" in quirks else ""
            )
        else:
            self.standin.world = since.world.copy()
            self._file.write_bytes(since.ledger)
            clock.at += timedelta(hours=1)
        self.ledger = (f"sqlite:///{self._file}", folder / "ledger.key")
        self.files: dict[str, bytes] = {}
        self.book = open_book(self.ledger[0], key_file=self.ledger[1], clock=clock)
        self.token = self.standin.token
        self.address = ""
        self.patience = 30.0
        self._client: Client | None = None
        self._runs = itertools.count(2 if since is None else 100)

    def moment(self) -> Moment:
        """As it is now. Nothing may write to the Manager meanwhile."""
        with closing(sqlite3.connect(self._file)) as ledger:
            return Moment(self.world.copy(), ledger.serialize())

    @property
    def world(self) -> World:
        return self.standin.world

    @property
    def payments(self) -> Any:
        return self.world.projects["payments"]

    def __enter__(self) -> Self:
        self.standin.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._client is not None:
            self._client.close()
        self.book.close()
        self.standin.__exit__(*exception)

    def ask(self, method: str, where: str) -> Any:
        """A call of somebody else's, with the token of an administrator."""
        url = f"{self.standin.url}/apiops/projects/payments/{where}"
        headers = {"Authorization": f"Bearer {self.token}"}
        return urllib3.request(method, url, headers=headers, retries=False)

    def manager(self) -> VendorManager:
        """A new run's adapter, as another process would make it."""
        if self._client is not None:
            self._client.close()
        reach = Reach(self.address or self.standin.url, pause=0.001, attempts=2, read=self.patience)
        self._client = Client(reach, lambda: SecretValue(self.token))
        return VendorManager(Api(self._client), self.book)

    def plan(self, resources: Iterable[Resource], manager: VendorManager | None = None) -> Plan:
        return self._built(resources, manager or self.manager())[0].plan

    def apply(
        self,
        resources: Iterable[Resource],
        manager: VendorManager | None = None,
        environment: str = "",
    ) -> tuple[Outcome, ...]:
        """One run: read, plan, write every unit, under the lease."""
        manager, number = manager or self.manager(), next(self._runs)
        with manager.lease(f"{REPOSITORY}/{TARGET}", f"run-{number}") as fence:
            built, live, secrets = self._built(resources, manager)
            outcomes: tuple[Outcome, ...] = ()
            for unit in built.plan.units:
                context = managers.a_context(number=number, run=f"run-{number}")
                writes = tuple(
                    self._write(change, built, secrets, context, resources)
                    for change in built.plan.changes
                    if change.id.unit == unit
                )
                base = live.ledger.applied.get(unit)
                outcomes += manager.write(
                    Batch(
                        REPOSITORY, TARGET, unit, base.commit if base else None,
                        managers.revision(number), writes, context, fence, environment=environment,
                    )
                )  # fmt: skip
        return outcomes

    def _built(self, resources: Iterable[Resource], manager: VendorManager) -> Any:
        opened = [self._opened(resource) for resource in resources]
        live = manager.read(REPOSITORY, TARGET)
        ours = [
            self._kept(one)
            for one in live.resources
            if one.id.kind in _OURS and one.owner == REPOSITORY
        ]
        desired = Desired(
            TARGET, TARGET, tuple(sorted([r for r, _ in opened] + ours, key=lambda r: r.id.order))
        )
        built = build.build(
            desired, live, repository=REPOSITORY, head=managers.revision(1), engine="test",
            locate=lambda _id, _path: None,
        )  # fmt: skip
        return (built, live, {resource.id: values for resource, values in opened})

    def _kept(self, one: Any) -> Resource:
        return Resource(one.id, one.spec, Origin("x", "b" * 40), "c", labels=one.labels)

    def _opened(self, resource: Resource) -> tuple[Resource, dict[str, SecretValue]]:
        """As it comes out of `reveal`: leaves with fingerprints, plaintexts beside it."""
        values: dict[str, SecretValue] = {}

        def walk(node: Any, pointer: str) -> Any:
            if isinstance(node, Mapping) and set(node) == {"$plain"}:
                values[pointer] = SecretValue(node["$plain"])
                print_ = self.book.fingerprint(resource.id, pointer, "production", values[pointer])
                return SecretLeaf("production", print_, "b" * 40, "x", pointer, "c").node()
            if isinstance(node, Mapping):
                return {key: walk(value, f"{pointer}/{key}") for key, value in node.items()}
            if isinstance(node, list | tuple):
                return [walk(item, f"{pointer}/{index}") for index, item in enumerate(node)]
            return node

        return replace(resource, spec=walk(resource.spec, "")), values

    def file(self, content: str | bytes) -> str:
        """A file that specs may refer to; its digest."""
        raw = content.encode() if isinstance(content, str) else content
        digest = hashlib.sha256(raw).hexdigest()
        self.files[digest] = raw
        return digest

    def _write(
        self, change: Any, built: Any, secrets: Any, context: Any, resources: Iterable[Resource]
    ) -> Write:
        spec = built.results.get(change.id)
        found = next((r for r in resources if r.id == change.id), None)
        if change.action in ("delete", "undeploy"):
            return Write(change, None, ("ayse",), context)
        assert found is not None
        authored, values = self._opened(found)
        resource = authored.with_spec(spec) if spec is not None else authored
        return Write(change, resource, ("ayse",), context, secrets=values, files=self.files)


_OURS = frozenset({"Environment", "Project", "User", "Role", "Team", "Membership"})


def done(outcomes: Iterable[Outcome]) -> bool:
    return all(outcome.result is Result.DONE for outcome in outcomes)


def told(outcomes: Iterable[Outcome]) -> str:
    return "\n".join(
        f"{o.change.action} {o.change.id} {o.change.environment or ''}: {o.result} {o.code} {o.message}"
        for o in outcomes
    )


def left(plan: Plan) -> str:
    """What a plan would still do, field by field."""
    return "\n".join(
        f"{change.action} {change.id} {change.environment or ''} "
        + "; ".join(f"{f.path}: {f.before!r} -> {f.after!r}" for f in change.fields)
        + f" {change.uncompared or ''}"
        for change in plan.changes
    )
