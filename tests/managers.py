"""An embedded Manager with people in it, and short words for the batches that a run would write.

house.apply(house.created(an_ip_group()), by="ayse")      a run's batch, under the lease
house.manager                                             the open EmbeddedManager
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from apiops.manager import embedded, init
from apiops.model.access import Trust
from apiops.model.audit import AuditContext, Introduction, Reason, Source
from apiops.model.outcome import Outcome
from apiops.model.plan import Action, Change
from apiops.model.resource import LiveResource, Origin, Resource, ResourceId, state_digest
from apiops.model.revision import Revision
from apiops.model.secret import SecretLeaf, SecretValue
from apiops.model.token import Holder
from apiops.ports import Batch, Manager, Write
from tests.people import person

REPOSITORY = "5f1c6a0e" * 5
TARGET = "production"
ENVIRONMENT = "production"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that moves a microsecond per look, and further when it is told to."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        self.at += timedelta(microseconds=1)
        return self.at


def commit(number: int) -> str:
    return f"{number:040x}"


def revision(number: int) -> Revision:
    return Revision(commit(number), "refs/heads/main", f"{number:039x}7", f"Change {number}")


def a_context(by: str = "ayse", number: int = 1, run: str = "run-1", **more: Any) -> AuditContext:
    reason = Reason(f"Change {number}", commit(number), (commit(number),), by)
    return AuditContext(f"{by} <{by}@bank.example>", by, reason, run, Source.APPLY, **more)


def a_resource(
    kind: str, name: str, spec: Mapping[str, Any], project: str | None = "payments", **more: Any
) -> Resource:
    return Resource(ResourceId(kind, project, name), spec, Origin("x.yaml", "b" * 40), "c", **more)


def a_write(action: Action, resource: Resource, *, by: str = "ayse", **more: Any) -> Write:
    """A write of a resource; `serial`, `environment` and the like belong to the change."""
    ours = {name: more.pop(name) for name in ("secrets", "files", "context") if name in more}
    bare = {name: value for name, value in resource.spec.items() if name != "deployments"}
    if action not in (Action.DELETE, Action.UNDEPLOY):
        more.setdefault("digest", state_digest(bare, resource.labels))
    context = ours.pop("context", None) or a_context(by)
    principals = more.pop("principals", (by,))
    gone = action in (Action.DELETE, Action.UNDEPLOY)
    change = Change(action, resource.id, **more)
    return Write(change, None if gone else resource, principals, context, **ours)


def secret_resource(
    manager: Manager, value: str = "hunter2-plaintext", name: str = "app", **more: Any
) -> tuple[Resource, dict[str, SecretValue]]:
    """A Credential with a password, as it comes out of `reveal`, and its plaintexts."""
    plain = SecretValue(value)
    id = ResourceId("Credential", "payments", name)
    print_ = manager.fingerprint(id, "/password", ENVIRONMENT, plain)
    leaf = SecretLeaf(ENVIRONMENT, print_, "b10b" * 10, "secrets.yaml", "password", "c1")
    resource = a_resource("Credential", name, {"password": leaf.node(), **more})
    return resource, {"/password": plain}


def write_batch(
    manager: Manager,
    *writes: Write,
    unit: str = "payments",
    number: int = 1,
    base: int | None = None,
    fence: int | None = None,
    **more: Any,
) -> tuple[Outcome, ...]:
    """One run's batch for a unit, from commit `base` to commit `number`, under the lease."""
    fields: dict[str, Any] = {
        "repository": REPOSITORY,
        "target": TARGET,
        "unit": unit,
        "base": None if base is None else commit(base),
        "head": revision(number),
        "writes": writes,
        "context": a_context(number=number),
        "environment": ENVIRONMENT,
    }
    if fence is not None:
        return manager.write(Batch(**(fields | more), fence=fence))
    with manager.lease(f"{REPOSITORY}/{TARGET}", f"run-{number}") as held:
        return manager.write(Batch(**(fields | more), fence=held))


def settle(manager: Manager) -> None:
    """A first sync: ayse introduces, makes project payments, and owns it."""
    create = Action.CREATE
    write_batch(
        manager,
        a_write(create, a_resource("Environment", "production", {"type": "PRODUCTION"}, None)),
        a_write(create, a_resource("User", "mert", {"email": "mert@bank.example"}, None)),
        a_write(create, a_resource("Project", "payments", {"displayName": "Payments"}, None)),
        unit="system",
        introduction=Introduction(REPOSITORY, TARGET, commit(1), "ayse"),
    )
    owner = a_resource("Membership", "ayse", {"user": "ayse", "roles": ["Project Owner"]})
    write_batch(manager, a_write(create, owner))


def found(manager: Manager, id: ResourceId) -> LiveResource | None:
    live = manager.read(REPOSITORY, TARGET).resources
    return next((one for one in live if one.id == id), None)


def fill(manager: Manager) -> None:
    """A row in every governed table."""
    settle(manager)
    office = a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]})
    credential, plain = secret_resource(manager)
    proxy = a_resource("ApiProxy", "orders", {"type": "AI"})
    digest = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"
    write_batch(
        manager,
        a_write(Action.CREATE, office, files={digest: b"12345"}),
        a_write(Action.CREATE, credential, secrets=plain),
        a_write(Action.CREATE, proxy),
        a_write(Action.DEPLOY, proxy, environment="production"),
        base=1,
        number=2,
    )
    if isinstance(manager, embedded.EmbeddedManager):
        manager.tokens.create(
            Holder.PERSON, "ayse", "laptop", ("read",), timedelta(days=1), a_context()
        )


class House:
    """One initialised Manager in a database of its own."""

    def __init__(self, url: str, key_file: Path) -> None:
        self.url = url
        self.key_file = key_file
        self.clock = Clock()
        self.lineage = init.initialise(
            url,
            admin="ayse",
            admin_key_line=person("ayse").public_line,
            key_file=key_file,
            trust=Trust.SIGNED,
            clock=self.clock,
        )
        self._open: list[embedded.EmbeddedManager] = []
        self.manager = self.another()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for manager in self._open:
            manager.close()

    def another(self) -> embedded.EmbeddedManager:
        """One more open Manager on the same database, as another process would have."""
        manager = embedded.open_manager(self.url, key_file=self.key_file, clock=self.clock)
        self._open.append(manager)
        return manager

    @property
    def run(self) -> str:
        return uuid.uuid4().hex
