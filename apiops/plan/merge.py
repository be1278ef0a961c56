"""The spec as it shall be after a change, from three sides: desired, live, last applied.

A field that the author left out means its default, so it goes. In the mappings that a kind says
it merges, a key left out is somebody else's and stays as it is, unless the author wrote it last
time: then the author has taken it back. `null` clears. Whatever is written is this result, so
what the plan shows, what is stored and what the next plan compares with are one value.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from apiops.model import canonical
from apiops.model.kinds import Kind, Steps, item_key
from apiops.model.resource import JsonObject
from apiops.model.secret import leaf_of
from apiops.plan import place
from apiops.plan.place import ITEM, Names

_SEQUENCE: Final = (list, tuple)
_MAPPING: Final = (dict, Mapping)
"""`dict` first: it is what nearly all are, and asking an abstract class takes ten times as long."""

Key = tuple[str | int | None, ...]
"""What identifies an item of a keyed list: the values of its key fields."""


def result(
    kind: Kind, desired: JsonObject, live: JsonObject | None, applied: JsonObject | None
) -> dict[str, Any]:
    """What the resource's spec shall be, without its deployments (those are actions).

    `applied` is what the author wrote at the last applied revision, not what came of it. The
    result holds no `null` in a mapping. A set that says the same as the live one keeps its order.
    """
    if live and applied is not None and kind.steps is not None:
        desired = _decided(kind.steps, desired, live, applied)
    merged = _mapping(kind, (), desired, live, applied or {}) if live else _written(desired)
    merged.pop("deployments", None)
    return merged


def _decided(
    steps: Steps, desired: JsonObject, live: JsonObject, applied: JsonObject
) -> JsonObject:
    """The desired spec with the live decision, unless the author has written another one since."""
    if any(desired.get(name) != applied.get(name) for name in steps.fields):
        return desired
    own = {name: value for name, value in desired.items() if name not in steps.fields}
    return own | {name: live[name] for name in steps.fields if name in live}


def _written(desired: JsonObject) -> dict[str, Any]:
    """What is written where there is nothing to merge with: all but the nulls."""
    if _NULL not in canonical.encode(desired):
        return dict(desired)
    return {key: _alone(value) for key, value in desired.items() if value is not None}


def _alone(node: Any) -> Any:
    if isinstance(node, _SEQUENCE):
        return [_alone(item) for item in node]
    if isinstance(node, _MAPPING):
        return node if leaf_of(node) is not None else _written(node)
    return node


_NULL: Final = b"null"


def keyed_items(items: Sequence[Any], fields: str) -> dict[Key, int] | None:
    """Key → index of a list's items; None when they do not all have a key of their own."""
    indexes: dict[Key, int] = {}
    for index, item in enumerate(items):
        key = _key(item, fields)
        if key is None or key in indexes:
            return None
        indexes[key] = index
    return indexes


def members(items: Sequence[Any]) -> dict[bytes, int] | None:
    """Canonical form → index of a set's members; None when one of them is not a scalar."""
    if any(isinstance(item, Mapping | list | tuple) for item in items):
        return None
    return {canonical.encode(item): index for index, item in enumerate(items)}


def _mapping(
    kind: Kind, names: Names, desired: JsonObject, live: JsonObject, applied: JsonObject
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    if live and place.merges(kind.name, names):
        merged = {k: v for k, v in live.items() if k not in desired and applied.get(k) is None}
    for key, value in desired.items():
        if value is not None:
            merged[key] = _node(kind, (*names, key), value, live.get(key), applied.get(key))
    return merged


def _node(kind: Kind, names: Names, desired: Any, live: Any, applied: Any) -> Any:
    if isinstance(desired, list | tuple):
        return _list(kind, names, desired, _items(live), _items(applied))
    if isinstance(desired, _MAPPING) and leaf_of(desired) is None:
        return _mapping(kind, names, desired, _object(live), _object(applied))
    return desired


def _list(
    kind: Kind, names: Names, desired: Sequence[Any], live: Sequence[Any], applied: Sequence[Any]
) -> list[Any]:
    key = place.key_of(kind.name, names)
    if key == "":
        wanted, held = members(desired), members(live)
        same = wanted is not None and held is not None and wanted.keys() == held.keys()
        return list(live if same else desired)
    old, base = _by_key(live, key), _by_key(applied, key)
    merged = []
    for item in desired:
        name = _key(item, key) if key else None
        merged.append(_node(kind, (*names, ITEM), item, old.get(name), base.get(name)))
    return merged


def _by_key(items: Sequence[Any], key: str | None) -> dict[Any, Any]:
    indexes = (keyed_items(items, key) if key else None) or {}
    return {name: items[index] for name, index in indexes.items()}


def _key(item: Any, fields: str) -> Key | None:
    key = item_key(item, fields) if isinstance(item, Mapping) else ()
    if not any(key) or not all(part is None or isinstance(part, str | int) for part in key):
        return None
    return key


def _object(node: Any) -> JsonObject:
    return node if isinstance(node, _MAPPING) and leaf_of(node) is None else {}


def _items(node: Any) -> Sequence[Any]:
    return node if isinstance(node, list | tuple) else ()
