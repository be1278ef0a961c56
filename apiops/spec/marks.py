"""Where secrets and references are in one concrete `spec`.

Two sources say so: the table of kinds, and for payload families (policies, connections) the
marks `x-apiops-secret` and `x-apiops-reference` in the JSON Schema of the payload's type. Both
become patterns, and one walker lays patterns over a tree.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from apiops.model.kinds import KINDS, Reference, SecretField
from apiops.spec import catalog

Path = tuple[str | int, ...]
"""A field's path inside `spec`: keys and list indices."""

_MAPPING: Final = (dict, Mapping)
"""`dict` first: it is what nearly all are, and asking an abstract class takes ten times as long."""


class Mention(NamedTuple):
    """A name of another resource: where it stands, the kind and name meant, in the System tier?

    Without `system` the name is meant in the same project; see `Reference` for what follows.
    """

    path: Path
    kind: str
    name: str
    system: bool


def secret_paths(kind: str, spec: Mapping[str, Any]) -> Iterator[tuple[Path, SecretField]]:
    """Each secret field that `spec` has, with `required` settled by its switch, if any."""
    for secret in KINDS[kind].secrets:
        for path, parent, _ in _lay(secret.path, spec):
            yield path, _settled(secret, parent)
    for prefix, family, type_, payload in payloads(kind, spec):
        for secret in _marks(family, type_)[0]:
            for path, _parent, _value in _lay(secret.path, payload):
                yield (*prefix, *path), secret


def references(kind: str, spec: Mapping[str, Any]) -> Iterator[Mention]:
    """Each name of another resource in `spec`, for the kinds that apiops knows."""
    for reference in KINDS[kind].references:
        if not reference.marked:
            yield from _mentions((), reference, spec)
    for prefix, family, type_, payload in payloads(kind, spec):
        for reference in _marks(family, type_)[1]:
            yield from _mentions(prefix, reference, payload)


def payloads(
    kind: str, spec: Mapping[str, Any]
) -> Iterator[tuple[Path, str, str, Mapping[str, Any]]]:
    """The payloads in `spec` whose schema is data: path, family, type, tree."""
    for payload in KINDS[kind].payloads:
        for path, _parent, holder in _lay(payload.path, spec):
            if not isinstance(holder, _MAPPING):
                continue
            tree = holder.get(payload.inside) if payload.inside else holder
            type_ = holder.get(payload.type)
            if isinstance(type_, str) and isinstance(tree, _MAPPING):
                inside = (payload.inside,) if payload.inside else ()
                schema = payload.types.get(type_, type_) if payload.types else type_
                yield (*path, *inside), payload.family, schema, tree


def expand(pattern: str, tree: Any) -> Iterator[Path]:
    """The paths in `tree` that a dotted `pattern` (`*` is any key or item) stands for."""
    for path, _parent, _value in _lay(pattern, tree):
        yield path


def _settled(secret: SecretField, parent: Any) -> SecretField:
    switch = secret.switch
    if switch is None:
        return secret
    value = parent.get(switch.field, switch.default)
    return SecretField(secret.path, value == switch.secret_when, secret.environment, switch)


def _mentions(prefix: Path, reference: Reference, tree: Any) -> Iterator[Mention]:
    for path, parent, value in _lay(reference.path, tree):
        if reference.only is not None and not reference.only.holds(parent):
            continue
        if reference.key:
            names = tuple(value) if isinstance(value, Mapping) else ()
            for name in names:
                yield Mention((*prefix, *path, name), reference.kind, name, reference.system)
        elif isinstance(value, str) and value:
            yield Mention((*prefix, *path), reference.kind, value, reference.system)


def _lay(pattern: str, tree: Any) -> list[tuple[Path, Any, Any]]:
    """Path, parent and value of each place in `tree` that `pattern` stands for."""
    places: list[tuple[Path, Any, Any]] = [((), None, tree)]
    for step in _steps(pattern):
        places = [
            ((*path, key), value, child)
            for path, _, value in places
            for key, child in _children(value, step)
        ]
        if not places:  # most patterns of a kind mean nothing in most documents
            break
    return places


@functools.lru_cache(maxsize=4096)
def _steps(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split(".")) if pattern else ()


def _children(value: Any, step: str) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, _MAPPING):
        if step == "*":
            return value.items()
        return ((step, value[step]),) if step in value else ()
    if isinstance(value, list | tuple) and step == "*":
        return enumerate(value)
    return ()


@functools.cache
def _marks(family: str, type_: str) -> tuple[tuple[SecretField, ...], tuple[Reference, ...]]:
    """The marks of one payload type as patterns; nothing for a type that is not known."""
    if type_ not in catalog.types(family):
        return (), ()
    schema = catalog.payload(family, type_)
    secrets: list[SecretField] = []
    named: list[Reference] = []
    for pattern, node in _marked(schema, schema, (), ()):
        if "x-apiops-secret" in node:
            secrets.append(SecretField(pattern, required=node["x-apiops-secret"] is True))
        if node.get("x-apiops-reference") in KINDS:
            named.append(Reference(pattern, node["x-apiops-reference"]))
    return tuple(secrets), tuple(named)


def _marked(
    schema: Any, node: Any, path: tuple[str, ...], seen: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """Every marked node below `node`, with its pattern; no definition is entered within itself."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/definitions/")
        if name not in seen:
            yield from _marked(schema, schema["definitions"][name], path, (*seen, name))
        return
    for part in node.get("allOf", ()):
        yield from _marked(schema, part, path, seen)
    if path and ("x-apiops-secret" in node or "x-apiops-reference" in node):
        yield ".".join(path), node
    for key, child in node.get("properties", {}).items():
        yield from _marked(schema, child, (*path, key), seen)
    for keyword in ("items", "additionalProperties"):
        if isinstance(node.get(keyword), dict):
            yield from _marked(schema, node[keyword], (*path, "*"), seen)
