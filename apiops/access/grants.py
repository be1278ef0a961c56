"""From resources to a permission snapshot: who there is, with which keys, and who was granted what.

Reads the specs of User, Role, Team and Membership, wherever they come from: the Manager's
tables, or a commit. What contradicts itself is left out and named in `Grants.faults`: a right
in doubt is no right.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from apiops.access import matrix, roles
from apiops.model import canonical, openpgp, sshkey
from apiops.model.access import Category, Grant, Grants, Key, Right, Verb
from apiops.model.resource import JsonObject, ResourceId

ENGINE = "apiops"
"""The engine's own identity: it may look at everything and change nothing. No User may have it."""

GIVES_RIGHTS = frozenset({"User", "Role", "Team", "Membership"})
"""The kinds that a snapshot is made from."""


def build(resources: Iterable[tuple[ResourceId, JsonObject]]) -> Grants:
    """The snapshot that these resources make. Resources of other kinds are passed over.

    Order does not matter. `digest` is over what the snapshot says, not over how it was written.
    """
    draft = _Draft()
    specs = sorted(
        ((id, spec) for id, spec in resources if id.kind in GIVES_RIGHTS),
        key=lambda pair: pair[0].order,
    )
    for id, spec in specs:
        if id.kind == "User":
            draft.user(id, spec)
        elif id.kind == "Role":
            draft.role(id, spec)
        elif id.kind == "Team":
            draft.teams[id.project, id.name] = spec
    for id, spec in specs:
        if id.kind == "Membership":
            draft.membership(id, spec)
    return sealed(draft.grants())


def sealed(grants: Grants) -> Grants:
    """The same snapshot with its digest."""
    tree = {
        "grants": sorted(
            [g.principal, g.role, g.project, sorted(g.environments), g.via] for g in grants.grants
        ),
        "roles": sorted(
            [project or "", role, sorted(str(right) for right in rights)]
            for (project, role), rights in grants.roles.items()
        ),
        "system": {name: sorted(held) for name, held in grants.system_roles.items()},
        "keys": sorted(
            [
                *(k.fingerprint, k.principal, k.valid_from, k.valid_until),
                *(k.revoked, k.attests, k.certificate),
            ]
            for k in grants.keys.values()
        ),
        "emails": dict(grants.emails),
        "enabled": sorted(grants.enabled),
    }
    return replace(grants, digest=canonical.digest(tree))


