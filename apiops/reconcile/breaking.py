"""The gate for what a new API document breaks: compared with the one that was applied last.

Whether it stops a plan says the environment, as the Manager has it. A change that is meant is let
through by a line in the message of a commit that answers for it:

    apiops-break: ApiProxy/payments/orders partners were told, ticket 4711
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Final

from apiops.access import approval
from apiops.access.identify import Maker
from apiops.errors import SourceError
from apiops.model.access import Judgement
from apiops.model.breaking import Break, Breaking
from apiops.model.plan import Action, GuardFinding, Plan
from apiops.model.resource import JsonObject, Resource, ResourceId
from apiops.model.revision import Commit, Snapshot
from apiops.plan import build, guard
from apiops.ports import Live, Repository
from apiops.reconcile import concern
from apiops.spec import breaking, contract

KEY: Final = "apiops-break"
DOCUMENTED: Final = "ApiProxy"
"""The kind whose `source` is the document of an API."""

_FILE: Final = "/source/file"

Files = Callable[[Iterable[str]], Mapping[str, bytes]]
"""The files that the Manager has, by their SHA-256."""


def policy(live: Live, plan: Plan, id: ResourceId) -> str:
    """ALLOW, TELL or REFUSE, as the Manager has it: no commit changes it for its own batch.

    Of several environments in which the proxy will be another one, the strictest.
    """
    specs = (live.environments.get(name, {}) for name in concern.where(plan, id))
    said = {str(spec.get("breakingChanges") or "TELL") for spec in specs}
    return next(one for one in ("REFUSE", "TELL", "ALLOW") if one in said)


@dataclass(frozen=True, slots=True)
class Gate:
    """What is needed to compare: the documents as they shall be, and as they were applied.

    `base` maps a unit to the commit that it was applied at.
    """

    repository: Repository
    snapshot: Snapshot
    resources: Mapping[ResourceId, Resource]
    live: Live
    base: Mapping[str, str]

    def breaking(self, plan: Plan) -> Iterator[Breaking]:
        """What the changes break, resource by resource; nothing for what breaks nothing."""
        applied = {one.id: one.applied for one in self.live.resources if one.applied is not None}
        for change in plan.changes:
            resource = self.resources.get(change.id)
            before = applied.get(change.former or change.id)
            if change.action is not Action.UPDATE or change.id.kind != DOCUMENTED:
                continue
            if resource is None or before is None or policy(self.live, plan, change.id) == "ALLOW":
                continue
            old, new = _source(before), _source(resource.spec)
            if old.get("fileDigest") != new.get("fileDigest"):
                breaks = self._breaks(change.id, resource, str(old.get("fileDigest")))
                if breaks:
                    yield Breaking(change.id, breaks)

    def _breaks(self, id: ResourceId, resource: Resource, digest: str) -> tuple[Break, ...]:
        file = resource.files.get(_FILE)
        if file is None:  # the Manager fetches it by itself: nobody here sees what it says
            return ()
        new = contract.read(self.snapshot.read(file.blob), file.path)
        content = self._applied(id.unit, file.path, digest)
        old = None if content is None else contract.read(content, file.path)
        if old is not None and new is not None:
            return breaking.compare(old, new)
        if old is None and (content is not None or new is None):
            return ()  # it was no OpenAPI document, or is none now and nobody knows what it was
        what = "is not where it was applied" if content is None else "cannot be read"
        found = Break(breaking.NOT_COMPARABLE, f"its document {what}", contract.place(file.path))
        return (found,)

    def _applied(self, unit: str, path: str, digest: str) -> bytes | None:
        """The document with that digest in the tree that the unit was applied at."""
        with suppress(SourceError):
            revision = self.repository.resolve(self.base.get(unit, ""))
            there = self.repository.snapshot(revision)
            kind = PurePosixPath(path).suffix
            others = (name for name in there.files if PurePosixPath(name).suffix == kind)
            for name in dict.fromkeys((path, *others)):
                content = there.read(there.files[name].blob) if name in there.files else b""
                if hashlib.sha256(content).hexdigest() == digest:
                    return content
        return None


def going_back(
    plan: Plan, live: Live, results: Mapping[ResourceId, JsonObject], files: Files
) -> Iterator[Breaking]:
    """What the way back breaks where that is refused, by the documents that the Manager kept."""
    held = {one.id: one.spec for one in live.resources}
    for change in plan.changes:
        if change.action is not Action.UPDATE or change.id.kind != DOCUMENTED:
            continue
        old = _source(held.get(change.former or change.id, {}))
        new = _source(results.get(change.id, {}))
        digests = [str(one.get("fileDigest")) for one in (old, new)]
        if digests[0] == digests[1] or policy(live, plan, change.id) != "REFUSE":
            continue
        kept, name = files(digests), str(new.get("file", ""))
        was, now = (contract.read(kept.get(one, b""), name) for one in digests)
        breaks = breaking.compare(was, now) if was is not None and now is not None else ()
        if breaks:
            yield Breaking(change.id, breaks)


def meant(
    found: Iterator[Breaking],
    judgements: tuple[Judgement, ...],
    commits: Mapping[str, Commit],
    maker: Callable[[Commit], Maker],
) -> tuple[Breaking, ...]:
    """With the reasons that are given in the messages of commits that answer for the changes.

    It must be the own signed word of somebody who answers: not in a commit that somebody else had
    to approve, nor in a message that a forge signed for whoever wrote the pull request.
    """
    answering = {one.change.id: one for one in judgements if one.allowed}

    def said(one: Breaking) -> Iterator[Commit]:
        judgement = answering.get(one.id)
        for id in judgement.charged if judgement else ():
            by = maker(commits[id]) if id in commits else Maker(None)
            if judgement and by.approves and by.principal in judgement.principals:
                yield commits[id]

    return tuple(replace(one, reason=_reason(one, said(one))) for one in found)


def gated(plan: Plan, found: tuple[Breaking, ...], allow: frozenset[str]) -> Plan:
    """The plan with what the gate says of it, under a digest of its own."""
    if not found:
        return plan
    findings = tuple(
        _finding(one, overridden=bool(one.reason) or guard.BREAKING in allow) for one in found
    )
    guarded = replace(plan, guards=(*plan.guards, *findings))
    return replace(guarded, digest=build.digest(guarded))


def _finding(found: Breaking, *, overridden: bool) -> GuardFinding:
    more = len(found.breaks) - 1
    rest = f" (and {more} more)" if more else ""
    meant = f"; it is meant: {found.reason}" if found.reason else ""
    message = f"{found.id} breaks those who call it: {found.breaks[0].message}{rest}{meant}"
    return GuardFinding("AO618", guard.BREAKING, message, found.id.unit, overridden)


def _reason(found: Breaking, commits: Iterable[Commit]) -> str:
    for commit in commits:
        for said in sorted(approval.named(commit.message, KEY)):
            name, _, why = said.partition(" ")
            if name == str(found.id) and why.strip():
                return why.strip()
    return ""


def _source(spec: JsonObject) -> Mapping[str, Any]:
    source = spec.get("source")
    return source if isinstance(source, Mapping) else {}
