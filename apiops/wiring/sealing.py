"""Plaintexts that a person sends become leaves before anything else sees them (ADR 41).

A body is the whole of a spec in which secrets stand as text. A text is taken out, `null` keeps what
is there, the empty text stays empty, and `${NAME}` is no secret but names a variable.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from apiops.errors import UsageError
from apiops.model import plaintext
from apiops.model.kinds import SecretField
from apiops.model.resource import JsonObject
from apiops.model.secret import MARK, SecretLeaf, SecretValue, leaf_of
from apiops.spec import marks, paths
from apiops.wiring.deeds import Becomes

_READABLE: Final = re.compile(r"(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})*")

_NAMES: Final = ("name", "key", "environmentName")
"""By what an item of a list is told from its neighbours."""


def take(kind: str, spec: JsonObject, before: JsonObject, environment: str | None) -> Becomes:
    """Take the plaintexts out of `spec`; `before` is the spec as it is, with its leaves.

    `environment` has the keys of fields that name none themselves and were not sealed before.
    Raises UsageError AO910 where nothing says whose keys those are, and for what looks like a leaf.
    """
    held = dict(_leaves(before, ()))
    _refuse_strange(spec, [node for _, node in held.items()])
    secrets: dict[str, SecretValue] = {}
    for path, secret in tuple(marks.secret_paths(kind, spec)):
        text, was = paths.value(spec, path), _former(before, spec, path)
        if text is None and leaf_of(was) is not None:
            spec = paths.put(spec, path, was)
        elif isinstance(text, str) and _is_secret(text, secret, was):
            leaf = SecretLeaf(_whose(path, secret, was, environment))
            spec = paths.put(spec, path, leaf.node())
            secrets[paths.pointer(path)] = SecretValue(text)
    return Becomes(spec, secrets, moved=dict(_moved(spec, held)))


def _moved(spec: JsonObject, held: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A value is sealed for its pointer, so whoever moves it says from where."""
    for pointer, node in _leaves(spec, ()):
        if held.get(pointer) is not node:
            yield from ((pointer, old) for old, other in held.items() if other is node)


def _leaves(node: Any, path: paths.Path) -> Iterator[tuple[str, Any]]:
    """Each leaf, the very object, by its JSON pointer."""
    if isinstance(node, Mapping):
        if MARK in node:
            yield paths.pointer(path), node
            return
        for key, value in node.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(node, list | tuple):
        for place, item in enumerate(node):
            yield from _leaves(item, (*path, place))


def _refuse_strange(spec: JsonObject, held: list[Any]) -> None:
    """A leaf is the very object that stood there before, or it came from outside."""
    for _, node in _leaves(spec, ()):
        if not any(node is own for own in held):
            raise UsageError(
                f"{MARK} has no meaning here",
                code="AO910",
                hint="send the secret itself, or null to keep the one that is there",
            )


def is_readable(text: str) -> bool:
    """Whether a text in a secret field is none: variables of the vendor's, or nothing."""
    return _READABLE.fullmatch(text) is not None


def _is_secret(text: str, secret: SecretField, was: Any) -> bool:
    """Where a field may hold a secret and need not, one is what was, or what looks like it."""
    if is_readable(text):
        return False
    return secret.required or leaf_of(was) is not None or bool(plaintext.seems(text))


def _whose(path: paths.Path, secret: SecretField, was: Any, environment: str | None) -> str:
    leaf = leaf_of(was)
    named = None if secret.environment is None else str(path[secret.environment])
    found = named or (leaf.environment if leaf is not None else environment)
    if not found:
        raise UsageError(
            f"nothing says which environment's keys seal {'.'.join(map(str, path))}",
            code="AO910",
            hint="name it in the header X-Apiops-Environment",
        )
    return found


def _former(before: Any, after: Any, path: paths.Path) -> Any:
    """What stood at a path; in a list, in the item of the same name."""
    for step in path:
        old = _place(before, after[step], step) if isinstance(step, int) else step
        try:
            before = before[old]
        except (LookupError, TypeError):
            return None
        after = after[step]
    return before


def _place(rows: Any, item: Any, place: int) -> int:
    """Where the item of a list stood before; where it stands, if nothing says which it is."""
    by = next((name for name in _NAMES if isinstance(item, Mapping) and name in item), None)
    if by is None or not isinstance(rows, list | tuple):
        return place
    names = [row.get(by) if isinstance(row, Mapping) else None for row in rows]
    return names.index(item[by]) if item[by] in names else len(rows)
