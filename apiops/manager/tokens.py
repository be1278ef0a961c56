"""Access tokens: made, shown once, found again by their hash, revoked.

A token is `apt_` + id + `_` + 32 random bytes. The database has its SHA-256 alone: what is that
random needs no slow hash, and a stolen database gives no token. The id finds the row, the hash is
compared in constant time, and an id that there is none of costs the same.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Row, select

from apiops.access import decide
from apiops.errors import UsageError
from apiops.manager import faults, state
from apiops.manager.store import Clock, Store
from apiops.manager.tables import access_token
from apiops.model.audit import AuditContext
from apiops.model.secret import SecretValue
from apiops.model.token import ALLOWED, SCOPES, AccessToken, Holder

PREFIX: Final = "apt"
LONGEST: Final = timedelta(days=366)
"""No token lives longer."""

_FORM: Final = re.compile(r"apt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NAME: Final = re.compile(r"[\w .@/:-]{1,100}")
_PLACE: Final = re.compile(r"[\w.-]{1,100}")
_LINEAGE: Final = re.compile(r"[0-9a-f]{40}")
_NOBODY: Final = hashlib.sha256(b"").hexdigest()


class Tokens:
    """The tokens of one Manager."""

    def __init__(self, url: URL, reading: Engine, store: Store, clock: Clock) -> None:
        self._url = url
        self._reading = reading
        self._store = store
        self._clock = clock

    def create(
        self,
        kind: Holder,
        holder: str,
        name: str,
        scopes: Iterable[str],
        life: timedelta,
        context: AuditContext,
        repository: str | None = None,
    ) -> tuple[AccessToken, SecretValue]:
        """Make a token, and give it this once.

        `holder` is a user's name, a service's, or a worker's environment. Raises UsageError
        AO751 for what no token can be, AccessDenied when the context's principal may not.
        """
        principal = _principal(kind, holder)
        wanted = tuple(sorted(set(scopes)))
        _check(kind, name, wanted, life, repository)
        now = self._clock()
        id, secret = secrets.token_hex(8), base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=")
        token = AccessToken(
            id=id,
            principal=principal,
            name=name,
            kind=kind,
            scopes=wanted,
            maker=context.principal,
            created=now,
            expires=now + life,
            environment=holder if kind is Holder.WORKER else None,
            repository=repository,
        )
        with faults.translated(self._url), self._store.unit(context) as unit:
            permits = () if context.principal == principal else self._permits(unit.grants, context)
            if kind is Holder.PERSON and principal not in unit.grants.enabled:
                raise _unusable(f"there is no enabled user {principal}", "check the name")
            unit.add_token(permits, token, _hash(secret))
        return token, SecretValue(f"{PREFIX}_{id}_".encode() + secret)

    def revoke(self, id: str, context: AuditContext) -> AccessToken:
        """End a token. Raises UsageError AO752 if there is none, AccessDenied."""
        with faults.translated(self._url), self._store.unit(context) as unit:
            row = unit.connection.execute(_by_id(id)).first()
            mine = row is not None and row.principal == context.principal
            permits = () if mine else self._permits(unit.grants, context)
            if row is None:
                raise UsageError(
                    f"there is no token {id}", code="AO752", hint="`apiops manager tokens list`"
                )
            token = _token(row)
            if token.revoked is None:
                unit.revoke_token(permits, token)
        return token

    def list(self, asker: str) -> tuple[AccessToken, ...]:
        """The tokens that `asker` may know of: all, or their own. Newest first."""
        with faults.translated(self._url), self._reading.connect() as connection:
            grants = self._store.knowledge.at(connection).grants
            every = decide.lacking(grants, asker, decide.need_for_tokens()) is None
            wanted = select(access_token).order_by(access_token.c.created.desc())
            if not every:
                wanted = wanted.where(access_token.c.principal == asker)
            return tuple(_token(row) for row in connection.execute(wanted))

    def find(self, shown: str) -> AccessToken | None:
        """The token that somebody shows, if it is one and counts now."""
        form = _FORM.fullmatch(shown)
        id, secret = (form[1], form[2]) if form else ("", "")
        with faults.translated(self._url), self._reading.connect() as connection:
            row = connection.execute(_by_id(id)).first()
            kept = _NOBODY if row is None else row.hash
            same = hmac.compare_digest(kept, _hash(secret.encode()))
            if row is None or not same:
                return None
            return self._counting(connection, _token(row))

    def current(self, id: str) -> AccessToken | None:
        """The token of that id, if it counts now: for what was issued on the strength of it."""
        with faults.translated(self._url), self._reading.connect() as connection:
            row = connection.execute(_by_id(id)).first()
            if row is None:
                return None
            return self._counting(connection, _token(row))

    def _counting(self, connection: Connection, token: AccessToken) -> AccessToken | None:
        if token.revoked is not None or token.expires <= self._clock():
            return None
        person = token.kind is Holder.PERSON
        return token if not person or state.enabled(connection, token.principal) else None

    @staticmethod
    def _permits(grants: Any, context: AuditContext) -> tuple[decide.Permit, ...]:
        return decide.permits(grants, context.principal, decide.need_for_tokens())


def _principal(kind: Holder, holder: str) -> str:
    if kind is Holder.PERSON:
        return holder
    if not _PLACE.fullmatch(holder):
        raise _unusable(f'"{holder}" cannot be its holder', "use letters, digits, dot, dash, _")
    return decide.worker(holder) if kind is Holder.WORKER else f"service:{holder}"


def _check(
    kind: Holder, name: str, scopes: tuple[str, ...], life: timedelta, repository: str | None
) -> None:
    unknown = [scope for scope in scopes if scope not in ALLOWED[kind]]
    if unknown or not scopes:
        may = ", ".join(scope for scope in SCOPES if scope in ALLOWED[kind])
        what = f'the scope "{unknown[0]}"' if unknown else "no scope at all"
        raise _unusable(f"a {kind.value}'s token cannot have {what}", f"it can have: {may}")
    if not _NAME.fullmatch(name):
        raise _unusable("its name cannot be used", "100 letters, digits, blanks and ._-@/: at most")
    if not timedelta(0) < life <= LONGEST:
        raise _unusable("it would never count, or for too long", f"{LONGEST.days} days at most")
    if repository is not None and not _LINEAGE.fullmatch(repository):
        raise _unusable("the repository is none", "give the full id of its first commit")


def _unusable(why: str, hint: str) -> UsageError:
    return UsageError(f"the token cannot be made: {why}", code="AO751", hint=hint)


def _hash(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _by_id(id: str) -> Any:
    return select(access_token).where(access_token.c.id == id)


def _token(row: Row[Any]) -> AccessToken:
    return AccessToken(
        id=row.id,
        principal=row.principal,
        name=row.name,
        kind=Holder(row.kind),
        scopes=tuple(row.scopes),
        maker=row.maker,
        created=row.created,
        expires=row.expires,
        environment=row.environment,
        repository=row.repository,
        revoked=row.revoked,
    )
