"""Where the wrapping key comes from: a key file, a passphrase, bytes that somebody else opened, or
a plugin.

A plugin is an entry point of the group `apiops.wrapping_keys` in an installed package: a settings
file names it and cannot make apiops load anything else. It is called with the Manager's lineage
and the options of the setting, and gives a `wrapping.Device`.
"""

import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from apiops.errors import SecretError
from apiops.manager import keyring
from apiops.manager.fieldcrypt import KEY_BYTES
from apiops.manager.wrapping import InDevice, InMemory, Provider, Wrapping

GROUP: Final = "apiops.wrapping_keys"
SHORTEST: Final = 20
"""Characters of a passphrase: one that people made up in a hurry is shorter."""

_COST: Final = 2**17  # with r=8: 128 MiB and some tenths of a second for each guess
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def file(path: Path) -> Provider:
    """The key in a file that `manager init` made."""
    return lambda lineage: InMemory(keyring.read_file(path), lineage)


def made_file(path: Path) -> Provider:
    """The key in a file, which is made if it is not there: for `manager init`."""

    def provide(lineage: str) -> Wrapping:
        if not path.exists():
            keyring.make_file(path)
        return InMemory(keyring.read_file(path), lineage)

    return provide


def encoded(text: bytes, origin: str) -> Provider:
    """The key whose base64 text somebody opened. Raises SecretError AO723 when it is none."""
    key = keyring.decoded(text, origin)
    return lambda lineage: InMemory(key, lineage)


def passphrase(path: Path) -> Provider:
    """A key that is derived (scrypt, RFC 7914) from the passphrase in a file."""

    def provide(lineage: str) -> Wrapping:
        words = keyring.private_bytes(path, "passphrase").strip()
        if len(words.decode(errors="replace")) < SHORTEST:
            raise SecretError(
                f"the passphrase in {path} is shorter than {SHORTEST} characters",
                code="AO723",
                hint="take six random words or more: whoever has the database can try guesses",
            )
        salt = b"apiops-passphrase/1 " + lineage.encode()
        return InMemory(Scrypt(salt, KEY_BYTES, _COST, 8, 1).derive(words), lineage)

    return provide


def plugin(name: str, options: Mapping[str, str]) -> Provider:
    """A device that an installed package offers under a name."""

    def provide(lineage: str) -> Wrapping:
        found = metadata.entry_points(group=GROUP, name=name) if _NAME.fullmatch(name) else ()
        if len(found) != 1:
            known = ", ".join(sorted(one.name for one in metadata.entry_points(group=GROUP)))
            raise SecretError(
                f'there is {"more than one" if found else "no"} wrapping key plugin "{name}"',
                code="AO721",
                hint=f"install the package that offers it; installed are: {known or 'none'}",
            )
        (entry,) = found
        return InDevice(entry.load()(lineage, **options))

    return provide
