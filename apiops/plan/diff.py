"""Two specs → the fields in which they differ. Secrets are masked here, and nowhere else.

Everything that shows a change reads `FieldChange` values, so what this module does not let
through cannot be shown. A secret is compared by fingerprint and reported as hidden, a whole
subtree that comes or goes is shown with its secrets blanked, and a field that the kind says must
be secret is hidden even where plaintext stands in it.

The diff is our own: it must know keyed lists, sets, secrets and positions (ADR 0003).
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apiops.model import canonical
from apiops.model.diagnostic import Location
from apiops.model.kinds import Kind
from apiops.model.plan import FieldChange
from apiops.model.resource import JsonObject
from apiops.model.secret import HIDDEN, SecretLeaf, leaf_of
from apiops.plan import place
from apiops.plan.merge import Key, keyed_items, members
from apiops.plan.place import Path, Place

Locate = Callable[[Path], Location | None]
"""Path in the desired document → its position, if the document has it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The fields that differ, and the secrets that could not be compared."""

    fields: tuple[FieldChange, ...] = ()
    uncompared: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.uncompared)


def compare(
    kind: Kind,
    before: JsonObject,
    after: JsonObject,
    locate: Locate,
    top: Place = place.TOP,
) -> Difference:
    """The difference between two specs of a kind, in an order that depends on nothing else.

    Null and absent are the same in a mapping. A mapping, list item or value that is only on one
    side is one field change. Positions are those of the place in the desired document, or of the
    nearest thing around it.
    """
    walk = _Walk(kind, locate)
    walk.node(top, before, after)
    return Difference(tuple(walk.fields), tuple(walk.uncompared))


class _Walk:
    """Goes through both trees side by side and collects what differs."""

    def __init__(self, kind: Kind, locate: Locate) -> None:
        self.fields: list[FieldChange] = []
        self.uncompared: list[str] = []
        self._kind = kind
        self._locate = locate

    def node(self, at: Place, before: Any, after: Any) -> None:
        """Compare what stands at one place on both sides."""
        old, new = leaf_of(before), leaf_of(after)
        if old is not None and new is not None:
            self._secrets(at, old, new)
        elif old is not None or new is not None:
            self._add(at, hidden=True)
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            for key in sorted(before.keys() | after.keys()):
                self._field(at.field(key), key, before, after)
        elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
            self._lists(at, before, after)
        elif not _same(before, after):
            self._add(at, self._masked(at, before), self._masked(at, after))

    def _field(self, at: Place, key: str, before: JsonObject, after: JsonObject) -> None:
        old, new = before.get(key), after.get(key)
        plain = leaf_of(old) is None and leaf_of(new) is None
        if plain and any(self._must_hide(at, parent) for parent in (before, after)):
            if not _same(old, new):
                self._add(at, hidden=True)
        else:
            self.node(at, old, new)

    def _must_hide(self, at: Place, parent: JsonObject) -> bool:
        """Whether the kind says that the field here, in this mapping, is secret."""
        return any(
            secret.switch is None
            or parent.get(secret.switch.field, secret.switch.default) == secret.switch.secret_when
            for secret in place.secrets(self._kind.name, at.names)
        )

    def _secrets(self, at: Place, old: SecretLeaf, new: SecretLeaf) -> None:
        if old.fingerprint is not None and new.fingerprint is not None:
            if not hmac.compare_digest(old.fingerprint, new.former or new.fingerprint):
                self._add(at, hidden=True)
        elif not (old.cipher and old.cipher == new.cipher):
            self.uncompared.append(at.text)

    def _lists(self, at: Place, before: Sequence[Any], after: Sequence[Any]) -> None:
        key = place.key_of(self._kind.name, at.names)
        if key is None:
            self._positional(at, before, after)
        elif key == "":
            self._set(at, before, after)
        else:
            self._keyed(at, before, after, key)

    def _set(self, at: Place, before: Sequence[Any], after: Sequence[Any]) -> None:
        old, new = members(before), members(after)
        if old is None or new is None:
            self._positional(at, before, after)
            return
        for member in sorted(old.keys() - new.keys()):
            value = before[old[member]]
            self.node(at.item(value, None), value, None)
        for member in sorted(new.keys() - old.keys()):
            value = after[new[member]]
            self.node(at.item(value, new[member]), None, value)

    def _keyed(self, at: Place, before: Sequence[Any], after: Sequence[Any], key: str) -> None:
        old, new = keyed_items(before, key), keyed_items(after, key)
        if old is None or new is None:
            self._positional(at, before, after)
            return
        if [name for name in old if name in new] != [name for name in new if name in old]:
            self._add(at, [_label(name) for name in old], [_label(name) for name in new])
        for name, index in old.items():
            if name not in new:
                self.node(at.item(_label(name), None), before[index], None)
        for name, index in new.items():
            was = before[old[name]] if name in old else None
            self.node(at.item(_label(name), index), was, after[index])

    def _positional(self, at: Place, before: Sequence[Any], after: Sequence[Any]) -> None:
        if _plain(before) and _plain(after):
            if not _same(list(before), list(after)):
                self._add(at, list(before), list(after))
            return
        for index in range(max(len(before), len(after))):
            was = before[index] if index < len(before) else None
            now = after[index] if index < len(after) else None
            self.node(at.item(index, index if index < len(after) else None), was, now)

    def _masked(self, at: Place, node: Any) -> Any:
        """A copy of a subtree in which nothing secret is left."""
        if leaf_of(node) is not None:
            return HIDDEN
        if isinstance(node, Mapping):
            fields = ((key, at.field(key), value) for key, value in node.items())
            return {
                key: HIDDEN if self._must_hide(at, node) else self._masked(at, value)
                for key, at, value in fields
            }
        if isinstance(node, list | tuple):
            return [self._masked(at.item(index, index), item) for index, item in enumerate(node)]
        return node

    def _add(
        self, at: Place, before: Any = None, after: Any = None, *, hidden: bool = False
    ) -> None:
        where = self._position(at.source)
        self.fields.append(FieldChange(at.text, before, after, hidden, where))

    def _position(self, source: Path) -> Location | None:
        for length in range(len(source), -1, -1):
            found = self._locate(source[:length])
            if found is not None:
                return found
        return None


def _label(key: Key) -> str:
    return ",".join(str(part) for part in key if part is not None)


def _same(before: Any, after: Any) -> bool:
    """Equal as JSON: `1`, `1.0` and `true` are three values."""
    return canonical.encode(before) == canonical.encode(after)


def _plain(items: Sequence[Any]) -> bool:
    return not any(isinstance(item, Mapping | list | tuple) for item in items)
