"""The verdict on every change of a plan: may it happen, who answers for it, who could approve.

Each change is judged by the commits that brought its resource from what was applied to what the
head describes (`taint`). A change without a cause and with somebody to answer for it is
allowed; everything else is denied and freezes its unit, and only that. What moved without a change
in the plan is judged as well: the unit would move to the head, and with it what nobody might write.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from apiops.access import charge, decide, taint
from apiops.access.charge import Subject
from apiops.access.taint import Account, Start
from apiops.model import sharing
from apiops.model.access import Cause, Grants, Judgement, Need, Trust, Verdicts
from apiops.model.audit import Introduction
from apiops.model.plan import Change, Plan
from apiops.model.resource import SETTINGS
from apiops.model.revision import Commit, CommitView, Evidence, History


def judge(
    plan: Plan,
    history: History,
    grants: Grants,
    trust: Trust,
    introduction: Introduction | None,
    *,
    at: datetime,
    evidence: Evidence | None = None,
) -> Verdicts:
    """Judge a plan against the grants that were held before it.

    `history` covers the plan's units and those that moved without a change; `introduction` is
    where trust begins for a unit without a base; `at` is now, for the validity of keys; `evidence`
    is what the forge says of merges that it made, for a Manager that is host-attested. A unit whose
    head cannot be read has no changes in the plan and is not judged.
    """
    bench = taint.Bench(grants, trust, at, plan.environment, evidence or {})
    views = {**history.boundary, **{view.commit.id: view for view in history.views}}
    court = _Court(history, views, bench, introduction)
    starts, unfounded = court.starts(dict.fromkeys((*plan.affected, *sorted(history.base))))
    wanted = {s for change in plan.changes for s in charge.subjects(change)}
    silent = [one for one in court.moved(starts) if one.subject not in wanted]
    accounts = taint.walk(history, starts, (*wanted, *(one.subject for one in silent)), bench)
    changes = (
        *plan.changes,
        *(one.change for one in silent if taint.tainted(accounts(one.subject))),
    )
    judgements = tuple(
        Judgement(change, allowed=False, causes=lacking)
        if (lacking := tuple(unfounded[u] for u in sorted(change.units) if u in unfounded))
        else court.judgement(change, starts[change.id.unit], accounts)
        for change in changes
    )
    return Verdicts(trust, _under_settings(judgements))


def _under_settings(judgements: tuple[Judgement, ...]) -> tuple[Judgement, ...]:
    """Nothing may happen under a target's settings that somebody changed who may not.

    They say for which environment everything else was judged.
    """
    faults = [one for one in judgements if one.change.id.kind == SETTINGS and not one.allowed]
    causes = tuple(cause for one in faults for cause in one.causes)
    if not causes:
        return judgements
    return tuple(
        one if one in faults else replace(one, allowed=False, causes=(*one.causes, *causes))
        for one in judgements
    )


@dataclass(frozen=True, slots=True)
class _Moved:
    """A subject that is at the head as it was not when applied, and what that would be called."""

    subject: Subject
    change: Change


@dataclass(frozen=True, slots=True)
class _Court:
    """What every judgement of a plan is made from."""

    history: History
    views: Mapping[str, CommitView]
    bench: taint.Bench
    introduction: Introduction | None

    def starts(self, units: Iterable[str]) -> tuple[dict[str, Start], dict[str, Cause]]:
        """Where each unit's judging begins, and the units for which it cannot begin."""
        starts: dict[str, Start] = {}
        unfounded: dict[str, Cause] = {}
        known = taint.ancestors(self.views, self.history.head)
        edges = (e for v in self.history.views for e in (*v.commit.parents, *v.commit.bases))
        hole = next((edge for edge in edges if edge not in self.views), None)
        for unit in units:
            start = self._start(unit)
            if isinstance(start, Start) and (hole or start.commit not in known):
                start = _lost(unit, hole or start.commit)
            if isinstance(start, Start):
                starts[unit] = start
            else:
                unfounded[unit] = start
        return starts, unfounded

    def _start(self, unit: str) -> Start | Cause:
        if unit in self.history.base:
            return Start(self.history.base[unit])
        if self.introduction is None:
            message = f"{unit} was never applied, and nobody answers for what is there"
            hint = "name where trust begins: --introduction COMMIT --approver NAME"
            return Cause("", "AO531", message, hint=hint)
        commit, approver = self.introduction.commit, self.introduction.approver
        view = self.views.get(commit)
        if view is None:
            return _lost(unit, commit)
        maker = self.bench.maker(view.commit)
        if maker.principal == approver and maker.approves:
            return Start(commit, approver)
        signer = maker.principal or (maker.cause.message if maker.cause else "nobody")
        message = f"introduction {commit[:7]} must be signed by {approver}; found: {signer}"
        hint = f"let {approver} sign a commit (it may be empty) and introduce that one"
        return Cause(commit, "AO532", message, maker.principal, hint=hint)

    def moved(self, starts: Mapping[str, Start]) -> Iterator[_Moved]:
        """What differs between the head and what was applied, resource by resource.

        Nothing was applied at an introduction, so there the plan has it all. A unit that cannot be
        read stays where it is in any case.
        """
        head, here = self.views.get(self.history.head), self.bench.environment
        units: dict[str, set[str]] = {}
        for unit, start in starts.items():
            if start.approver is None and head is not None and not head.is_broken(unit):
                units.setdefault(start.commit, set()).add(unit)
        for commit, of_start in units.items():
            before, after = self.views[commit], self.views[self.history.head]
            ids = sharing.differing(before.content, after.content)
            ids |= sharing.differing(before.deployments, after.deployments)
            for id in sorted((id for id in ids if id.unit in of_start), key=lambda one: one.order):
                for subject in (Subject(id), Subject(id, here)):
                    if charge.moved(subject, before, after):
                        action = charge.action(subject, (before,), after)
                        yield _Moved(subject, Change(action, id, subject.environment))

    def judgement(
        self, change: Change, start: Start, accounts: Callable[[Subject], Account]
    ) -> Judgement:
        """The judgement on one change."""
        head = self.views[self.history.head]
        needs = self._needs(change, start, head)
        new, *old = charge.subjects(change)
        account = taint.join(accounts(subject) for subject in (new, *old))
        if not accounts(new):
            account = (*account, *self._unmoved(change, new, start, needs))
        causes = dict.fromkeys(cause for one in account for cause in one.causes)
        causes |= dict.fromkeys(self._late(change, account, needs)) if not causes else {}
        principals = dict.fromkeys(one.principal for one in account if one.principal)
        commits = dict.fromkeys(c for one in account for c in (*one.stands_for, one.commit) if c)
        return Judgement(
            change,
            allowed=not causes,
            charged=tuple(commits),
            principals=tuple(principals),
            causes=tuple(causes),
            could=decide.able(self.bench.grants, needs) if causes else (),
            needs=needs,
            rules=() if causes else self._rules(tuple(principals), needs),
        )

    def _rules(self, principals: tuple[str, ...], needs: tuple[Need, ...]) -> tuple[str, ...]:
        """The rules by which everybody charged holds everything needed."""
        verdicts = (
            decide.decide(self.bench.grants, name, right.verb, right.category, scope)
            for right, scope in needs
            for name in principals
        )
        return tuple(dict.fromkeys(verdict.rule for verdict in verdicts))

    def _needs(self, change: Change, start: Start, head: CommitView) -> tuple[Need, ...]:
        if change.environment is not None:
            environments: tuple[str, ...] = (change.environment,)
        else:
            before = () if start.approver else (self.views[start.commit],)
            ids = (change.id,) if change.former is None else (change.id, change.former)
            reached = (charge.reaches(id, before, head, self.bench.environment) for id in ids)
            environments = tuple(dict.fromkeys(name for names in reached for name in names))
        return decide.needs_of(change, environments)

    def _unmoved(
        self, change: Change, subject: Subject, start: Start, needs: tuple[Need, ...]
    ) -> Account:
        """Who answers when no commit moved the subject: for a correction, who stands for it now."""
        head, applied = self.views[self.history.head], self.views[start.commit]
        moved = charge.state(head, subject) != charge.state(applied, subject)
        if moved or start.approver is not None:
            message = f"no commit explains the change of {change.id}"
            cause = Cause("", "AO530", message, hint="commit the content again, signed")
            return (taint.Charge("", None, (cause,)),)
        return (self._correction(change, head, needs),)

    def _correction(
        self, change: Change, head: CommitView, needs: tuple[Need, ...]
    ) -> taint.Charge:
        """Setting right what drifted: the head's signer answers, else the first approver.

        Commits on top that change nothing come after what they stand on: whoever approves a plan
        in one shall not be who answers for it, if somebody else can be.
        """
        bench = self.bench
        chain = (*self._below(head.commit), head.commit)
        sponsors = [(commit.id, bench.maker(commit).principal) for commit in chain]
        if self.introduction is not None:
            sponsors.append((self.introduction.commit, self.introduction.approver))
        for commit, principal in sponsors:
            if principal and decide.lacking(bench.grants, principal, needs) is None:
                return taint.Charge(commit, principal)
        message = f"{change.id} drifted, and nobody who may change it stands for setting it right"
        hint = "let somebody who holds the right sign the newest commit; it may be empty"
        return taint.Charge("", None, (Cause("", "AO534", message, hint=hint),))

    def _below(self, commit: Commit) -> tuple[Commit, ...]:
        """The commits below with the same tree, the lowest first."""
        found: list[Commit] = []
        while len(commit.parents) == 1 and commit.parents[0] in self.views:
            below = self.views[commit.parents[0]].commit
            if below.tree != commit.tree:
                break
            commit = below
            found.insert(0, commit)
        return tuple(found)

    def _late(self, change: Change, account: Account, needs: tuple[Need, ...]) -> tuple[Cause, ...]:
        """What the Manager will ask when it writes: do the makers hold what this change needs?

        It may need more than the commits did: a Project that was deleted behind the repository's
        back is updated in Git and created in the Manager.
        """
        makers = {one.principal: one.commit for one in account if one.principal}
        causes = (
            taint.refusal(self.bench.grants, principal, needs, change.id, commit)
            for principal, commit in makers.items()
        )
        return tuple(cause for cause in causes if cause is not None)


def _lost(unit: str, commit: str) -> Cause:
    message = f"{unit} needs commit {commit[:7]} to be judged, which is not in the history"
    return Cause(commit, "AO533", message, hint="fetch the whole history, or merge that commit in")
