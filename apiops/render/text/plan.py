"""The picture of a plan: what would change, where it is written, and whether one may.

Order of reading: what is this plan · what changes · what stands in its way · who may · counts ·
what to type next.
"""

from collections.abc import Iterator
from typing import Final

from apiops.model.access import Trust
from apiops.model.diagnostic import Location
from apiops.model.plan import Action, Change, FieldChange
from apiops.model.view import PlanView
from apiops.render import words
from apiops.render.facts import plan as facts
from apiops.render.ink import Page
from apiops.render.layout import Ink
from apiops.render.text import permission

INKS: Final = {
    Action.CREATE: Ink.ADD,
    Action.UPDATE: Ink.CHANGE,
    Action.DELETE: Ink.REMOVE,
    Action.DEPLOY: Ink.MOVE,
    Action.UNDEPLOY: Ink.MOVE,
}
LABELLED: Final = " " * 11
"""Where the text beside `guard`, `stopped` and `note` stands."""

STAYS: Final = "   (stays where it is, see below)"
NAMES: Final = 40
"""How far a long field name may push the values to the right."""


def page(view: PlanView) -> Page:
    """Draw a plan."""
    out = Page()
    _believed(out, view)
    if not view.plan.changes:
        out.line((facts.nothing(view), Ink.STRONG))
    else:
        _heading(out, view)
        _changes(out, view)
    _obstacles(out, view)
    if view.verdicts is not None:
        permission.block(out, view.verdicts, view.subjects)
    if view.plan.changes:
        out.gap()
        out.line(f"  {facts.counts(view.plan.summary)}")
    _next(out, view)
    return out


def _believed(out: Page, view: PlanView) -> None:
    if view.verdicts is not None and view.verdicts.trust is Trust.COMMITTER:
        out.line((facts.BELIEVED, Ink.CARE))
        out.gap()


def _heading(out: Page, view: PlanView) -> None:
    name = "Drift" if view.drift else f"Plan {view.plan.digest[:8]}"
    out.line((name, Ink.STRONG), f"   {facts.origin(view)}")
    if view.drift:
        out.line("  Each line reads: live → as last applied.")
    out.gap()


def _changes(out: Page, view: PlanView) -> None:
    held, removals = view.held, facts.removals(view)
    groups: dict[str, list[Change]] = {unit: [] for unit in view.plan.units}
    for change in view.plan.changes:
        groups[change.id.unit].append(change)
    for unit, changes in groups.items():
        if len(groups) > 1:
            out.gap()
            out.line(f"  {words.unit(unit)}", STAYS if unit in held else "")
        for change in changes:
            where = facts.place(view, change, removals)
            _change(out, change, facts.marks(change, drift=view.drift), where)


def _title(change: Change) -> str:
    return f"  {facts.SIGNS[change.action]} {facts.what(change)}"


def _details(change: Change) -> Iterator[tuple[str, str]]:
    """The fields of an update: what changes, and where it is written."""
    if change.action is not Action.UPDATE:
        return
    paths = [*(field.path for field in change.fields), *change.uncompared]
    width = min(max(map(len, paths), default=0), NAMES)
    for field in change.fields:
        yield f"      {field.path:<{width}} {facts.difference(field)}", _place(field, change)
    for path in change.uncompared:
        yield f"      {path:<{width}} {facts.NOT_COMPARED}", ""


def _change(out: Page, change: Change, marks: tuple[str, ...], where: str) -> None:
    out.line((_title(change), INKS[change.action]), aside=where)
    for mark in marks:
        out.line(f"      {mark}")
    for left, right in _details(change):
        out.line(left, aside=right)


def _place(field: FieldChange, change: Change) -> str:
    """Where a field stands; in the resource's own file only the line, below that of the file."""
    if field.location is None:
        return ""
    home = change.location
    if home is not None and field.location.path == home.path:
        return " " * len(home.path) + f":{field.location.line}"
    return str(Location(field.location.path, field.location.line))


def _obstacles(out: Page, view: PlanView) -> None:
    out.gap()
    for guard in view.plan.guards:
        ink = Ink.QUIET if guard.overridden else Ink.BAD
        out.line(
            "  ", ("guard", ink), f"    {guard.code} {guard.guard}: {guard.message}", then=LABELLED
        )
        out.line(f"{LABELLED}{facts.guarding(guard)}", then=LABELLED)
    for unit, code in sorted(view.plan.stopped.items()):
        out.line("  ", ("stopped", Ink.BAD), f"  {code} {facts.stopped(unit)}", then=LABELLED)
    for note in facts.notes(view):
        out.line("  ", ("note", Ink.CARE), f"     {note}", then=LABELLED)


def _next(out: Page, view: PlanView) -> None:
    if not view.plan.changes:
        return
    out.gap()
    if view.applicable:
        command = f"apiops {view.command} --approve {view.plan.digest[:8]}"
        out.line(f"{facts.lead(view)}  ", (command, Ink.STRONG))
    else:
        out.line(facts.why_not(view))
