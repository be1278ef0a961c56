"""What a new document of an API breaks for those who call it."""

from dataclasses import dataclass

from apiops.model.diagnostic import Location
from apiops.model.resource import ResourceId


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a client of the old document may rely on and that the new one takes away.

    `rule` is its stable name (`operation-removed`), `message` says what, for whom; `location` is
    where the new document says so, or the nearest place of it that is still there.
    """

    rule: str
    message: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Breaking:
    """What the new document of one resource breaks, and the reason why that is meant, if any."""

    id: ResourceId
    breaks: tuple[Break, ...]
    reason: str = ""
