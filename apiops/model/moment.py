"""Moments as specifications write them: `2026-01-31`, `2026-01-31T12:00:00Z`. And how far two
clocks are apart, in words.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

SLACK: Final = timedelta(minutes=1)
"""Clocks that are no further apart are said to agree."""

_UNITS: Final = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)))


def parse(text: str) -> datetime:
    """The moment in UTC; of a day its first. Raises ValueError for what no calendar has."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def apart(difference: timedelta) -> str:
    """How far two clocks differ: `5 hours`, in the largest unit of which there are two."""
    for word, unit in _UNITS:
        if abs(difference) >= 2 * unit - SLACK:
            return f"{round(abs(difference) / unit)} {word}s"
    return f"{max(1, round(abs(difference) / SLACK))} minutes"


def against(difference: timedelta) -> str:
    """The same of a clock that is ahead by so much, or behind: `5 hours ahead of ours`."""
    return f"{apart(difference)} {'ahead of' if difference > timedelta() else 'behind'} ours"
