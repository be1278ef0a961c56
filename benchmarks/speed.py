"""How fast plans and applies are: whole processes, beside their floors and beside a peer.

    python -m benchmarks.speed [--sizes 1000 10000] [--runs 3] [--no-peer] [--postgres]

Generates a bank of every size, and prints in one run: the first (cold) plan, a plan with nothing
to do, a plan with 1 % changed, the first apply, each with its peak memory; then every station of
the line beside its floor; then octoDNS (`make benchmarks/.venv`) on as many names.

Times are processor seconds, user and system, medians of interleaved runs: on a busy machine they
say more than a clock on the wall. Only ratios of one run can be compared.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from apiops.git.signing import SigningKey
from benchmarks import bank, peer

SHARE = 0.01
_MIB = 1024
_IMPORTS = "click,pygit2,ryaml,re2,jsonschema_rs,pydantic,orjson,sqlalchemy,pyrage,cryptography"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process took: processor seconds and peak memory in MiB."""

    seconds: float
    memory: float


@dataclass(slots=True)
class Course:
    """A command to be measured, and what puts things back to where it starts from."""

    name: str
    command: list[str]
    environment: dict[str, str]
    ready: Callable[[], None] = lambda: None
    taken: list[Taken] = field(default_factory=list)

    def run(self) -> None:
        """Run it once."""
        self.ready()
        self.taken.append(measured(self.command, self.environment))

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(one.seconds for one in self.taken)

    @property
    def memory(self) -> float:
        """The largest peak."""
        return max(one.memory for one in self.taken)


