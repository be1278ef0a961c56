"""What a Manager that has no name for its state has shown: questions, and a digest of answers."""

from dataclasses import dataclass

Asked = tuple[str, tuple[tuple[str, str], ...]]
"""A path and the parameters behind it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a reading asked, sorted, and the digest of all that was answered.

    Whoever asks the same again and gets the same digest has read the same.
    """

    asked: tuple[Asked, ...]
    digest: str
