"""decK beside us: a Manager over HTTP, two kinds that take one write each, the same run.

    python -m benchmarks.gateways [--pairs 500 5000] [--runs 3] [--no-peer]

decK (`apt-get install deck`, Kong's own) keeps services and routes in `benchmarks/kong.py`; we keep
groups of addresses and environment variables in the stand-in of the vendor's Manager that the
tests use. A file has one of each. Measured are whole processes: nothing to do, 1 % changed, and all
of it for the first time, beside its floor (`benchmarks/bare.py`); processor seconds (user and
system), seconds on the wall, peak memory, and what the server was asked. Both servers run in this
process, whose time is not counted.
"""

import argparse
import copy
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apiops.git.signing import SigningKey
from benchmarks import bank
from benchmarks.kong import Kong
from benchmarks.speed import Taken
from tests.standin import Standin

DECK = shutil.which("deck")
ALONE = """\
import json, os, sys
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
seconds = used.ru_utime + used.ru_stime
print("taken", json.dumps([os.waitstatus_to_exitcode(status), seconds, used.ru_maxrss]))
"""
"""Runs a command from a small process: the peak of one that is begun from here has ours in it."""

STEP = 100
"""One file of so many changes: 1 %."""

PAIR = """\
_format_version: "1.1"
services:
- name: name-%(number)05d
  host: name-%(number)05d.bank.example
  port: 8443
  protocol: https
  connect_timeout: %(timeout)d
  read_timeout: 60000
  write_timeout: 60000
  tags: [core, gold]
  routes:
  - name: route-%(number)05d
    hosts: [api.bank.example]
    paths: [/name-%(number)05d]
    methods: [GET, POST]
    strip_path: true
    preserve_host: false
    protocols: [https]
    tags: [core, "round-%(timeout)d"]
"""
OURS = """\
apiVersion: apiops/v1
kind: IpGroup
metadata: {name: name-%(number)05d, project: payments}
spec:
  description: Branches of name-%(number)05d, checked in round %(timeout)d
  ipList: [10.1.1.0/24, 10.1.2.0/24, 10.1.3.0/24]
---
apiVersion: apiops/v1
kind: EnvironmentVariable
metadata: {name: NAME_%(number)05d, project: payments}
spec:
  description: Where name-%(number)05d is
  global: true
  globalValue: name-%(number)05d.bank.example:%(timeout)d
"""


@dataclass(slots=True)
class Course:
    """A command to be measured, what makes it ready, and where the server counts requests."""

    name: str
    command: list[str]
    environment: dict[str, str]
    ready: Callable[[], None]
    requests: Callable[[], list[tuple[str, str]]]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    memory: float = 0.0
    reads: int = 0
    writes: int = 0

    def run(self) -> None:
        self.ready()
        began = time.perf_counter()
        taken = measured(self.command, self.environment)
        self.wall.append(time.perf_counter() - began)
        self.cpu.append(taken.seconds)
        self.memory = max(self.memory, taken.memory)
        methods = [method for method, _ in self.requests()]
        self.reads = methods.count("GET")
        self.writes = len(methods) - self.reads


class Theirs:
    """decK, with its files in two states."""

    def __init__(self, folder: Path, kong: Kong, pairs: int) -> None:
        self._kong = kong
        for state in ("base", "changed"):
            files = folder / state
            files.mkdir(parents=True)
            for number in range(pairs):
                (files / f"{number:05}.yaml").write_text(PAIR % facts(number, state))
        self._folder = folder
        self._empty = kong.state()
        measured(self._deck("sync", "base"), dict(os.environ))
        self._full = kong.state()

    def _deck(self, verb: str, state: str) -> list[str]:
        place = ["--kong-addr", self._kong.url, "-s", str(self._folder / state)]
        return [str(DECK), verb, *place]

    def courses(self) -> list[Course]:
        def course(name: str, verb: str, state: str, before: Any) -> Course:
            return Course(
                name, self._deck(verb, state), dict(os.environ),
                lambda: self._kong.restore(before), lambda: self._kong.requests,
            )  # fmt: skip

        return [
            course("nothing to do", "diff", "base", self._full),
            course("1 % changed, looked at", "diff", "changed", self._full),
            course("1 % changed, carried out", "sync", "changed", self._full),
            course("first time", "sync", "base", self._empty),
        ]


