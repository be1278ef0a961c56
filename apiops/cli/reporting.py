"""Tell the forge what came out: a comment on the pull request, a status on the commit.

A report that fails is a line on stderr, and never changes what a command did or its exit code.
"""

import os
from typing import Any

from apiops.cli.console import Console
from apiops.errors import ApiopsError, Exit
from apiops.model.outcome import RunReport
from apiops.model.view import PlanView
from apiops.render import render
from apiops.render.facts import plan as facts
from apiops.render.facts import report as past

Told = PlanView | RunReport


def tell(console: Console, options: dict[str, Any], told: Told, code: int) -> None:
    """Comment and set a status, as far as --comment and --status ask for it."""
    comments, statuses = options["comment"] != "never", options["status"]
    if not (comments or statuses):
        return
    from apiops.wiring import forge

    try:
        where = forge.place(os.environ, options["pull_request"])
        with forge.opened(os.environ, where) as there:
            if statuses:
                good = code in (Exit.OK, Exit.CHANGES)
                there.status(_name(told), _commit(told), _description(told), good=good)
            if comments and where.number:
                begin = options["comment"] == "always" or _says_something(told)
                there.comment(render(told, "markdown"), begin=begin)
    except ApiopsError as fault:
        console.warn(f"the forge was not told: {fault.code} {fault.message}", fault.hint)


def _name(told: Told) -> str:
    if isinstance(told, RunReport):
        return f"apiops/apply ({told.target})"
    return f"apiops/plan ({told.plan.target})"


def _commit(told: Told) -> str:
    return told.head if isinstance(told, RunReport) else told.plan.head.commit


def _description(told: Told) -> str:
    if isinstance(told, RunReport):
        return past.success(told).partition(" in ")[0]
    if not told.plan.changes:
        return facts.nothing(told)
    denied = len(told.verdicts.denied) if told.verdicts else 0
    counts = facts.counts(told.plan.summary).replace("   ", ", ")
    return f"{denied:,} denied: {counts}" if denied else counts


def _says_something(told: Told) -> bool:
    """Whether a comment is worth beginning: there is a change, or something stands in the way."""
    if isinstance(told, RunReport):
        return bool(told.outcomes or told.frozen or told.stuck)
    return bool(told.plan.changes or told.plan.guards or told.plan.stopped)
