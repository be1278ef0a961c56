"""The Manager's keys over HTTP: listed, rotated, sealed with again, retired.

Another wrapping key is not taken over HTTP: it is a file or a device where the Manager runs.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from apiops.manager.keys import Keys
from apiops.model.audit import KeyList, KeyView
from apiops.model.token import Caller
from apiops.web import problems
from apiops.web.identity import Calling, context, require

routes = APIRouter(
    prefix="/v1/keys",
    tags=["keys"],
    responses=problems.answers(400, 401, 403, 404, 409, 413, 422, 429, 503),
)


class Work(BaseModel):
    """Keys of an environment (empty: the Manager's), and why something is done to them."""

    environment: str = Field(default="", max_length=250, pattern="^[^\\x00]*$")
    reason: str = Field(min_length=1, max_length=1000, pattern="[^\\s\\x00]")


class Rotation(Work):
    """`prepare` publishes a signing key only; the next rotation lets it sign."""

    purpose: Literal["seal", "sign", "checkpoint"] = "seal"
    prepare: bool = False


class Retirement(Work):
    """`compromised` ends a signing key at once, and every token that it signed."""

    purpose: Literal["seal", "sign", "checkpoint"] = "seal"
    compromised: bool = False


class Resealed(BaseModel):
    """How many values were sealed again, and how many an older key still seals."""

    sealed: int
    left: int


@routes.get("", summary="Key versions")
def listed(request: Request, calling: Calling) -> KeyList:
    """Without the keys; for those who may manage the System tier's secrets."""
    keys = _keys(request, calling)
    return KeyList(keys.shown(calling.principal))


@routes.post("/rotate", summary="Let a new key take over")
def rotate(request: Request, calling: Calling, wish: Rotation) -> KeyView:
    """What older keys sealed opens until they are retired; `reseal` seals it again."""
    keys = _keys(request, calling)
    by = context(calling, wish.reason)
    version = keys.rotate(
        wish.environment,
        wish.purpose,
        principal=calling.principal,
        context=by,
        prepare=wish.prepare,
    )
    return keys.view(version)


@routes.post("/reseal", summary="Seal again what older keys sealed")
def reseal(request: Request, calling: Calling, wish: Work) -> Resealed:
    """One batch; ask again until nothing is left."""
    keys = _keys(request, calling)
    by = context(calling, wish.reason)
    batches = keys.reseal(wish.environment, principal=calling.principal, context=by)
    return Resealed(sealed=next(batches, 0), left=keys.left(wish.environment))


@routes.post("/{kid}/retire", summary="Refuse a key version from now on")
def retire(
    request: Request,
    calling: Calling,
    kid: Annotated[str, Path(max_length=250)],
    wish: Retirement,
) -> KeyView:
    """Only when nothing needs it any more."""
    keys = _keys(request, calling)
    version = keys.retire(
        wish.environment,
        wish.purpose,
        kid,
        principal=calling.principal,
        context=context(calling, wish.reason),
        compromised=wish.compromised,
    )
    return keys.view(version)


def _keys(request: Request, calling: Caller) -> Keys:
    require(calling, "keys")
    keys: Keys = request.app.state.serving.manager.keys
    return keys
