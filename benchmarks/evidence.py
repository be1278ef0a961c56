"""What it costs that the audit log is evidence, beside reading it.

    python -m benchmarks.evidence [--entries 20000]

One log on SQLite, in one run: reading all of its rows, verifying them, signing a checkpoint,
proving one entry, and writing them as an export. The ratios say what each costs beside the bare
reading.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from apiops.manager import audit, connect, export, tables
from apiops.model.audit import AuditQuery
from tests.managers import House

TICKET = {
    "at": "2026-03-01T12:00:00.000000Z", "actor": "a", "principal": "ayse", "tier": "team",
    "reason": '{"commit":"","commits":[],"pull_request":"","signer":"","text":"why"}',
    "run": "r", "source": "apply", "address": "",
}  # fmt: skip
ADDRESSES = [{"address": f"https://upstream-{n}.bank.example:8443", "weight": 10} for n in range(8)]


def row(number: int) -> dict[str, Any]:
    """A resource of about a kilobyte."""
    return {
        "id": f"{number:032x}", "kind": "ApiProxy", "project": "payments", "name": f"api-{number}",
        "spec": {"description": "x" * 200, "routing": {"addresses": ADDRESSES}}, "labels": {},
        "protected": False, "digest": "d" * 64, "serial": 1, "owner": None, "applied": None,
    }  # fmt: skip


def fill(house: House, count: int) -> None:
    engine = connect.owner(connect.parse(house.url))
    with engine.begin() as connection:
        connect.issue(connection, TICKET)
        connection.execute(insert(tables.resource), [row(number) for number in range(count)])
        connect.withdraw(connection)
    engine.dispose()


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=20_000)
    count = parser.parse_args().entries
    with (
        tempfile.TemporaryDirectory() as folder,
        House(f"sqlite:///{folder}/m.db", Path(folder) / "key") as house,
    ):
        fill(house, count)
        manager = house.another()
        steps: dict[str, Callable[[], object]] = {
            "read": lambda: sum(1 for _ in manager.stored(AuditQuery())),
            "verify": manager.verify,
            "checkpoint": manager.checkpoints.make,
            "prove one": lambda: manager.checkpoints.prove(count // 2),
            "export": lambda: sum(len(export.line(one)) for one in manager.stored(AuditQuery())),
            "chain alone": lambda: [
                audit.digest(*one[:-1]) for one in manager.stored(AuditQuery())
            ],
        }
        found = {name: seconds(act) for name, act in steps.items()}
    for name, took in found.items():
        rate = f"{count / took:,.0f} entries/s"
        print(f"{name:<12} {took:7.2f} s   {took / found['read']:5.1f} x reading   {rate}")


if __name__ == "__main__":
    main()
