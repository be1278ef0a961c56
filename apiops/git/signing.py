"""SSH signing keys: make one, load one, sign with it.

Used by `apiops demo`, by people's proofs for console changes (namespace `apiops`) and by tests.
The private key lives in memory only and cannot be printed.
"""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from apiops.errors import SourceError
from apiops.git import sshsig
from apiops.model import sshkey

_PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

PROOF: Final = "apiops"
"""The SSHSIG namespace of statements that are not Git objects, so neither passes for the other."""


class SigningKey:
    """A private SSH key that signs in process: Ed25519, ECDSA (NIST curves) or RSA."""

    __slots__ = ("_private", "public")

    def __init__(self, private: _PrivateKey) -> None:
        self._private = private
        line = private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        self.public = sshkey.parse(line.decode())

    def __repr__(self) -> str:
        return f"SigningKey({self.public.fingerprint})"

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new Ed25519 key."""
        return cls(ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, content: bytes) -> "SigningKey":
        """The key in an OpenSSH private key file. Raises SourceError (AO816)."""
        try:
            private = serialization.load_ssh_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise _unusable("is not an unencrypted OpenSSH private key") from None
        if not isinstance(private, _PrivateKey):
            raise _unusable("is of a type that apiops does not sign with")
        try:
            return cls(private)
        except ValueError as fault:
            raise _unusable(f"cannot be used: {fault}") from None

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` of the public key."""
        return self.public.fingerprint

    def public_line(self, comment: str = "") -> str:
        """The line for a `.pub` file or `User.spec.keys`."""
        line = self._private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return f"{line.decode()} {comment}".rstrip()

    def private_bytes(self) -> bytes:
        """The private key as an OpenSSH file, unencrypted: write it with mode 0600 only."""
        return self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )

    def raw_signature(self, signed: bytes) -> bytes:
        """An SSH signature (algorithm and blob) over these very bytes."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return _tagged(self.public.type, self._private.sign(signed))
        if isinstance(self._private, rsa.RSAPrivateKey):
            blob = self._private.sign(signed, padding.PKCS1v15(), hashes.SHA512())
            return _tagged("rsa-sha2-512", blob)
        digest = _DIGESTS[self._private.curve.name]
        r, s = decode_dss_signature(self._private.sign(signed, ec.ECDSA(digest)))
        return _tagged(self.public.type, sshsig.mpint(r) + sshsig.mpint(s))


def sign(payload: bytes, key: SigningKey, namespace: str = "git") -> str:
    """An armored SSH signature over `payload`, as `ssh-keygen -Y sign` makes it."""
    signed = sshsig.to_be_signed(payload, sshsig.envelope_for(namespace))
    return sshsig.seal(key.public.blob, namespace, key.raw_signature(signed))


_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


def _tagged(algorithm: str, blob: bytes) -> bytes:
    return sshsig.string(algorithm.encode()) + sshsig.string(blob)


def _unusable(why: str) -> SourceError:
    return SourceError(
        f"The signing key {why}.",
        code="AO816",
        hint="Name the private key, without `.pub`; or make one with `ssh-keygen -t ed25519` and "
        "no passphrase.",
    )
