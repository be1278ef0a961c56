"""The Manager's keys as its doors use them: tokens are signed, versions rotate and are retired.

What the keys of the moment are is read in every call: another process may have rotated.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Engine

from apiops.access import decide
from apiops.access.decide import Permit
from apiops.access.grants import ENGINE
from apiops.errors import AccessDenied
from apiops.manager import faults, rotation, state, tokenkeys
from apiops.manager.keyring import ROOT, KeyVersion, Purpose, Ring
from apiops.manager.store import Clock, Store, Unit
from apiops.manager.tokenkeys import TokenKey
from apiops.manager.wrapping import Wrapping
from apiops.model.access import Tier
from apiops.model.audit import AuditContext, KeyView, Reason, Source

BATCH: Final = 100
"""Values that are sealed again in one transaction: few, since writers wait for it."""


class Keys:
    """The keys of one open Manager."""

    def __init__(self, url: URL, reading: Engine, store: Store, ring: Ring, clock: Clock) -> None:
        self._url = url
        self._reading = reading
        self._store = store
        self._ring = ring
        self._clock = clock

    def versions(self) -> tuple[KeyVersion, ...]:
        """Every key version, wrapped, sorted by environment, purpose and age."""
        with faults.translated(self._url), self._reading.connect() as connection:
            found = state.keys(connection)
        return tuple(sorted(found, key=lambda one: (one.environment, one.purpose, one.created)))

    def shown(self, principal: str) -> tuple[KeyView, ...]:
        """The same without the keys, for who may manage them. Raises AccessDenied AO520."""
        with faults.translated(self._url), self._reading.connect() as connection:
            decide.permits(state.permissions(connection), principal, decide.need_for_keys())
        return tuple(map(self.view, self.versions()))

    def view(self, version: KeyVersion) -> KeyView:
        """A version without its key."""
        return KeyView(
            environment=version.environment,
            purpose=version.purpose,
            kid=version.kid,
            state=version.state,
            created=version.created,
            until=version.until,
            wrapper=version.wrapped.kid,
            values=self.sealed_by(version) if version.purpose == "seal" else None,
        )

    def issue(self, claims: Mapping[str, Any], environment: str = ROOT) -> str:
        """A signed access token (JWT) with these claims; `exp` is demanded.

        The environment's first key is made, and audited, when it is needed. Raises ValueError
        for a life beyond `tokenkeys.LONGEST_LIFE`, SecretError for an unknown environment.
        """
        found = self._ring.at(self.versions()).signing_key(environment, "sign")
        if found is None:
            self._make_first(environment, "sign")
            found = self._ring.at(self.versions()).signing_key(environment, "sign")
        assert found is not None, "a version that was just made is active"
        return tokenkeys.encode(claims, *found, self._clock())

    def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set of every key whose tokens count, or soon will."""
        return tokenkeys.jwks(self.versions(), self._clock())

    def token_key(self, kid: str) -> TokenKey | None:
        """The key that verifies tokens of that `kid` now; None once it is retired, or unknown."""
        return tokenkeys.find(self.versions(), kid, self._clock())

    def rotate(
        self, environment: str, purpose: Purpose, *, principal: str, context: AuditContext,
        prepare: bool = False,
    ) -> KeyVersion:  # fmt: skip
        """Let a new version take over; with `prepare` it is only published.

        Raises AccessDenied (recorded) without SECRETS.MANAGE in the System tier, SecretError.
        """
        with self._unit(principal, context, "key-rotate", environment) as (unit, permits):
            ring = self._ring.at(state.keys(unit.connection))
            return rotation.rotate(unit, ring, permits, environment, purpose, prepare=prepare)

    def retire(
        self, environment: str, purpose: Purpose, kid: str, *, principal: str,
        context: AuditContext, compromised: bool = False,
    ) -> KeyVersion:  # fmt: skip
        """Refuse a version from now on; `compromised` ends a signing key's tokens with it.

        Raises AccessDenied (recorded) and, while anything still needs the version, SecretError.
        """
        with self._unit(principal, context, "key-retire", environment) as (unit, permits):
            return rotation.retire(
                unit, permits, environment, purpose, kid, compromised=compromised
            )

    @property
    def lineage(self) -> str:
        """The Manager that the keys belong to."""
        return self._ring.lineage

    def sealed_by(self, version: KeyVersion) -> int:
        """How many values a version seals."""
        with faults.translated(self._url), self._reading.connect() as connection:
            return rotation.sealed_by(connection, version)

    def left(self, environment: str) -> int:
        """How many values an older key than the active one still seals."""
        with faults.translated(self._url), self._reading.connect() as connection:
            found = self._ring.at(state.keys(connection)).sealing_key(environment)
            return rotation.left(connection, environment, found[0]) if found else 0

    def reseal(
        self, environment: str, *, principal: str, context: AuditContext, most: int = BATCH
    ) -> Iterator[int]:
        """Seal again what older keys sealed, `most` values in a transaction; each batch's number.

        It may be stopped anywhere, and begun again: what is done is done, and both keys open until
        the older one is retired. Raises AccessDenied (recorded), SecretError.
        """
        while True:
            with self._unit(principal, context, "key-reseal", environment) as (unit, permits):
                ring = self._ring.at(state.keys(unit.connection))
                count = rotation.reseal(unit, ring, permits, environment, most)
            if count == 0:
                return
            yield count

    def rewrap(
        self, wrapping: Wrapping, *, principal: str, context: AuditContext
    ) -> tuple[KeyVersion, ...]:
        """Wrap every key with another wrapping key; from then on this one opens nothing.

        Raises AccessDenied (recorded), SecretError.
        """
        with self._unit(principal, context, "key-rewrap", ROOT) as (unit, permits):
            ring = self._ring.at(state.keys(unit.connection))
            return rotation.rewrap(unit, ring, permits, wrapping)

    def _make_first(self, environment: str, purpose: Purpose) -> None:
        context = engine_context(f"First {purpose} key of {rotation.place(environment)}")
        with faults.translated(self._url), self._store.unit(context) as unit:
            ring = self._ring.at(state.keys(unit.connection))
            rotation.first(unit, ring, environment, purpose)

    @contextmanager
    def _unit(
        self, principal: str, context: AuditContext, action: str, environment: str
    ) -> Iterator[tuple[Unit, tuple[Permit, ...]]]:
        """A unit whose principal may do this; a denial is recorded in a unit of its own."""
        try:
            with faults.translated(self._url), self._store.unit(context) as unit:
                yield unit, decide.permits(unit.grants, principal, decide.need_for_keys())
        except AccessDenied as denied:
            with faults.translated(self._url), self._store.unit(context) as unit:
                unit.event(
                    action,
                    "denied",
                    {"code": denied.code, "message": denied.message},
                    environment=environment,
                )
            raise


def engine_context(words: str, source: Source = Source.ROTATION) -> AuditContext:
    """What apiops does by itself, with nobody's rights."""
    return AuditContext(
        actor=ENGINE,
        principal=ENGINE,
        reason=Reason(words),
        run="engine",
        source=source,
        tier=Tier.SYSTEM.value,
    )
