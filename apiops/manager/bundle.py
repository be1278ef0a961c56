"""What runs in an environment, for its workers: the deployed configuration, secrets opened.

Beside the audited export the only place where secrets are opened. In it are: each resource that
is deployed there, as it was when it was deployed; and, of the projects that have one, what workers
receive without a deploy (connections, credentials, keys, variables, policies), as it is now. What
belongs to other environments is taken out, plain or secret. Permission is decided and the fetch
is recorded before anything is unsealed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, Connection, Engine, select

from apiops.access import decide
from apiops.access.grants import ENGINE, GIVES_RIGHTS
from apiops.errors import AccessDenied
from apiops.manager import audit, faults, fieldcrypt, secretfields, state, tables
from apiops.manager.fieldcrypt import Place, SealedText
from apiops.manager.keyring import Ring
from apiops.manager.state import Held
from apiops.manager.store import Clock, Store
from apiops.model import canonical, entitlement
from apiops.model.access import Grants, Tier
from apiops.model.audit import AuditContext
from apiops.model.kinds import KINDS
from apiops.model.resource import JsonObject, ResourceId
from apiops.model.secret import SecretValue

Sealed = Mapping[tuple[str, str], tuple[SealedText, str]]
"""Row of the resource and pointer → token and fingerprint."""


@dataclass(frozen=True, slots=True)
class Part:
    """One resource of a bundle. `revision` is the deployment's, 0 for what needs none.

    `spec` has leaves where secrets stand; `secrets` are the plaintexts by pointer. A secret that
    was changed since the deployment cannot be opened as it was: `outdated` names those.
    """

    id: ResourceId
    spec: JsonObject
    labels: Mapping[str, str]
    revision: int
    secrets: Mapping[str, SecretValue] = field(default_factory=dict, repr=False)
    outdated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that an environment's workers need, and its digest."""

    environment: str
    digest: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part before its secrets are opened, and the row that they hang on."""

    held: Held
    spec: JsonObject
    labels: Mapping[str, str]
    revision: int


class Bundles:
    """The bundles of one Manager's environments."""

    def __init__(self, url: URL, reading: Engine, store: Store, ring: Ring, clock: Clock) -> None:
        self._url = url
        self._reading = reading
        self._store = store
        self._ring = ring
        self._clock = clock

    def digest(self, environment: str, context: AuditContext) -> str:
        """Identifies what a fetch would give now; opens nothing. Raises AccessDenied."""
        with faults.translated(self._url), self._reading.connect() as connection:
            grants = self._store.knowledge.at(connection).grants
            needs = decide.need_for_bundle(environment)
            if decide.lacking(grants, context.principal, needs) is None:
                return _digest(environment, _pieces(connection, grants, environment))
        return self.fetch(environment, context).digest  # which denies, and records it

    def fetch(self, environment: str, context: AuditContext) -> Bundle:
        """The bundle, its secrets opened. Raises AccessDenied (recorded), SecretError."""
        try:
            with faults.translated(self._url), self._store.unit(context) as unit:
                needs = decide.need_for_bundle(environment)
                permits = decide.permits(unit.grants, context.principal, needs)
                pieces = tuple(_pieces(unit.connection, unit.grants, environment))
                digest = _digest(environment, pieces)
                sealed = unit.fetch(permits, environment, {"digest": digest, "parts": len(pieces)})
                ring = self._ring.at(unit.known.keys)
        except AccessDenied as denied:
            note = {"code": denied.code, "message": denied.message}
            with faults.translated(self._url), self._store.unit(context) as unit:
                unit.event(audit.FETCH, "denied", note, environment=environment)
            raise
        opened = tuple(_opened(piece, environment, sealed, ring) for piece in pieces)
        return Bundle(environment, digest, opened)


def _pieces(connection: Connection, grants: Grants, environment: str) -> Iterator[_Piece]:
    """What belongs into the bundle, by identity."""
    sight = decide.sight(grants, ENGINE)
    rows = state.held(connection, sight)
    running = [row for row in rows if environment in row.environments]
    projects = {row.id.project for row in running}
    documents = _documents(connection, [row.running[environment].digest for row in running])
    subscriptions: dict[str | None, list[JsonObject]] = defaultdict(list)
    for row in rows:
        if row.id.kind == entitlement.SUBSCRIPTION:
            subscriptions[row.id.project].append(row.spec)
    for row in rows:
        if environment in row.environments:
            at = row.running[environment]
            document = documents[at.digest]
            spec = narrowed(row.id.kind, document["spec"], environment)
            yield _Piece(row, spec, document["labels"], at.revision)
        elif _received(row.id) and projects and row.id.project in {None, *projects}:
            spec = entitlement.settled(row.id, row.spec, subscriptions[row.id.project])
            yield _Piece(row, narrowed(row.id.kind, spec, environment), row.labels, 0)


def _received(id: ResourceId) -> bool:
    """Whether workers receive resources of a kind without a deploy.

    A subscription they do not: what it gives is in its credential.
    """
    kind = KINDS.get(id.kind)
    if kind is None or kind.deployable or id.kind in {*GIVES_RIGHTS, entitlement.SUBSCRIPTION}:
        return False
    return kind.tier is Tier.TEAM


def _documents(connection: Connection, digests: Iterable[str]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    row = tables.snapshot
    wanted = sorted(set(digests))
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        rows = connection.execute(select(row).where(row.c.digest.in_(chunk)))
        found.update((one.digest, one.document) for one in rows)
    return found


def narrowed(kind_name: str, spec: JsonObject, environment: str) -> JsonObject:
    """The spec without what it says of other environments."""
    kind = KINDS.get(kind_name)
    for reference in kind.references if kind else ():
        if reference.kind == "Environment" and reference.key:
            spec = _without(spec, reference.path.split("."), environment)
    return spec


def _without(node: Any, steps: list[str], environment: str) -> Any:
    if not isinstance(node, Mapping) or steps[0] not in node:
        return node
    inner = node[steps[0]]
    if len(steps) > 1:
        kept = _without(inner, steps[1:], environment)
    else:
        kept = {k: v for k, v in inner.items() if k == environment}
    return {**node, steps[0]: kept}


def _digest(environment: str, pieces: Iterable[_Piece]) -> str:
    tree = [
        [str(piece.held.id), canonical.digest(piece.spec), dict(piece.labels), piece.revision]
        for piece in pieces
    ]
    return canonical.digest({"environment": environment, "parts": tree})


def _opened(piece: _Piece, environment: str, sealed: Sealed, ring: Ring) -> Part:
    """The part with its secrets; of another environment's secret nothing is kept."""
    held, secrets, outdated = piece.held, dict[str, SecretValue](), []
    for pointer, leaf in secretfields.leaves(piece.spec).items():
        token, print_ = sealed.get((held.key, pointer), (None, ""))
        if leaf.environment != environment:
            continue
        if token is None or print_ != leaf.fingerprint:
            outdated.append(pointer)
            continue
        key = ring.opening_key(environment, token.kid)
        place = Place(environment, held.id.kind, held.key, pointer)
        secrets[pointer] = fieldcrypt.unseal(key, place, token)
    gone = tuple(sorted(outdated))
    return Part(held.id, piece.spec, piece.labels, piece.revision, secrets, gone)
