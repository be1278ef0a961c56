"""Who approved a plan: signed tags and commits, and what people said in the Manager.

What is approved is a plan's digest. A commit that approves lies above the commit that was planned
and has the same tree, so the plan is looked at again as it was at each commit below such ones.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from apiops.access import approval, revocation, taint, twoperson
from apiops.access.twoperson import Council
from apiops.errors import AccessDenied, PlanRefused, SourceError
from apiops.model.access import Judgement
from apiops.model.approval import Approvals, Word
from apiops.model.audit import AuditContext, AuditEntry, AuditQuery, Reason, Statement
from apiops.model.plan import Change, Plan
from apiops.model.resource import SETTINGS, SYSTEM
from apiops.model.revision import Commit, Proofs, Revision, Snapshot
from apiops.plan import build
from apiops.ports import Live, Repository
from apiops.reconcile import concern
from apiops.reconcile.line import Line, Prepared, Wish, prepare, proofs

APPROVE: Final = "approve"
"""What the log calls somebody's word for a plan."""

APPROVED: Final = "approved"
WITHDRAWN: Final = "withdrawn"
_DIGEST: Final = re.compile("[0-9a-f]{64}")

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
    known = proofs(live, prepared.evidence, line.now())
    planned = tuple(_planned(line, prepared, known))
    heard = _heard(line, {digest for _, _, digest in planned})
    words = (*_signed(line, planned, wish, known), *(_word(one) for one in heard if _stands(one)))
    back = frozenset(one.principal for one in heard if not _stands(one))
    counted = _council(line, prepared, judged).count(people, words, back)
    most = next(name for name in asking if wanted(live, (name,)) == people)
    return replace(counted, environment=most, part=prepared.narrowed or _keyless(prepared))


def demand(approvals: Approvals | None, digest: str) -> tuple[str, ...]:
    """Who approved. Raises PlanRefused AO614 while anybody is missing."""
    if approvals is None or not approvals.missing:
        return () if approvals is None else approvals.people
    raise PlanRefused(approvals.told, code="AO614", hint=approvals.way(digest))


def alone(live: Live, change: Change) -> None:
    """Refuse a person's own change in the Manager where it takes more than one: PlanRefused AO628.

    Not of an Environment: to ask for fewer people is the way out of an emergency. What is decided
    about a subscription is for the Manager's people to decide.
    """
    if change.id.kind in ("Environment", "Subscription"):
        return
    refuse_one(
        live,
        concern.by_hand(live, change),
        "commit it, and let somebody else approve the plan; in an emergency, first: "
        "apiops manager set Environment/{} spec.approvals=0",
    )


def refuse_one(live: Live, environments: Iterable[str], way: str) -> None:
    """Refuse what one person wants where any of the environments takes more: PlanRefused AO628.

    `way` is what can be done instead, with `{}` for the environment.
    """
    asking = next((name for name in environments if wanted(live, (name,))), None)
    if asking is not None:
        told = f"{asking} takes nothing that only one person wants"
        raise PlanRefused(told, code="AO628", hint=way.format(asking))


def approve(
    line: Line, snapshot: Snapshot, wish: Wish, person: str, *, withdraw: bool = False
) -> tuple[Prepared, int]:
    """Record a person's word for the plan with the digest `wish.approved`; the entry's number.

    Raises PlanRefused AO620 when that is not the plan, AO621 when it is not named by all digits,
    AO615 when nobody's word is wanted, and AccessDenied (recorded) for whoever may not approve.
    """
    prepared = prepare(line, snapshot, wish)
    _demand_plan(prepared, wish.approved or "")
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
        outcome=WITHDRAWN if withdraw else APPROVED,
        target=plan.target,
        environment=plan.environment,
        note={"plan": plan.digest, "head": plan.head.commit},
    )
    return prepared, line.ledger.say(context, said, council.needs)


def _keyless(prepared: Prepared) -> bool:
    return any(change.uncompared for change in prepared.plan.changes)


