"""A wrapping key that never leaves its PKCS#11 token: an example of an apiops plugin.

    wrapping-key = "plugin:pkcs11?module=/usr/lib/softhsm/libsofthsm2.so&token=apiops&label=kek"

The PIN comes from the file that APIOPS_PKCS11_PIN_FILE names, never from a settings file. Every
call opens a session of its own, so that a token which was taken out and put back works again.
"""

import os
from pathlib import Path

import pkcs11

from apiops.errors import SecretError

NONCE = 12
TAG_BITS = 128


class Token:
    """What apiops asks for (`apiops.manager.wrapping.Device`): `kid`, `wrap` and `unwrap`."""

    def __init__(self, lineage: str, *, module: str, token: str, label: str) -> None:
        """`lineage` is the Manager's; the options are those of the setting."""
        self.kid = label
        self._lineage = lineage.encode()
        self._module = module
        self._token = token
        self._label = label

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """Nonce, ciphertext and tag; AES-256-GCM inside of the token."""
        nonce = os.urandom(NONCE)
        with self._session() as session:
            return nonce + self._key(session).encrypt(key, **self._gcm(nonce, bound))

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """What was wrapped with the same `bound`; the token refuses anything else."""
        nonce, body = wrapped[:NONCE], wrapped[NONCE:]
        with self._session() as session:
            try:
                return self._key(session).decrypt(body, **self._gcm(nonce, bound))
            except pkcs11.PKCS11Error as fault:
                raise _refused(f"the token does not unwrap it: {type(fault).__name__}") from None

    def _session(self) -> pkcs11.Session:
        try:
            found = pkcs11.lib(self._module).get_token(token_label=self._token)
            return found.open(user_pin=_pin())
        except (pkcs11.PKCS11Error, RuntimeError) as fault:
            raise _refused(
                f"the token {self._token} cannot be used: {type(fault).__name__}"
            ) from None

    def _key(self, session: pkcs11.Session) -> pkcs11.SecretKey:
        try:
            return session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=self._label)
        except pkcs11.PKCS11Error as fault:
            raise _refused(f"there is no key {self._label}: {type(fault).__name__}") from None

    def _gcm(self, nonce: bytes, bound: bytes) -> dict[str, object]:
        """One key of the token may serve several Managers: each has its own associated data."""
        aad = self._lineage + bound
        parameters = pkcs11.GCMParams(nonce=nonce, aad=aad, tag_bits=TAG_BITS)
        return {"mechanism": pkcs11.Mechanism.AES_GCM, "mechanism_param": parameters}


def _pin() -> str:
    try:
        return Path(os.environ["APIOPS_PKCS11_PIN_FILE"]).read_text(encoding="utf-8").strip()
    except (KeyError, OSError):
        raise _refused("its PIN is missing: APIOPS_PKCS11_PIN_FILE names no file") from None


def _refused(why: str) -> SecretError:
    return SecretError(
        f"the wrapping key in the PKCS#11 token: {why}",
        code="AO724",
        hint="check module, token, label and PIN; `pkcs11-tool --list-objects` shows the keys",
    )
