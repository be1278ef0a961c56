"""What `apiops access check` shows: verdicts since the applied commits, or since a revision."""

from apiops.cli.entry import Entry, findings
from apiops.model.view import AccessCheck, Findings
from apiops.reconcile import check
from apiops.reconcile import line as walk
from apiops.reconcile.line import Line


def applied(door: Entry, line: Line) -> tuple[Findings, AccessCheck]:
    """The verdicts of a plan: on everything that it would change."""
    prepared = walk.prepare(line, door.snapshot(line), door.wish(line))
    assert prepared.verdicts is not None, "a plan of a commit is judged"
    assert prepared.history is not None, "a plan of a commit has a history"
    shown = AccessCheck(
        target=line.target.name,
        head=prepared.plan.head,
        base=prepared.plan.base,
        verdicts=prepared.verdicts,
        subjects={seen.commit.id: seen.commit.subject for seen in prepared.history.views},
    )
    return findings(prepared), shown


def since(door: Entry, line: Line, base: str) -> tuple[Findings, AccessCheck]:
    """The verdicts on what differs from a revision, as for a pull request."""
    head = line.repository.resolve(door.options["ref"])
    start = line.repository.resolve(base)
    checked = check.check(line, head, start, door.wish(line).evidence)
    judgements = checked.verdicts.judgements
    shown = AccessCheck(
        target=line.target.name,
        head=head,
        base={judged.change.id.unit: start.commit for judged in judgements},
        verdicts=checked.verdicts,
        subjects={seen.commit.id: seen.commit.subject for seen in checked.history.views},
    )
    return Findings(checked.loaded.diagnostics, checked.loaded.checked), shown
