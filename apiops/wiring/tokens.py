"""Tokens by hand, on the machine that has the Manager: proven by a key, judged and audited."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from apiops.model.secret import SecretValue
from apiops.model.token import AccessToken, Holder, TokenList
from apiops.wiring import assemble, handwork
from apiops.wiring.settings import TargetSettings


def create(
    target: TargetSettings,
    wanted: AccessToken,
    life: timedelta,
    *,
    principal: str,
    sign_key: Path,
    reason: str,
) -> tuple[AccessToken, SecretValue]:
    """Make a token as `wanted` says, as `principal`; the secret is given this once.

    Raises AccessDenied when the key is not the principal's or the right is missing, UsageError.
    """
    with assemble.manager(target) as manager:
        handwork.prove(manager.grants(), principal, sign_key)
        return manager.tokens.create(
            kind=wanted.kind,
            holder=wanted.principal,
            name=wanted.name,
            scopes=wanted.scopes,
            life=life,
            repository=wanted.repository,
            context=handwork.console(principal, reason or f"Make token {wanted.name}"),
        )


def wanted(
    kind: str, holder: str, name: str, scopes: tuple[str, ...], repository: str | None
) -> AccessToken:
    """What a token shall be, before it is one: no id and no times yet."""
    never = datetime.fromtimestamp(0, UTC)
    return AccessToken(
        "", holder, name, Holder(kind), scopes, "", never, never, repository=repository
    )


def listed(target: TargetSettings, *, principal: str, sign_key: Path) -> TokenList:
    """The tokens that `principal` may know of. Raises AccessDenied."""
    with assemble.manager(target) as manager:
        handwork.prove(manager.grants(), principal, sign_key)
        return TokenList(manager.tokens.list(principal), datetime.now(UTC))


def revoke(
    target: TargetSettings, id: str, *, principal: str, sign_key: Path, reason: str
) -> AccessToken:
    """End a token. Raises AccessDenied, UsageError."""
    with assemble.manager(target) as manager:
        handwork.prove(manager.grants(), principal, sign_key)
        why = reason or f"Revoke token {id}"
        return manager.tokens.revoke(id, handwork.console(principal, why))
