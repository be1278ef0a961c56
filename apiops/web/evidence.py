"""The log as evidence over HTTP: its public keys, signed checkpoints, proofs, and a whole check.

What speaks of the whole log is for those who may view the System tier's; a proof of one entry is
for those who may view the entry.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from apiops.manager import note
from apiops.manager.embedded import EmbeddedManager
from apiops.model.audit import ChainReport
from apiops.model.token import Caller
from apiops.web import problems
from apiops.web.identity import Calling, require

routes = APIRouter(
    prefix="/v1/audit",
    tags=["audit"],
    responses=problems.answers(400, 401, 403, 404, 409, 413, 422, 429, 503),
)

_NOTE: Final = 16 * 1024
"""Characters of a checkpoint."""
_KEY: Final = 1024

Note = Annotated[str, Field(max_length=_NOTE)]
Number = Annotated[int, Path(ge=1, lt=2**63)]


class LogKeys(BaseModel):
    """Public keys (C2SP signed-note verifier keys), the one that signs now first."""

    keys: list[str]


class Kept(BaseModel):
    """Checkpoints that were kept elsewhere, and the keys to believe (none: the Manager's own)."""

    checkpoints: list[Note] = Field(default=[], max_length=100)
    keys: list[Annotated[str, Field(max_length=_KEY)]] = Field(default=[], max_length=100)


class Signed(BaseModel):
    """A checkpoint (C2SP tlog-checkpoint)."""

    checkpoint: str


class Proof(BaseModel):
    """A proof (C2SP tlog-proof), as `apiops audit verify --proof` takes it."""

    proof: str


class Since(BaseModel):
    """A checkpoint from which on the log is to be shown to have only grown."""

    checkpoint: Note


@routes.get("/keys", summary="The log's public keys")
def keys(request: Request, calling: Calling) -> LogKeys:
    """What checkpoints and proofs are verified with; keep them elsewhere."""
    require(calling, "audit")
    return LogKeys(keys=[str(key) for key in _manager(request).checkpoints.public_keys()])


@routes.post("/checkpoint", summary="Sign a checkpoint")
def checkpoint(request: Request, calling: Calling, kept: Kept) -> Signed:
    """What the log is now, signed; `kept` ones must still be true of it. Keep it elsewhere."""
    manager = _overseen(request, calling)
    return Signed(checkpoint=manager.checkpoints.make(*kept.checkpoints))


@routes.post("/verify", summary="Verify the whole log")
def verify(request: Request, calling: Calling, kept: Kept) -> ChainReport:
    """Walk it, and name the first entry that is not as it was written."""
    manager = _overseen(request, calling)
    believed = [note.parse_key(key) for key in kept.keys]
    return manager.checkpoints.verify(kept.checkpoints, believed)


@routes.post("/growth", summary="Prove that the log only grew")
def growth(request: Request, calling: Calling, since: Since) -> Proof:
    """From a checkpoint that you kept to a new one."""
    manager = _overseen(request, calling)
    return Proof(proof=manager.checkpoints.extend(since.checkpoint))


@routes.post("/{number}/proof", summary="Prove that an entry is in the log")
def proof(request: Request, calling: Calling, number: Number) -> Proof:
    """To somebody who has the log's public key and not the log."""
    require(calling, "audit")
    manager = _manager(request)
    if manager.views.entry(calling.principal, number) is None:
        raise problems.unknown()
    return Proof(proof=manager.checkpoints.prove(number))


def _overseen(request: Request, calling: Caller) -> EmbeddedManager:
    """The Manager, for those who may view the System tier's log. Raises AccessDenied."""
    require(calling, "audit")
    manager = _manager(request)
    manager.views.demand_log(calling.principal)
    return manager


def _manager(request: Request) -> EmbeddedManager:
    manager: EmbeddedManager = request.app.state.serving.manager
    return manager
