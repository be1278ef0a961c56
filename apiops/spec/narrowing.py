"""Whether one schema says less than another: what it no longer takes, or no longer promises.

Of what clients send, all that the old schema took must still be taken. Of what they get, all that
the old schema promised must still be promised; more fields than before are no harm. Only plain
differences are found, keyword by keyword. What no keyword decides (a pattern that became another,
one of several alternatives) counts as a difference, since nobody can tell.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from apiops.spec.contract import Contract, Node

DEPTH: Final = 30
"""How deep alternatives may stand in each other."""

PAIRS: Final = 20_000
"""Pairs of schemas that are looked at in one comparison, at most."""

Said = tuple[str, str, Node]
"""Rule, what changed, and where in the new document."""

_TYPES: Final = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
_LOWER: Final = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_UPPER: Final = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
_EITHER: Final = ("oneOf", "anyOf")
_EXACT: Final = ("pattern", "format", "multipleOf", "const")


Pair = tuple[bool, int, int]
"""A direction, and two schemas: the very values in the two trees, wherever they are come by."""


@dataclass(slots=True)
class Comparison:
    """One comparison of two documents; what was looked at is not looked at again."""

    old: Contract
    new: Contract
    depth: int = 0
    _seen: set[Pair] = field(default_factory=set)
    _fitting: dict[Pair, bool] = field(default_factory=dict)
    _flattened: dict[int, Node] = field(default_factory=dict)
    _looked: list[None] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether there was more than is looked at, so that no break says little."""
        return len(self._looked) >= PAIRS

    def differences(self, old: Node, new: Node, what: str, *, taken: bool) -> Iterator[Said]:
        """What the new schema of `what` no longer takes, or (not `taken`) no longer promises."""
        todo = deque([(old, new, what)])
        while todo and not self.ended:
            old, new, what = todo.popleft()
            old, new = self.old.resolved(old), self.new.resolved(new)
            pair = (taken, id(old.value), id(new.value))
            if pair in self._seen:
                continue
            self._seen.add(pair)
            self._looked.append(None)
            old, new = self._flat(self.old, old), self._flat(self.new, new)
            yield from self._types(old, new, what, taken=taken)
            yield from _values(old, new, what, taken=taken)
            yield from (_demanded if taken else _promised)(old, new, what)
            yield from self._alternatives(old, new, what, taken=taken)
            todo += self._below(old, new, what, taken=taken)

    def _below(
        self, old: Node, new: Node, what: str, *, taken: bool
    ) -> Iterator[tuple[Node, Node, str]]:
        """The schemas that stand in both."""
        for name in ("items", "additionalProperties"):
            before, after = old.get(name), new.get(name)
            if before.mapping and after.mapping:
                yield before, after, f"an item of {what}"
        there = dict(new.get("properties").items())
        skipped = "readOnly" if taken else "writeOnly"
        for name, schema in old.get("properties").items():
            if name in there and not _says(self.new.resolved(there[name]), skipped):
                yield schema, there[name], f"{name} of {what}"
        for name in _EITHER:
            others = list(new.get(name).listed())
            for one in old.get(name).listed():
                twin = _twin(one, others)
                if twin is not None:
                    yield one, twin, what

    def _alternatives(self, old: Node, new: Node, what: str, *, taken: bool) -> Iterator[Said]:
        """Of those that stand word for word on the other side too, `_below` takes care."""
        for name in _EITHER:
            sides = [list(side.get(name).listed()) for side in (old, new)]
            held, others = sides if taken else reversed(sides)
            changed = (one for one in held if _twin(one, others) is None)
            rest = (one for one in changed if not self._any(one, others, taken=taken))
            if held and others and next(rest, None) is not None:
                message = f"{what} has other alternatives ({name})"
                yield _rule(taken=taken), message, new.get(name)

    def _any(self, one: Node, others: list[Node], *, taken: bool) -> bool:
        return any(self._fits(one, other, taken=taken) for other in others)

    def _fits(self, held: Node, other: Node, *, taken: bool) -> bool:
        """Whether an alternative has one on the other side that says no less."""
        if self.depth >= DEPTH:
            self._looked += [None] * PAIRS
        old, new = (held, other) if taken else (other, held)
        pair = (taken, id(self.old.resolved(old).value), id(self.new.resolved(new).value))
        if pair not in self._fitting:
            self._fitting[pair] = True  # until the opposite is found: it may contain itself
            fresh = replace(self, depth=self.depth + 1, _seen=set())
            found = next(fresh.differences(old, new, "it", taken=taken), None)
            self._fitting[pair] = found is None
        return self._fitting[pair]

    def _types(self, old: Node, new: Node, what: str, *, taken: bool) -> Iterator[Said]:
        before, after = _types(old), _types(new)
        wanted, offered = (before, after) if taken else (after, before)
        if not all(one in offered or (one == "integer" and "number" in offered) for one in wanted):
            yield _rule(taken=taken), f"{what} was {_named(before)} and is {_named(after)}", new

    def _flat(self, contract: Contract, node: Node) -> Node:
        """A schema with what its reference and its `allOf` say in it."""
        found = contract.resolved(node)
        if "allOf" not in found.mapping:
            return found
        key = id(found.value)
        if key not in self._flattened:
            self._flattened[key] = Node({}, found.path)  # what contains itself says no more by it
            parts = [self._flat(contract, part) for part in found.get("allOf").listed()]
            whole: dict[str, Any] = {}
            for part in (*parts, found):
                for name, value in part.mapping.items():
                    whole[name] = _joined(name, whole.get(name), value)
            whole.pop("allOf", None)
            self._flattened[key] = Node(whole, found.path)
        return self._flattened[key]


