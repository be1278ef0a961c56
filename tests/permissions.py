"""People, grants and histories for tests of permission, without Git.

`WORLD` has people in all three tiers. `Story` writes a history commit by commit, each signed by
somebody, and asks for the verdicts on what its head would change.
"""

import base64
import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from apiops.access import grants, judge
from apiops.model import sshkey
from apiops.model.access import Grants, Judgement, Trust, Verdicts
from apiops.model.audit import Introduction
from apiops.model.plan import Action, Change, Plan
from apiops.model.resource import JsonObject, ResourceId
from apiops.model.revision import (
    Commit,
    CommitView,
    Evidence,
    History,
    Revision,
    Signature,
    SignatureStatus,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def public_key(seed: str) -> str:
    """A well-formed Ed25519 public key line. Nobody has its private half."""
    point = hashlib.sha256(seed.encode()).digest()
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (b"ssh-ed25519", point))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {seed}"


def user(name: str, *system_roles: str, **more: Any) -> tuple[ResourceId, JsonObject]:
    spec = {
        "email": f"{name}@bank.example",
        "keys": [{"key": public_key(name)}],
        "systemRoles": list(system_roles),
        "enabled": True,
    }
    return ResourceId("User", None, name), {**spec, **more}


def member(
    project: str, name: str, *roles: str, environments: Iterable[str] = ()
) -> tuple[ResourceId, JsonObject]:
    spec = {"user": name, "roles": list(roles), "environments": list(environments)}
    return ResourceId("Membership", project, name), spec


def team(
    name: str, members: Mapping[str, Iterable[str]], project: str | None = None
) -> tuple[ResourceId, JsonObject]:
    people = [{"user": user, "roles": list(roles)} for user, roles in members.items()]
    return ResourceId("Team", project, name), {"members": people}


def team_member(project: str, name: str, *roles: str) -> tuple[ResourceId, JsonObject]:
    return ResourceId("Membership", project, f"team-{name}"), {"team": name, "roles": list(roles)}


def role(name: str, project: str | None, **rights: Iterable[str]) -> tuple[ResourceId, JsonObject]:
    permissions = [{"category": c, "actions": list(actions)} for c, actions in rights.items()]
    return ResourceId("Role", project, name), {"permissions": permissions}


WORLD: dict[ResourceId, JsonObject] = dict(
    [
        user("root", "sysAdmin"),
        user("pm", "sysProjectManager"),
        user("ann", "sysAnalyzer"),
        user("alice"),
        user("bob"),
        user("bea"),
        user("carol"),
        user("mallory"),
        user("gone", enabled=False),
        member("payments", "alice", "Project Owner"),
        member("payments", "bob", "API Developer"),
        member("payments", "bea", "API Developer", environments=["dev", "test"]),
        member("payments", "gone", "Project Owner"),
        member("cards", "carol", "Project Owner"),
    ]
)


def proxy(name: str, project: str = "payments") -> ResourceId:
    return ResourceId("ApiProxy", project, name)


ORDERS = proxy("orders")
REFUNDS = proxy("refunds")
CARDS = proxy("cards-api", "cards")


