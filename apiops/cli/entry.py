"""What every verb over the line does first: options become a console, a target and a line."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from apiops.cli import evidence
from apiops.cli.console import Console
from apiops.cli.options import Place
from apiops.errors import UsageError
from apiops.model.audit import Introduction
from apiops.model.diagnostic import Severity
from apiops.model.revision import Snapshot
from apiops.model.view import Findings, PlanView
from apiops.reconcile.line import Line, Prepared, Wish
from apiops.wiring import assemble
from apiops.wiring.settings import TargetSettings


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
        wiring = assemble.Wiring(
            directory=self.place.directory,
            target=self.target,
            interactive=interactive(self.options),
            secrets=not self.options.get("no_secrets", False),
            pull_request=self.options.get("pull_request", ""),
        )
        with self.console.progress() as observer, assemble.line(wiring, observer) as line:
            yield line

    def snapshot(self, line: Line) -> Snapshot:
        """What --ref or --worktree name."""
        if self.options.get("worktree"):
            return assemble.snapshot(self.place.directory, "", worktree=True)
        return line.repository.snapshot(line.repository.resolve(self.options["ref"]))

    def wish(self, line: Line) -> Wish:
        """What the plan shall be like."""
        return Wish(
            allow=frozenset(self.options["allow"]),
            prune=not self.options["no_prune"],
            introduction=self._introduction(line),
            evidence=evidence.given(self.options["evidence"]),
        )

    def _introduction(self, line: Line) -> Introduction | None:
        commit, approver = self.options["introduction"], self.options["approver"]
        if not commit and not approver:
            return None
        if not (commit and approver):
            raise UsageError(
                "an introduction is a commit and the person who answers for it",
                code="AO905",
                hint="give both: --introduction COMMIT --approver NAME",
            )
        revision = line.repository.resolve(commit)
        return Introduction(line.repository.lineage, line.target.name, revision.commit, approver)


def chosen_target(place: Place, /, options: dict[str, Any]) -> TargetSettings:
    """The target that the options name. Raises UsageError AO904."""
    found = place.settings.target(options.get("target"))
    if options.get("manager"):
        found = replace(found, manager=options["manager"])
    if options.get("key_file"):
        found = replace(found, key_file=Path(options["key_file"]))
    return found


def interactive(options: Mapping[str, Any]) -> bool:
    """Whether somebody can be asked."""
    return not options.get("no_input") and sys.stdin.isatty() and sys.stderr.isatty()


def view(prepared: Prepared, *, keyless: bool, drift: bool = False) -> PlanView:
    """A prepared plan as people are shown it."""
    commits = prepared.history.views if prepared.history else ()
    return PlanView(
        prepared.plan,
        prepared.verdicts,
        subjects={seen.commit.id: seen.commit.subject for seen in commits},
        keyless=keyless,
        drift=drift,
    )


def findings(prepared: Prepared) -> Findings:
    """The diagnostics behind a plan."""
    return Findings(prepared.loaded.diagnostics, prepared.loaded.checked)


def remark(console: Console, found: Findings) -> None:
    """Show the diagnostics behind a plan; with -q only those that an error is among."""
    if found.diagnostics and (invalid(found) or not console.quiet):
        console.note(found)


def invalid(found: Findings) -> bool:
    """Whether a project is stopped by an error."""
    return found.count(Severity.ERROR) > 0


def identities(place: Place, chosen: Mapping[str, Any]) -> Any:
    """The age identities at hand: those of the target that is chosen, if one is, among them."""
    name = chosen["target"]
    folder = place.settings.target(name).identities if name else None
    return assemble.gather_identities(folder, interactive=interactive(chosen))
