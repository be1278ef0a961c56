"""What it costs that a write is judged, sealed and audited, beside the same row written bare.

    python -m benchmarks.audited [--writes 400] [--postgres]

Ours creates a credential by one person's own change: permission decided inside of the transaction,
its password sealed, one audit entry chained to the last, a durable commit. Bare inserts the same
row, its password in the clear, into a table of the same columns without triggers, by the same
library and with the same durability. Both do one row a transaction and take turns in rounds, so
that whatever else the machine does falls on both. The goal is half the bare rate.
"""

import argparse
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, insert

from apiops.manager import connect, tables
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.plan import Action
from apiops.model.resource import Resource
from apiops.model.secret import SecretValue
from apiops.ports import Batch
from benchmarks.speed import postgres
from tests.managers import House, a_write, secret_resource, settle

ROUNDS = 10
PLAIN = "correct horse battery staple"
SPEC = {
    "email": "client@bank.example",
    "fullName": "A client of the gateway",
    "roleNameList": [f"ROLE_{number}" for number in range(10)],
}


class Ours:
    """The Manager's own way to write one row."""

    def __init__(self, house: House) -> None:
        settle(house.manager)
        self._manager = house.another()
        self._context = AuditContext("ayse", "ayse", Reason("Benchmark"), "run-b", Source.HTTP)

    def prepare(self, names: list[str]) -> list[tuple[Resource, dict[str, SecretValue]]]:
        """What is to be written: fingerprints are the plan's work, not the write's."""
        return [secret_resource(self._manager, PLAIN, name, **SPEC) for name in names]

    def write(self, one: tuple[Resource, dict[str, SecretValue]]) -> None:
        """One transaction."""
        resource, secrets = one
        write = a_write(Action.CREATE, resource, secrets=secrets, context=self._context)
        self._manager.write(Batch("", "", "payments", None, None, (write,), self._context, 0))


class Bare:
    """The same row without anything around it."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = connect.owner(connect.parse(url))
        self._table = tables.resource.to_metadata(MetaData(), name="bare")
        for named in (*self._table.indexes, *self._table.constraints):
            named.name = f"bare_{named.name}"
        self._table.create(self._engine)

    def prepare(self, names: list[str]) -> list[dict[str, Any]]:
        """The rows."""
        return [
            {
                "id": str(uuid.uuid4()), "kind": "Credential", "project": "payments", "name": name,
                "spec": {**SPEC, "password": PLAIN}, "labels": {}, "protected": False,
                "digest": "d" * 64, "serial": 1, "owner": None, "applied": None,
            }
            for name in names
        ]  # fmt: skip

    def write(self, row: dict[str, Any]) -> None:
        """One transaction."""
        with self._engine.begin() as connection:
            connection.execute(insert(self._table), [row])


def seconds(write: Callable[[Any], None], rows: list[Any]) -> float:
    began = time.perf_counter()
    for row in rows:
        write(row)
    return time.perf_counter() - began


def measure(url: str, folder: Path, writes: int) -> None:
    """Print rates, and their ratio round by round."""
    with House(url, folder / "key") as house:
        sides = {"audited": Ours(house), "bare": Bare(url)}
        each = max(1, writes // ROUNDS)
        took: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(-1, ROUNDS):  # the first round warms up
            names = [f"client-{number}-{n}" for n in range(each)]
            for name, side in sides.items():
                spent = seconds(side.write, side.prepare(names))
                if number >= 0:
                    took[name].append(spent)
    for name, rounds in took.items():
        rate = each / statistics.median(rounds)
        print(f"  {name:<8} {rate:8.0f} writes/s   {1000 / rate:6.2f} ms each")
    ratio = statistics.median(b / a for a, b in zip(took["audited"], took["bare"], strict=True))
    print(f"  audited / bare rate {ratio:6.2f}   (goal 0.5)")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--writes", type=int, default=400)
    arguments.add_argument("--postgres", action="store_true")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        print("SQLite")
        (folder / "sqlite").mkdir()
        measure(f"sqlite:///{folder}/m.db", folder / "sqlite", chosen.writes)
        if chosen.postgres:
            print("PostgreSQL")
            with postgres(folder / "pg") as url:
                measure(url, folder, chosen.writes)


if __name__ == "__main__":
    main()
