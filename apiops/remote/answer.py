"""What a server said to one call, and what its head says of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from apiops.errors import ManagerError

_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said, whatever it said."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def pause(self) -> float | None:
        """How many seconds the server asks us to wait (`Retry-After`, RFC 9110, 10.2.3).

        A time to come again is one of its clock, which need not be ours.
        """
        told = self.headers.get("retry-after", "").strip()
        if told.isascii() and told.isdigit():
            return float(told[:_DIGITS])
        at = _date(told)
        if at is None:
            return None
        now = _date(self.headers.get("date", "")) or datetime.now(UTC)
        return max(0.0, (at - now).total_seconds())

    @property
    def ahead(self) -> timedelta | None:
        """By how much the server's clock (`Date`) is ahead of ours; None if it does not say."""
        there = _date(self.headers.get("date", ""))
        return None if there is None else there - datetime.now(UTC)

    def json(self) -> Any:
        """The body as JSON. Raises ManagerError AO744 when it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise ManagerError(
                f"the server answered {self.status} with something that is not JSON",
                code="AO744",
                hint="check the URL: another program may be answering there",
            ) from None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
