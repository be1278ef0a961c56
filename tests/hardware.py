"""Hardware keys in software: sign as a security key does (OpenSSH PROTOCOL.u2f).

key = hardware_key("ed25519")
armored = touched(payload, key)                      as `git commit -S` with an `sk-` key
"""

import hashlib
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from apiops.git import sshsig
from apiops.git.signing import SigningKey
from apiops.model import sshkey

KINDS = ("ed25519", "ecdsa")
WEBSITE = b"https://shop.example"


@dataclass(frozen=True)
class HardwareKey:
    """The private key of a token, and the public one as OpenSSH writes it."""

    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
    type: bytes
    public: bytes
    application: bytes

    def raw(self, signed: bytes, flags: int, counter: int) -> bytes:
        """An SSH signature; `flags` has 1 when somebody touched the token, 4 for its PIN."""
        tail = bytes([flags]) + counter.to_bytes(4, "big")
        digest = hashlib.sha256(self.application).digest()
        message = digest + tail + hashlib.sha256(signed).digest()
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            blob = self.private.sign(message)
        else:
            r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
            blob = sshsig.mpint(r) + sshsig.mpint(s)
        return sshsig.string(self.type) + sshsig.string(blob) + tail


@cache
def hardware_key(
    kind: str, application: bytes = b"ssh:", claimed: bytes = b"ssh:", owner: str = "ayse"
) -> HardwareKey:
    """A token that signs for `application` while its public key says `claimed`."""
    if kind == "ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
        name = b"sk-ssh-ed25519@openssh.com"
        parts: tuple[bytes, ...] = (name, private.public_key().public_bytes_raw(), claimed)
        return HardwareKey(private, name, _joined(parts), application)
    holder = ec.generate_private_key(ec.SECP256R1())
    name = b"sk-ecdsa-sha2-nistp256@openssh.com"
    point = sshkey.parse(SigningKey(holder).public_line()).point
    return HardwareKey(holder, name, _joined((name, b"nistp256", point, claimed)), application)


def touched(payload: bytes, key: HardwareKey, *, flags: int = 1, counter: int = 7) -> str:
    """An armored signature over `payload`."""
    signed = sshsig.to_be_signed(payload, sshsig.envelope_for("git"))
    return sshsig.seal(key.public, "git", key.raw(signed, flags, counter))


def _joined(parts: tuple[bytes, ...]) -> bytes:
    return b"".join(map(sshsig.string, parts))