def _demand_plan(prepared: Prepared, digest: str) -> None:
    """Whether that is the plan, by all digits: some are soon found for another one, by trying.

    Raises PlanRefused AO620, AO621.
    """
    if not _DIGEST.fullmatch(digest):
        raise PlanRefused(
            "a plan is approved by all 64 digits of its digest",
            code="AO621",
            hint="`apiops plan` prints them while an approval is missing",
        )
    if _keyless(prepared):
        raise PlanRefused(
            "secrets were not compared here, so this is another plan than the one with the keys",
            code="AO620",
            hint="approve where the age keys are at hand; or look at the pipeline's plan, and sign "
            "a tag with its digest: apiops explain AO614",
        )
    build.check(prepared.plan, digest)


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
    bench = taint.Bench(
        grants, prepared.live.trust, at, prepared.plan.environment, prepared.evidence
    )
    starts = {unit: taint.Start(base) for unit, base in history.base.items() if base in views}
    lost = taint.lost(history, starts, bench).union(
        *(
            revocation.lost(grants, views[start.commit].permissions, after, at)
            for start in starts.values()
        )
    )
    held = revocation.without(grants, lost)
    charged = {id for one in judged for id in one.charged if id in views}
    makers = {bench.maker(views[id].commit).principal for id in charged}
    return twoperson.council(held, revocation.keys(lost), at, judged, makers)


Planned = tuple[Commit, tuple[Commit, ...], str]
"""A commit at which the plan may have been approved, the commits above it, and its digest there."""


def _planned(line: Line, prepared: Prepared, known: Proofs) -> Iterator[Planned]:
    repository = line.repository.knowing(known)
    for commit, above in _descent(repository, prepared.plan.head.commit):
        revision = Revision(commit.id, "", commit.tree, commit.subject)
        yield commit, above, build.digest(replace(prepared.plan, head=revision))


def _signed(line: Line, planned: Iterable[Planned], wish: Wish, known: Proofs) -> Iterator[Word]:
    """The words for the plan in tags, and in commits above the one that was planned."""
    repository = line.repository.knowing(known)
    for commit, above, digest in planned:
        for tag in repository.tags(commit.id, wish.tags):
            if digest in approval.named(tag.message, approval.PLAN):
                yield Word(f"tag {tag.name}", tag.signature)
        for one in above:
            if approval.own(one) and digest in approval.named(one.message, approval.PLAN):
                yield Word(f"commit {one.id[:7]}", one.signature)


def _descent(repository: Repository, head: str) -> Iterator[tuple[Commit, tuple[Commit, ...]]]:
    """The head and what lies below it with the same tree, each with the commits above it.

    A commit that approves a resource lets through what was denied at the commits below it.
    """
    above: tuple[Commit, ...] = ()
    with suppress(SourceError):  # where a shallow clone ends
        commit = repository.commit(head)
        while len(above) < _HEIGHT:
            yield commit, above
            if len(commit.parents) != 1 or approval.named(commit.message):
                return
            below = repository.commit(commit.parents[0])
            if below.tree != commit.tree:
                return
            above = (*above, commit)
            commit = below


def _heard(line: Line, digests: Collection[str]) -> tuple[AuditEntry, ...]:
    """What was said last of the plan in the Manager, by everybody who said anything."""
    query = AuditQuery(
        project=SYSTEM,
        kind=SETTINGS,
        name=line.target.name,
        action=APPROVE,
        since=line.now() - LIFE,
        limit=0,
    )
    heard: dict[str, AuditEntry] = {}
    for entry in line.ledger.entries(query):
        note = entry.delta if isinstance(entry.delta, dict) else {}
        if note.get("plan") in digests and entry.outcome in (APPROVED, WITHDRAWN):
            heard.setdefault(entry.principal, entry)
    return tuple(heard.values())


def _stands(entry: AuditEntry) -> bool:
    return entry.outcome == APPROVED


def _word(entry: AuditEntry) -> Word:
    return Word(f"entry {entry.seq}", principal=entry.principal)
