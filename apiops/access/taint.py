"""Charges carried through a history: which commits stand behind each subject, and what is wrong.

An account lists the commits that brought a subject from its applied content to where it is. One
charge without a right taints it, and no later edit washes that away: only the applied content
itself, or an approval by somebody who holds the right for the whole step. How accounts meet in
a merge: docs/adr/0006-charges-and-taint.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from apiops.access import approval, charge, decide, revocation
from apiops.access.charge import Subject
from apiops.access.identify import Maker, identify
from apiops.model import sharing
from apiops.model.access import Cause, Grants, Need, Trust
from apiops.model.resource import JsonObject, ResourceId
from apiops.model.revision import Commit, CommitView, Evidence, History
from apiops.model.sharing import Shared


@dataclass(frozen=True, slots=True)
class Charge:
    """A commit that answers for a subject, its maker, and why it may not (empty: it may).

    An approval stands for the commits that it approved.
    """

    commit: str
    principal: str | None
    causes: tuple[Cause, ...] = ()
    stands_for: tuple[str, ...] = ()


Account = tuple[Charge, ...]
"""The charges behind a subject's content, oldest first; empty while it is as applied."""


@dataclass(frozen=True, slots=True)
class Start:
    """From where a unit is judged: its last applied commit, or the introduction.

    Nothing was applied at an introduction; its approver answers for all that it describes.
    """

    commit: str
    approver: str | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What a history is judged with: the grants held before it, how makers are known, and when."""

    grants: Grants
    trust: Trust
    at: datetime
    environment: str
    evidence: Evidence = field(default_factory=dict)

    def maker(self, commit: Commit) -> Maker:
        """Who made a commit, by the grants that were held before the history."""
        return identify(commit, self.grants, self.trust, self.at, evidence=self.evidence)


def tainted(account: Account) -> bool:
    """Whether any charge lacks a right."""
    return any(charge.causes for charge in account)


def join(accounts: Iterable[Account]) -> Account:
    """All charges of several accounts, each once."""
    return tuple(dict.fromkeys(charge for account in accounts for charge in account))


def ancestors(views: Mapping[str, CommitView], commit: str) -> frozenset[str]:
    """The commits reachable from `commit` among those that are known, itself included."""
    found: set[str] = set()
    queue = [commit]
    while queue:
        at = queue.pop()
        if at in views and at not in found:
            found.add(at)
            queue += views[at].commit.parents
    return frozenset(found)


def walk(
    history: History,
    starts: Mapping[str, Start],
    subjects: Iterable[Subject],
    bench: Bench,
) -> Callable[[Subject], Account]:
    """Judge every commit, parents first; gives the account of a subject at the head.

    `starts` has the units to judge; every parent and merge base is in the history.
    """
    if not starts:
        return lambda _: ()
    walker = _Walker(history, starts, bench)
    walker.look_at(subjects)
    for view in history.views:
        walker.visit(view)
    return lambda subject: walker.account(history.head, subject)


def lost(history: History, starts: Mapping[str, Start], bench: Bench) -> frozenset[revocation.Fact]:
    """What the commits up to the head have taken away with the right to do so.

    Given back in the same history it stays lost: whatever gives rights counts from the next on.
    """
    walker = _Walker(history, starts, bench)
    walker.look_at(())
    for view in history.views:
        walker.visit(view)
    return walker.lost(history.head)


_NO_ACCOUNTS: Final[Shared[Subject, Account]] = Shared.of({})


class _Walker:
    """The state of one walk: per commit the accounts that are not empty, and the rights lost."""

    def __init__(self, history: History, starts: Mapping[str, Start], bench: Bench) -> None:
        self._bench = bench
        self._starts = starts
        self._range = history.views
        self._views = {**history.boundary, **{view.commit.id: view for view in history.views}}
        inside = frozenset(view.commit.id for view in history.views)
        self._begun: dict[str, dict[str, None]] = {}
        for unit, start in starts.items():
            self._begun.setdefault(start.commit, {})[unit] = None
        self._inside = {at: inside - ancestors(self._views, at) for at in self._begun}
        self._subjects: dict[str, dict[ResourceId, dict[Subject, None]]] = {u: {} for u in starts}
        self._accounts: dict[str, Shared[Subject, Account]] = {}
        self._lost: dict[str, frozenset[revocation.Fact]] = {}
        self._reduced: dict[frozenset[revocation.Fact], Grants] = {}

    def look_at(self, subjects: Iterable[Subject]) -> None:
        """Follow these subjects, and every resource that gives rights and moves in the range."""
        rights = (
            Subject(id)
            for view in self._range
            for parent in view.commit.parents
            for id in _moved(view.permissions, self._views[parent].permissions)
        )
        for subject in (*subjects, *rights):
            if subject.id.unit in self._subjects:
                self._subjects[subject.id.unit].setdefault(subject.id, {})[subject] = None

    def visit(self, view: CommitView) -> None:
        """Judge one commit; its parents were visited before."""
        commit = view.commit
        lost = frozenset(
            fact for parent in commit.parents for fact in self._lost.get(parent, frozenset())
        )
        grants = self._without(lost)
        revoked = revocation.keys(lost)
        bench = self._bench
        maker = identify(commit, grants, bench.trust, bench.at, revoked, bench.evidence)
        approved = approval.named(commit.message)
        stirred = None if approved else self._stirred(view)
        before = None if stirred is None else self._accounts.get(commit.parents[0])
        judged: dict[Subject, Account] = {}
        for subject in self._open(commit, stirred):
            account = self._judge(view, subject, maker, grants)
            if approved and str(subject.id) in approved:
                account = self._approve(view, subject, maker, grants, account)
            judged[subject] = account
        kept = {subject: account or None for subject, account in judged.items()}
        self._accounts[commit.id] = (before or _NO_ACCOUNTS).put(kept)
        self._lost[commit.id] = lost | self._revoked(view, judged)

    def _stirred(self, view: CommitView) -> frozenset[ResourceId] | None:
        """The resources that differ from the one parent; None when all must be looked at."""
        if len(view.commit.parents) != 1:
            return None
        parent = self._views[view.commit.parents[0]]
        if view.broken or parent.broken:
            return None
        content = sharing.differing(view.content, parent.content)
        return frozenset(content | sharing.differing(view.deployments, parent.deployments))

    def _open(self, commit: Commit, stirred: frozenset[ResourceId] | None) -> Iterator[Subject]:
        """The subjects to judge at a commit; the others are as at its parent."""
        for start, units in self._begun.items():
            inside = self._inside[start]
            if commit.id not in inside:
                continue
            if stirred is None or commit.parents[0] not in inside:
                for unit in units:
                    for subjects in self._subjects[unit].values():
                        yield from subjects
            else:
                for id in stirred:
                    if id.unit in units:
                        yield from self._subjects[id.unit].get(id, ())

    def account(self, commit: str, subject: Subject) -> Account:
        """The account of a subject at a commit: inside its unit's range, or where that begins."""
        start = self._starts[subject.id.unit]
        if commit in self._inside[start.commit]:
            return self._accounts[commit].get(subject, ())
        view = self._views[commit]
        if start.approver is None or commit != start.commit:
            return ()
        if charge.state(view, subject) is None:
            return ()
        return (self._charge(view, subject, Maker(start.approver), self._bench.grants, ()),)

    def lost(self, commit: str) -> frozenset[revocation.Fact]:
        """What does not count any more above a commit."""
        return self._lost.get(commit, frozenset())

    def _judge(self, view: CommitView, subject: Subject, maker: Maker, grants: Grants) -> Account:
        """The account of a subject at a commit, from those of its parents."""
        now = charge.state(view, subject)
        applied = self._applied(subject)
        if applied is not None and now == charge.state(applied, subject):
            return ()
        trace = charge.trace(view, subject, self._views)
        accounts = [self.account(parent, subject) for parent in trace.inherits]
        same = all(charge.state(self._views[p], subject) == now for p in trace.inherits)
        account = _meet(accounts) if same else join(accounts)
        if not trace.charged:
            return account
        parents = tuple(self._views[parent] for parent in view.commit.parents)
        return (*account, self._charge(view, subject, maker, grants, parents))

    def _applied(self, subject: Subject) -> CommitView | None:
        """The commit whose content of the subject was applied last, if any was."""
        start = self._starts[subject.id.unit]
        return self._views[start.commit] if start.approver is None else None

    def _charge(
        self,
        view: CommitView,
        subject: Subject,
        maker: Maker,
        grants: Grants,
        before: tuple[CommitView, ...],
    ) -> Charge:
        if maker.principal is None:
            return Charge(view.commit.id, None, (maker.cause,) if maker.cause else ())
        needs = charge.needs(subject, before, view, self._bench.environment)
        cause = refusal(grants, maker.principal, needs, subject.id, view.commit.id)
        return Charge(view.commit.id, maker.principal, (cause,) if cause else ())

    def _approve(
        self,
        view: CommitView,
        subject: Subject,
        maker: Maker,
        grants: Grants,
        account: Account,
    ) -> Account:
        """The account after a word of approval: by somebody with the right, it clears the taint."""
        if not tainted(account):
            return account
        commit = view.commit
        own = approval.own(commit)
        if maker.principal is None or not maker.approves or not own:
            message = f"the approval in {commit.id[:7]} is not a person's own signed word"
            message += "" if own else f": {commit.author} wrote it, {commit.committer} took it over"
            refused = Cause(commit.id, "AO521", message, maker.principal, hint=_APPROVE)
            return (*account, Charge(commit.id, maker.principal, (refused,)))
        applied = self._applied(subject)
        needs = charge.needs(subject, (applied,) if applied else (), view, self._bench.environment)
        cause = refusal(grants, maker.principal, needs, subject.id, commit.id, code="AO521")
        if cause:
            return (*account, Charge(commit.id, maker.principal, (cause,)))
        behind = dict.fromkeys(c for charge in account for c in (*charge.stands_for, charge.commit))
        return (Charge(commit.id, maker.principal, stands_for=tuple(behind)),)

    def _revoked(
        self, view: CommitView, judged: Mapping[Subject, Account]
    ) -> frozenset[revocation.Fact]:
        """What the commit takes away with the right to do so."""
        facts: frozenset[revocation.Fact] = frozenset()
        for before, after in self._steps(view, judged):
            facts |= revocation.lost(self._bench.grants, before, after, self._bench.at)
        return facts

    def _steps(
        self, view: CommitView, judged: Mapping[Subject, Account]
    ) -> Iterator[tuple[revocation.Permissions, revocation.Permissions]]:
        """The authorised steps of a commit between states of what gives rights."""
        own = {
            subject.id: account[-1]
            for subject, account in judged.items()
            if account and account[-1].commit == view.commit.id and not account[-1].causes
        }
        for parent in view.commit.parents:
            before = self._views[parent].permissions
            moved = _moved(view.permissions, before)
            changes = {id: view.permissions.get(id) for id in moved if id in own}
            if changes:
                yield before, _patched(before, changes)
        undone: dict[ResourceId, JsonObject | None] = {}
        for id, charged in own.items():
            applied = self._applied(Subject(id))
            if charged.stands_for and applied is not None:
                undone[id] = applied.permissions.get(id)
        if undone:
            yield _patched(view.permissions, undone), view.permissions

    def _without(self, lost: frozenset[revocation.Fact]) -> Grants:
        if lost not in self._reduced:
            self._reduced[lost] = revocation.without(self._bench.grants, lost)
        return self._reduced[lost]


