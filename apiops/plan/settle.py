"""What a Manager shows, settled with what was written there: the spec that plans compare with.

A remote Manager shows some fields, hides others, and shows many in its own way. `settle` walks
what was written and what is seen side by side:

    not seen            what was written stands (write-only fields, secrets)
    seen, the same      what was written stands, word for word, so that nothing differs
    seen, another       what is seen stands: that is drift
    seen, unwritten     what is seen stands, unless the Manager fills it in by itself

The same means equal up to the kind's equivalences (`model.kinds.equivalence`).
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from apiops.model import canonical
from apiops.model.kinds import Kind
from apiops.model.kinds.equivalence import EQUIVALENCES, Equivalence, Filled
from apiops.model.resource import JsonObject
from apiops.model.secret import leaf_of
from apiops.plan import place
from apiops.plan.merge import keyed_items, members
from apiops.plan.place import ITEM, Names

_NONE: Final = Equivalence()
_MILLIS: Final = re.compile(r"(\d\d:\d\d:\d\d)\.0+Z\Z")
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {}, ())


class Unset:
    """Seen in the place of a secret of which the Manager says that it holds none."""


UNSET: Final = Unset()


def settle(kind: Kind, written: JsonObject | None, seen: JsonObject) -> dict[str, Any]:
    """The live spec. `written` is None where nobody knows what was: then all that is seen counts.

    In `seen` a field that is absent is one that the Manager does not show, and a field that is
    None is one that it shows to be empty.
    """
    walk = _Walk(kind, known=written is not None)
    return walk.mapping((), written or {}, seen)


class _Walk:
    """One walk through both trees."""

    def __init__(self, kind: Kind, *, known: bool) -> None:
        self._kind = kind
        self._known = known

    def mapping(self, at: Names, written: JsonObject, seen: JsonObject) -> dict[str, Any]:
        settled: dict[str, Any] = {}
        for key in (*written, *(key for key in seen if key not in written)):
            value = written.get(key)
            if key in seen:
                value = self.node((*at, key), value, seen[key])
            if value is not None:
                settled[key] = value
        return settled

    def node(self, at: Names, written: Any, seen: Any) -> Any:
        """What stands at one place; None for nothing."""
        if isinstance(seen, Unset):
            return None
        if leaf_of(written) is not None:
            return written
        if written is None:
            return seen if leaf_of(seen) is not None else self._unwritten(at, seen)
        if seen is None:
            return written if _blank(self._kind, at, written) else None
        return self._both(at, written, seen)

    def _both(self, at: Names, written: Any, seen: Any) -> Any:
        if isinstance(written, Mapping) and isinstance(seen, Mapping):
            return self.mapping(at, written, seen)
        if _is_list(written) and _is_list(seen):
            return self._list(at, written, seen)
        return written if _same(self._kind, at, written, seen) else seen

    def _unwritten(self, at: Names, seen: Any) -> Any:
        if seen in _EMPTY or _fills(self._kind, at, seen):
            return None
        if self._known and _loose(self._kind.name, at) and not _has_filled(self._kind.name, at):
            return None
        if isinstance(seen, Mapping):
            return self.mapping(at, {}, seen) or None
        if _is_list(seen):
            return self._list(at, (), seen)
        return seen

    def _list(self, at: Names, written: Sequence[Any], seen: Sequence[Any]) -> list[Any]:
        key = place.key_of(self._kind.name, at)
        inner = (*at, ITEM)
        if key == "":
            old, new = members(written), members(seen)
            same = old is not None and new is not None and old.keys() == new.keys()
            return list(written if same else seen)
        known = self._keyed(inner, written, key) or {}
        items = self._keyed(inner, seen, key)
        if items is not None:
            order = [*(k for k in known if k in items), *(k for k in items if k not in known)]
            named = order if _unordered(self._kind.name, at) else items
            pairs = [(known.get(name), seen[items[name]]) for name in named]
        else:
            pairs = [(i if i < len(written) else None, item) for i, item in enumerate(seen)]
        settled = [(self._item(inner, written, old, item), item) for old, item in pairs]
        return [item if value is None else value for value, item in settled]

    def _keyed(self, at: Names, items: Sequence[Any], fields: str | None) -> dict[Any, int] | None:
        """Items by key; a part of a key that was left out is what the Manager fills in."""
        found = keyed_items(items, fields) if fields else None
        if found is None or not fields:
            return None
        filled = [_filled(self._kind.name, (*at, name)) for name in fields.split("+")]
        return {
            tuple(
                usual[0] if part is None and usual else part
                for part, usual in zip(key, filled, strict=True)
            ): index
            for key, index in found.items()
        }

    def _item(self, at: Names, written: Sequence[Any], index: int | None, seen: Any) -> Any:
        return self.node(at, None if index is None else written[index], seen)


def _is_list(node: Any) -> bool:
    return isinstance(node, list | tuple)


def _same(kind: Kind, at: Names, written: Any, seen: Any) -> bool:
    one, other = _plain(written), _plain(seen)
    if one == other and isinstance(one, bool) == isinstance(other, bool):
        return True
    return (
        any({one, other} <= words for words in _words(kind.name, at))
        if _texts(one, other)
        else canonical.encode(one) == canonical.encode(other)
    )


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _plain(value: Any) -> Any:
    """A date without the milliseconds that nobody wrote."""
    return _MILLIS.sub(r"\1Z", value) if isinstance(value, str) else value


def _blank(kind: Kind, at: Names, written: Any) -> bool:
    """Whether to have written this is the same as to have written nothing."""
    return written in _EMPTY or _fills(kind, at, written)


def _fills(kind: Kind, at: Names, value: Any) -> bool:
    filled = _filled(kind.name, at)
    return filled is not None and any(
        value == one and isinstance(value, bool) == isinstance(one, bool) for one in filled
    )


def _equivalence(kind: str) -> Equivalence:
    return EQUIVALENCES.get(kind, _NONE)


@lru_cache(maxsize=65536)
def _filled(kind: str, at: Names) -> Filled | None:
    found = _equivalence(kind).filled.items()
    return next((filled for pattern, filled in found if place.matches(pattern, at)), None)


def _has_filled(kind: str, at: Names) -> bool:
    return _filled(kind, at) is not None


@lru_cache(maxsize=65536)
def _loose(kind: str, at: Names) -> bool:
    return any(
        place.matches(pattern, at[:end])
        for pattern in _equivalence(kind).loose
        for end in range(1, len(at) + 1)
    )


@lru_cache(maxsize=65536)
def _unordered(kind: str, at: Names) -> bool:
    return any(place.matches(pattern, at) for pattern in _equivalence(kind).unordered)


@lru_cache(maxsize=65536)
def _words(kind: str, at: Names) -> tuple[frozenset[str], ...]:
    found = _equivalence(kind).words.items()
    return next((words for pattern, words in found if place.matches(pattern, at)), ())
