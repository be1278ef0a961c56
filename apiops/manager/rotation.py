"""Rotation: a key version takes over from another, and the older one is retired.

Each step is one audited unit and leaves a state that works: whatever was sealed or signed before
opens or verifies after it, and a process that dies between two steps has lost nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import CompoundSelect, Connection, func, literal, select

from apiops.access.decide import Permit
from apiops.errors import SecretError
from apiops.manager import fieldcrypt, state, tables, tokenkeys
from apiops.manager.fieldcrypt import Place
from apiops.manager.keyring import PAIRS, ROOT, KeyVersion, Purpose, Ring
from apiops.manager.store import Unit
from apiops.manager.wrapping import Wrapping

ROTATED: Final[tuple[Purpose, ...]] = ("seal", "sign", "checkpoint")
"""Purposes whose keys rotate. Fingerprints stay comparable for ever, so their key stays."""


_NOW, _ONCE = literal("now").label("when"), literal("once").label("when")


def rotate(
    unit: Unit, ring: Ring, permits: Sequence[Permit], environment: str, purpose: Purpose,
    *, prepare: bool = False,
) -> KeyVersion:  # fmt: skip
    """Let a new version take over, or the pending one if there is one; the version.

    With `prepare` the new one is only published, and takes over at the next rotation. Raises
    SecretError for an environment that the Manager does not know.
    """
    versions = _of(unit, environment, purpose)
    old = _in_state(versions, "active")
    waiting = _in_state(versions, "pending")
    if old is None:
        _refuse_unknown(unit, environment, purpose)
    if prepare and waiting is not None:
        return waiting
    if prepare:
        version = ring.make(environment, purpose, unit.clock(), "pending")
        unit.add_key(version)
        return version
    if old is not None:
        unit.set_key(permits, _superseded(old, unit))
    if waiting is not None:
        version = replace(waiting, state="active")
        unit.set_key(permits, version)
        return version
    version = ring.make(environment, purpose, unit.clock())
    unit.add_key(version)
    return version


def first(unit: Unit, ring: Ring, environment: str, purpose: Purpose) -> None:
    """Make the first version, unless another process was faster."""
    if _in_state(_of(unit, environment, purpose), "active") is None:
        _refuse_unknown(unit, environment, purpose)
        unit.add_key(ring.make(environment, purpose, unit.clock()))


def retire(
    unit: Unit, permits: Sequence[Permit], environment: str, purpose: Purpose, kid: str,
    *, compromised: bool = False,
) -> KeyVersion:  # fmt: skip
    """Refuse a version from now on. Raises SecretError while anything still needs it.

    `compromised` ends a signing key at once, with all that it signed.
    """
    version = next((one for one in _of(unit, environment, purpose) if one.kid == kid), None)
    if version is None:
        raise no_such_key(environment, purpose, kid)
    if version.state == "retired":
        return version
    if version.state == "active":
        raise SecretError(
            f"key {kid} of {place(environment)} is active",
            code="AO733",
            hint="let another take over first: apiops manager keys rotate",
        )
    if purpose == "seal":
        _refuse_while_sealed(unit, version)
    if purpose == "sign" and not compromised:
        tokenkeys.refuse_early(version, unit.clock())
    retired = replace(version, state="retired", until=unit.clock() if purpose in PAIRS else None)
    unit.set_key(permits, retired)
    return retired


def reseal(unit: Unit, ring: Ring, permits: Sequence[Permit], environment: str, most: int) -> int:
    """Seal again, with the active key, at most so many values that older ones sealed; how many.

    Values whose key was refused already (retired) raise SecretError: they are lost to a restore.
    """
    found = ring.sealing_key(environment)
    if found is None:
        raise no_such_key(environment, "seal")
    kid, key = found
    rows = unit.connection.execute(_older(environment, kid).limit(most)).all()
    for row in rows:
        place = Place(environment, row.kind, row.resource, row.pointer)
        value = fieldcrypt.unseal(ring.opening_key(environment, row.kid), place, row.token)
        fresh = fieldcrypt.seal(key, kid, place, value)
        table = tables.sealed if row.when == "now" else tables.former_secret
        unit.reseal(permits, table, row.resource, row.pointer, row.token, fresh)
    return len(rows)


def left(connection: Connection, environment: str, kid: str) -> int:
    """How many values of an environment another key than `kid` sealed."""
    older = _older(environment, kid).subquery()
    return int(connection.execute(select(func.count()).select_from(older)).scalar_one())


def _older(environment: str, kid: str) -> CompoundSelect[Any]:
    """What stands now, and what stood once and is kept."""
    row, resource, former = tables.sealed.c, tables.resource.c, tables.former_secret.c
    now = (
        select(row.resource, row.pointer, row.kid, row.token, resource.kind, _NOW)
        .join(tables.resource, resource.id == row.resource)
        .where(row.environment == environment, row.kid != kid)
    )
    once = select(
        former.resource, former.pointer, former.kid, former.token, former.kind, _ONCE
    ).where(former.environment == environment, former.kid != kid)
    return now.union_all(once)


def rewrap(
    unit: Unit, ring: Ring, permits: Sequence[Permit], wrapping: Wrapping
) -> tuple[KeyVersion, ...]:
    """Wrap every key with another wrapping key, all of them or none."""
    fresh = tuple(ring.rewrapped(version, wrapping) for version in state.keys(unit.connection))
    for version in fresh:
        unit.set_key(permits, version)
    return fresh


def sealed_by(connection: Connection, version: KeyVersion) -> int:
    """How many values are sealed with a version, those that stood once among them."""
    return sum(
        connection.execute(
            select(func.count()).where(
                row.environment == version.environment, row.kid == version.kid
            )
        ).scalar_one()
        for row in (tables.sealed.c, tables.former_secret.c)
    )


def place(environment: str) -> str:
    """Where a key belongs, in words."""
    return f"environment {environment}" if environment else "the whole Manager"


def no_such_key(environment: str, purpose: str, kid: str = "") -> SecretError:
    """There is no such version in the ring."""
    return SecretError(
        f"there is no {purpose} key {kid} of {place(environment)}".replace("  ", " "),
        code="AO732",
        hint="`apiops manager keys list` shows all of them",
    )


def _refuse_while_sealed(unit: Unit, version: KeyVersion) -> None:
    count = sealed_by(unit.connection, version)
    if count:
        raise SecretError(
            f"{count} values are still sealed with key {version.kid} of "
            f"{place(version.environment)}",
            code="AO733",
            hint="`apiops manager keys rotate` goes on re-encrypting where it stopped",
        )


def _superseded(old: KeyVersion, unit: Unit) -> KeyVersion:
    if old.purpose == "sign":
        return tokenkeys.retiring(old, unit.clock())
    return replace(old, state="retiring")


def _of(unit: Unit, environment: str, purpose: Purpose) -> list[KeyVersion]:
    return [
        version
        for version in state.keys(unit.connection)
        if (version.environment, version.purpose) == (environment, purpose)
    ]


def _in_state(versions: Sequence[KeyVersion], wanted: str) -> KeyVersion | None:
    return next((version for version in versions if version.state == wanted), None)


def _refuse_unknown(unit: Unit, environment: str, purpose: Purpose) -> None:
    """A misspelled environment gets no key."""
    if environment == ROOT and purpose in PAIRS:
        return
    row = tables.resource.c
    known = select(row.name).where(row.kind == "Environment", row.name == environment)
    if purpose == "checkpoint" or unit.connection.execute(known).first() is None:
        raise no_such_key(environment, purpose)
