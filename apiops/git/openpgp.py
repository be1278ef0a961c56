"""OpenPGP signatures, verified in process by Sequoia with the given certificates alone.

No keyring, no agent, no key server. The library (`pysequoia`) is an extra, because it links
LGPL code; without it nothing is believed and the signature's status says so. Sequoia judges a
key at the time that the signature claims; whoever stole an expired key can claim any time, so
validity is judged once more here, at the time of the run.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from apiops.model import openpgp
from apiops.model.openpgp import Certificate, PublicKey
from apiops.model.revision import Signature, SignatureStatus

if TYPE_CHECKING:
    from pysequoia import Cert, Sig
    from pysequoia.packet import Packet

BEGIN: Final = "-----BEGIN PGP SIGNATURE-----"
END: Final = "-----END PGP SIGNATURE-----"
EXTRA: Final = "pip install 'apiops[openpgp]'"

_MAX_ARMOR: Final = 65536
_ARMOR: Final = re.compile(rf"{BEGIN}\n(?:[A-Za-z]+: [^\n]*\n)*\n(?:[A-Za-z0-9+/=]+\n)+{END}\n?")
_STRONG: Final = frozenset({"SHA256", "SHA384", "SHA512", "SHA3_256", "SHA3_512"})


class _Refused(ValueError):
    """Ends verification with a status."""

    def __init__(self, status: SignatureStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Certificates:
    """Armored certificates, found by the fingerprints and ids of their keys."""

    def __init__(self, armored: Iterable[str] = (), at: datetime | None = None) -> None:
        self._at = at
        self._found: dict[str, tuple[str, Certificate, PublicKey]] = {}
        for text in armored:
            for key, certificate in _keys(text):
                self._found[key.fingerprint] = (text, certificate, key)
                self._found[key.id] = (text, certificate, key)

    def verify(self, payload: bytes, armored: str) -> Signature:
        """What `armored` proves about `payload`: GOOD with the certificate, or why not."""
        try:
            return Signature(SignatureStatus.GOOD, key=self._verified(payload, armored))
        except _Refused as refusal:
            return Signature(refusal.status, detail=str(refusal))
        except ImportError:
            detail = f"OpenPGP support is not installed: {EXTRA}"
            return Signature(SignatureStatus.NO_LIBRARY, detail=detail)

    def _verified(self, payload: bytes, armored: str) -> str:
        """The fingerprint of the certificate whose key made the signature."""
        import pysequoia

        signature = _read(armored)
        text, certificate, key = self._issuer(signature)
        owner = pysequoia.Cert.from_bytes(text.encode())
        try:
            checked = pysequoia.verify(bytes=payload, store=lambda _: [owner], signature=signature)
        except RuntimeError:  # its words are a back-trace
            if owner.is_revoked:
                raise _revoked(certificate) from None
            detail = "the signature does not match the content, or its key was not valid then"
            raise _Refused(SignatureStatus.BAD, detail) from None
        made = {(good.certificate, good.signing_key) for good in checked.valid_sigs}
        if made != {(certificate.keys[0].fingerprint, key.fingerprint)}:
            raise _Refused(SignatureStatus.BAD, "the signature is another key's")
        _require_strong(key)
        self._require_valid(owner, text, certificate, key)
        return certificate.fingerprint

    def _issuer(self, signature: "Sig") -> tuple[str, Certificate, PublicKey]:
        named = (signature.issuer_fingerprint or signature.issuer_key_id or "").lower()
        found = self._found.get(named)
        if found is None:
            detail = f"OpenPGP key {named.upper()[:64] or 'unnamed'}"
            raise _Refused(SignatureStatus.UNKNOWN_KEY, detail)
        return found

    def _require_valid(
        self, owner: "Cert", text: str, certificate: Certificate, key: PublicKey
    ) -> None:
        """The certificate and the signing key hold now, whatever the signature claims of then."""
        if owner.is_revoked:
            raise _revoked(certificate)
        at = self._at or datetime.now(UTC)
        for end in (owner.expiration, _subkey_ends(text, certificate, key)):
            if end is not None and end <= at:
                detail = f"{certificate.fingerprint} expired at {end:%Y-%m-%d %H:%M} UTC"
                raise _Refused(SignatureStatus.EXPIRED, detail)


def _keys(text: str) -> Iterator[tuple[PublicKey, Certificate]]:
    """The keys of a certificate; none when it cannot be read, for then it was not registered."""
    try:
        certificate = openpgp.parse(text)
    except ValueError:
        return
    for key in certificate.keys:
        yield key, certificate


def _read(armored: str) -> "Sig":
    """The one signature in the armor: of a binary document, with a hash that is not broken."""
    from pysequoia import Sig
    from pysequoia.packet import PacketPile, SignatureType

    if armored.count(BEGIN) > 1:
        raise _Refused(SignatureStatus.SEVERAL, "there are several signature blocks")
    if len(armored) > _MAX_ARMOR or _ARMOR.fullmatch(armored) is None:
        raise _Refused(SignatureStatus.MALFORMED, "the signature block is damaged or too long")
    try:
        packets = list(PacketPile.from_bytes(armored.encode()))
        signature = Sig.from_bytes(armored.encode())
    except (RuntimeError, ValueError, TypeError):
        raise _Refused(SignatureStatus.MALFORMED, "the signature cannot be read") from None
    if len(packets) != 1:
        raise _Refused(SignatureStatus.SEVERAL, f"there are {len(packets)} packets in the block")
    if signature.signature_type != SignatureType.Binary:
        raise _Refused(SignatureStatus.WRONG_NAMESPACE, "it was not made over a binary document")
    name = str(signature.hash_algorithm).rpartition(".")[2]
    if name not in _STRONG:
        raise _Refused(SignatureStatus.WEAK, f"hash algorithm {name} is not SHA-2 or SHA-3")
    return signature


def _require_strong(key: PublicKey) -> None:
    try:
        openpgp.require_strong(key)
    except ValueError as weakness:
        raise _Refused(SignatureStatus.WEAK, str(weakness)) from None


def _subkey_ends(text: str, certificate: Certificate, key: PublicKey) -> datetime | None:
    """When a signing subkey ends by its newest binding; refuses one that was ever revoked."""
    from pysequoia.packet import SignatureType

    if key == certificate.keys[0]:
        return None
    bindings: list[Packet] = []
    created: datetime | None = None
    for packet, below in _packets_of(text, key):
        created = packet.key_created or created
        if below and packet.signature_type == SignatureType.SubkeyRevocation:
            raise _revoked(certificate)
        if below and packet.signature_type == SignatureType.SubkeyBinding:
            bindings.append(packet)
    newest = max(bindings, key=lambda one: one.signature_created or _BEGINNING, default=None)
    period = newest.key_validity_period if newest else None
    return created + period if created and period else None


_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _packets_of(text: str, key: PublicKey) -> Iterator[tuple["Packet", bool]]:
    """The packet of a key and, marked, those that follow until the next key."""
    from pysequoia.packet import PacketPile

    inside = False
    for packet in PacketPile.from_bytes(text.encode()):
        if packet.fingerprint is not None:
            inside = packet.fingerprint.lower() == key.fingerprint
            if inside:
                yield packet, False
        elif inside:
            yield packet, True


def _revoked(certificate: Certificate) -> _Refused:
    detail = f"{certificate.fingerprint}, or the subkey that signed, is revoked"
    return _Refused(SignatureStatus.REVOKED, detail)
