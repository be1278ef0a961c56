"""A ledger in a Git ref: taken out into a file of this process, and put back when it changed.

It is cut into pieces that are encrypted to the target's recipients one by one, so that a push has
what changed and no more. Each state is signed with the run's key.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apiops.errors import StoreError, UsageError
from apiops.wiring import files, places
from apiops.wiring.settings import TargetSettings

if TYPE_CHECKING:
    from apiops.age.envelope import Envelope
    from apiops.age.identities import Identities
    from apiops.git.ledgerref import LedgerRef
    from apiops.git.signing import SigningKey

SCHEME: Final = "git:"
VARIABLE: Final = "APIOPS_SIGNING_KEY"
HEADER: Final = "key.age"
PIECE: Final = 64 * 1024
"""Bytes of the database in one file: some pages, of which most stay the same from run to run."""

MAX_KEY: Final = 64 * 1024
MAX_SIGNERS: Final = 1024 * 1024


class Sealed:
    """A ref whose content is encrypted, piece by piece."""

    def __init__(self, ref: "LedgerRef", path: str, recipients: tuple[str, ...]) -> None:
        self._ref = ref
        self._path = path
        self._recipients = recipients
        self._envelope: Envelope | None = None
        self._known: dict[str, bytes] = {}

    def content(self, identities: "Identities") -> bytes | None:
        """What it holds; None while there is none. Raises SecretError AO401, AO402, AO407."""
        from apiops.age.envelope import Envelope

        found = self._ref.files()
        if found is None:
            return None
        self._envelope = Envelope.open(found.get(HEADER, b""), identities, self._path)
        pieces = {
            name: self._envelope.unseal(sealed, PIECE)
            for name, sealed in sorted(found.items())
            if name != HEADER
        }
        self._known = {name: _digest(piece) for name, piece in pieces.items()}
        return b"".join(pieces.values())

    def keep(self, content: bytes, message: str) -> None:
        """Put the content there. Raises Conflict AO759 if somebody else did meanwhile."""
        from apiops.age.envelope import Envelope

        old = self._envelope
        if old is None or set(old.recipients) != set(self._recipients):
            envelope, known = Envelope.make(self._recipients, self._path), dict[str, bytes]()
        else:
            envelope, known = old, self._known
        pieces = dict(_pieces(content))
        digests = {name: _digest(piece) for name, piece in pieces.items()}
        kept: dict[str, bytes | None] = {HEADER: None if envelope is old else envelope.header}
        for name, piece in pieces.items():
            kept[name] = None if digests[name] == known.get(name) else envelope.seal(piece)
        self._ref.keep(kept, message)
        self._envelope, self._known = envelope, digests


def _pieces(content: bytes) -> Iterator[tuple[str, bytes]]:
    for number, start in enumerate(range(0, len(content), PIECE)):
        yield f"{number:06}", content[start : start + PIECE]


def _digest(piece: bytes) -> bytes:
    return hashlib.sha256(piece).digest()


def is_git(target: TargetSettings) -> bool:
    """Whether the target's ledger is in a ref of the repository."""
    return target.ledger.startswith(SCHEME)


def ref(target: TargetSettings) -> Sealed:
    """The ref of a target's ledger.

    Raises UsageError AO907, AO908, SourceError, SourceUnavailable, StoreError AO757, AO758.
    """
    from apiops.git import ledgerref
    from apiops.wiring import source

    if target.key_file is None and not target.wrapping_key:
        raise _missing(target, "key-file or wrapping-key", "the key must not lie beside it")
    recipients = tuple(filter(None, map(str.strip, target.ledger_recipients.split(","))))
    if not recipients:
        raise _missing(target, "ledger-recipients", "whoever fetches the ref could read it")
    key = _signing_key(target)
    own = frozenset() if key is None else frozenset({key.fingerprint})
    listed = _trusted(target)
    access = ledgerref.Access(
        name=target.ledger.removeprefix(SCHEME),
        login=source.login(),
        key=key,
        trusted=own | listed,
        unlisted=target.ledger_signers is not None and not own <= listed,
    )
    name = f"refs/apiops/{target.name}"
    return Sealed(ledgerref.open(target.directory or Path.cwd(), name, access), name, recipients)


def _signing_key(target: TargetSettings) -> "SigningKey | None":
    from apiops.git.signing import SigningKey

    if os.environ.get(VARIABLE):
        return SigningKey.load(os.environ[VARIABLE].strip().encode() + b"\n")
    if target.signing_key is None:
        return None
    return SigningKey.load(files.read(target.signing_key, MAX_KEY))


def _trusted(target: TargetSettings) -> frozenset[str]:
    """The fingerprints of the keys that may sign now. Raises SpecInvalid AO540 and kin."""
    from apiops.access import signers
    from apiops.model import sshkey

    if target.ledger_signers is None:
        return frozenset()
    text = files.read(target.ledger_signers, MAX_SIGNERS).decode(errors="replace")
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    listed = signers.parse(text, target.ledger_signers.name)
    return frozenset(
        sshkey.fingerprint(one.key)
        for one in listed
        if one.valid_from <= now and (not one.valid_until or now < one.valid_until)
    )


def _missing(target: TargetSettings, key: str, why: str) -> UsageError:
    return UsageError(
        f"target {target.name} has no {key}",
        code="AO908",
        hint=f"a ledger in Git needs {key} in [targets.{target.name}]: {why}",
    )


@contextmanager
def taken_out(
    target: TargetSettings, kept: Sealed, *, new: bool = False
) -> Iterator[TargetSettings]:
    """The target with its ledger as a file, which is gone at the end.

    Raises StoreError AO708 where there is none (with `new`: AO717 where there is one).
    """
    content = kept.content(places.gather_identities(target.identities, interactive=False))
    if (content is None) != new:
        code, said = ("AO717", "is there already") if new else ("AO708", "is not there")
        raise StoreError(
            f"the ledger of {target.name}, refs/apiops/{target.name}, {said}",
            code=code,
            hint="`apiops manager init` makes one, once",
        )
    with tempfile.TemporaryDirectory(prefix="apiops-ledger-") as folder:
        file = Path(folder) / "ledger.db"
        if content is not None:
            file.touch(mode=0o600)
            file.write_bytes(content)
        yield replace(target, ledger=f"sqlite:///{file}")
