"""People (and forges) who sign with OpenPGP: keys made in process, commits signed anew.

zoe = certificate("zoe")
id = sign_over(story.path, story.commit(MERT, files), zoe)      the same commit, zoe's signature
"""

from functools import cache
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType
from pysequoia import ArmorKind, Cert, CipherSuite, SignatureMode, Tsk, armor, sign

from apiops.git import commitobject


@cache
def certificate(owner: str, suite: str = "Cv25519") -> Tsk:
    """The certificate of `owner`, with its private keys; always the same in one session."""
    return Tsk.generate(f"{owner} <{owner}@bank.example>", cipher_suite=getattr(CipherSuite, suite))


def public(key: Tsk) -> str:
    """What stands in `User.spec.keys` as `openpgp`."""
    return str(key.extract_certificate())


def revoked(key: Tsk) -> str:
    """The certificate with its own revocation."""
    cert = key.extract_certificate()
    revocation = cert.revoke(key.certifier())
    return str(Cert.from_bytes(bytes(cert) + bytes(revocation)))


def detached(key: Tsk, payload: bytes) -> str:
    """A signature as `gpg --armor --detach-sign` makes it."""
    return sign(key.signer(), payload, mode=SignatureMode.DETACHED).decode()


def altered(signature: str, at: int, value: int) -> str:
    """The same armor around the packet with one byte replaced."""
    packet = bytearray(_packet(signature))
    packet[at] = value
    return armor(bytes(packet), ArmorKind.Signature)


def twice(signature: str) -> str:
    """One armor with the packet in it twice."""
    return armor(_packet(signature) * 2, ArmorKind.Signature)


def _packet(signature: str) -> bytes:
    from pysequoia import Sig

    return bytes(Sig.from_bytes(signature.encode()))


def sign_over(path: Path, commit: str, key: Tsk, branch: str = "main") -> str:
    """Replace the tip of `branch` by the same commit with an OpenPGP signature; its id."""
    repository = pygit2.Repository(str(path))
    payload = commitobject.parse(repository.odb.read(pygit2.Oid(hex=commit))[1]).payload
    head, _, body = payload.partition(b"\n\n")
    signature = detached(key, payload).strip().replace("\n", "\n ")
    raw = head + b"\ngpgsig " + signature.encode() + b"\n\n" + body
    made = repository.odb.write(ObjectType.COMMIT, raw)
    repository.references.create(f"refs/heads/{branch}", made, force=True)
    return str(made)
