"""Field paths in a tree: look up, replace, write as a pointer."""

from typing import Any

Path = tuple[str | int, ...]
"""Keys and list indices from the top of a tree."""


def value(tree: Any, path: Path) -> Any:
    """The value at `path`. Raises KeyError, IndexError or TypeError if there is none."""
    for step in path:
        tree = tree[step]
    return tree


def put(tree: Any, path: Path, new: Any) -> Any:
    """A copy of `tree` with `new` at `path`; what is not on the path is shared, not copied."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(tree, list):
        return [put(item, rest, new) if at == step else item for at, item in enumerate(tree)]
    return {**tree, step: put(tree.get(step), rest, new)}


def pointer(path: Path) -> str:
    """The path as a JSON pointer, `/source/file` (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
