"""What no commit asks for: what somebody changed in the Manager, for runs that only tell of it.

A change is set aside when the resource stands at the head as it stood where its unit was applied
last. What a commit touches is carried out, whatever somebody did to it meanwhile.
"""

from dataclasses import replace

from apiops.access import charge
from apiops.model.plan import Change, Plan
from apiops.model.revision import History
from apiops.plan import build


def aside(plan: Plan, history: History) -> tuple[Plan, tuple[Change, ...]]:
    """The plan without those changes, under a digest of its own, and the changes."""
    views = {**history.boundary, **{view.commit.id: view for view in history.views}}
    head = views.get(history.head)
    if head is None:  # nothing is to be done, or nothing was ever applied
        return plan, ()

    def asked(change: Change) -> bool:
        before = views.get(history.base.get(change.id.unit, ""))
        if before is None or head.is_broken(change.id.unit) or change.adopts:
            return True
        return any(
            charge.state(before, subject) != charge.state(head, subject)
            for subject in charge.subjects(change)
        )

    left = tuple(change for change in plan.changes if not asked(change))
    if not left:
        return plan, ()
    kept = replace(plan, changes=tuple(change for change in plan.changes if change not in left))
    return replace(kept, digest=build.digest(kept)), left
