"""Annotated tags: what a tag object says, and what its signature proves.

A tag's signature stands at the end of its message and covers everything before it (gitformat-
signature). The reader is strict: the four headers that Git writes, in their order, and no more.
"""

import re
from typing import Final

from apiops.git import openpgp, signature, sshsig
from apiops.git.openpgp import Certificates
from apiops.model.revision import Signature, SignatureStatus, Tag

MAX_TAG: Final = 64 * 1024
"""Longer tag objects are not read (bytes)."""

_HEAD: Final = re.compile(
    rb"object ([0-9a-f]{40})\ntype commit\ntag ([^\n\0]{1,250})\ntagger [^\n\0]*\n\n"
)
_ARMORS: Final = (
    *(sshsig.BEGIN, openpgp.BEGIN),
    *("-----BEGIN PGP MESSAGE-----", "-----BEGIN SIGNED MESSAGE-----"),
)
_BEGIN: Final = re.compile(rf"^(?:{'|'.join(map(re.escape, _ARMORS))})\r?$", re.MULTILINE)


def target(raw: bytes) -> str:
    """The commit that a tag object is about; empty for anything else. Nothing is verified."""
    head = _HEAD.match(raw)
    return "" if head is None else head[1].decode()


def read(raw: bytes, certificates: Certificates) -> Tag | None:
    """The tag of a commit in a tag object's bytes; None for anything else.

    A name that cannot be printed is no name: it would be shown to people.
    """
    head = _HEAD.match(raw)
    if head is None or len(raw) > MAX_TAG or b"\0" in raw:
        return None
    if not head[2].decode(errors="replace").isprintable():
        return None
    body = raw[head.end() :].decode(errors="replace")
    begins = [match.start() for match in _BEGIN.finditer(body)]
    message = body[: begins[0]] if begins else body
    return Tag(
        name=head[2].decode(errors="replace"),
        commit=head[1].decode(),
        message=message,
        signature=_verified(raw, body, begins, certificates),
    )


def _verified(raw: bytes, body: str, begins: list[int], certificates: Certificates) -> Signature:
    if not begins:
        return Signature(SignatureStatus.UNSIGNED)
    if len(begins) > 1:
        return Signature(SignatureStatus.SEVERAL, detail="the tag has more than one signature")
    armored = body[begins[0] :]
    payload = raw[: len(raw) - len(armored.encode())]
    if payload + armored.encode() != raw:
        return Signature(SignatureStatus.MALFORMED, detail="the tag is not UTF-8")
    return signature.of_payload(payload, armored, certificates)
