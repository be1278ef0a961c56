"""A plan for a pull request: counts, deletes and denials above the fold, the details in it.

The first line is a hidden marker, by which a bot finds its own comment and edits it instead of
writing another.
"""

from collections.abc import Iterator
from typing import Final

from apiops.model.access import Trust
from apiops.model.diagnostic import Location
from apiops.model.plan import Action, Change
from apiops.model.view import PlanView
from apiops.render import words
from apiops.render.facts import permission
from apiops.render.facts import plan as facts
from apiops.render.markdown import answers
from apiops.render.markdown.paper import Paper, code, marker, prose

ABOVE: Final = 50
"""Deletes that are named above the fold; the rest stands in it."""


def paper(view: PlanView) -> Paper:
    """Write a plan."""
    out = Paper()
    out.line(marker("drift" if view.drift else "plan", view.plan.target))
    out.paragraph(f"### {_title(view)}")
    if view.verdicts is not None and view.verdicts.trust is Trust.COMMITTER:
        out.paragraph(f"> **{facts.BELIEVED}**")
    if not view.plan.changes:
        out.paragraph(f"**{prose(facts.nothing(view))}**")
    else:
        out.paragraph(prose(facts.origin(view)))
        out.paragraph(f"**{facts.counts(view.plan.summary).replace('   ', ' · ')}**")
    _obstacles(out, view)
    _deletes(out, view)
    _denials(out, view)
    if view.plan.changes:
        _details(out, view)
        _rulings(out, view)
        _next(out, view)
    return out


def _title(view: PlanView) -> str:
    plan = view.plan
    name = "Drift" if view.drift else f"Plan {code(plan.digest[:8])}"
    return f"{name} for {prose(plan.target)} at {code(plan.head.short)}"


def _obstacles(out: Paper, view: PlanView) -> None:
    for guard in view.plan.guards:
        told = f"**Guard {guard.code} {prose(guard.guard)}:** {prose(guard.message)}"
        out.line(f"- {told} – {prose(facts.guarding(guard))}")
    for unit, stopper in sorted(view.plan.stopped.items()):
        out.line(f"- **Stopped, {stopper}:** {prose(facts.stopped(unit))}")
    for note in facts.notes(view):
        out.line(f"- {prose(note)}")
    if view.plan.guards or view.plan.stopped or facts.notes(view):
        out.line()


def _deletes(out: Paper, view: PlanView) -> None:
    deletes = [change for change in view.plan.changes if change.action is Action.DELETE]
    if not deletes:
        return
    out.paragraph(f"**Deletes {len(deletes):,}**")
    removals = facts.removals(view)
    for change in deletes[:ABOVE]:
        out.line(f"- {code(str(change.id))} – {prose(facts.place(view, change, removals))}")
    if len(deletes) > ABOVE:
        out.line(f"- and {len(deletes) - ABOVE:,} more, below")
    out.line()


def _denials(out: Paper, view: PlanView) -> None:
    if view.verdicts is None or not view.verdicts.denied:
        return
    verdicts, denied = view.verdicts, view.verdicts.denied
    out.paragraph(f"**Denied {len(denied):,}**")
    rows = (_denial(*group) for group in permission.denials(verdicts, view.subjects))
    out.table(("change", "why, and what to do"), rows)
    for unit in sorted(view.verdicts.frozen):
        out.line(f"- {prose(permission.frozen(unit))}")
    out.line()


def _denial(titles: tuple[str, ...], lines: permission.Lines) -> tuple[str, str]:
    told = (f"*{label}:* {prose(text)}" for label, text in lines)
    return "<br>".join(map(code, titles)), "<br>".join(told)


def _details(out: Paper, view: PlanView) -> None:
    out.fold(f"{words.plural(len(view.plan.changes), 'change')} in detail")
    removals = facts.removals(view)
    rows = (
        row
        for change in view.plan.changes
        for row in _rows(change, facts.place(view, change, removals), drift=view.drift)
    )
    out.table(("", "change", "where"), rows)
    out.unfold()


def _rows(change: Change, where: str, *, drift: bool) -> Iterator[tuple[str, str, str]]:
    notes = "".join(f"<br>{prose(mark)}" for mark in facts.marks(change, drift=drift))
    yield code(facts.SIGNS[change.action]), f"**{code(facts.what(change))}**{notes}", code(where)
    if change.action is not Action.UPDATE:
        return
    for field in change.fields:
        at = field.location
        told = code(facts.difference(field))
        yield "", f"{code(field.path)}: {told}", code(str(Location(at.path, at.line)) if at else "")
    for path in change.uncompared:
        yield "", f"{code(path)}: {facts.NOT_COMPARED}", ""


def _rulings(out: Paper, view: PlanView) -> None:
    """The table of verdicts, the same that `apiops access check` writes."""
    if view.verdicts is None or not view.verdicts.judgements:
        return
    out.fold(f"Permission: {permission.summary(view.verdicts)}")
    answers.rulings(out, view.verdicts)
    out.unfold()


def _next(out: Paper, view: PlanView) -> None:
    if view.applicable:
        command = code(f"apiops {view.command} --approve {view.plan.digest[:8]}")
        out.paragraph(f"{facts.lead(view)} {command}")
    else:
        out.paragraph(prose(facts.why_not(view)))
