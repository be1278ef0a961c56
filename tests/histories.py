"""Histories of a small bank: people write them, the line judges and applies them, for real.

    tale = Tale(tmp_path)                       two projects, applied once
    tale.commit(DENIZ, {ORDERS: orders(90)})    deniz has no role in payments
    tale.plan()["update ApiProxy/payments/orders"].codes
    tale.sync(); tale.live()                    what the Manager holds afterwards

Real repositories, real signatures, a real database: nothing is played.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apiops.model.resource import LiveResource
from apiops.wiring import assemble
from apiops.wiring.settings import TargetSettings
from tests.people import person
from tests.shop import Done, Shop, a_member, a_proxy, a_user, the_bank

CEM = person("cem")
"""Has a key and an account, and no role anywhere."""

SELIN = person("selin")
"""A developer in payments and in cards."""

ORDERS, REFUNDS = "payments/orders.yaml", "payments/refunds.yaml"
LIMITS = "cards/limits.yaml"


def proxy(path: str, timeout: int = 60) -> str:
    """The manifest of the proxy that a path is named for, with a read timeout in seconds."""
    project, _, file = path.partition("/")
    text = a_proxy(file.removesuffix(".yaml"), project)
    return text.replace("readTimeout: 60", f"readTimeout: {timeout}")


def orders(timeout: int) -> str:
    return proxy(ORDERS, timeout)


def limits(timeout: int) -> str:
    return proxy(LIMITS, timeout)


def refunds(timeout: int = 60) -> str:
    return proxy(REFUNDS, timeout)


def approves(*names: str, text: str = "Take it upon me") -> str:
    """A commit message that approves resources."""
    return "\n".join([text, "", *(f"apiops-approve: {name}" for name in names)])


@dataclass(frozen=True)
class Judged:
    """A verdict of a plan, as `apiops plan -o json` shows it."""

    allowed: bool
    codes: tuple[str, ...]
    rules: tuple[str, ...]
    charged: tuple[str, ...]
    principals: tuple[str, ...]
    guilty: tuple[str, ...]
    could: tuple[str, ...]


class Tale(Shop):
    """The bank after its first apply, with two more people: cem and selin."""

    def __init__(self, folder: Path, files: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        extra = {
            "system/cem.yaml": a_user(CEM),
            "system/selin.yaml": a_user(SELIN),
            "payments/selin.yaml": a_member(SELIN, "payments", "API Developer"),
            "cards/selin.yaml": a_member(SELIN, "cards", "API Developer"),
        }
        self.base = self.begin({**the_bank(), **extra, **(files or {})})

    def copied(self, folder: Path) -> "Tale":
        """The same tale in a copy of its folder."""
        twin = copy.copy(self)
        twin.folder, twin.repository = folder, folder / "repo"
        twin.story = copy.copy(self.story)
        twin.story.path = twin.repository
        return twin

    def branch(self, name: str, at: str | None = None) -> None:
        """A new branch, at the tip of main unless told otherwise."""
        git = self.story.open()
        tip = at or git.resolve("main").commit
        (self.repository / ".git" / "refs" / "heads" / name).write_text(f"{tip}\n")

    def reset(self, commit: str) -> None:
        """What `git reset` and a force push do: main is somewhere else."""
        self.branch("main", commit)

    def plan(self, *arguments: str) -> dict[str, Judged]:
        """The verdicts of a plan, by action and resource."""
        done = self.run("plan", "-o", "json", *arguments)
        assert done.code in (0, 4), done.err
        return verdicts(done)

    def judged(self, change: str = "update ApiProxy/payments/orders") -> Judged:
        """The verdict on one change of the plan."""
        return self.plan()[change]

    def sync(self) -> Done:
        """Apply what may be applied."""
        return self.run("sync", "-o", "json")

    def settle(self) -> None:
        """Apply everything; it must all be allowed."""
        done = self.sync()
        assert done.code == 0, done.err

    def standing(self) -> dict[str, str]:
        """Unit → the commit that it is at, after a sync."""
        return {unit: record.commit for unit, record in self._ledger().items()}

    def live(self) -> dict[str, int]:
        """Read timeouts of the proxies that the Manager holds, by `project/name`."""
        return {
            f"{one.id.project}/{one.id.name}": one.spec["settings"]["connection"]["readTimeout"]
            for one in self._resources()
            if one.id.kind == "ApiProxy"
        }

    def resources(self) -> set[str]:
        """The names of all that the Manager holds."""
        return {str(one.id) for one in self._resources()}

    def _resources(self) -> tuple[LiveResource, ...]:
        with assemble.manager(self.target()) as manager:
            return manager.read(self.base, "dev").resources

    def _ledger(self) -> Mapping[str, Any]:
        with assemble.manager(self.target()) as manager:
            return manager.state(self.base, "dev").applied

    def target(self) -> TargetSettings:
        """The settings of the bank's only target."""
        database = f"sqlite:///{self.folder / 'dev.db'}"
        return TargetSettings(name="dev", environment="dev", manager=database)


def verdicts(done: Done) -> dict[str, Judged]:
    """The verdicts in a plan's JSON."""
    found = {}
    for one in done.json["permission"]["judgements"]:
        change = one["change"]
        where = f" → {change['environment']}" if change["environment"] else ""
        causes = one["causes"]
        found[f"{change['action']} {change['resource']}{where}"] = Judged(
            allowed=one["allowed"],
            codes=tuple(cause["code"] for cause in causes),
            rules=tuple(c["verdict"]["rule"] for c in causes if c["verdict"]),
            charged=tuple(one["charged"]),
            principals=tuple(one["principals"]),
            guilty=tuple(cause["commit"] for cause in causes),
            could=tuple(one["could"]),
        )
    return found
