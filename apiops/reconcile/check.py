"""Whether the makers of commits may what they did: the verdicts without the plan.

From the applied commits it is exactly what a plan says. From a base that somebody names (a pull
request's target branch) the changes are those between the two revisions, whatever the Manager
holds; the grants are still the Manager's of now.
"""

from dataclasses import dataclass, replace

from apiops.access import judge
from apiops.model import sharing
from apiops.model.access import Verdicts
from apiops.model.plan import Action, Change, Plan
from apiops.model.resource import SYSTEM
from apiops.model.revision import CommitView, Evidence, History, Revision
from apiops.ports import Event, Live
from apiops.reconcile import history
from apiops.reconcile.line import Line, believed, proofs
from apiops.spec import load
from apiops.spec.documents import Documents
from apiops.spec.views import Reader


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdicts, the commits behind them, and what was found wrong at the head."""

    verdicts: Verdicts
    history: History
    loaded: load.Loaded


def check(line: Line, head: Revision, base: Revision, evidence: Evidence) -> Checked:
    """The verdicts on everything that differs between `base` and `head`.

    A unit that cannot be read at either of them is left out. Nothing is written and no secret is
    opened. Raises SourceError, PlanRefused AO625 when the base is not an ancestor of the head,
    ManagerError.
    """
    line.observer.notice(Event("read", "reading the permissions"))
    live = line.manager.read(line.repository.lineage, line.target.name)
    at = line.now()
    told = believed(live, evidence)
    repository = line.repository.knowing(proofs(live, told, at))
    line.observer.notice(Event("load", "reading the commits"))
    documents = Documents()
    loaded = load.load(repository.snapshot(head), line.target, documents)
    whole = {SYSTEM: base.commit}  # every unit starts there, so one stands for all
    reader = Reader(line.target, documents)
    past = history.collect(repository, line.target, head, whole, whole, None, reader)
    seen = {**past.boundary, **{view.commit.id: view for view in past.views}}
    changes = _changes(seen[base.commit], seen[head.commit], line.target.environment)
    plan = _plan(line, live, head, base, changes)
    line.observer.notice(Event("judge", "judging the commits"))
    past = replace(past, base=plan.base)
    verdicts = judge.judge(plan, past, live.grants, live.trust, None, at=at, evidence=told)
    return Checked(verdicts, past, loaded)


def _changes(before: CommitView, after: CommitView, environment: str) -> tuple[Change, ...]:
    """What differs, resource by resource, and what begins or ceases to run."""
    ids = sharing.differing(before.content, after.content)
    ids |= sharing.differing(before.deployments, after.deployments)
    changes: list[Change] = []
    for id in sorted(ids, key=lambda one: one.order):
        if before.is_broken(id.unit) or after.is_broken(id.unit):
            continue
        was, now = before.content.get(id), after.content.get(id)
        if was != now:
            changes.append(Change(_action(was, now), id))
        ran, runs = (environment in view.deployments.get(id, ()) for view in (before, after))
        if ran != runs:
            changes.append(Change(Action.DEPLOY if runs else Action.UNDEPLOY, id, environment))
    return tuple(changes)


def _action(was: str | None, now: str | None) -> Action:
    if was is None:
        return Action.CREATE
    return Action.DELETE if now is None else Action.UPDATE


def _plan(
    line: Line, live: Live, head: Revision, base: Revision, changes: tuple[Change, ...]
) -> Plan:
    """The frame that a judge needs around changes. It is judged and never carried out."""
    units = {change.id.unit: base.commit for change in changes}
    return Plan(
        repository=line.repository.lineage,
        target=line.target.name,
        environment=line.target.environment,
        head=head,
        base=units,
        lineage=live.lineage,
        permissions=live.permissions,
        engine=line.engine,
        changes=changes,
    )