@dataclass
class Story:
    """A history being written, for one target.

    `content` of a commit is that of its first parent with the edits on top (None deletes);
    `merge` takes it whole. Every commit is named, so a test can read it.
    """

    environment: str = "production"
    commits: dict[str, CommitView] = field(default_factory=dict)
    tip: str = ""
    trust: Trust = Trust.SIGNED

    def view(self, name: str) -> CommitView:
        return self.commits[name]

    def commit(
        self,
        name: str,
        by: str,
        edits: Mapping[ResourceId, str | None] | None = None,
        *,
        on: str | None = None,
        message: str = "",
        status: SignatureStatus = SignatureStatus.GOOD,
        deploys: Mapping[ResourceId, tuple[str, ...]] | None = None,
        rights: Mapping[ResourceId, JsonObject | None] | None = None,
        broken: Mapping[str, str] | None = None,
        key: str | None = None,
        committer: str | None = None,
    ) -> "Story":
        """Commit on top of `on` (default: the tip; nothing for a root)."""
        parent = self.tip if on is None else on
        before = self.commits[parent] if parent else None
        content = _patched(before.content if before else {}, edits or {})
        permissions = _patched(before.permissions if before else {}, rights or {})
        for id in rights or {}:
            content = _patched(content, {id: _hash(permissions.get(id))})
        deployments = {**(before.deployments if before else {}), **(deploys or {})}
        commit = _commit(name, (parent,) if parent else (), by, message, status, key, committer)
        self.commits[name] = CommitView(commit, content, deployments, permissions, broken or {})
        self.tip = name
        return self

    def merge(
        self,
        name: str,
        by: str,
        parents: tuple[str, ...],
        content: Mapping[ResourceId, str | None] | None = None,
        *,
        take: int | None = None,
        message: str = "",
        rights: Mapping[ResourceId, JsonObject | None] | None = None,
    ) -> "Story":
        """Merge. Clean per resource, unless `take` names the parent whose tree is kept whole.

        `content` are edits on top of that, as an evil merge has them.
        """
        views = [self.commits[parent] for parent in parents]
        bases = self._bases(*parents[:2])
        commit = replace(_commit(name, parents, by, message), bases=bases)
        if take is None:
            below = [self.commits[base] for base in bases]
            merged = _three_way([v.content for v in views], [b.content for b in below])
            permissions = _three_way([v.permissions for v in views], [b.permissions for b in below])
        else:
            merged, permissions = dict(views[take].content), dict(views[take].permissions)
        permissions = _patched(permissions, rights or {})
        edits = {**{id: _hash(permissions.get(id)) for id in rights or {}}, **(content or {})}
        deployments = {id: at for view in views for id, at in view.deployments.items()}
        self.commits[name] = CommitView(commit, _patched(merged, edits), deployments, permissions)
        self.tip = name
        return self

    def ancestors(self, name: str) -> set[str]:
        found, queue = set(), [name]
        while queue:
            at = queue.pop()
            if at not in found:
                found.add(at)
                queue += self.commits[at].commit.parents
        return found

    def _bases(self, left: str, right: str) -> tuple[str, ...]:
        shared = self.ancestors(left) & self.ancestors(right)
        best = [c for c in shared if not any(c in self.ancestors(d) - {d} for d in shared)]
        return tuple(sorted(best))

    def history(self, base: Mapping[str, str], introduction: str | None = None) -> History:
        """As `reconcile.history` collects it: what every start excludes is boundary only."""
        starts = {*base.values(), *([introduction] if introduction else ())}
        reach = self.ancestors(self.tip)
        inside: set[str] = set()
        for start in starts:
            inside |= reach - (self.ancestors(start) if start in self.commits else set())
        views = tuple(view for name, view in self.commits.items() if name in inside)
        edges = {e for v in views for e in (*v.commit.parents, *v.commit.bases)} | starts
        boundary = {e: self.commits[e] for e in edges - inside if e in self.commits}
        return History(self.tip, dict(base), views, boundary)

    def plan(self, changes: Iterable[Change], base: Mapping[str, str]) -> Plan:
        head = Revision(self.tip, "refs/heads/main", self.tip)
        return Plan(
            "lineage", "target", self.environment, head, base, "manager", "", "0", tuple(changes)
        )

    def changes(self, base: Mapping[str, str]) -> tuple[Change, ...]:
        """What a plan has when the Manager is exactly at the bases."""
        head = self.commits[self.tip]
        ids = {id for view in self.commits.values() for id in view.content}
        changes = []
        for id in sorted(ids, key=attrgetter("order")):
            applied = self.commits[base[id.unit]] if id.unit in base else None
            was = applied.content.get(id) if applied else None
            now = head.content.get(id)
            if was != now:
                action = (
                    Action.CREATE
                    if was is None
                    else Action.DELETE
                    if now is None
                    else Action.UPDATE
                )
                changes.append(Change(action, id))
            ran = bool(applied and was and self.environment in applied.deployments.get(id, ()))
            runs = bool(now and self.environment in head.deployments.get(id, ()))
            if ran != runs or (runs and was != now):
                deploy = Action.DEPLOY if runs else Action.UNDEPLOY
                changes.append(Change(deploy, id, self.environment))
        return tuple(changes)

    def judge(
        self,
        base: str | Mapping[str, str],
        world: Mapping[ResourceId, JsonObject] = WORLD,
        *,
        changes: Iterable[Change] | None = None,
        introduction: tuple[str, str] | None = None,
        at: datetime = NOW,
        evidence: Evidence | None = None,
    ) -> Verdicts:
        """The verdicts on the tip, for units that were applied at `base` (one for all, or each)."""
        units = {id.unit for view in self.commits.values() for id in view.content}
        bases = dict.fromkeys(units, base) if isinstance(base, str) else dict(base)
        plan = self.plan(self.changes(bases) if changes is None else changes, bases)
        begun = Introduction("lineage", "target", *introduction) if introduction else None
        history = self.history(bases, introduction[0] if introduction else None)
        return judge.judge(
            plan, history, snapshot(world), self.trust, begun, at=at, evidence=evidence
        )


def snapshot(world: Mapping[ResourceId, JsonObject] = WORLD) -> Grants:
    return grants.build(world.items())


def of(verdicts: Verdicts, id: ResourceId, action: Action | None = None) -> Judgement:
    """The one judgement on a resource (and action)."""
    (found,) = (
        j
        for j in verdicts.judgements
        if j.change.id == id
        and (j.change.action is action if action else j.change.environment is None)
    )
    return found


def codes(judgement: Judgement) -> tuple[str, ...]:
    return tuple(cause.code for cause in judgement.causes)


def _commit(
    name: str,
    parents: tuple[str, ...],
    by: str,
    message: str = "",
    status: SignatureStatus = SignatureStatus.GOOD,
    key: str | None = None,
    committer: str | None = None,
) -> Commit:
    fingerprint = sshkey.fingerprint(public_key(key or by)) if by else ""
    signature = Signature(
        status if by else SignatureStatus.UNSIGNED,
        fingerprint if status is SignatureStatus.GOOD else "",
    )
    who = committer or f"{by or 'nobody'} <{by or 'nobody'}@bank.example>"
    text = f"Commit {name}\n\n{message}".strip() + "\n"
    return Commit(name, parents, f"tree-{name}", f"Commit {name}", text, who, who, NOW, signature)


def _patched(tree: Mapping[Any, Any], edits: Mapping[Any, Any]) -> dict[Any, Any]:
    return {id: value for id, value in {**tree, **edits}.items() if value is not None}


def _hash(spec: JsonObject | None) -> str | None:
    return None if spec is None else hashlib.sha256(repr(sorted(spec.items())).encode()).hexdigest()


def _three_way(sides: list[Mapping[Any, Any]], bases: list[Mapping[Any, Any]]) -> dict[Any, Any]:
    """The clean result; the first side wins a conflict."""
    merged = {}
    for id in {id for side in sides for id in side}:
        values = [side.get(id) for side in sides]
        moved = [v for v in values if any(v != base.get(id) for base in bases) or not bases]
        value = moved[0] if moved else values[0]
        if value is not None:
            merged[id] = value
    return merged
