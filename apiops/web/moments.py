"""Times that a client names."""

from datetime import UTC, datetime

from apiops.errors import UsageError


def in_utc(at: datetime | None, now: datetime) -> datetime | None:
    """The time in UTC, which must be to come. Raises UsageError AO787."""
    if at is None:
        return None
    try:
        there = at.astimezone(UTC)
    except OverflowError:  # the first or the last day that there is, in another zone
        there = datetime.min.replace(tzinfo=UTC)
    if there <= now:
        raise UsageError(
            "the time is over, or none that a calendar has",
            code="AO787",
            hint="name a time to come, for example 2027-03-31T18:00:00Z",
        )
    return there
