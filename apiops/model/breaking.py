"""What a new document of an API breaks for those who call it."""

from dataclasses import dataclass
from typing import Final

from apiops.model.diagnostic import Location
from apiops.model.resource import ResourceId

RULES: Final = {
    "path-removed": "A path is gone.",
    "operation-removed": "A path no longer has a method.",
    "parameter-added": "A parameter must be sent that was not there before.",
    "parameter-required": "A parameter must be sent that could be left out.",
    "body-required": "A request must have a body, and needed none.",
    "request-media-removed": "A media type of a request is no longer taken.",
    "request-field-required": "A field of a request must be there that could be left out.",
    "request-narrowed": "A value that could be sent may no longer be.",
    "response-removed": "A successful response is gone.",
    "response-media-removed": "A media type of a response is no longer given.",
    "response-field-removed": "A field of a response is gone.",
    "response-field-optional": "A field of a response may be missing.",
    "response-widened": "A response may have a value that it could not have.",
    "auth-tightened": "What let a client in no longer does.",
    "not-comparable": "Nobody can tell: a document is missing, unreadable or too large.",
}
"""Every rule, and what it says in general."""


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
