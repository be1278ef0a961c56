"""Moments as specifications write them: `2026-01-31`, `2026-01-31T12:00:00Z`."""

from datetime import UTC, datetime


def parse(text: str) -> datetime:
    """The moment in UTC; of a day its first. Raises ValueError for what no calendar has."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