def _twin(one: Node, others: list[Node]) -> Node | None:
    """What says the same word for word. What its references lead to may differ."""
    return next((other for other in others if other.value == one.value), None)


def _values(old: Node, new: Node, what: str, *, taken: bool) -> Iterator[Said]:
    before, after = (one.get("enum").value or None for one in (old, new))
    wanted, offered = (before, after) if taken else (after, before)
    if not isinstance(offered, list):
        return
    if not isinstance(wanted, list):
        yield _rule(taken=taken), f"{what} is not of the same values", new.get("enum")
        return
    rest = [str(one) for one in wanted if one not in offered]
    if rest:
        verb = "may no longer be" if taken else "may now be"
        yield _rule(taken=taken), f"{what} {verb} {', '.join(rest)}", new.get("enum")


def _demanded(old: Node, new: Node, what: str) -> Iterator[Said]:
    """Fields that must be sent now, or may no longer be, and what lets less through."""
    before, after = old.get("properties"), new.get("properties")
    for name in sorted(_required(new) - _required(old)):
        if not _says(after.get(name), "readOnly"):
            yield "request-field-required", f"{what} must have {name}", after.get(name)
    if _closed(new):
        for name in before.mapping:
            if name not in after.mapping:
                yield "request-narrowed", f"{what} may no longer have {name}", after
        if not _closed(old):
            yield "request-narrowed", f"{what} may have no other fields", new
    yield from _limits(old, new, what)


def _promised(old: Node, new: Node, what: str) -> Iterator[Said]:
    """Fields that were given and are no more, or that may be missing now."""
    before, after = old.get("properties"), new.get("properties")
    for name, schema in before.items():
        if _says(schema, "writeOnly"):
            continue
        if name not in after.mapping:
            yield "response-field-removed", f"{what} has no {name}", after
        elif name in _required(old) - _required(new):
            yield "response-field-optional", f"{what} need not have {name}", after.get(name)


def _limits(old: Node, new: Node, what: str) -> Iterator[Said]:
    """Numbers and forms that let less through."""
    sides: tuple[tuple[tuple[str, ...], Callable[[Any, Any], bool]], ...] = (
        (_LOWER, lambda before, after: before is None or after > before),
        (_UPPER, lambda before, after: before is None or after < before),
        (_EXACT, lambda before, after: before != after),
    )
    for names, less in sides:
        for name in names:
            before, after = old.mapping.get(name), new.mapping.get(name)
            if after is not None and _comparable(before, after) and less(before, after):
                yield "request-narrowed", f"{what} has another {name}: {after}", new.get(name)
    if _says(new, "uniqueItems") and not _says(old, "uniqueItems"):
        yield "request-narrowed", f"{what} may have no item twice", new.get("uniqueItems")


def _says(schema: Node, keyword: str) -> bool:
    return schema.mapping.get(keyword) is True


def _closed(schema: Node) -> bool:
    """Whether it has no other fields than those that it names."""
    return schema.mapping.get("additionalProperties") is False


def _comparable(before: Any, after: Any) -> bool:
    if before is None or isinstance(after, str):
        return not isinstance(after, bool)
    both = (before, after)
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in both)


def _types(schema: Node) -> frozenset[str]:
    """The types that a schema allows: all of them, if it does not say."""
    said = schema.mapping.get("type")
    listed = said if isinstance(said, list) else [said]
    found = frozenset(str(one) for one in listed) & _TYPES
    if not found:
        return _TYPES
    return found | {"null"} if schema.mapping.get("nullable") is True else found


def _named(types: frozenset[str]) -> str:
    return "anything" if types == _TYPES else " or ".join(sorted(types))


def _required(schema: Node) -> frozenset[str]:
    return frozenset(str(one.value) for one in schema.get("required").listed())


def _joined(key: str, one: Any, other: Any) -> Any:
    if key == "properties" and isinstance(one, dict) and isinstance(other, dict):
        return {**one, **other}
    if key == "required" and isinstance(one, list) and isinstance(other, list):
        return [*one, *other]
    return other


def _rule(*, taken: bool) -> str:
    return "request-narrowed" if taken else "response-widened"