_APPROVE = "ask one of those who could to approve it: `apiops-approve: KIND/PROJECT/NAME`"


def refusal(
    grants: Grants,
    principal: str,
    needs: Iterable[Need],
    id: ResourceId,
    commit: str,
    code: str = "AO520",
) -> Cause | None:
    """Why the principal may not do what a commit does to a resource; None when it may."""
    verdict = decide.lacking(grants, principal, needs)
    if verdict is None:
        return None
    word = "approve" if code == "AO521" else "change"
    message = (
        f"{principal} may not {word} {id} (commit {commit[:7]}): "
        f"{verdict.explanation} ({verdict.rule})"
    )
    return Cause(commit, code, message, principal, verdict, _APPROVE)


def _meet(accounts: list[Account]) -> Account:
    """Sides of a merge that agree: clean if one that brought the content is clean.

    A side that never touched the subject brought nothing and vouches for nothing: otherwise old
    content could be smuggled back by merging a branch that still has it.
    """
    brought = [account for account in accounts if account]
    return join([account for account in brought if not tainted(account)] or brought)


def _moved(one: revocation.Permissions, other: revocation.Permissions) -> tuple[ResourceId, ...]:
    return tuple(sharing.differing(one, other))


def _patched(
    permissions: revocation.Permissions, changes: Mapping[ResourceId, JsonObject | None]
) -> revocation.Permissions:
    merged = {**permissions, **changes}
    return {id: spec for id, spec in merged.items() if spec is not None}
