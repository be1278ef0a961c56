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
_SILENT: Final = frozenset(
    {"$ref", "description", "summary", "title", "example", "examples", "deprecated", "default"}
)
"""What says nothing of which values there may be."""

_EITHER: Final = ("oneOf", "anyOf")
_EXACT: Final = ("pattern", "format", "multipleOf")
_OPAQUE: Final = (
    *("not", "if", "then", "else", "const", "propertyNames", "patternProperties", "prefixItems"),
    *("contains", "dependentRequired", "dependentSchemas", "discriminator"),
)
"""What is compared word for word: less of it, or other words, may mean anything."""


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
    _joined: dict[int, Node] = field(default_factory=dict)
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
            if _elsewhere(old) != _elsewhere(new):
                yield "not-comparable", f"{what} is described in another file", new
                continue
            old, new = self._whole(self.old, old), self._whole(self.new, new)
            pair = (taken, id(old.value), id(new.value))
            if pair in self._seen:
                continue
            self._seen.add(pair)
            self._looked.append(None)
            old, new = self._flat(self.old, old), self._flat(self.new, new)
            yield from self._types(old, new, what, taken=taken)
            yield from _values(old, new, what, taken=taken)
            yield from _opaque(old, new, what, taken=taken)
            yield from (_demanded if taken else _promised)(old, new, what)
            yield from self._alternatives(old, new, what, taken=taken)
            todo += self._below(old, new, what, taken=taken)

    def _below(
        self, old: Node, new: Node, what: str, *, taken: bool
    ) -> Iterator[tuple[Node, Node, str]]:
        """The schemas that stand in both."""
        for name in ("items", "additionalProperties"):
            before, after = old.get(name), new.get(name)
            closed = (before if taken else after).value is False  # then nothing is there to lose
            if (before.mapping or after.mapping) and not closed:
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
            if others and (not held or next(rest, None) is not None):
                message = f"{what} has other alternatives ({name})"
                yield _rule(taken=taken), message, new.get(name)

    def _any(self, one: Node, others: list[Node], *, taken: bool) -> bool:
        return any(self._fits(one, other, taken=taken) for other in others)

    def _fits(self, held: Node, other: Node, *, taken: bool) -> bool:
        """Whether an alternative has one on the other side that says no less."""
        if self.depth >= DEPTH:
            self._looked += [None] * PAIRS
        old, new = (held, other) if taken else (other, held)
        pair = (taken, id(self._whole(self.old, old).value), id(self._whole(self.new, new).value))
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

    def _whole(self, contract: Contract, node: Node) -> Node:
        """What a reference leads to, with what stands beside it (OpenAPI 3.1)."""
        beside = {key: value for key, value in node.mapping.items() if key not in _SILENT}
        if "$ref" not in node.mapping or not beside:
            return contract.resolved(node)
        key = id(node.value)
        if key not in self._joined:
            parts = [{"$ref": node.mapping["$ref"]}, beside]
            self._joined[key] = Node({"allOf": parts}, node.path)
        return self._joined[key]

    def _flat(self, contract: Contract, node: Node) -> Node:
        """A schema with what its `allOf` says in it: all of it holds."""
        if "allOf" not in node.mapping:
            return node
        key = id(node.value)
        if key not in self._flattened:
            self._flattened[key] = Node({}, node.path)  # what contains itself says no more by it
            listed = node.get("allOf").listed()
            parts = [self._flat(contract, self._whole(contract, part)) for part in listed]
            whole: dict[str, Any] = {}
            for part in (*parts, node):
                for name, value in part.mapping.items():
                    whole[name] = _both(name, whole[name], value) if name in whole else value
            whole.pop("allOf", None)
            self._flattened[key] = Node(whole, node.path)
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


def _opaque(old: Node, new: Node, what: str, *, taken: bool) -> Iterator[Said]:
    stricter, other = (new, old) if taken else (old, new)
    for name in _OPAQUE:
        said = stricter.mapping.get(name)
        if said is not None and said != other.mapping.get(name):
            yield _rule(taken=taken), f"{what} has another {name}", new.get(name)


def _elsewhere(node: Node) -> str:
    """The reference of a schema that leads out of the document; empty if it has none."""
    reference = node.mapping.get("$ref")
    return reference if isinstance(reference, str) and not reference.startswith("#/") else ""


def _demanded(old: Node, new: Node, what: str) -> Iterator[Said]:
    """Fields that must be sent now, or may no longer be, and what lets less through."""
    before, after = old.get("properties"), new.get("properties")
    for name in sorted(_required(new) - _required(old)):
        if not _says(after.get(name), "readOnly"):
            yield "request-field-required", f"{what} must have {name}", after.get(name)
    for name in before.mapping:
        if after.mapping.get(name) is False and before.mapping.get(name) is not False:
            yield "request-narrowed", f"{what} may no longer have {name}", after.get(name)
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
    for name in ("exclusiveMinimum", "exclusiveMaximum"):  # OpenAPI 3.0 says it by true
        if _says(new, name) and not _says(old, name):
            yield "request-narrowed", f"{what} has another {name}", new.get(name)
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
    return _number(before) and _number(after)


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


def _both(key: str, one: Any, other: Any) -> Any:
    """What it means that both hold."""
    if key in ("required", "enum") and isinstance(one, list) and isinstance(other, list):
        return [*one, *other] if key == "required" else [value for value in one if value in other]
    if key == "properties" and isinstance(one, dict) and isinstance(other, dict):
        shared = {name: {"allOf": [one[name], other[name]]} for name in one.keys() & other.keys()}
        return {**one, **other, **shared}
    if key in _LOWER + _UPPER and _number(one) and _number(other):
        return max(one, other) if key in _LOWER else min(one, other)
    if key == "additionalProperties" and False in (one, other):
        return False
    if key == "type":
        return sorted(_types(Node({key: one}, ())) & _types(Node({key: other}, ())))
    return other if one == other or key in _SILENT else {"allOf": [one, other]}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rule(*, taken: bool) -> str:
    return "request-narrowed" if taken else "response-widened"
