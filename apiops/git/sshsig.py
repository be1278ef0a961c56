"""SSH signatures (OpenSSH PROTOCOL.sshsig): verify and make them in process.

No program is started and no file is written. Verifying never raises for hostile input: whatever
is wrong with a signature is said in the `Signature` that comes back.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from apiops.model import sshkey
from apiops.model.revision import Signature, SignatureStatus

BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
END: Final = "-----END SSH SIGNATURE-----"

_MAGIC: Final = b"SSHSIG"
_VERSION: Final = 1
_MAX_ARMOR: Final = 65536
_ARMOR: Final = re.compile(rf"{BEGIN}\n((?:[A-Za-z0-9+/=]+\n)+){END}\n?")
_COLUMNS: Final = 70
_ED25519_SIGNATURE: Final = 64
_USER_PRESENT: Final = 1

_DIGESTS: Final = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_RSA_HASHES: Final = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}
_CURVES: Final[dict[bytes, tuple[ec.EllipticCurve, hashes.HashAlgorithm]]] = {
    b"nistp256": (ec.SECP256R1(), hashes.SHA256()),
    b"nistp384": (ec.SECP384R1(), hashes.SHA384()),
    b"nistp521": (ec.SECP521R1(), hashes.SHA512()),
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of a signature blob, before any of them is believed."""

    key: bytes
    namespace: bytes
    reserved: bytes
    hash: bytes
    signature: bytes


class _Refused(ValueError):
    """Ends verification with a status other than malformed."""

    def __init__(self, status: SignatureStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def verify(payload: bytes, armored: str, namespace: str = "git") -> Signature:
    """What `armored` proves about `payload`: GOOD with the key's fingerprint, or why not."""
    try:
        envelope = _open(armored, namespace)
        key = sshkey.read(envelope.key)
        _check(key, envelope.signature, to_be_signed(payload, envelope))
    except _Refused as refusal:
        return Signature(refusal.status, detail=str(refusal))
    except sshkey.WeakKey as weakness:
        return Signature(SignatureStatus.WEAK, detail=str(weakness))
    except (sshkey.UnknownKeyType, UnsupportedAlgorithm) as unknown:
        return Signature(SignatureStatus.UNSUPPORTED, detail=str(unknown))
    except InvalidSignature:
        return Signature(SignatureStatus.BAD, detail="the signature does not match the content")
    except ValueError as fault:
        return Signature(SignatureStatus.MALFORMED, detail=str(fault))
    return Signature(SignatureStatus.GOOD, key=key.fingerprint)


def to_be_signed(payload: bytes, envelope: Envelope) -> bytes:
    """The bytes that the key really signs: everything but the key, with the payload hashed."""
    digest = _DIGESTS.get(envelope.hash)
    if digest is None:
        name = envelope.hash[:20].decode(errors="replace")
        raise _Refused(SignatureStatus.WEAK, f"hash algorithm {name!r} is not SHA-2")
    parts = (envelope.namespace, envelope.reserved, envelope.hash, digest(payload).digest())
    return _MAGIC + b"".join(map(string, parts))


def seal(key: bytes, namespace: str, signature: bytes) -> str:
    """The armored signature around a public key blob and a raw SSH signature over SHA-512."""
    parts = (key, namespace.encode(), b"", b"sha512", signature)
    blob = _MAGIC + _VERSION.to_bytes(4, "big") + b"".join(map(string, parts))
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join([BEGIN, *lines, END, ""])


def envelope_for(namespace: str) -> Envelope:
    """The envelope that a signature of ours is made over."""
    return Envelope(b"", namespace.encode(), b"", b"sha512", b"")


def string(value: bytes) -> bytes:
    """An RFC 4251 string."""
    return len(value).to_bytes(4, "big") + value


def mpint(value: int) -> bytes:
    """An RFC 4251 multiple-precision integer, for a positive number."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _open(armored: str, namespace: str) -> Envelope:
    if len(armored) > _MAX_ARMOR:
        raise ValueError("the signature is too long")
    if armored.count(BEGIN) > 1:
        raise _Refused(SignatureStatus.SEVERAL, "there are several signature blocks")
    match = _ARMOR.fullmatch(armored)
    if match is None:
        raise ValueError("the signature block is damaged")
    try:
        blob = base64.b64decode(match[1].replace("\n", ""), validate=True)
    except binascii.Error:
        raise ValueError("the signature block is not base64") from None
    reader = sshkey.Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise ValueError("the block is not an SSH signature")
    if reader.uint32() != _VERSION:
        raise _Refused(SignatureStatus.UNSUPPORTED, "the signature's version is not 1")
    envelope = Envelope(*(reader.string() for _ in range(5)))
    reader.end()
    if envelope.namespace != namespace.encode():
        made_for = envelope.namespace[:40].decode(errors="replace")
        raise _Refused(
            SignatureStatus.WRONG_NAMESPACE, f"made for {made_for!r}, not for {namespace!r}"
        )
    return envelope


def _check(key: sshkey.PublicKey, signature: bytes, signed: bytes) -> None:
    """Raises InvalidSignature, _Refused or ValueError unless the signature is the key's."""
    reader = sshkey.Reader(signature)
    algorithm = reader.string().decode("ascii", errors="replace")
    blob = reader.string()
    present = True
    if key.hardware:
        flags, counter = reader.byte(), reader.take(4)
        present = bool(flags & _USER_PRESENT)
        inner = hashlib.sha256(key.application).digest(), bytes([flags]), counter
        signed = b"".join(inner) + hashlib.sha256(signed).digest()
    reader.end()
    if key.type == sshkey.RSA:
        _check_rsa(key, algorithm, blob, signed)
    elif algorithm != key.type:
        raise ValueError("the signature's algorithm is not the key's")
    elif key.type in sshkey.ED25519:
        _check_ed25519(key, blob, signed)
    else:
        _check_ecdsa(key, blob, signed)
    if not present:
        raise _Refused(SignatureStatus.WEAK, "nobody touched the hardware key when it signed")


def _check_ed25519(key: sshkey.PublicKey, blob: bytes, signed: bytes) -> None:
    if len(blob) != _ED25519_SIGNATURE:
        raise ValueError("an Ed25519 signature has 64 bytes")
    ed25519.Ed25519PublicKey.from_public_bytes(key.point).verify(blob, signed)


def _check_ecdsa(key: sshkey.PublicKey, blob: bytes, signed: bytes) -> None:
    reader = sshkey.Reader(blob)
    r, s = reader.mpint(), reader.mpint()
    reader.end()
    curve, digest = _CURVES[sshkey.CURVES[key.type][0]]
    public = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.point)
    public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))


def _check_rsa(key: sshkey.PublicKey, algorithm: str, blob: bytes, signed: bytes) -> None:
    if algorithm == sshkey.RSA:
        raise _Refused(SignatureStatus.WEAK, "the signature uses SHA-1")
    digest = _RSA_HASHES.get(algorithm)
    if digest is None:
        raise ValueError("the signature's algorithm is not the key's")
    public = rsa.RSAPublicNumbers(key.exponent, key.modulus).public_key()
    public.verify(blob, signed, padding.PKCS1v15(), digest)
