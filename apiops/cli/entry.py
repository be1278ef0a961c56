"""What every verb over the line does first: options become a console, a target and a line."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from apiops.cli import evidence, options
from apiops.cli.console import Console
from apiops.cli.options import Place
from apiops.model.diagnostic import Severity
from apiops.model.order import Order
from apiops.model.view import Findings
from apiops.ports import Runs
from apiops.reconcile.line import Line
from apiops.wiring import assemble, places
from apiops.wiring.settings import TargetSettings

chosen_target = options.chosen_target
interactive = options.interactive


@dataclass(frozen=True, slots=True)
class Entry:
    """The common options of plan, apply, sync and drift, by their click names."""

    place: Place
    console: Console
    options: dict[str, Any]

    @property
    def target(self) -> TargetSettings:
        """The target, with --manager and --key-file over its settings."""
        return chosen_target(self.place, self.options)

    @contextmanager
    def line(self) -> Iterator[Line]:
        """The line of this command."""
        with (
            self.console.progress() as observer,
            assemble.line(self.wiring(), observer) as line,
            _uncollected(),
        ):
            yield line

    @contextmanager
    def runs(self) -> Iterator[Runs]:
        """What carries out this command's run: the line here, or the Manager's over HTTP."""
        with (
            self.console.progress() as observer,
            assemble.runs(self.wiring(), observer) as runs,
            _uncollected(),
        ):
            yield runs

    def wiring(self) -> assemble.Wiring:
        """What this command is wired from."""
        return assemble.Wiring(
            directory=self.place.directory,
            target=self.target,
            interactive=interactive(self.options),
            secrets=not self.options.get("no_secrets", False),
        )

    def order(self) -> Order:
        """What the options ask for."""
        return Order(
            ref=self.options["ref"],
            worktree=self.options.get("worktree", False),
            allow=tuple(sorted(set(self.options["allow"]))),
            prune=not self.options["no_prune"],
            corrects=self.options["drift"] == "correct",
            introduction=self.options["introduction"] or "",
            approver=self.options["approver"] or "",
            evidence=evidence.given(self.options["evidence"]),
            pull_request=self.options["pull_request"] or "",
            secrets=not self.options["no_secrets"],
        )


def remark(console: Console, found: Findings) -> None:
    """Show the diagnostics behind a plan; with -q only those that an error is among."""
    if found.diagnostics and (invalid(found) or not console.quiet):
        console.note(found)


def invalid(found: Findings) -> bool:
    """Whether a project is stopped by an error."""
    return found.count(Severity.ERROR) > 0


def identities(place: Place, chosen: Mapping[str, Any]) -> Any:
    """The age identities at hand: those of the target that is chosen, or the only one, too."""
    name = chosen["target"]
    only = len(place.settings.targets) == 1
    folder = place.settings.target(name).identities if name or only else None
    return places.gather_identities(folder, interactive=interactive(chosen))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: a line makes millions of values and no circles, and to look
    through them takes a fifth of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
