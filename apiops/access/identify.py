"""Who answers for a commit: a principal of the Manager, or nobody and why.

The names in a commit prove nothing; the key that signed it does, as the Manager knew that key
before this run. Verifying was Git's door's work; whose key it is, and whether it still counts,
is decided here, at the time that the caller gives.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apiops.model import moment
from apiops.model.access import Cause, Grants, Key, Trust
from apiops.model.revision import Commit, Evidence, Signature, SignatureStatus

_FAULTS: Final = {
    SignatureStatus.UNSIGNED: ("AO501", "is not signed"),
    SignatureStatus.BAD: ("AO503", "has a signature that does not verify"),
    SignatureStatus.MALFORMED: ("AO510", "has a signature that cannot be read"),
    SignatureStatus.WRONG_NAMESPACE: ("AO504", "has a signature that was made for something else"),
    SignatureStatus.WEAK: ("AO507", "has a signature that is too weak"),
    SignatureStatus.SEVERAL: ("AO508", "has more than one signature"),
    SignatureStatus.UNSUPPORTED: ("AO509", "has a kind of signature that is not supported"),
    SignatureStatus.UNKNOWN_KEY: ("AO502", "is signed by a key of no user"),
    SignatureStatus.EXPIRED: ("AO505", "is signed with a certificate that has expired"),
    SignatureStatus.REVOKED: ("AO506", "is signed with a certificate that is revoked"),
    SignatureStatus.NO_LIBRARY: ("AO512", "has an OpenPGP signature, which cannot be verified"),
}

_NEXT: Final = {
    "AO501": "sign commits (git config commit.gpgsign true), or have the content approved",
    "AO502": "register the key under spec.keys of its owner's User and apply that first",
    "AO505": "sign with a key that is valid now, or have the content approved",
    "AO506": "sign with another key, or have the content approved",
    "AO507": "sign with an Ed25519 key",
    "AO511": "set git config user.email to the address on your User",
    "AO512": "install the extra where apiops runs: pip install 'apiops[openpgp]'",
    "AO513": "give --evidence FILE, which says who merged it, or have the content approved",
    "AO514": "list the address under spec.identities of their User and apply that first",
    "AO515": "merge and sign with your own key, or make the Manager host-attested",
}
_NO_EVIDENCE: Final[Evidence] = {}
_REDO: Final = "make the commit anew with one good signature, or have the content approved"


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made a commit: the principal, or the cause why nobody answers for it.

    `approves`: whether the person signed the commit, so that an approval or an introduction in
    it is their own word.
    """

    principal: str | None
    cause: Cause | None = None
    approves: bool = False


def identify(
    commit: Commit,
    grants: Grants,
    trust: Trust,
    at: datetime,
    revoked: frozenset[str] = frozenset(),
    evidence: Evidence = _NO_EVIDENCE,
) -> Maker:
    """The maker of a commit. `revoked` are keys that commits below this one took away.

    A forge's key proves only where a commit was made; `evidence` says who pressed the button.
    Whoever opens a pull request can put an approval into the message that the forge signs, so
    there it is nobody's word. Where names are believed, a signature still says more than they do.
    """
    maker = _proven(commit, grants, trust, at, revoked, evidence)
    if trust is Trust.COMMITTER and maker.principal is None:
        return _believe(commit, grants)
    return maker


def signer(
    signature: Signature, grants: Grants, at: datetime, revoked: frozenset[str] = frozenset()
) -> Key | tuple[str, str]:
    """The key that made a signature, if it counts; else the code and the words of why not."""
    if signature.status is not SignatureStatus.GOOD:
        code, says = _FAULTS[signature.status]
        return code, f"{says}: {signature.detail}" if signature.detail else says
    key = grants.keys.get(signature.key)
    if key is None:
        return "AO502", f"is signed by {signature.key}, a key of no user"
    return lapsed(key, at, revoked) or key


def _proven(
    commit: Commit,
    grants: Grants,
    trust: Trust,
    at: datetime,
    revoked: frozenset[str],
    evidence: Evidence,
) -> Maker:
    """The maker as far as keys prove it."""
    key = signer(commit.signature, grants, at, revoked)
    if not isinstance(key, Key):
        return _nobody(commit, *key)
    if key.attests:
        return _attested(commit, key, grants, trust, evidence)
    return Maker(key.principal, approves=True)


def lapsed(key: Key, at: datetime, revoked: frozenset[str] = frozenset()) -> tuple[str, str] | None:
    """The code and the words of why a key does not count; None if it does."""
    if key.revoked or key.fingerprint in revoked:
        return "AO506", f"is signed by a key of {key.principal} that is revoked"
    if not valid(key, at):
        return "AO505", f"is signed by {key.principal}'s key {_validity(key)}"
    return None


def _attested(commit: Commit, key: Key, grants: Grants, trust: Trust, evidence: Evidence) -> Maker:
    """Who stands behind a commit that the forge made and signed."""
    if trust is not Trust.HOST_ATTESTED:
        return _nobody(commit, "AO515", f"is signed by {key.principal}, a forge and no person")
    attestation = evidence.get(commit.id)
    if attestation is None:
        says = f"was made by {key.principal}, and there is no evidence of who merged it"
        return _nobody(commit, "AO513", says)
    principal = grants.emails.get(attestation.merged_by.casefold())
    if principal is None:
        says = f"was merged by {attestation.merged_by}, an address of no user"
        return _nobody(commit, "AO514", says)
    return Maker(principal)


def valid(key: Key, at: datetime) -> bool:
    """Whether `at` lies in the key's validity. A bound that cannot be read excludes everything."""
    try:
        begun = not key.valid_from or moment.parse(key.valid_from) <= at
        return begun and (not key.valid_until or at < moment.parse(key.valid_until))
    except ValueError:
        return False


def _validity(key: Key) -> str:
    start, end = key.valid_from or "the beginning", key.valid_until or "further notice"
    return f"which is valid from {start} until {end}"


def _believe(commit: Commit, grants: Grants) -> Maker:
    address = commit.committer.rpartition("<")[2].partition(">")[0].strip()
    principal = grants.emails.get(address.casefold())
    if principal is None:
        return _nobody(commit, "AO511", f"is committed by {commit.committer}, who is not known")
    return Maker(principal, approves=True)


def _nobody(commit: Commit, code: str, says: str) -> Maker:
    message = f"commit {commit.id[:7]} ({commit.subject}) {says}"
    return Maker(None, Cause(commit.id, code, message, hint=_NEXT.get(code, _REDO)))