def measured(command: list[str], environment: dict[str, str]) -> Taken:
    """Run a process to its end, whose output nobody reads. Raises if it fails."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(f"{command} failed:\n{said.read().decode()[-2000:]}")
    return Taken(used.ru_utime + used.ru_stime, used.ru_maxrss / _MIB)


class Ground:
    """A folder with a bank, its keys and settings, and the Manager in two states."""

    def __init__(self, folder: Path, resources: int, manager: str = "") -> None:
        self.folder = folder
        self.resources = resources
        self.repository = folder / "bank.git"
        self.database = folder / "manager.db"
        self.settings = folder / "apiops.toml"
        self.cache = folder / "cache"
        self.environment = {
            **os.environ,
            "SOPS_AGE_KEY_FILE": str(folder / "age.txt"),
            "XDG_CACHE_HOME": str(self.cache),
        }
        self._manager = manager or f"sqlite:///{self.database}"
        key = SigningKey.generate()
        identity = pyrage.x25519.Identity.generate()
        (folder / "age.txt").write_text(f"{identity}\n")
        (folder / "age.txt").chmod(0o600)
        (folder / "mert.pub").write_text(f"{key.public_line('mert')}\n")
        made = bank.Mixed(self.repository, key, str(identity.to_public()), resources)
        self.base, self.head = made.base, made.change(SHARE)
        lines = ["[targets.dev]", f'manager = "{self._manager}"', f'key-file = "{folder}/key"']
        self.settings.write_text("\n".join(lines) + "\n")

    def apiops(self, *words: str) -> list[str]:
        """A command line over this repository."""
        place = ["-C", str(self.repository), "--config", str(self.settings)]
        return [sys.executable, "-m", "apiops", *words, *place]

    def begin(self) -> None:
        """An empty Manager, nothing remembered."""
        admin = ["--admin", "mert", "--admin-key", str(self.folder / "mert.pub")]
        measured(self.apiops("manager", "init", *admin), self.environment)
        self._keep("empty")

    def fill(self) -> None:
        """Apply the base, plan it (so that it is remembered), and keep all that."""
        measured(self.first("apply", "--yes"), self.environment)
        for _ in range(2):
            measured(self.apiops("plan", "--ref", "base"), self.environment)
        self._keep("full")

    def first(self, verb: str, *flags: str) -> list[str]:
        """Plan or apply the base for the first time."""
        given = ["--ref", self.base, "--introduction", self.base, "--approver", "mert"]
        return self.apiops(verb, *given, *flags)

    def restore(self, state: str, *, remembered: bool = True) -> Callable[[], None]:
        """What puts the Manager and the cache back as they were."""

        def ready() -> None:
            shutil.rmtree(self.cache, ignore_errors=True)
            kept = self.folder / state
            for file in self.folder.glob("manager.db*"):
                file.unlink()
            for file in kept.glob("manager.db*"):
                shutil.copy(file, self.folder)
            if remembered and (kept / "cache").exists():
                shutil.copytree(kept / "cache", self.cache)

        return ready

    def _keep(self, state: str) -> None:
        kept = self.folder / state
        kept.mkdir()
        for file in self.folder.glob("manager.db*"):
            shutil.copy(file, kept)
        if self.cache.exists():
            shutil.copytree(self.cache, kept / "cache")


def courses(ground: Ground) -> list[Course]:
    """Everything that is measured of us."""
    at, changed = ["--ref", "base"], ["--ref", "main"]
    empty = ground.restore("empty")
    full = ground.restore("full")
    forgotten = ground.restore("full", remembered=False)
    plan = ground.apiops("plan", *at)
    start = [sys.executable, "-c", f"import {_IMPORTS}"]
    lean = [sys.executable, "-c", "import apiops.cli.main, apiops.cli.plan"]
    return [
        Course("start: Python and libraries", start, ground.environment),
        Course("start: Python, lean imports", lean, ground.environment),
        Course("first plan (cold)", ground.first("plan"), ground.environment, empty),
        Course("first apply", ground.first("apply", "--yes"), ground.environment, empty),
        Course("plan, nothing remembered", plan, ground.environment, forgotten),
        Course("plan, nothing to do", plan, ground.environment, full),
        Course("plan, 1 % changed", ground.apiops("plan", *changed), ground.environment, full),
    ]


def rivals(folder: Path, names: int) -> list[Course]:
    """octoDNS doing the same."""
    made = peer.build(folder, names)
    measured(made.plan("full", "--doit", "--force"), made.environment)
    same, other = made.plan("full"), peer.build(folder / "changed", names)
    other.change(names, SHARE)
    shutil.copy(folder / "full.json", other.folder)
    return [
        Course("octoDNS, first plan", made.plan("none"), made.environment),
        Course("octoDNS, nothing to do", same, made.environment),
        Course("octoDNS, 1 % changed", other.plan("full"), other.environment),
    ]


def stations(ground: Ground) -> None:
    """Print every station of a first plan and a first apply beside its floor."""
    floors = _json("benchmarks.floors", *_floor_arguments(ground))
    ground.restore("empty")()
    given = (str(ground.settings), str(ground.repository), ground.base, ground.base)
    plan = _json("benchmarks.stages", "plan", *given, environment=ground.environment)
    ground.restore("empty")()
    apply = _json("benchmarks.stages", "apply", *given, environment=ground.environment)
    print(f"\n{'station':28}{'ours ms':>10}{'floor ms':>10}{'ratio':>8}")
    total = least = 0.0
    for name in ("tree", "load", "read", "reveal", "plan", "judge"):
        parts = {k: v for k, v in floors.items() if k.partition(":")[0] == name}
        floor = sum(parts.values())
        total, least = total + plan[name], least + floor
        _line(name, plan[name], floor)
        for part, seconds in parts.items():
            if part != name:
                _line(f"  {part}", None, seconds)
    _line("sum of the plan", total, least)
    _line("apply: its writes", apply["apply"], floors["apply"])


def _floor_arguments(ground: Ground) -> tuple[str, ...]:
    database = ground.folder / "full" / "manager.db"
    return str(ground.repository), ground.base, str(ground.folder / "age.txt"), str(database)


def _json(module: str, *words: str, environment: dict[str, str] | None = None) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _line(name: str, ours: float | None, floor: float) -> None:
    shown = " " * 10 if ours is None else f"{ours * 1000:10.0f}"
    ratio = "" if ours is None or not floor else f"{ours / floor:8.2f}"
    print(f"{name:28}{shown}{floor * 1000:10.0f}{ratio}")


def report(size: int, ran: list[Course]) -> None:
    """Print every command: seconds, memory, and above start-up as a share of the cold plan."""
    by_name = {course.name: course for course in ran}
    cold, start, lean = by_name["first plan (cold)"], ran[0].seconds, ran[1].seconds
    print(f"\n{size:,} resources{'':17}{'seconds':>10}{'MiB':>8}{'/ cold':>9}")
    for course in ran:
        share = (course.seconds - start) / (cold.seconds - start)
        note = f"{share:9.1%}" if course.name.startswith(("plan", "first")) else ""
        print(f"{course.name:33}{course.seconds:9.3f}{course.memory:8.0f}{note}")
    noop = by_name["plan, nothing to do"].seconds
    print(f"{'nothing to do / lean start':33}{noop / lean:9.2f}      (goal: at most 1.5)")
    print(f"{'microseconds a resource, cold':33}{(cold.seconds - start) / size * 1e6:9.0f}")
    pairs = [
        ("first plan (cold)", "octoDNS, first plan"),
        ("plan, nothing to do", "octoDNS, nothing to do"),
        ("plan, 1 % changed", "octoDNS, 1 % changed"),
    ]
    for ours, theirs in pairs:
        if theirs in by_name:
            ratio = by_name[theirs].seconds / by_name[ours].seconds
            print(f"{theirs + ' / ours':33}{ratio:9.1f}")


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a fresh PostgreSQL, from the wheel that the tests use."""
    from tests import postgres as server

    folder.mkdir()
    with ExitStack() as stack:
        url = stack.enter_context(server.server(folder))
        within = stack.enter_context(server.schema(url, "bench"))
        yield within.render_as_string(hide_password=False)


def beside(size: int) -> None:
    """Print a first apply on PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder, "pg")) as url:
        place = Path(folder, "bank")
        place.mkdir()
        ground = Ground(place, size, manager=url)
        ground.begin()
        given = (str(ground.settings), str(ground.repository), ground.base, ground.base)
        took = _json("benchmarks.stages", "apply", *given, environment=ground.environment)
    print(f"{'apply: its writes, PostgreSQL':28}{took['apply'] * 1000:10.0f}")


def main() -> None:
    """Measure every size."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--no-peer", action="store_true")
    arguments.add_argument("--postgres", action="store_true")
    chosen = arguments.parse_args()
    if not chosen.no_peer and not peer.OCTODNS.exists():
        arguments.error("octoDNS is not installed: run `make benchmarks/.venv`, or give --no-peer")
    for size in chosen.sizes:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "ours")
            place.mkdir()
            ground = Ground(place, size)
            ground.begin()
            ground.fill()
            ran = courses(ground)
            if not chosen.no_peer:
                other = Path(folder, "peer")
                other.mkdir()
                ran += rivals(other, size)
            for _ in range(chosen.runs):
                for course in ran:
                    course.run()
            report(size, ran)
            stations(ground)
        if chosen.postgres:
            beside(size)


if __name__ == "__main__":
    main()
