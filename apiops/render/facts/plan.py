"""What there is to say about a plan and its changes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from apiops.model.diagnostic import Location
from apiops.model.plan import Action, Change, FieldChange, GuardFinding, Summary
from apiops.model.view import PlanView
from apiops.plan import guard
from apiops.render import words

SIGNS: Final = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.DEPLOY: "»",
    Action.UNDEPLOY: "«",
}

BELIEVED: Final = (
    "Names are believed: this target trusts committer names without signatures."
    " Anyone can write any name."
)
NOT_COMPARED: Final = "not compared"

Removals = Mapping[tuple[str, str, str], str]
"""Key of a change → commit."""


def counts(summary: Summary) -> str:
    """The counts of a plan: what there is of each action, then what stays."""
    found = [(getattr(summary, action.value), action.value) for action in Action]
    shown = [f"{number:,} {name}" for number, name in found if number]
    return "   ".join([*shown, f"{summary.unchanged:,} unchanged"])


def what(change: Change) -> str:
    """What a change is about, without its sign."""
    if change.action is Action.DEPLOY:
        return f"deploy {change.id} → {change.environment}"
    if change.action is Action.UNDEPLOY:
        return f"undeploy {change.id} ← {change.environment}"
    return str(change.id)


def marks(change: Change, *, drift: bool = False) -> tuple[str, ...]:
    """What is special about a change; that it drifted goes without saying in a drift report."""
    told = [
        f"renamed from {change.renamed_from}" if change.renamed_from else "",
        "adopted: it exists in the Manager already" if change.adopts else "",
        "drifted: changed in the Manager since the last apply"
        if change.drifted and not drift
        else "",
    ]
    return tuple(mark for mark in told if mark)


def difference(field: FieldChange) -> str:
    """The old and new value of a field; of a secret only that it changed."""
    if field.hidden:
        return words.CHANGED_HIDDEN
    return words.change(field.before, field.after)


def origin(view: PlanView) -> str:
    """Where a plan comes from and what it is for: revision, subject, people, target."""
    plan = view.plan
    target = plan.target
    if plan.environment != plan.target:
        target = f"{plan.target} (environment {plan.environment})"
    subject = f' "{words.cut(plan.head.subject)}"' if plan.head.subject else ""
    people = makers(view)
    parts = [
        f"revision {plan.head.short}{subject}",
        f"by {', '.join(people)}" if people else "",
        f"for {target}",
    ]
    return "   ".join(part for part in parts if part)


def makers(view: PlanView) -> tuple[str, ...]:
    """The principals who answer for the changes, each once; more than three are counted."""
    judgements = view.verdicts.judgements if view.verdicts else ()
    return _few(dict.fromkeys(name for judged in judgements for name in judged.principals))


def _few(named: Iterable[str]) -> tuple[str, ...]:
    names = tuple(named)
    if len(names) <= words.FEW:
        return names
    return (*names[: words.FEW], f"{len(names) - words.FEW:,} more")


def nothing(view: PlanView) -> str:
    """What a plan without changes says."""
    if view.plan.stopped or view.plan.guards:
        return f"No changes in what could be planned at {view.plan.head.short}."
    if view.drift:
        return f"No drift. Live matches {view.plan.head.short}."
    if view.left:
        return f"Nothing to do at {view.plan.head.short}, but what is live differs."
    return f"No changes. Live matches {view.plan.head.short}."


def removals(view: PlanView) -> Removals:
    """The commits that removed what is deleted, as far as they are known, by a change's key."""
    judgements = view.verdicts.judgements if view.verdicts else ()
    return {
        judged.change.key: judged.charged[-1]
        for judged in judgements
        if judged.change.action is Action.DELETE and judged.charged
    }


def place(view: PlanView, change: Change, removals: Removals) -> str:
    """Where a change is written; of a delete, what removed it."""
    if change.location is not None:
        return str(Location(change.location.path, change.location.line))
    if change.action is not Action.DELETE:
        return ""
    commit = removals.get(change.key)
    return f"removed in {commit[:7]}" if commit else f"not in {view.plan.head.short}"


def guarding(finding: GuardFinding) -> str:
    """What a guard stops and what to do about it, or that it was overridden."""
    if finding.overridden:
        return "overridden, which is recorded in the audit log"
    stops = "everything" if finding.unit is None else words.unit(finding.unit)
    if finding.guard not in guard.OVERRIDABLE:
        return f"stops {stops}; it cannot be overridden  ({words.explain(finding.code)})"
    override = f"if it is meant: --allow {finding.guard}"
    return f"stops {stops}; {override}  ({words.explain(finding.code)})"


def stopped(name: str) -> str:
    """That a unit was not planned, and why."""
    return f"{words.unit(name)} is neither planned nor pruned: its specifications have errors"


def lead(view: PlanView) -> str:
    """What stands before the command that applies a plan."""
    held = any(unit in view.held for unit in view.plan.units)
    if view.approvals is not None and view.approvals.missing:
        return "Once it is approved, to apply exactly this:"
    return "To apply the rest, exactly as shown:" if held else "To apply exactly this:"


def notes(view: PlanView) -> tuple[str, ...]:
    """What a reader must know beside the changes."""
    found = [*view.notes]
    for broken in view.breaking:
        told = "; ".join(_few(one.message for one in broken.breaks))
        meant = f"  (meant: {broken.reason})" if broken.reason else ""
        found.append(f"{broken.id} breaks those who call it: {told}{meant}")
    if view.left:
        names = ", ".join(_few(dict.fromkeys(str(change.id) for change in view.left)))
        found.append(f"left as somebody changed it in the Manager: {names}  (--drift report)")
    if view.approvals is not None:
        found.append(view.approvals.told)
        if view.approvals.missing:
            found.append(view.approvals.way(view.plan.digest))
    return (*_uncompared(view), *found)


def _uncompared(view: PlanView) -> Iterator[str]:
    """Which secrets nobody could compare, and why: of what is adopted, for nobody sees them."""
    adopted = sum(len(one.uncompared) for one in view.plan.changes if one.adopts)
    if view.keyless:
        adopted = 0
    if rest := view.uncompared - adopted:
        why = "no age identity" if view.keyless else "they could not be opened"
        yield f"{words.plural(rest, 'secret field')} not compared: {why}"
    if adopted:
        yield (
            f"{words.plural(adopted, 'secret field')} not compared: nobody sees what the Manager "
            "holds of what is adopted, so an apply writes yours, once"
        )


def why_not(view: PlanView) -> str:
    """Why a plan with changes cannot be applied, and what to do about it."""
    if view.drift:
        return "To see what a run would do about it:  apiops plan"
    if view.refused:
        return "A guard stops this plan; nothing can be applied."
    if not view.plan.head.commit:
        return "This is the work tree. Only a commit can be applied: commit, then plan again."
    return "Every unit with changes stays where it is; nothing can be applied."