@dataclass(slots=True)
class _Draft:
    """The state of one build: what was read so far."""

    names: dict[str, str] = field(default_factory=dict)
    system_roles: dict[str, frozenset[str]] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    keys: dict[str, list[Key]] = field(default_factory=dict)
    emails: dict[str, set[str]] = field(default_factory=dict)
    roles: dict[tuple[str | None, str], frozenset[Right]] = field(default_factory=dict)
    teams: dict[tuple[str | None, str], JsonObject] = field(default_factory=dict)
    granted: set[Grant] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roles.update({(None, role): rights for role, rights in roles.EXPANDED.items()})

    def grants(self) -> Grants:
        return Grants(
            grants=tuple(sorted(self.granted, key=_order)),
            roles=self.roles,
            system_roles=self.system_roles,
            keys={print_: keys[0] for print_, keys in self.keys.items() if self._sole(print_)},
            emails={
                address: next(iter(owners))
                for address, owners in self.emails.items()
                if self._unshared(address, owners)
            },
            enabled=frozenset(self.enabled),
            faults=tuple(self.faults),
        )

    def user(self, id: ResourceId, spec: JsonObject) -> None:
        folded = id.name.casefold()
        if id.project is not None or folded == ENGINE or folded in self.names:
            self.faults.append(f"{id}: not a user's name, or there is one by this name already")
            return
        self.names[folded] = id.name
        held = frozenset(_texts(spec, "systemRoles"))
        for unknown in sorted(held - roles.SYSTEM_ROLES.keys()):
            self.faults.append(f"{id}: there is no system role {unknown}")
        self.system_roles[id.name] = held & roles.SYSTEM_ROLES.keys()
        attests = spec.get("attests", False) is not False
        if spec.get("enabled", True) is True and not attests:
            self.enabled.add(id.name)
        for address in (spec.get("email"), *_texts(spec, "identities")):
            if isinstance(address, str) and "@" in address:
                self.emails.setdefault(address.casefold(), set()).add(id.name)
        for number, entry in enumerate(_objects(spec, "keys")):
            self._key(id, number, entry, attests=attests)

    def _key(self, id: ResourceId, number: int, entry: JsonObject, *, attests: bool) -> None:
        try:
            fingerprint, certificate = _print(entry)
        except ValueError as fault:
            self.faults.append(f"{id}: keys[{number}] is left out: {fault}")
            return
        key = Key(
            fingerprint=fingerprint,
            principal=id.name,
            valid_from=str(entry.get("validFrom") or ""),
            valid_until=str(entry.get("validUntil") or ""),
            revoked=entry.get("revoked", False) is not False,
            certificate=certificate,
            attests=attests,
        )
        self.keys.setdefault(fingerprint, []).append(key)

    def _sole(self, fingerprint: str) -> bool:
        """A key listed twice proves nobody: whoever lists another's key must gain nothing."""
        owners = [key.principal for key in self.keys[fingerprint]]
        if len(owners) > 1:
            self.faults.append(f"key {fingerprint} is left out: listed by {' and '.join(owners)}")
        return len(owners) == 1

    def _unshared(self, address: str, owners: set[str]) -> bool:
        if len(owners) > 1:
            self.faults.append(
                f"address {address} is left out: used by {' and '.join(sorted(owners))}"
            )
        return len(owners) == 1

    def role(self, id: ResourceId, spec: JsonObject) -> None:
        if id.name in roles.RAW:
            self.faults.append(f"{id}: the built-in role of this name cannot be changed")
            return
        named = {
            right
            for entry in _objects(spec, "permissions")
            for action in _texts(entry, "actions")
            if (right := self._right(id, entry.get("category"), action)) is not None
        }
        self.roles[id.project, id.name] = matrix.expand(named)

    def _right(self, id: ResourceId, category: Any, action: str) -> Right | None:
        try:
            right = Right(Category(category), Verb(action))
        except ValueError:
            right = None
        if right not in roles.EVERYTHING:
            self.faults.append(f"{id}: there is no right {category}.{action}")
            return None
        return right

    def membership(self, id: ResourceId, spec: JsonObject) -> None:
        if id.project is None:
            self.faults.append(f"{id}: a membership belongs to a project")
            return
        environments = tuple(sorted(set(_texts(spec, "environments"))))
        if spec.get("environments") and not environments:
            self.faults.append(f"{id}: its environments cannot be read")
            return
        for principal, role, via in self._granted(id, spec):
            known = self.names.get(principal.casefold())
            if known is None:
                self.faults.append(f"{id}: there is no user {principal}")
            elif (id.project, role) not in self.roles and (None, role) not in self.roles:
                self.faults.append(f"{id}: there is no role {role}")
            else:
                self.granted.add(Grant(known, role, id.project, environments, via))

    def _granted(self, id: ResourceId, spec: JsonObject) -> Iterator[tuple[str, str, str | None]]:
        """User, role and team of everything that a membership gives."""
        given = _texts(spec, "roles")
        user, team = spec.get("user"), spec.get("team")
        if user:
            yield from ((str(user), role, None) for role in given)
        if not team:
            return
        found = self.teams.get((id.project, str(team))) or self.teams.get((None, str(team)))
        if found is None:
            self.faults.append(f"{id}: there is no team {team}")
            return
        for member in _objects(found, "members"):
            for role in dict.fromkeys((*given, *_texts(member, "roles"))):
                yield str(member.get("user", "")), role, str(team)


def _print(entry: JsonObject) -> tuple[str, str]:
    """A key's fingerprint and, of an OpenPGP one, its certificate. Raises ValueError."""
    certificate, line = str(entry.get("openpgp") or ""), str(entry.get("key") or "")
    if certificate and line:
        raise ValueError("it is two keys in one")
    print_ = openpgp.fingerprint(certificate) if certificate else sshkey.fingerprint(line)
    return print_, certificate


def _order(grant: Grant) -> tuple[str, str, str, tuple[str, ...], str]:
    return (
        grant.project or "",
        grant.principal,
        grant.role,
        grant.environments,
        grant.via or "",
    )


def _texts(tree: Mapping[str, Any], name: str) -> tuple[str, ...]:
    items = tree.get(name)
    return tuple(i for i in items if isinstance(i, str)) if isinstance(items, list | tuple) else ()


def _objects(tree: Mapping[str, Any], name: str) -> tuple[JsonObject, ...]:
    items = tree.get(name)
    if not isinstance(items, list | tuple):
        return ()
    return tuple(item for item in items if isinstance(item, Mapping))
