"""Readable values of the vocabulary with defaults, and hypothesis strategies for whole states.

A test says what it is about and leaves the rest to the builder:

    live = a_live([held(a_resource("IpGroup", "office", spec={"ipList": ["10.0.0.1"]}))])
    plan = planned([], live)
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from apiops.model.access import Grants
from apiops.model.audit import Applied, LedgerState
from apiops.model.plan import Action, Change, Plan
from apiops.model.resource import (
    Deployment,
    Desired,
    LiveResource,
    Origin,
    Resource,
    ResourceId,
    state_digest,
)
from apiops.model.revision import Revision
from apiops.model.secret import SecretLeaf
from apiops.plan import build
from apiops.ports import Live

REPOSITORY = "5f1c6a0e" * 5
OTHER_REPOSITORY = "0ddba11a" * 5
HEAD = Revision("8d2f01c9" * 5, "refs/heads/main", "7ree" * 10, "Raise order limits")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def an_id(
    kind: str = "ApiProxy", name: str = "orders", project: str | None = "payments"
) -> ResourceId:
    return ResourceId(kind, project, name)


def a_resource(
    kind: str = "ApiProxy",
    name: str = "orders",
    project: str | None = "payments",
    spec: Mapping[str, Any] | None = None,
    **more: Any,
) -> Resource:
    """A desired resource; `more` are further fields of `Resource`."""
    path = f"{project or 'system'}/{name}.yaml"
    more.setdefault("origin", Origin(path, "b10b" * 10))
    more.setdefault("content", state_digest(spec or {}, {}))
    return Resource(ResourceId(kind, project, name), spec or {}, **more)


def a_proxy(name: str = "orders", *environments: str, **spec: Any) -> Resource:
    """A proxy that is to run in the environments."""
    deployments = (
        {"deployments": [{"environment": e} for e in environments]} if environments else {}
    )
    return a_resource("ApiProxy", name, spec={"type": "REVERSE_PROXY", **spec, **deployments})


def an_ip_group(name: str = "office", *addresses: str, **more: Any) -> Resource:
    return a_resource("IpGroup", name, spec={"ipList": list(addresses)}, **more)


def a_leaf(fingerprint: str | None = "f1", **more: Any) -> dict[str, Any]:
    """A secret as it stands in a tree."""
    return SecretLeaf("production", fingerprint, **more).node()


def held(resource: Resource, *running: str, **more: Any) -> LiveResource:
    """A resource as the Manager holds it after we applied it, running as it is in `running`."""
    spec = {k: v for k, v in resource.spec.items() if k != "deployments"}
    digest = state_digest(spec, resource.labels)
    given: dict[str, Any] = {
        "digest": digest,
        "serial": 1,
        "owner": REPOSITORY,
        "applied": spec,
        "labels": resource.labels,
        "deployments": tuple(Deployment(environment, digest) for environment in running),
        "protected": resource.protected,
    }
    return LiveResource(resource.id, spec, **(given | more))


def a_desired(resources: Iterable[Resource] = (), **more: Any) -> Desired:
    ordered = tuple(sorted(resources, key=lambda r: r.id.order))
    return Desired("production", "production", ordered, **more)


def a_live(resources: Iterable[LiveResource] = (), **more: Any) -> Live:
    more.setdefault("grants", Grants((), {}, {}, {}, digest="9e44" * 16))
    more.setdefault("ledger", LedgerState())
    return Live("manager-1", tuple(resources), **more)


def applied(unit: str, commit: str = "a" * 40) -> Applied:
    """The record of a unit's last applied revision."""
    return Applied(unit, commit, "7ree" * 10, 1, "", "d1" * 32, NOON, "run-1")


def a_change(action: Action = Action.UPDATE, id: ResourceId | None = None, **more: Any) -> Change:
    return Change(action, id or an_id(), **more)


def a_plan(*changes: Change, **more: Any) -> Plan:
    """A plan with its digest; `more` are further fields of `Plan`."""
    fields: dict[str, Any] = {
        "repository": REPOSITORY,
        "target": "production",
        "environment": "production",
        "head": HEAD,
        "base": {},
        "lineage": "manager-1",
        "permissions": "9e44" * 16,
        "engine": "0.1.0",
        "changes": changes,
    }
    plan = Plan(**(fields | more))
    return Plan(**(fields | more | {"digest": build.digest(plan)}))


def built(desired: Desired | Iterable[Resource], live: Live, **more: Any) -> build.Built:
    """`build.build` with defaults; resources may be given in place of a desired state."""
    wish = desired if isinstance(desired, Desired) else a_desired(desired)
    given: dict[str, Any] = {
        "repository": REPOSITORY,
        "head": HEAD,
        "engine": "0.1.0",
        "locate": lambda _id, _path: None,
    }
    return build.build(wish, live, **(given | more))


def planned(desired: Desired | Iterable[Resource], live: Live, **more: Any) -> Plan:
    """The plan alone."""
    return built(desired, live, **more).plan
