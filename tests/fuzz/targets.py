"""What is fuzzed: each target takes bytes from a stranger, and must answer in our own words.

A target raises only what its module promises; anything else is a crash. Beyond that each one says
what must hold of an answer: nothing is believed that a known person did not sign.
"""

import base64
import contextlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from apiops.access import evidence, grants, signers
from apiops.errors import SpecInvalid, UsageError
from apiops.git import commitobject, signature, sshsig
from apiops.git.signing import sign
from apiops.model import openpgp, sshkey
from apiops.model.resource import ResourceId
from apiops.model.revision import SignatureStatus
from tests.fuzz import shape
from tests.hardware import KINDS, hardware_key, touched
from tests.openpgp import certificate, public
from tests.people import KEY_TYPES, signing_key

TREE = b"tree " + b"1" * 40
WHO = b"A <a@bank.example> 1 +0000"
PAYLOAD = TREE + b"\nauthor " + WHO + b"\ncommitter " + WHO + b"\n\nSubject\n"
MERGE = PAYLOAD.replace(b"\nauthor", b"\nparent %b\nparent %b\nauthor" % (b"2" * 40, b"3" * 40), 1)

KEYS = tuple(signing_key("fuzz", kind) for kind in KEY_TYPES)
TOKENS = tuple(hardware_key(kind) for kind in KINDS)
BLOBS = (*(key.public.blob for key in KEYS), *(token.public for token in TOKENS))
KNOWN = {sshkey.read(blob).fingerprint for blob in BLOBS}
SIGNED = (
    *(sign(PAYLOAD, key) for key in KEYS),
    *(touched(PAYLOAD, token, flags=flags) for token in TOKENS for flags in (0, 1)),
)


@dataclass(frozen=True)
class FuzzTarget:
    """One parser under fire. `seeds` are real inputs, `words` what its grammar is made of.

    `unwrap` and `wrap` lead into an armor and out again, and `mutate` keeps the shape of what is in
    there: the mutations would otherwise hit little but base64 and lengths.
    """

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()
    unwrap: Callable[[bytes], bytes] = bytes
    wrap: Callable[[bytes], bytes] = bytes
    mutate: Callable[[bytes, random.Random, shape.Mutate], bytes] = shape.anywhere


def commit(raw: bytes) -> None:
    """The two readers of a commit object agree, and only what was signed is believed."""
    try:
        read = commitobject.parse(raw)
    except ValueError:
        with pytest.raises(ValueError, match="the commit"):
            commitobject.links(raw)
        return
    assert (read.parents, read.seconds) == commitobject.links(raw)
    assert read.subject in read.message
    if signature.of_commit(read).status is SignatureStatus.GOOD:
        assert read.payload in (PAYLOAD, MERGE)


def ssh_signature(armored: bytes) -> None:
    """Verifying answers, and a good signature is that of a key which really signed."""
    found = sshsig.verify(PAYLOAD, armored.decode(errors="surrogateescape"))
    assert (found.status is SignatureStatus.GOOD) == (found.key in KNOWN)
    assert found.detail or found.status is SignatureStatus.GOOD


def public_key(blob: bytes) -> None:
    """A public key is read or refused, and reads the same from its line."""
    try:
        key = sshkey.read(blob)
    except ValueError:
        return
    line = f"{key.type} {base64.b64encode(blob).decode()}"
    assert sshkey.parse(line) == key
    assert sshkey.fingerprint(line) == key.fingerprint


def allowed_signers(text: bytes) -> None:
    """A file is refused as a whole, or becomes Users whose every key proves exactly one."""
    try:
        parsed = signers.parse(text.decode(errors="surrogateescape"))
    except SpecInvalid:
        return
    users = signers.users(parsed)
    held = grants.build((ResourceId("User", None, u["metadata"]["name"]), u["spec"]) for u in users)
    assert {sshkey.fingerprint(one.key) for one in parsed} == held.keys.keys()


def openpgp_certificate(text: bytes) -> None:
    """A certificate is read or refused in words of our own."""
    with contextlib.suppress(ValueError):
        assert openpgp.parse(text.decode(errors="surrogateescape")).keys


