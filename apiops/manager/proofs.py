"""Proofs about the audit log that need no log: files that are checked with a public key alone.

That an entry is in the log is a C2SP `tlog-proof`; its `extra` line holds the entry itself. That
the log only grew between two checkpoints is the body that a C2SP witness is asked with
(`tlog-witness`, add-checkpoint), so that a real witness can be given it as it is.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Final

from apiops.errors import StoreError, UsageError
from apiops.manager import audit, merkle, note
from apiops.manager.note import Checkpoint, VerifierKey
from apiops.model.audit import AuditEntry, ProofReport

MAX_BYTES: Final = 64 * 1024 * 1024
_INCLUSION: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "
_GROWTH: Final = "old "


def inclusion(entry: bytes, index: int, hashes: Iterable[bytes], checkpoint: str) -> str:
    """A proof that the entry with these canonical bytes is in the log."""
    extra = base64.b64encode(entry).decode()
    return _proof([_INCLUSION, f"{_EXTRA}{extra}", f"{_INDEX}{index}"], hashes, checkpoint)


def growth(size: int, hashes: Iterable[bytes], checkpoint: str) -> str:
    """A proof that the log of the checkpoint began as the log of `size` entries."""
    return _proof([f"{_GROWTH}{size}"], hashes, checkpoint)


def check(text: str, keys: Sequence[VerifierKey], kept: Sequence[str] = ()) -> ProofReport:
    """What a proof proves. One of growth needs the earlier checkpoint, `kept`.

    Raises UsageError for what is no proof, or by no known key; StoreError AO775 for one that
    proves nothing.
    """
    head, blank, tail = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or not lines[0].startswith((_INCLUSION, _GROWTH)):
        raise _no_proof()
    (checkpoint,) = own((tail,), keys)
    if lines[0].startswith(_GROWTH):
        return _growth(lines, checkpoint, own(kept, keys, checkpoint.origin))
    return _inclusion(lines[1:], checkpoint)


def own(
    kept: Iterable[str], keys: Sequence[VerifierKey], origin: str | None = None
) -> list[Checkpoint]:
    """The checkpoints in notes, if `keys` signed them, for the log `origin` if it is known.

    Raises UsageError AO771 and AO772.
    """
    found = []
    for text in kept:
        checkpoint = note.parse(text)
        if origin not in (None, checkpoint.origin):
            raise _stranger(f"it is of the log {checkpoint.origin}, not of {origin}")
        key = note.signed_by(text, keys)
        if key is None or key.name != checkpoint.origin:
            raise _stranger("no key that is known here signed it")
        found.append(checkpoint)
    return found


def _inclusion(lines: list[str], checkpoint: Checkpoint) -> ProofReport:
    if len(lines) < len((_EXTRA, _INDEX)) or not lines[0].startswith(_EXTRA):
        raise _no_proof()
    body, index = _decoded(lines[0][len(_EXTRA) :]), lines[1].removeprefix(_INDEX)
    fields = audit.fields(body)
    if fields is None or not index.isdecimal() or fields[0] != str(int(index) + 1):
        raise _no_proof()
    digest = hashlib.sha256(body)
    leaf = merkle.leaf(digest.digest())
    root = merkle.included(leaf, int(index), checkpoint.size, map(_decoded, lines[2:]))
    if root != checkpoint.root:
        raise _proves_nothing(f"entry {fields[0]} is not in the log of the checkpoint")
    entry = _entry((int(fields[0]), *fields[1:], digest.hexdigest()))
    return ProofReport(checkpoint.origin, checkpoint.size, entry=entry)


def _growth(lines: list[str], checkpoint: Checkpoint, kept: list[Checkpoint]) -> ProofReport:
    if len(kept) != 1:
        raise UsageError(
            "a proof of growth is about an earlier checkpoint",
            code="AO772",
            hint="give the one it was made for: --checkpoint FILE",
        )
    (old,) = kept
    hashes = [_decoded(line) for line in lines[1:]]
    held = merkle.consistent(old.size, old.root, checkpoint.size, checkpoint.root, hashes)
    if lines[0] != f"{_GROWTH}{old.size}" or not held:
        raise _proves_nothing("the later log does not begin as the earlier one")
    return ProofReport(checkpoint.origin, checkpoint.size, since=old.size)


def _entry(values: Sequence[Any]) -> AuditEntry:
    return audit.read(SimpleNamespace(**dict(zip((*audit.FIELDS, "digest"), values, strict=True))))


def _proof(lines: list[str], hashes: Iterable[bytes], checkpoint: str) -> str:
    encoded = [base64.b64encode(hash).decode() for hash in hashes]
    return "\n".join((*lines, *encoded, "", checkpoint))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _no_proof() from None


def _no_proof() -> UsageError:
    return UsageError(
        "this is no proof about an audit log",
        code="AO771",
        hint="`apiops audit prove` writes one; keep its file byte for byte",
    )


def _stranger(why: str) -> UsageError:
    return UsageError(
        f"this checkpoint proves nothing about this log: {why}",
        code="AO772",
        hint="give the public key that was kept with it: --key FILE (`apiops audit key`)",
    )


def _proves_nothing(why: str) -> StoreError:
    return StoreError(
        f"the proof does not hold: {why}",
        code="AO775",
        hint="ask for a proof anew; if it fails again, history was rewritten",
    )
