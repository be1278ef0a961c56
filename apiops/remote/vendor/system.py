"""What there is once per Manager (vendor document, 2.20): it is there, and only changes."""

from collections.abc import Iterable
from typing import Final

from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Upload, bare_path, path
from apiops.remote.vendor.codec import Found, Job, Place
from apiops.remote.vendor.shared import Listed

_ONLY: Final = "default"
"""The name of the only one there is."""


class GatewaySettings(Listed):
    """AiGatewaySettings: PUT changes the fields that it is sent."""

    kind = "AiGatewaySettings"
    right = "ADMIN"

    def found(self, place: Place) -> Iterable[Found]:
        """The settings in force."""
        return [
            Found(_ONLY, row) for row in place.api.items(bare_path("settings", "ai-gateway"))[:1]
        ]

    def seen(self, _place: Place, one: Found, _written: JsonObject | None) -> JsonObject:
        """All of them."""
        return one.raw

    def create(self, job: Job) -> None:
        """They are there."""
        self.update(job)

    def update(self, job: Job) -> None:
        """What is left out stays."""
        job.send("PUT", bare_path("settings", "ai-gateway"), dict(job.plain))

    def delete(self, job: Job) -> None:
        """Nothing to send: whoever no longer describes them leaves them as they are."""


class Geolocation(Listed):
    """Geolocation: the database is taken and not shown, so it is compared with what was sent."""

    kind = "Geolocation"
    right = "ADMIN"
    recalls = True

    def found(self, place: Place) -> Iterable[Found]:
        """Whether it is on; off and described by nobody is none."""
        rows = place.api.items(path("settings", "geolocation"))[:1]
        ours = self.kind in place.known
        return [Found(_ONLY, row) for row in rows if ours or row.get("enabled")]

    def seen(self, _place: Place, one: Found, _written: JsonObject | None) -> JsonObject:
        """Whether it is on."""
        return {"enabled": one.raw.get("enabled")}

    def create(self, job: Job) -> None:
        """It is there."""
        self.update(job)

    def update(self, job: Job) -> None:
        """The database before it is used."""
        digest = job.after.get("fileDigest")
        if digest and job.differs("fileDigest"):
            name = job.after["file"].rsplit("/", 1)[-1]
            upload = Upload({"fileName": name}, {"file": (name, job.files[digest])})
            job.send("PUT", bare_path("settings", "geolocation", "mmdb"), upload)
        if job.differs("enabled"):
            self._switch(job, on=bool(job.after.get("enabled")))

    def delete(self, job: Job) -> None:
        """Off."""
        self._switch(job, on=False)

    def _switch(self, job: Job, *, on: bool) -> None:
        job.send("PUT", bare_path("settings", "geolocation", "enable" if on else "disable"))
