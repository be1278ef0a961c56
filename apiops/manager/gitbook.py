"""The book of a remote Manager that lives in a Git ref, for runners without a database.

It is the same database, as one file that is taken out of the ref and put back: when the lease is
taken, before the first call of each wave (with an intent for every write in it), and at the end,
however the run ends. One that was killed in between left the intents of the wave that it was in;
whatever they name is looked at by the next run and, where nothing is shown of it, written again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import func, select, update

from apiops.manager import faults, tables
from apiops.manager.book import REFUSED, SqlBook
from apiops.manager.embedded import EmbeddedManager
from apiops.ports import Batch, Write

Keep = Callable[[bytes, str], None]
"""Puts the file back, with a message. Raises Conflict when somebody else did meanwhile."""

PLANNED: Final = "planned"
"""What stands for the calls of a write until it begins."""


class GitBook(SqlBook):
    """A `SqlBook` that is put back into its ref."""

    keep: Keep
    kept: int = 0
    """The number of the last audit entry that is in the ref."""

    def put(self, message: str) -> None:
        """Put the database back into its ref. Raises Conflict AO759."""
        seq = self.last()
        self.keep(self.image(), message)
        self.kept = seq

    def put_changes(self) -> None:
        """The same, if there is an entry that the ref has not."""
        if self.last() != self.kept:
            self.put("Record changes")

    def last(self) -> int:
        """The number of the last audit entry."""
        seq = tables.audit_entry.c.seq
        with self._snapshot() as connection:
            return int(connection.execute(select(func.coalesce(func.max(seq), 0))).scalar_one())

    def image(self) -> bytes:
        """The whole database."""
        with faults.translated(self._url), self._reading.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None, "an open connection has a driver's"
            return bytes(driver.serialize())

    @contextmanager
    def lease(self, name: str, holder: str) -> Iterator[int]:
        """Taken in the ref as well, where one of two runs loses."""
        held = False
        try:
            with super().lease(name, holder) as fence:
                self.put(f"Hold the lease for run {holder[:12]}")
                held = True
                try:
                    yield fence
                finally:
                    self._forget_unbegun(holder)
        finally:
            if held:  # with what was denied, if that is why the run ends
                self.put(f"Give back the lease of run {holder[:12]}")

    def begin(self, batch_: Batch, wave: Sequence[Write]) -> None:
        """Before anything is sent, the ref says what is going to be, and what has been."""
        self.intend(batch_, [(write, PLANNED) for write in wave])
        self.put(f"Intend {len(wave)} changes of {batch_.unit}")

    def _forget_unbegun(self, run: str) -> None:
        """A write that never began changed nothing; of one of another run nobody knows that."""
        row = tables.journal
        unbegun = (row.c.run == run, row.c.call == PLANNED, row.c.ended.is_(None))
        with faults.translated(self._url), self._store.bookkeeping() as connection:
            connection.execute(
                update(row)
                .where(*unbegun)
                .values(ended=self._clock(), result=f"{REFUSED}: superseded by its calls")
            )


def face(opened: EmbeddedManager, keep: Keep) -> GitBook:
    """A book over an open Manager, put back by `keep`."""
    book = GitBook(*opened.parts)
    book.keep = keep
    book.kept = book.last()
    return book
