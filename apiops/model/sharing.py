"""Mappings of which many versions exist: what they have in common is there once.

Neighbouring commits describe nearly the same files and resources. A `Shared` mapping is cut into
parts; a new version has new parts where something changed and the old ones everywhere else, so
that making it and comparing it cost what changed, not what there is.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_PARTS: Final = 128


def scattered(key: Any) -> int:
    """The part of a key for which no natural one is known."""
    return hash(key) % _PARTS


def by_folder(path: str) -> str:
    """The part of a file: its folder, with the slash (empty at the top)."""
    return path[: path.rfind("/") + 1]


class Shared(Mapping[K, V]):
    """A mapping that never changes, cut into parts by `part_of`. Values are never None."""

    __slots__ = ("part_of", "parts")

    def __init__(self, parts: Mapping[Any, Mapping[K, V]], part_of: Callable[[K], Any]) -> None:
        self.parts = parts
        self.part_of = part_of

    @classmethod
    def of(cls, items: Mapping[K, V], part_of: Callable[[K], Any] = scattered) -> "Shared[K, V]":
        """The same mapping, cut into parts."""
        parts: dict[Any, dict[K, V]] = {}
        for key, value in items.items():
            parts.setdefault(part_of(key), {})[key] = value
        return cls(parts, part_of)

    def __getitem__(self, key: K) -> V:
        return self.parts[self.part_of(key)][key]

    def __iter__(self) -> Iterator[K]:
        for part in self.parts.values():
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self.parts.values()))

    def __repr__(self) -> str:
        return f"Shared({dict(self)!r})"

    def put(self, changes: Mapping[K, V | None]) -> "Shared[K, V]":
        """A version with these values (None: without the key); itself if nothing is different."""
        parts: dict[Any, dict[K, V]] = {}
        for key, value in changes.items():
            if self.get(key) == value:
                continue
            name = self.part_of(key)
            if name not in parts:
                parts[name] = dict(self.parts.get(name, {}))
            if value is None:
                del parts[name][key]
            else:
                parts[name][key] = value
        return Shared({**self.parts, **parts}, self.part_of) if parts else self

    def differing(self, other: "Shared[K, V]") -> set[K]:
        """The keys whose values are not the same in a mapping that is cut alike."""
        empty: Mapping[K, V] = {}
        found: set[K] = set()
        for name in _differing(self.parts, other.parts):
            found |= _differing(self.parts.get(name, empty), other.parts.get(name, empty))
        return found

    def alike(self, other: "Shared[K, V]") -> bool:
        """Whether both are cut into parts in the same way."""
        return self.part_of is other.part_of


def differing(one: Mapping[K, V], other: Mapping[K, V]) -> set[K]:
    """The keys whose values are not the same in two mappings, absence included."""
    if one is other:
        return set()
    if isinstance(one, Shared) and isinstance(other, Shared) and one.alike(other):
        return one.differing(other)
    return _differing(one, other)


def _differing(one: Mapping[K, V], other: Mapping[K, V]) -> set[K]:
    """Versions mostly have the very same keys in the same order: then no key is hashed."""
    if len(one) == len(other):
        found: set[K] = set()
        for (key, mine), (same, theirs) in zip(one.items(), other.items(), strict=True):
            if key is not same and key != same:
                break
            if mine is not theirs and mine != theirs:
                found.add(key)
        else:
            return found
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
