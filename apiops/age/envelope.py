"""Parts of something large, under one key that is sealed for each recipient once.

The key is an age identity made for the purpose, so each part is an ordinary age file: what did not
change stays, byte for byte, as it was sealed before. The header gives the identity to the
recipients, as a sops file gives them its data key.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import orjson
import pyrage

from apiops.age import bech32, datakey
from apiops.age.identities import Identities
from apiops.age.metadata import Group, Metadata, Recipient
from apiops.age.selection import Selection
from apiops.age.source import MAX_BYTES, Source
from apiops.errors import SecretError
from apiops.model.secret import SecretValue

_PREFIX: Final = "age-secret-key-"
_DAMAGED: Final = "AO407"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A key for parts. `header` goes beside them; `recipients` are those who can open it."""

    header: bytes
    recipients: tuple[str, ...]
    _key: pyrage.x25519.Identity = field(repr=False)
    _source: Source = field(repr=False)

    @classmethod
    def make(cls, recipients: Sequence[str], path: str) -> Self:
        """A new key. Raises SecretError AO411 for what is no recipient."""
        source = Source(path, "")
        key, groups = datakey.lock([recipients], 1, source)
        rows = [{"recipient": one.recipient, "enc": one.enc} for one in groups[0].age]
        return cls(orjson.dumps(rows), tuple(recipients), _identity(key), source)

    @classmethod
    def open(cls, header: bytes, identities: Identities, path: str) -> Self:
        """The key that a header gives. Raises SecretError AO401, AO402, AO407."""
        source = Source(path, "")
        entries = _entries(header, source)
        metadata = Metadata((Group(entries),), 1, "", "", Selection())
        key = datakey.unlock(metadata, identities, source)
        return cls(header, metadata.recipients, _identity(key), source)

    def seal(self, part: bytes) -> bytes:
        """An age file that only this key opens."""
        return bytes(pyrage.encrypt(zlib.compress(part), [self._key.to_public()]))

    def unseal(self, sealed: bytes, most: int) -> bytes:
        """A part of at most `most` bytes. Raises SecretError AO407 for what is none."""
        try:
            packed = zlib.decompressobj()
            part = packed.decompress(pyrage.decrypt(sealed, [self._key]), most)
        except (pyrage.DecryptError, zlib.error):
            raise _damaged(self._source) from None
        if not packed.eof:
            raise _damaged(self._source)
        return part


def _identity(key: SecretValue) -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.from_str(bech32.encode(_PREFIX, key.reveal()).upper())


def _entries(header: bytes, source: Source) -> tuple[Recipient, ...]:
    try:
        rows: Any = orjson.loads(header[: MAX_BYTES + 1])
        return tuple(Recipient(str(row["recipient"]), str(row["enc"])) for row in rows)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise _damaged(source) from None


def _damaged(source: Source) -> SecretError:
    return source.refuse(_DAMAGED, f"{source.path} is damaged, or not what apiops sealed")
