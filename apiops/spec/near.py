"""The nearest name to one that does not exist, for hints."""

from collections.abc import Iterable

_FAR = 3
"""Edit distances from here on are no likeness."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name within edit distance 2 (or equal but for case), the closest first.

    Of a short name at most half may differ: anything is near to a single letter.
    """
    best: tuple[int, str] | None = None
    for candidate in sorted(set(names)):
        distance = 0 if candidate.lower() == name.lower() else _distance(name, candidate)
        if distance < _FAR and (best is None or distance < best[0]):
            best = (distance, candidate)
    return best[1] if best and 2 * best[0] <= len(name) else None


def hint(name: str, names: Iterable[str], otherwise: str) -> str:
    """`did you mean …?`, or `otherwise` where nothing is near."""
    found = nearest(name, names)
    return f'did you mean "{found}"?' if found else otherwise


def _distance(one: str, other: str) -> int:
    """Levenshtein distance; given up early when the lengths alone are too far apart."""
    if abs(len(one) - len(other)) >= _FAR:
        return _FAR
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]
