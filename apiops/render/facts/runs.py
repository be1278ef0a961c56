"""What there is to say about past runs in a list."""

from collections.abc import Iterator
from typing import Final

from apiops.model.view import PastRuns

HEADINGS: Final = ("run", "at", "commit", "resources")


def rows(past: PastRuns) -> Iterator[tuple[str, ...]]:
    """One row a run, newest first."""
    for one in past.runs:
        yield one.run, f"{one.at:%Y-%m-%d %H:%M} UTC", one.commit[:7], str(one.resources)
