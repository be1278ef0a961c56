"""What a commit's signature proves, decided from the commit object's own bytes."""

from typing import Final

from apiops.git import openpgp, sshsig
from apiops.git.commitobject import CommitObject
from apiops.git.openpgp import Certificates
from apiops.model.revision import Signature, SignatureStatus

_UNSUPPORTED: Final = {
    "-----BEGIN PGP MESSAGE-----": "signed OpenPGP messages are not verified; sign with an SSH key",
    "-----BEGIN SIGNED MESSAGE-----": "X.509 signatures are not verified; sign with an SSH key",
}
_NONE: Final = Certificates()


def of_commit(commit: CommitObject, certificates: Certificates = _NONE) -> Signature:
    """The verified signature of a commit; everything but GOOD proves nothing. Never raises."""
    if not commit.signatures:
        if commit.foreign:
            return Signature(
                SignatureStatus.UNSUPPORTED,
                detail="the commit is signed for a SHA-256 repository only",
            )
        return Signature(SignatureStatus.UNSIGNED)
    if len(commit.signatures) > 1 or commit.foreign:
        return Signature(
            SignatureStatus.SEVERAL, detail="the commit has more than one signature header"
        )
    if commit.odd:
        return Signature(SignatureStatus.MALFORMED, detail=f"the commit is malformed: {commit.odd}")
    return of_payload(commit.payload, commit.signatures[0], certificates)


def of_payload(payload: bytes, armored: str, certificates: Certificates = _NONE) -> Signature:
    """The verified signature over a Git object's payload, whatever its armor."""
    first = armored.partition("\n")[0].rstrip()
    if first == openpgp.BEGIN:
        return certificates.verify(payload, armored)
    if first in _UNSUPPORTED:
        return Signature(SignatureStatus.UNSUPPORTED, detail=_UNSUPPORTED[first])
    return sshsig.verify(payload, armored)
