"""What commits take away before they are applied: rights lost inside a range.

A grant counts from the next run on, a revocation at once: for every commit above it. A snapshot
is broken down into facts ("bob is a Developer in payments", "this key is bob's"); what a commit
loses of them is taken from the snapshot that commits above it are judged by.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from apiops.access import grants as snapshots
from apiops.access import roles
from apiops.access.identify import valid
from apiops.model.access import Grant, Grants, Right
from apiops.model.resource import JsonObject, ResourceId

Fact = (
    tuple[str, Grant] | tuple[str, str] | tuple[str, str, str] | tuple[str, str | None, str, Right]
)
Permissions = Mapping[ResourceId, JsonObject]


def lost(held: Grants, before: Permissions, after: Permissions, at: datetime) -> frozenset[Fact]:
    """The facts that hold with the resources `before` and no longer with those `after`.

    `held` completes what the repository does not describe: users, roles and teams of the Manager.
    """
    background = _background(held, before)
    return _facts(snapshots.build({**background, **before}.items()), at) - _facts(
        snapshots.build({**background, **after}.items()), at
    )


def without(held: Grants, facts: frozenset[Fact]) -> Grants:
    """The snapshot with these facts taken away."""
    if not facts:
        return held
    return snapshots.sealed(
        replace(
            held,
            grants=tuple(g for g in held.grants if ("grant", g) not in facts),
            roles={
                (project, name): frozenset(
                    r for r in rights if ("right", project, name, r) not in facts
                )
                for (project, name), rights in held.roles.items()
            },
            system_roles={
                user: frozenset(name for name in names if ("system", user, name) not in facts)
                for user, names in held.system_roles.items()
            },
            emails={
                address: user
                for address, user in held.emails.items()
                if ("email", address, user) not in facts
            },
            enabled=frozenset(user for user in held.enabled if ("enabled", user) not in facts),
        )
    )


def keys(facts: frozenset[Fact]) -> frozenset[str]:
    """The fingerprints among the lost facts; a person's key that becomes a forge's is lost too."""
    return frozenset(
        fact[1] for fact in facts if fact[0] in ("key", "forge") and isinstance(fact[1], str)
    )


def _facts(grants: Grants, at: datetime) -> frozenset[Fact]:
    facts: set[Fact] = {("grant", grant) for grant in grants.grants}
    facts |= {
        ("right", project, name, right)
        for (project, name), rights in grants.roles.items()
        for right in rights
    }
    facts |= {("system", user, n) for user, names in grants.system_roles.items() for n in names}
    facts |= {("email", address, user) for address, user in grants.emails.items()}
    facts |= {("enabled", user) for user in grants.enabled}
    facts |= {
        ("forge" if key.attests else "key", key.fingerprint, key.principal)
        for key in grants.keys.values()
        if valid(key, at) and not key.revoked
    }
    return frozenset(facts)


def _background(held: Grants, before: Permissions) -> dict[ResourceId, JsonObject]:
    """Stand-ins for what the Manager knows and the repository does not describe."""
    names: dict[ResourceId, JsonObject] = {
        ResourceId("User", None, user): {} for user in held.system_roles
    }
    names |= {
        ResourceId("Role", project, name): {}
        for project, name in held.roles
        if name not in roles.RAW
    }
    members: dict[ResourceId, list[JsonObject]] = {}
    for grant in held.grants:
        if grant.via and ResourceId("Team", None, grant.via) not in before:
            team = ResourceId("Team", grant.project, grant.via)
            members.setdefault(team, []).append({"user": grant.principal, "roles": [grant.role]})
    teams = {team: {"members": people} for team, people in members.items()}
    return {id: spec for id, spec in {**names, **teams}.items() if id not in before}
