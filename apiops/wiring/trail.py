"""The audit log on its way out of the database: to a file, to stdout or to a syslog receiver, once
or for as long as entries come; and back, on the desk of somebody who has files and a key only.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from apiops.errors import StoreError, UsageError
from apiops.manager import audit, export, note, proofs
from apiops.manager.chain import Walk
from apiops.manager.note import VerifierKey
from apiops.model.audit import AuditQuery, ChainReport, ProofReport

if TYPE_CHECKING:
    from apiops.manager.checkpoints import Checkpoints
    from apiops.manager.embedded import EmbeddedManager
    from apiops.remote.log import NativeCheckpoints

BATCH: Final = 500
"""Entries that are sent before the position is kept."""

MAX_PROOF: Final = 64 * 1024 * 1024


class Sink(Protocol):
    """Where entries go."""

    def send(self, rows: list[Any]) -> None:
        """Send entries, oldest first; when it returns they are on their way."""


class Lines:
    """Entries as lines of JSON, or as CSV, through `write`."""

    def __init__(self, format: str, write: Callable[[bytes], None], *, header: bool = True) -> None:
        self._format = format
        self._write = write
        self._header = header

    def send(self, rows: list[Any]) -> None:
        """Write entries; a table's header goes first."""
        if self._format == "jsonl":
            self._write(b"".join(map(export.line, rows)))
            return
        lines = list(export.table(map(audit.read, rows)))
        self._write(b"".join(lines if self._header else lines[1:]))
        self._header = False


class Position:
    """The last entry that was sent, kept in a file so that nothing is lost when a run ends."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> int:
        """The entry's number; 0 at the beginning. Raises UsageError AO778."""
        try:
            text = "0" if self._path is None else self._path.read_text()
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError) as fault:
            raise self._unusable(str(fault)) from None
        if not text.strip().isascii() or not text.strip().isdecimal():
            raise self._unusable("it does not hold a number")
        return int(text)

    def keep(self, seq: int) -> None:
        """Keep another one: the whole number or none of it. Raises UsageError AO778."""
        if self._path is None:
            return
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with fresh.open("w") as file:
                file.write(f"{seq}\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as fault:
            raise self._unusable(str(fault)) from None

    def _unusable(self, why: str) -> UsageError:
        return UsageError(
            f"the position file {self._path} cannot be used: {why}",
            code="AO778",
            hint="it holds one number; remove it to send everything from the first entry on",
        )


def deliver(
    manager: "EmbeddedManager",
    query: AuditQuery,
    sink: Sink,
    position: Position,
    pause: Callable[[], bool],
) -> int:
    """Send what a query asks for, oldest first; how many. It ends when `pause` says no.

    An entry whose sending failed is sent again in the next run: at least once, in order.
    """
    count, last = 0, position.read()
    while True:
        for rows in _batches(manager.stored(query, after=last)):
            sink.send(rows)
            last = rows[-1].seq
            position.keep(last)
            count += len(rows)
        if not pause():
            return count


@contextmanager
def written(file: Path, *, appends: bool) -> Iterator[Callable[[bytes], None]]:
    """A file that each batch is on disk in when it was written. Raises UsageError AO907."""
    try:
        with file.open("ab" if appends else "wb") as stream:

            def write(content: bytes) -> None:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())

            yield write
    except OSError as fault:
        raise UsageError(
            f"{file} cannot be written: {fault.strerror}",
            code="AO907",
            hint="check path, owner, mode and free space",
        ) from None


def waiting(seconds: float) -> Callable[[], bool]:
    """A pause that waits and says go on."""

    def pause() -> bool:
        time.sleep(seconds)
        return True

    return pause


def keys(given: Sequence[str]) -> tuple[VerifierKey, ...]:
    """Public keys, each as its line or as a file with such lines. Raises UsageError AO770."""
    lines = [line for one in given for line in _lines(one)]
    return tuple(note.parse_key(line) for line in lines)


def verify_export(
    file: Path, known: Sequence[VerifierKey], checkpoints: Sequence[str]
) -> ChainReport:
    """Walk an export without a database; at least one checkpoint must be by a known key."""
    origin = _demanded(known)[0].name
    walk = Walk(known, proofs.own(checkpoints, known, origin))
    with file.open("rb") as stream:
        report = walk.along(export.rows(stream, file.name)).end()
    if report.first_bad is None and not report.proven:
        return ChainReport(
            report.entries,
            report.head,
            first_bad=1,
            problem="no checkpoint that the given key signed covers these entries",
            root=report.root,
        )
    return report


def verify_proof(
    file: Path, known: Sequence[VerifierKey], checkpoints: Sequence[str]
) -> ProofReport:
    """What a proof proves, without a database. Raises UsageError, StoreError AO775."""
    return proofs.check(text(file, MAX_PROOF), _demanded(known), checkpoints)


def text(file: Path, longest: int = note.MAX_BYTES) -> str:
    """A small file's text. Raises UsageError AO779."""
    try:
        with file.open("rb") as stream:
            content = stream.read(longest + 1)
        if len(content) <= longest:
            return content.decode()
        why = f"is longer than {longest:,} bytes"
    except OSError as fault:
        why = f"cannot be read: {fault.strerror}"
    except UnicodeDecodeError:
        why = "is not text"
    raise UsageError(f"{file} {why}", code="AO779", hint="check the path")


def verify(
    log: "Checkpoints | NativeCheckpoints", known: Sequence[VerifierKey], kept: Sequence[str]
) -> ChainReport:
    """Have the whole log walked. What a server says of its own is not believed for `kept`.

    It must prove that its log grew from each, by a `known` key. Raises StoreError AO773, AO775.
    """
    from apiops.remote.log import NativeCheckpoints

    report = log.verify(kept, known)
    if isinstance(log, NativeCheckpoints) and report.first_bad is None:
        for one in kept:
            proofs.check(log.extend(one), _demanded(known), (one,))
    return report


def witness(
    log: "Checkpoints | NativeCheckpoints", file: Path, write: Callable[[Path, bytes], None]
) -> str:
    """Replace the checkpoint in a file by a new one, if the log still holds the old one's entries.

    Raises StoreError AO773 when history was rewritten; then the file stays, as evidence.
    """
    kept = (text(file),) if file.exists() else ()
    fresh = _grown(log, *kept)
    if kept != (fresh,):
        write(file, fresh.encode())
    return fresh


def _grown(log: "Checkpoints | NativeCheckpoints", *kept: str) -> str:
    """A new checkpoint that `kept` ones do not contradict.

    A server may name what keys it likes: one of them must have signed the kept checkpoint, and
    from that the log can only have grown.
    """
    from apiops.remote.log import NativeCheckpoints

    if not kept or not isinstance(log, NativeCheckpoints):
        return log.make(*kept)
    proof = log.extend(*kept)
    proofs.check(proof, tuple(map(note.parse_key, log.public_keys())), kept)
    return proof.partition("\n\n")[2]


def _demanded(known: Sequence[VerifierKey]) -> Sequence[VerifierKey]:
    if not known:
        raise UsageError(
            "without a database only the log's public key tells true from false",
            code="AO772",
            hint="give it: --key FILE (`apiops audit key` prints it)",
        )
    return known


def _lines(given: str) -> Iterator[str]:
    path = Path(given)
    if "+" in given and not path.is_file():
        yield given
        return
    found = [line for line in text(path).splitlines() if line.strip() and line[0] != "#"]
    if not found:
        raise StoreError(f"{path} holds no key", code="AO770", hint="see `apiops audit key`")
    yield from found


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
