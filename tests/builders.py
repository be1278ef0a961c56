"""Readable values of the vocabulary with defaults, and hypothesis strategies for whole states.

A test says what it is about and leaves the rest to the builder:

    live = a_live([held(a_resource("IpGroup", "office", spec={"ipList": ["10.0.0.1"]}))])
    plan = planned([], live)
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from apiops.model import resource as resource_words
from apiops.model.access import Grants
from apiops.model.audit import Applied, LedgerState
from apiops.model.kinds import KINDS, Home
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
from apiops.plan import build, graph
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
    held = tuple(resources)
    more.setdefault("environments", resource_words.environments(held))
    return Live("manager-1", held, **more)


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


# ── hypothesis: whole states ──────────────────────────────────────────────────────────────────

names = st.sampled_from(["alpha", "Alpha", "beta", "gamma"])
environments = st.sampled_from(["production", "test"])
projects = st.sampled_from(["cards", "payments"])
scalars = st.sampled_from([0, 1, 1.0, True, False, "", "on", "text", "${NAME}"])
documents = st.recursive(
    scalars | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
fingerprints = st.sampled_from(["FINGERPRINT-1", "FINGERPRINT-2", None])
leaves = st.builds(a_leaf, fingerprints, blob=st.sampled_from(["", "b1", "b2"]))


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def _named(fields: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A keyed list: items with a name of their own, in any order."""
    item = st.builds(lambda name, rest: {"name": name, **rest}, names, fields)
    return st.lists(item, max_size=3, unique_by=lambda item: item["name"])


_deployments = st.lists(environments, unique=True, max_size=2).map(
    lambda found: [{"environment": environment} for environment in found]
)

SPECS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "Environment": _optional(description=scalars),
    "User": _optional(email=scalars, systemRoles=st.lists(names, max_size=3)),
    "Team": _optional(members=st.lists(names, unique=True, max_size=2).map(lambda users: [{"user": user} for user in users])),
    "EnvironmentVariable": _optional(
        values=st.dictionaries(environments, st.builds(lambda leaf: {"value": leaf}, leaves | scalars))
    ),
    "IpGroup": _optional(ipList=st.lists(scalars, max_size=4), description=documents),
    "Connection": _optional(type=st.sampled_from(["kafka", "smtp"]), enabled=scalars),
    "ApiProxy": _optional(
        type=st.sampled_from(["AI", "MCP"]),
        description=documents,
        settings=_optional(
            connection=_optional(connectTimeout=scalars, readTimeout=scalars | st.none()),
            keys=_optional(publicKey=leaves, secretKey=leaves),
            cors=documents,
        ),
        policies=_optional(request=_named(_optional(type=names, spec=documents, token=leaves))),
        trafficLog=st.dictionaries(
            environments, _optional(connectors=st.dictionaries(names, documents, max_size=2))
        ),
        deployments=_deployments,
    ),
    "Credential": _optional(
        password=leaves,
        access=st.lists(names, unique=True, max_size=2).map(
            lambda found: [{"name": name, "type": "API_PROXY"} for name in found]
        ),
    ),
}  # fmt: skip
"""Kind → specs of it: not always sensible, always of the shape that plan relies on."""


@st.composite
def resources(draw: st.DrawFn) -> Resource:
    """Any desired resource of any of the kinds in `SPECS`."""
    kind = draw(st.sampled_from(sorted(SPECS)))
    project = None if KINDS[kind].home is Home.SYSTEM else draw(projects)
    return a_resource(
        kind,
        draw(names),
        project,
        draw(SPECS[kind]),
        labels=draw(st.dictionaries(names, names, max_size=1)),
        renamed_from=draw(
            st.lists(names | st.builds("{}/{}".format, projects, names), max_size=2).map(tuple)
        )
        if project
        else draw(st.lists(names, max_size=1).map(tuple)),
        protected=draw(st.booleans()),
    )


def _one_per_name(resource: Resource | LiveResource) -> ResourceId:
    return graph.fold(resource.id)


def desired_states(*, keyless: bool = True) -> st.SearchStrategy[Desired]:
    """Any desired state; without `keyless` every secret in it was opened."""
    found = resources() if keyless else resources().map(_opened)
    return st.lists(found, max_size=8, unique_by=_one_per_name).map(a_desired)


def _opened(resource: Resource) -> Resource:
    return replace(resource, spec=_open(resource.spec))


def _open(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {
            key: "FINGERPRINT-0" if key == "fingerprint" and value is None else _open(value)
            for key, value in node.items()
        }
    return [_open(item) for item in node] if isinstance(node, list) else node


@st.composite
def _live_resources(draw: st.DrawFn, resource: Resource) -> LiveResource:
    """A resource as it may be live: ours, another repository's or nobody's, changed or not.

    A Manager knows the fingerprint of every secret that it holds.
    """
    kind = resource.id.kind
    spec = draw(st.just(resource.spec) | SPECS[kind])
    running = draw(st.lists(environments, unique=True)) if kind == "ApiProxy" else []
    return held(
        replace(resource, spec=_open(spec), protected=draw(st.booleans())),
        *running,
        serial=draw(st.integers(1, 9)),
        owner=draw(st.sampled_from([REPOSITORY, REPOSITORY, REPOSITORY, OTHER_REPOSITORY, None])),
        applied=_open(draw(st.none() | st.just(resource.spec) | st.just(spec))),
    )


@st.composite
def worlds(draw: st.DrawFn, *, keyless: bool = True) -> tuple[Desired, Live]:
    """A desired state, and a live one that has some of it, some with other names, and more."""
    desired = draw(desired_states(keyless=keyless))
    known = [r for r in desired.resources if draw(st.booleans())]
    former = [
        replace(r, id=r.id.formerly(name))
        for r in desired.resources
        for name in r.renamed_from
        if draw(st.booleans())
    ]
    others = draw(st.lists(resources(), max_size=4))
    found = {graph.fold(r.id): r for r in (*others, *former, *known)}
    live = a_live([draw(_live_resources(resource)) for resource in found.values()])
    return desired, live
