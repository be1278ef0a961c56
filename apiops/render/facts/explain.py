"""What there is to say about a kind, a field or a code."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apiops.spec.explain import Explanation


def nature(type: str, *, required: bool) -> str:
    """A type, and whether it must be given."""
    return f"{type}, required" if required else type


def bounds(told: "Explanation") -> tuple[tuple[str, str], ...]:
    """What a value may be and what else is to be known, as labelled sentences."""
    lines = [("Left out, it is", told.default)] if told.default else []
    lines += [("One of", ", ".join(told.allowed))] if told.allowed else []
    return (*lines, *(("Note", note) for note in told.notes))