class Ours:
    """apiops, with its commits, its ledger and the Manager in two states."""

    def __init__(self, folder: Path, standin: Standin, pairs: int) -> None:
        self._folder = folder
        self._standin = standin
        standin.world.add_environment("dev")
        standin.world.add_project("payments", "Money")
        key = SigningKey.generate()
        (folder / "mert.pub").write_text(f"{key.public_line('mert')}\n")
        lines = (
            "[targets.dev]", f'manager = "{standin.url}"',
            f'ledger = "sqlite:///{folder}/ledger.db"', f'key-file = "{folder}/ledger.key"',
        )  # fmt: skip
        (folder / "apiops.toml").write_text("\n".join(lines) + "\n")
        self._environment = {
            **os.environ, "APIOPS_TOKEN": standin.token, "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": "",
        }  # fmt: skip
        self._commit(key, pairs)
        admin = ["--admin", "mert", "--admin-key", str(folder / "mert.pub")]
        measured(self._apiops("manager", "init", *admin), self._environment)
        self._keep("empty")
        measured(self._first(), self._environment)
        for _ in range(2):
            measured(self._apiops("plan", "--ref", "base"), self._environment)
        self._keep("full")

    def _commit(self, key: SigningKey, pairs: int) -> None:
        writer = bank.Writer(self._folder / "bank.git", key)
        writer.put("system", "people.yaml", (bank.SYSTEM % {"key": key.public_line()}).encode())
        writer.put("payments", "project.yaml", (bank.PROJECT % {"project": "payments"}).encode())
        for number in range(pairs):
            writer.put("payments", f"{number:05}.yaml", (OURS % facts(number, "base")).encode())
        self._base = writer.commit("Describe the gateway", [])
        writer.point("base", self._base)
        for number in range(0, pairs, STEP):
            writer.put("payments", f"{number:05}.yaml", (OURS % facts(number, "changed")).encode())
        writer.commit("Look again", [self._base])
        writer.pack()

    def _apiops(self, *words: str) -> list[str]:
        place = [
            "-C",
            str(self._folder / "bank.git"),
            "--config",
            str(self._folder / "apiops.toml"),
        ]
        return [sys.executable, "-m", "apiops", *words, *place]

    def _first(self) -> list[str]:
        given = ["--introduction", self._base, "--approver", "mert"]
        return self._apiops("apply", "--yes", "--ref", "base", *given)

    def _keep(self, state: str) -> None:
        kept = self._folder / state
        kept.mkdir()
        for file in self._folder.glob("ledger.db*"):
            shutil.copy(file, kept)
        if (self._folder / "cache").exists():
            shutil.copytree(self._folder / "cache", kept / "cache")
        setattr(self, f"_{state}", copy.deepcopy(self._standin.world.projects))

    def _restore(self, state: str) -> None:
        for file in self._folder.glob("ledger.db*"):
            file.unlink()
        shutil.rmtree(self._folder / "cache", ignore_errors=True)
        shutil.copytree(self._folder / state, self._folder, dirs_exist_ok=True)
        self._standin.world.projects = copy.deepcopy(getattr(self, f"_{state}"))
        self._standin.world.requests.clear()
        self._standin.world.bodies.clear()

    def floor(self, pairs: int) -> Course:
        """As many requests and rows, with urllib3 and sqlite3 alone."""
        rows = self._folder / "bare.db"
        words = ("benchmarks.bare", self._standin.url, str(2 * pairs), str(rows))

        def ready() -> None:
            self._restore("empty")
            for file in self._folder.glob("bare.db*"):
                file.unlink()

        return Course(
            "floor of that", [sys.executable, "-m", *words], self._environment,
            ready, lambda: self._standin.world.requests,
        )  # fmt: skip

    def courses(self) -> list[Course]:
        def course(name: str, command: list[str], state: str) -> Course:
            return Course(
                name, command, self._environment,
                lambda: self._restore(state), lambda: self._standin.world.requests,
            )  # fmt: skip

        return [
            course("nothing to do", self._apiops("plan", "--ref", "base"), "full"),
            course("1 % changed, looked at", self._apiops("plan", "--ref", "main"), "full"),
            course(
                "1 % changed, carried out", self._apiops("apply", "--yes", "--ref", "main"), "full"
            ),
            course("first time", self._first(), "empty"),
        ]


def measured(command: list[str], environment: dict[str, str]) -> Taken:
    """Run a command to its end, alone in its memory. Raises if it fails."""
    words = [sys.executable, "-I", "-S", "-c", ALONE, *command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    code, seconds, memory = json.loads(done.stdout.rpartition("taken ")[2])
    if code:
        raise SystemExit(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return Taken(seconds, memory / 1024)


def facts(number: int, state: str) -> dict[str, int]:
    return {"number": number, "timeout": 30 if state == "changed" and number % STEP == 0 else 60}


def report(pairs: int, ours: list[Course], floor: Course, theirs: list[Course]) -> None:
    print(f"\n{2 * pairs:,} entities in {pairs:,} files")
    heads = ("cpu s", "wall s", "MiB", "reads", "writes")
    print(f"{'':34}" + "".join(f"{head:>9}" for head in heads))
    for who, courses in (("apiops", [*ours, floor]), ("decK", theirs)):
        for one in courses:
            row = (statistics.median(one.cpu), statistics.median(one.wall))
            print(
                f"{who + ', ' + one.name:34}{row[0]:9.2f}{row[1]:9.2f}{one.memory:9.0f}"
                f"{one.reads:9}{one.writes:9}"
            )
    for mine, other in zip(ours, theirs, strict=bool(theirs)):
        cpu = statistics.median(other.cpu) / statistics.median(mine.cpu)
        wall = statistics.median(other.wall) / statistics.median(mine.wall)
        print(
            f"decK / apiops, {mine.name:26} cpu {cpu:6.2f}  wall {wall:6.2f}  "
            f"memory {other.memory / mine.memory:5.2f}"
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, nargs="+", default=[500, 5_000])
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--no-peer", action="store_true")
    chosen = arguments.parse_args()
    if DECK is None and not chosen.no_peer:
        arguments.error("decK is not installed: `apt-get install deck`, or give --no-peer")
    for pairs in chosen.pairs:
        with tempfile.TemporaryDirectory() as folder, Standin() as standin, Kong() as kong:
            place = Path(folder, "ours")
            place.mkdir()
            made = Ours(place, standin, pairs)
            ours, floor = made.courses(), made.floor(pairs)
            peer = not chosen.no_peer
            theirs = Theirs(Path(folder, "theirs"), kong, pairs).courses() if peer else []
            for _ in range(chosen.runs):
                for one in (*ours, floor, *theirs):
                    one.run()
            report(pairs, ours, floor, theirs)


if __name__ == "__main__":
    main()