def host_evidence(text: bytes) -> None:
    """The forge's evidence is read or refused."""
    with contextlib.suppress(UsageError):
        for id, said in evidence.parse(text.decode(errors="surrogateescape")).items():
            assert id == said.commit
            assert said.merged_by


def signed_commit(payload: bytes, armored: str) -> bytes:
    """The commit object with a signature over it."""
    block = armored.rstrip("\n").replace("\n", "\n ").encode()
    return payload.replace(b"\n\n", b"\ngpgsig " + block + b"\n\n", 1)


def dearmored(armored: bytes) -> bytes:
    """What is inside of an armor; other bytes as they are."""
    with contextlib.suppress(ValueError):
        return base64.b64decode(b"".join(armored.splitlines()[1:-1]), validate=True)
    return armored


def _ssh_armored(blob: bytes) -> bytes:
    return f"{sshsig.BEGIN}\n{base64.b64encode(blob).decode()}\n{sshsig.END}\n".encode()


def _pgp_armored(packets: bytes) -> bytes:
    return f"{openpgp.BEGIN}\n\n{base64.b64encode(packets).decode()}\n{openpgp.END}\n".encode()


def _allowed(*options: str) -> bytes:
    pairs = zip(KEYS, options, strict=True)
    lines = (f"{key.public.type}@bank.example {more}{key.public_line()}" for key, more in pairs)
    return "\n".join(["# people", *lines, ""]).encode()


_EVIDENCE = [{"commit": "a" * 40, "mergedBy": "a@b", "pullRequest": "7", "head": "b" * 40}]
_TYPES = tuple(kind.encode() for kind in (*sshkey.CURVES, *sshkey.ED25519, sshkey.RSA, "ssh-dss"))

TARGETS = {
    "commit": FuzzTarget(
        commit,
        (
            PAYLOAD,
            MERGE,
            *(signed_commit(PAYLOAD, armored) for armored in SIGNED),
            signed_commit(MERGE, sign(MERGE, KEYS[0])),
            signed_commit(signed_commit(PAYLOAD, SIGNED[0]), SIGNED[1]),
        ),
        (
            *(b"\n%b " % name for name in (b"gpgsig", b"gpgsig-sha256", b"mergetag", b"encoding")),
            *(b"\n%b " % name for name in (b"parent", b"author", b"committer", b"")),
            *(b"\0", b"\n\n", b" +0000", b"99999999999999999"),
        ),
    ),
    "ssh-signature": FuzzTarget(
        ssh_signature,
        tuple(armored.encode() for armored in SIGNED),
        (*_TYPES, b"rsa-sha2-256", b"rsa-sha2-512", b"git", b"sha256", b"sha512", b"sha1"),
        unwrap=dearmored,
        wrap=_ssh_armored,
        mutate=shape.envelope,
    ),
    "ssh-armor": FuzzTarget(
        ssh_signature,
        tuple(armored.encode() for armored in SIGNED),
        (sshsig.BEGIN.encode(), sshsig.END.encode(), b"\n", b"\r\n", b"=", b" "),
    ),
    "public-key": FuzzTarget(public_key, BLOBS, _TYPES, mutate=shape.inside),
    "allowed-signers": FuzzTarget(
        allowed_signers,
        (
            _allowed(*[""] * len(KEYS)),
            _allowed(*['namespaces="git",valid-before="20300101Z" '] * len(KEYS)),
            _allowed("cert-authority ", *[""] * (len(KEYS) - 1)),
        ),
        (*_TYPES, b'namespaces="git"', b"cert-authority", b'valid-after="20260101120000Z"', b"*@"),
    ),
    "openpgp-certificate": FuzzTarget(
        openpgp_certificate,
        tuple(public(certificate("fuzz", suite)).encode() for suite in ("Cv25519", "P256")),
        unwrap=dearmored,
        wrap=_pgp_armored,
    ),
    "host-evidence": FuzzTarget(
        host_evidence,
        (json.dumps(_EVIDENCE).encode(), b"[]"),
        (b'"commit":', b'"mergedBy":', b'"pullRequest":', b'"head":', b"null", b"1e999", b"[["),
    ),
}
