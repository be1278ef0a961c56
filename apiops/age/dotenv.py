r"""Dotenv files as sops reads and writes them: `KEY=value` lines, everything a string.

A line break inside a value is written `\n`. The envelope is flattened into `sops_…` lines whose
names hold the path: `sops_age__list_0__map_enc`. Format: sops `stores/dotenv`, `stores/flatten.go`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from apiops.age import value
from apiops.age.source import Source
from apiops.age.tree import ENVELOPE, MAX_LEAVES, End, Gap, Leaf, Node, Parsed, Span
from apiops.age.value import Scalar

numbers_are_floats: Final = False

_PREFIX: Final = f"{ENVELOPE}_"
_STEP: Final = re.compile(r"__(list|map)_")


def read(source: Source) -> Parsed:
    """The lines of a dotenv text as one flat mapping.

    Raises SecretError: a line that is no assignment (AO415), a key twice (AO417), too many lines
    (AO414).
    """
    found: dict[str, Node] = {}
    flat: dict[str, Leaf] = {}
    envelopes, gaps, at = [], [], 0
    for line in source.text.split("\n"):
        start, at = at, at + len(line) + 1
        if not line.strip() or line.startswith("#"):
            gaps.append(Gap(start, start + len(line)))
            continue
        key, equals, content = line.partition("=")
        if not equals:
            raise source.refuse("AO415", "a line that is not KEY=value", offset=start)
        if key in found or key in flat:
            raise source.refuse("AO417", f"the key {key!r} occurs twice", offset=start)
        leaf = _leaf(key, content, start)
        if key.startswith(_PREFIX):
            flat[key] = leaf
            envelopes.append(Span(start, min(at, len(source.text))))
        else:
            found[key] = leaf
    if len(found) > MAX_LEAVES:
        raise source.refuse("AO414", f"more than {MAX_LEAVES} values in one file")
    if flat:
        found[ENVELOPE] = _unflatten(flat)
    end = End(len(source.text), open=True)
    return Parsed(source, (found,), (end,), tuple(envelopes), tuple(gaps))


def spell(leaf: Leaf, scalar: Scalar, source: Source) -> str:
    """The value on one line. Raises SecretError (AO413) if it is not text."""
    try:
        return scalar.data.decode().replace("\n", "\\n")
    except UnicodeDecodeError:
        fault = source.refuse(
            "AO413", f"the value at {leaf.pointer} is not text", offset=leaf.start
        )
    raise fault


def envelope(tree: Mapping[str, Any]) -> str:
    """The `sops_…` lines, sorted as sops writes them."""
    lines = (f"{_PREFIX}{name}={content}".replace("\n", "\\n") for name, content in _flatten(tree))
    return "\n".join(sorted(lines))


def attach(parsed: Parsed, envelope: str) -> list[tuple[int, int, str]]:
    """Put the lines at the end."""
    text = parsed.source.text
    gap = "" if not text or text.endswith("\n") else "\n"
    return [(len(text), len(text), f"{gap}{envelope}\n")]


def detach(parsed: Parsed) -> list[tuple[int, int, str]]:
    """Take the lines out."""
    return [(span.start, span.end, "") for span in parsed.envelopes]


def _leaf(key: str, content: str, start: int) -> Leaf:
    begin = start + len(key) + 1
    return Leaf(0, (key,), value.text(content.replace("\\n", "\n")), begin, begin + len(content))


def _flatten(tree: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, str | int):
        yield name, str(tree)
        return
    steps = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    kind = "map" if isinstance(tree, Mapping) else "list"
    for step, child in steps:
        yield from _flatten(child, f"{name}__{kind}_{step}" if name else str(step))


def _unflatten(flat: Mapping[str, Leaf]) -> Node:
    """The mapping that flattened names stand for; lists as mappings are turned at the end."""
    root: dict[str | int, Any] = {}
    for name, leaf in flat.items():
        first, *steps = _STEP.split(name.removeprefix(_PREFIX))
        path: list[str | int] = [
            first,
            *(_index(*pair) for pair in zip(steps[::2], steps[1::2], strict=True)),
        ]
        at = root
        for step in path[:-1]:
            below = at.setdefault(step, {})
            at = below if isinstance(below, dict) else {}
        at[path[-1]] = leaf
    return _lists(root)


def _index(kind: str, step: str) -> str | int:
    return int(step) if kind == "list" and step.isascii() and step.isdigit() else step


def _lists(node: Any) -> Node:
    if isinstance(node, Leaf):
        return node
    children = {key: _lists(child) for key, child in node.items()}
    if children and all(isinstance(key, int) for key in children):
        return [children[key] for key in sorted(children)]
    return children
