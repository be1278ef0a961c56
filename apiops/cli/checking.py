"""What `apiops access check` shows: verdicts since the applied commits, or since a revision."""

from apiops.cli.entry import Entry
from apiops.model.view import AccessCheck, Findings
from apiops.reconcile import check


def applied(door: Entry) -> tuple[Findings, AccessCheck]:
    """The verdicts of a plan: on everything that it would change."""
    with door.runs() as runs:
        planned = runs.plan(door.order())
    shown = planned.view
    assert shown.verdicts is not None, "a plan of a commit is judged"
    return planned.findings, AccessCheck(
        target=shown.plan.target,
        head=shown.plan.head,
        base=shown.plan.base,
        verdicts=shown.verdicts,
        subjects=shown.subjects,
    )


def since(door: Entry, base: str) -> tuple[Findings, AccessCheck]:
    """The verdicts on what differs from a revision, as for a pull request."""
    with door.line() as line:
        head = line.repository.resolve(door.options["ref"])
        start = line.repository.resolve(base)
        checked = check.check(line, head, start, door.order().evidence)
    judgements = checked.verdicts.judgements
    shown = AccessCheck(
        target=line.target.name,
        head=head,
        base={judged.change.id.unit: start.commit for judged in judgements},
        verdicts=checked.verdicts,
        subjects={seen.commit.id: seen.commit.subject for seen in checked.history.views},
    )
    return Findings(checked.loaded.diagnostics, checked.loaded.checked), shown
