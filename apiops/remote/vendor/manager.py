"""The Manager port over the vendor's Management API, with a book of our own beside it."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import replace

from apiops.model.outcome import Outcome, Result
from apiops.model.resource import ResourceId, environments
from apiops.model.secret import SecretValue
from apiops.ports import Batch, Book, Live
from apiops.remote.vendor import reading
from apiops.remote.vendor.api import Api, understood
from apiops.remote.vendor.reading import Reading
from apiops.remote.vendor.shown import Showing
from apiops.remote.vendor.unit import UnitRun


class VendorManager:
    """A vendor's Manager, as the line needs it."""

    def __init__(self, api: Api, book: Book) -> None:
        self._api = api
        self._book = book
        self._reading: Reading | None = None

    def read(
        self, repository: str, target: str, among: Collection[ResourceId] | None = None
    ) -> Live:
        """The live state, with the rights and the ledger of the book.

        Of `among` alone everything is asked all the same, for that is what is `shown`, and nothing
        is made of the rest. Of nothing the Manager is not asked. What environments demand is the
        book's: the API has no such thing, and who it shows them to is not for us to say.
        """
        if among is not None and not among:
            return replace(self._book.read(repository, target, among), vendors=True)
        unsettled = self._book.unsettled(repository, target)
        wanted = None if among is None else {*among, *reading.needed(unsettled)}
        book = self._book.read(repository, target, wanted, reading.READ_BY_BOOK)
        showing = Showing()
        with self._api.watched(showing), understood("what it has"):
            self._reading = reading.read(self._api, book, unsettled, repository, among)
        for (kind, project), fault in self._reading.blind.items():
            if self._book.has(kind, project or None):
                raise fault
        found = self._reading.resources.values()
        chosen = (one for one in found if among is None or one.id in among)
        resources = tuple(sorted(chosen, key=lambda one: one.id.order))
        return replace(
            book,
            resources=resources,
            environments={**environments(self._reading.resources.values()), **book.environments},
            shown=showing.shown(),
            vendors=True,
        )

    def fingerprint(
        self, id: ResourceId, pointer: str, environment: str, value: SecretValue
    ) -> str:
        """The book's."""
        return self._book.fingerprint(id, pointer, environment, value)

    def lease(self, name: str, holder: str) -> AbstractContextManager[int]:
        """The book's: the API has none (vendor document, 1.9)."""
        return self._book.lease(name, holder)

    def write(self, batch: Batch) -> tuple[Outcome, ...]:
        """Carry out a batch; gives an outcome for each write.

        Raises AccessDenied and Conflict before anything is sent.
        """
        self._book.rehearse(batch)
        if self._reading is None:
            self.read(batch.repository, batch.target)
        assert self._reading is not None, "it was just read"
        outcomes = UnitRun(self._api, self._book, self._reading, batch).carry_out()
        if all(outcome.result is Result.DONE for outcome in outcomes):
            self._book.advance(batch)
        return outcomes
