"""Who approved a plan: signed tags and commits, and what people said in the Manager.

What is approved is a plan's digest. A commit that approves lies above the commit that was planned
and has the same tree, so the plan is looked at again as it was at each commit below such ones.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from apiops.access import approval, revocation, twoperson
from apiops.access.twoperson import Council
from apiops.errors import AccessDenied, PlanRefused, SourceError
from apiops.model.access import Judgement
from apiops.model.approval import Approvals, Word
from apiops.model.audit import AuditContext, AuditQuery, Reason, Statement
from apiops.model.plan import Plan
from apiops.model.resource import SETTINGS, SYSTEM
from apiops.model.revision import Commit, Revision, Snapshot
from apiops.plan import build
from apiops.ports import Live, Repository
from apiops.reconcile import concern
from apiops.reconcile.line import Line, Prepared, Wish, prepare, proofs

APPROVE: Final = "approve"
"""What the log calls somebody's word for a plan."""

LIFE: Final = timedelta(days=7)
"""How long a word in the Manager counts. One in Git lasts as long as the plan does."""

_HEIGHT: Final = 20
"""Commits above the planned one that may approve it."""


def standing(line: Line, prepared: Prepared, wish: Wish) -> Approvals | None:
    """How far the approval of a plan is; None where nobody's is wanted."""
    live, asking = prepared.live, prepared.concerns
    people, judged = wanted(live, asking), concern.carried(prepared.verdicts)
    if not people or not judged or not prepared.plan.head.commit:
        return None
    words = (*_signed(line, prepared, wish), *_said(line, prepared))
    counted = _council(line, prepared, judged).count(people, words)
    most = next(name for name in asking if wanted(live, (name,)) == people)
    return replace(counted, environment=most)


def demand(approvals: Approvals | None, digest: str) -> tuple[str, ...]:
    """Who approved. Raises PlanRefused AO614 while anybody is missing."""
    if approvals is None or not approvals.missing:
        return () if approvals is None else approvals.people
    raise PlanRefused(approvals.told, code="AO614", hint=approvals.way(digest))


def approve(
    line: Line, snapshot: Snapshot, wish: Wish, person: str, *, withdraw: bool = False
) -> tuple[Prepared, int]:
    """Record a person's word for the plan with the digest `wish.approved`; the entry's number.

    Raises PlanRefused AO620 when that is not the plan, AO615 when nobody's word is wanted, and
    AccessDenied (recorded) for whoever may not approve.
    """
    prepared = prepare(line, snapshot, wish)
    build.check(prepared.plan, wish.approved or "")
    judged = concern.carried(prepared.verdicts)
    if not wanted(prepared.live, prepared.concerns) or not judged:
        raise PlanRefused(
            "nobody has to approve this plan",
            code="AO615",
            hint="its Environment asks for approvals with spec.approvals; see `apiops plan`",
        )
    plan, context = prepared.plan, _context(line, prepared.plan, person)
    council = _council(line, prepared, judged)
    fault = council.unfit(person)
    if fault:
        line.ledger.deny(context, judged[0].change, "AO616", fault)
        others = ", ".join(council.count(1, ()).could) or "nobody could, as rights are now"
        raise AccessDenied(
            f"an approval of this plan {fault}",
            code="AO616",
            hint=f"let somebody else approve it: {others}",
        )
    said = Statement(
        action=APPROVE,
        outcome="withdrawn" if withdraw else "approved",
        target=plan.target,
        environment=plan.environment,
        note={"plan": plan.digest, "head": plan.head.commit},
    )
    return prepared, line.ledger.say(context, said, council.needs)


def _context(line: Line, plan: Plan, person: str) -> AuditContext:
    return AuditContext(
        actor=person,
        principal=person,
        reason=Reason(plan.head.subject, plan.head.commit, pull_request=line.pull_request),
        run=line.run,
        source=line.source,
        address=line.address,
    )


def wanted(live: Live, environments: Iterable[str]) -> int:
    """How many people it takes, as the Manager has it: no commit lowers that for its own batch.

    Of several environments that are concerned, the one that asks for most.
    """
    specs = (live.environments.get(name, {}) for name in environments)
    return max((int(spec.get("approvals") or 0) for spec in specs), default=0)


def _council(line: Line, prepared: Prepared, judged: tuple[Judgement, ...]) -> Council:
    """By the rights that were held before the range and that it takes from nobody."""
    history, grants, at = prepared.history, prepared.live.grants, line.now()
    assert history is not None, "what was judged has a history"
    views = {**history.boundary, **{view.commit.id: view for view in history.views}}
    after = views[history.head].permissions
    lost = frozenset[revocation.Fact]().union(
        *(
            revocation.lost(grants, views[base].permissions, after, at)
            for base in sorted(set(history.base.values()))
            if base in views
        )
    )
    held = revocation.without(grants, lost)
    return twoperson.council(held, revocation.keys(lost), at, judged)


def _signed(line: Line, prepared: Prepared, wish: Wish) -> Iterator[Word]:
    """The words for the plan in tags, and in commits above the one that was planned."""
    known = proofs(prepared.live, prepared.evidence, line.now())
    repository = line.repository.knowing(known)
    for commit, above in _descent(repository, prepared.plan.head.commit):
        revision = Revision(commit.id, "", commit.tree, commit.subject)
        digest = build.digest(replace(prepared.plan, head=revision))
        for tag in repository.tags(commit.id, wish.tags):
            if digest in approval.named(tag.message, approval.PLAN):
                yield Word(f"tag {tag.name}", tag.signature)
        for one in above:
            if approval.own(one) and digest in approval.named(one.message, approval.PLAN):
                yield Word(f"commit {one.id[:7]}", one.signature)


def _descent(repository: Repository, head: str) -> Iterator[tuple[Commit, tuple[Commit, ...]]]:
    """The head and what lies below it with the same tree, each with the commits above it."""
    above: tuple[Commit, ...] = ()
    with suppress(SourceError):  # where a shallow clone ends
        commit = repository.commit(head)
        while len(above) < _HEIGHT:
            yield commit, above
            if len(commit.parents) != 1:
                return
            below = repository.commit(commit.parents[0])
            if below.tree != commit.tree:
                return
            above = (*above, commit)
            commit = below


def _said(line: Line, prepared: Prepared) -> Iterator[Word]:
    """What was said of the plan in the Manager, by everybody their last word."""
    query = AuditQuery(
        project=SYSTEM,
        kind=SETTINGS,
        name=line.target.name,
        action=APPROVE,
        since=line.now() - LIFE,
        limit=0,
    )
    heard: set[str] = set()
    for entry in line.ledger.entries(query):
        note = entry.delta if isinstance(entry.delta, dict) else {}
        mine = note.get("plan") == prepared.plan.digest and entry.principal not in heard
        if mine and entry.outcome in ("approved", "withdrawn"):
            heard.add(entry.principal)
            if entry.outcome == "approved":
                yield Word(f"entry {entry.seq}", principal=entry.principal)
