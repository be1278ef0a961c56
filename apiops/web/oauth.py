"""OAuth 2 client credentials: a long-lived token is exchanged for a short-lived signed one (JWT).

The client is a token's holder or the token's id, the secret the token itself. What comes out says
who and for what, is signed by the Manager's key (a worker's by its environment's), and counts for
an hour at most, while the key does, and while the token that it was made from does.
"""

import hmac
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import jwt
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from apiops.manager.embedded import EmbeddedManager
from apiops.manager.keyring import ROOT
from apiops.model.token import AccessToken

LIFE: Final = 3600
"""Seconds that an issued token counts."""
AUDIENCE: Final = "apiops"
_MOST: Final = 4096
_CLAIMS: Final = ["exp", "iat", "sub", "aud", "tid", "scope"]

routes = APIRouter(tags=["oauth"])


class Issued(BaseModel):
    """A token that was issued (RFC 6749, 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class Refused(BaseModel):
    """Why none was issued (RFC 6749, 5.2)."""

    error: str
    error_description: str


class KeySet(BaseModel):
    """Keys that verify what was issued (RFC 7517)."""

    keys: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verifier:
    """Finds the token behind what a caller shows: the token itself, or what was issued for it."""

    manager: EmbeddedManager

    def __call__(self, shown: str) -> AccessToken | None:
        """The token that counts now, or None."""
        if len(shown) > _MOST:
            return None
        if shown.count(".") != 2:  # a JWT has three parts
            return self.manager.tokens.find(shown)
        return self._issued(shown)

    def _issued(self, shown: str) -> AccessToken | None:
        try:
            kid = jwt.get_unverified_header(shown).get("kid")
            key = self.manager.keys.token_key(kid) if isinstance(kid, str) else None
            if key is None:
                return None
            claims = jwt.decode(
                shown,
                key.public,
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
            )
            if float(claims["exp"]) <= self.manager.now().timestamp():  # one clock decides: its own
                return None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        token = self.manager.tokens.current(str(claims["tid"]))
        place = ROOT if token is None or token.environment is None else token.environment
        if token is None or key.environment != place or claims["sub"] != token.principal:
            return None
        scopes = set(str(claims["scope"]).split())
        return replace(token, scopes=tuple(one for one in token.scopes if one in scopes))


@routes.post(
    "/apiops/auth/token",
    summary="Exchange a token for a short-lived one",
    responses={
        200: {"model": Issued, "description": "issued"},
        400: {"model": Refused, "description": "another grant type, or a scope that cannot be"},
        401: {"model": Refused, "description": "not the client's secret"},
        408: {"model": Refused, "description": "too slow"},
        413: {"model": Refused, "description": "too large"},
        429: {"model": Refused, "description": "too many failed attempts"},
    },
)
def token(
    request: Request,
    grant_type: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    client_secret: Annotated[str, Form()] = "",
    scope: Annotated[str, Form()] = "",
) -> Response:
    """OAuth 2 client credentials (RFC 6749, 4.4). `scope` narrows what the token is for."""
    address = request.client.host if request.client else ""
    if grant_type != "client_credentials":
        why = "GrantType value must be client_credentials!"
        return _refused(400, "unsupported_grant_type", why)
    manager: EmbeddedManager = request.app.state.serving.manager
    found = manager.tokens.find(client_secret)
    if found is None or not _same(client_id, found):
        request.app.state.metrics.refused.inc()
        request.app.state.attempts.failed(address)
        return _refused(401, "unauthorized_client", "Bad credentials")
    wanted = scope.split() or list(found.scopes)
    if not set(wanted) <= set(found.scopes):
        return _refused(400, "invalid_scope", "the token that was shown is not for that scope")
    return JSONResponse(_issue(manager, found, " ".join(sorted(set(wanted)))))


@routes.get("/.well-known/jwks.json", summary="Keys that verify issued tokens")
def jwks(request: Request) -> KeySet:
    """All that verify now, and those that soon will sign."""
    serving = request.app.state.serving
    return KeySet(keys=serving.manager.keys.jwks()["keys"])


def _issue(manager: EmbeddedManager, token: AccessToken, scope: str) -> dict[str, Any]:
    began = int(manager.now().timestamp())
    expires = min(began + LIFE, int(token.expires.timestamp()))
    claims = {
        "iss": AUDIENCE,
        "aud": AUDIENCE,
        "sub": token.principal,
        "tid": token.id,
        "scope": scope,
        "iat": began,
        "exp": expires,
    }
    return {
        "access_token": manager.keys.issue(claims, token.environment or ROOT),
        "token_type": "Bearer",
        "expires_in": expires - began,
        "scope": scope,
    }


def _same(client: str, token: AccessToken) -> bool:
    shown = client.encode(errors="surrogatepass")  # a form may be in a charset that has surrogates
    known = (token.principal.encode(), token.id.encode())
    return any(hmac.compare_digest(shown, name) for name in known)


def _refused(status: int, error: str, why: str) -> Response:
    return JSONResponse({"error": error, "error_description": why}, status)
