"""Plaintexts that a person sends become leaves before anything else sees them (ADR 41).

A body is the whole of a spec in which secrets stand as text. A text is taken out, `null` keeps what
is there, the empty text stays empty, and `${NAME}` is no secret but names a variable.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apiops.errors import UsageError
from apiops.model import plaintext
from apiops.model.kinds import SecretField
from apiops.model.resource import JsonObject
from apiops.model.secret import MARK, SecretLeaf, SecretValue, leaf_of
from apiops.spec import marks, paths

_READABLE: Final = re.compile(r"(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})*")
"""What stands in a secret field as text: variables of the vendor's, or nothing."""

_NAMES: Final = ("name", "key", "environmentName")
"""By what an item of a list is told from its neighbours."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A spec with leaves, and the plaintexts by their JSON pointers."""

    spec: JsonObject
    secrets: Mapping[str, SecretValue] = field(default_factory=dict, repr=False)


def take(kind: str, spec: JsonObject, before: JsonObject, environment: str | None) -> Sealed:
    """Take the plaintexts out of `spec`; `before` is the spec as it is, with its leaves.

    `environment` has the keys of fields that name none themselves and were not sealed before.
    Raises UsageError AO910 where nothing says whose keys those are, and for a secret that should be
    kept at another place of its list: it is sealed for where it stands.
    """
    _refuse_leaves(spec, before)
    secrets: dict[str, SecretValue] = {}
    for path, secret in tuple(marks.secret_paths(kind, spec)):
        text = paths.value(spec, path)
        was, there = _former(before, spec, path)
        if text is None and leaf_of(was) is not None:
            if there != path:
                raise _moved(path)
            spec = paths.put(spec, path, was)
        elif isinstance(text, str) and _is_secret(text, secret, was):
            leaf = SecretLeaf(_whose(path, secret, was, environment))
            spec = paths.put(spec, path, leaf.node())
            secrets[paths.pointer(path)] = SecretValue(text)
    return Sealed(spec, secrets)


def _refuse_leaves(node: Any, before: Any) -> None:
    """A leaf is what stands for a secret inside; whoever sends one may only mean the one there."""
    if isinstance(node, Mapping):
        if MARK in node and node != before:
            raise UsageError(
                f"{MARK} has no meaning here",
                code="AO910",
                hint="send the secret itself, or null to keep the one that is there",
            )
        held = before if isinstance(before, Mapping) else {}
        for key, value in node.items():
            _refuse_leaves(value, held.get(key))
    elif isinstance(node, list | tuple):
        rows = before if isinstance(before, list | tuple) else ()
        for place, item in enumerate(node):
            _refuse_leaves(item, rows[place] if place < len(rows) else None)


def _is_secret(text: str, secret: SecretField, was: Any) -> bool:
    """Where a field may hold a secret and need not, one is what was, or what looks like it."""
    if _READABLE.fullmatch(text):
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


def _moved(path: paths.Path) -> UsageError:
    return UsageError(
        f"{'.'.join(map(str, path))} cannot keep its secret at another place of the list",
        code="AO910",
        hint="send its value, or leave the list in its order",
    )


def _former(before: Any, after: Any, path: paths.Path) -> tuple[Any, paths.Path]:
    """What stood at a path, in a list in the item of the same name; and where that was."""
    there: paths.Path = ()
    for step in path:
        old = _place(before, after[step], step) if isinstance(step, int) else step
        try:
            before = before[old]
        except (LookupError, TypeError):
            return None, path
        after, there = after[step], (*there, old)
    return before, there


def _place(rows: Any, item: Any, place: int) -> int:
    """Where the item of a list stood before; where it stands, if nothing says which it is."""
    by = next((name for name in _NAMES if isinstance(item, Mapping) and name in item), None)
    if by is None or not isinstance(rows, list | tuple):
        return place
    names = [row.get(by) if isinstance(row, Mapping) else None for row in rows]
    return names.index(item[by]) if item[by] in names else len(rows)
