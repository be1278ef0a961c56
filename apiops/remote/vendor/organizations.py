"""Organisations of clients (vendor document, 2.11): single reads and no list, answers without an
envelope, and 404, perhaps with nothing in it, for one that is not there (1.4).
"""

from collections.abc import Iterable
from typing import Any, Final

from apiops.errors import ManagerError
from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Absent, bare_path, path
from apiops.remote.vendor.codec import Found, Job, Place, taken
from apiops.remote.vendor.identity import fact
from apiops.remote.vendor.shared import Listed

_SEGMENT: Final = "credential-organizations"
_NAMES: Final = ("nameDefault", "nameSecondary", "parentOrganizationCode")


class Organizations(Listed):
    """CredentialOrganization; its name is its code. Those are read that we know of, so one that
    somebody else made is not seen, and the Manager itself refuses to make it twice (409).
    """

    kind = "CredentialOrganization"
    right = "IDENTITY"
    recalls = True

    def found(self, place: Place) -> Iterable[Found]:
        """One read for each that the book names."""
        rows = ((code, _read(place, code)) for code in place.known.get(self.kind, ()))
        return [Found(code, row) for code, row in rows if row is not None]

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """All but the values of secret facts."""
        rows = one.raw.get("metadata") or ()
        facts = [fact(row, known=written is not None) for row in rows]
        return taken(one.raw, *_NAMES) | {"metadata": facts}

    def create(self, job: Job) -> None:
        """Made in the collection."""
        where = path("projects", job.place.project, _SEGMENT)
        job.make("POST", where, self._body(job), lambda: _read(job.place, job.id.name) is not None)

    def update(self, job: Job) -> None:
        """All of it: facts that are left out go, with what was secret in them."""
        job.send("PUT", _where(job.place, job.id.name), self._body(job))

    def delete(self, job: Job) -> None:
        """That it is not there is as good."""
        try:
            job.send("DELETE", _where(job.place, job.id.name), blank=True)
        except Absent:
            return

    def _body(self, job: Job) -> dict[str, Any]:
        named = {name: job.plain.get(name) for name in _NAMES}
        return {"code": job.id.name, **named, "metadata": job.plain.get("metadata") or []}


def _where(place: Place, code: str) -> str:
    return bare_path("projects", place.project, _SEGMENT, code)


def _read(place: Place, code: str) -> JsonObject | None:
    """One of them; None for none. Raises ManagerError AO760 for an answer that is none."""
    try:
        tree = place.api.call("GET", _where(place, code), blank=True)
    except Absent:
        return None
    if not isinstance(tree, dict) or tree.get("code") != code:
        raise ManagerError(
            f"{place.api.address} gave something else for the organisation {code}",
            code="AO760",
            hint="the Manager's release may be another than this apiops knows; report this",
        )
    return tree
