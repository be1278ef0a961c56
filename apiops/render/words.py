"""The words that all formats share: numbers, names, and values made short and safe to show.

A secret leaf is shown as `(hidden)` wherever it stands; a long value is cut, with its length.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from apiops.model import codes, resource, secret

LONGEST: Final = 60
"""Characters of a value that are shown before it is cut."""

FEW: Final = 3
"""How many names are written out before the rest is counted."""

UNSET: Final = "unset"
NOT_SHOWN: Final = "(not shown by the Manager)"
CHANGED_HIDDEN: Final = f"changed {secret.HIDDEN}"


def plural(number: int, noun: str) -> str:
    """The number with its noun: `1 error`, `2 errors`, `3 entries`."""
    if number == 1:
        return f"1 {noun}"
    stem = noun[:-1] + "ie" if noun.endswith("y") else noun
    return f"{number:,} {stem}s"


def unit(name: str) -> str:
    """A unit, in words."""
    if name == resource.EVERYTHING:
        return "any other project"
    return "System tier" if name == resource.SYSTEM else f"project {name}"


def change(before: Any, after: Any) -> str:
    """The old and the new value; of a secret that stays a secret only that it changed."""
    old, new = value(before), value(after)
    return CHANGED_HIDDEN if old == new == secret.HIDDEN else f"{old} → {new}"


def value(node: Any) -> str:
    """A value as JSON on one line, cut when long; None is `unset`."""
    if node is None:
        return UNSET
    if node == resource.NOT_SHOWN:
        return NOT_SHOWN
    shown = masked(node)
    if shown == secret.HIDDEN:
        return secret.HIDDEN
    text = json.dumps(shown, ensure_ascii=False, default=str)
    if len(text) <= LONGEST:
        return text
    length = len(shown) if isinstance(shown, str) else len(text)
    return f"{text[:LONGEST]}… ({length:,} characters)"


def cut(text: str, longest: int = LONGEST) -> str:
    """The text, or its beginning and how long it is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text):,} characters)"


def masked(node: Any) -> Any:
    """The tree with `(hidden)` for whatever is marked as a secret, well-formed leaf or not."""
    if isinstance(node, Mapping):
        if secret.MARK in node:
            return secret.HIDDEN
        return {key: masked(inner) for key, inner in node.items()}
    if isinstance(node, list | tuple):
        return [masked(inner) for inner in node]
    return node


def advice(code: str) -> str:
    """The first way to mend what a code is about, and where to read of the others."""
    known = codes.ALL.get(code)
    if known is None:
        return explain(code)
    first, _, rest = known.fix.partition(". ")
    return f"{first}.  ({explain(code)})" if rest else f"{first}  ({explain(code)})"


def explain(code: str) -> str:
    """The command that explains a code."""
    return f"apiops explain {code}"


def seconds(number: float) -> str:
    """A duration as people say it."""
    minute = 60
    if number < minute:
        return f"{number:.1f} s"
    return f"{int(number // minute)} min {int(number % minute)} s"
