"""Opening sealed secrets for a person who takes them out: permission first, then the record, then
the plaintext.

One of two places where a secret is opened (the other is a Worker's bundle). What was recorded is
committed before anything is unsealed, so there is no plaintext without an entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from apiops.access import decide
from apiops.errors import AccessDenied
from apiops.manager import audit, fieldcrypt, state
from apiops.manager.fieldcrypt import Place, SealedText
from apiops.manager.keyring import Ring
from apiops.manager.store import Unit
from apiops.model.resource import ResourceId
from apiops.model.secret import SecretValue


@dataclass(frozen=True, slots=True)
class Opened:
    """The plaintexts by identity and JSON pointer, and why others were not given out."""

    values: Mapping[ResourceId, Mapping[str, SecretValue]] = field(repr=False)
    denied: Mapping[ResourceId, str]


@dataclass(frozen=True, slots=True)
class Granted:
    """Tokens that were asked for, permitted and recorded, each with its place."""

    tokens: tuple[tuple[ResourceId, Place, SealedText], ...]
    denied: Mapping[ResourceId, str]


def grant(unit: Unit, ids: Iterable[ResourceId], principal: str) -> Granted:
    """Decide on every secret of the resources, and record each decision in the log."""
    rows = state.named(unit.connection, ids)
    tokens: list[tuple[ResourceId, Place, SealedText]] = []
    denied: dict[ResourceId, str] = {}
    for id in sorted(rows, key=lambda one: one.order):
        held = rows[id]
        for pointer, (environment, _) in sorted(held.secrets.items()):
            try:
                need = decide.need_to_open(id, environment)
                permits = decide.permits(unit.grants, principal, (need,))
            except AccessDenied as fault:
                note = {"code": fault.code, "message": fault.message}
                unit.event(audit.OPEN, "denied", note, id=id, environment=environment)
                denied[id] = fault.message
                continue
            place = Place(environment, id.kind, held.key, pointer)
            tokens.append((id, place, unit.open(permits, held, pointer)))
    return Granted(tuple(tokens), denied)


def unseal(granted: Granted, ring: Ring) -> Opened:
    """The plaintexts of what was granted. Raises SecretError."""
    values: dict[ResourceId, dict[str, SecretValue]] = {}
    for id, place, token in granted.tokens:
        key = ring.opening_key(place.environment, token.kid)
        values.setdefault(id, {})[place.field] = fieldcrypt.unseal(key, place, token)
    return Opened(values, granted.denied)
