"""Write a value of the model as JSON and read it back.

pydantic does the work over the plain dataclasses; it is imported here, late, so that a run
which neither stores nor reads a value does not pay for it.
"""

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")


_ADAPTERS: "dict[type[Any], TypeAdapter[Any]]" = {}


def _adapter(kind: type[Any]) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dump(value: Any) -> Any:
    """The value as a JSON tree (dicts, lists, text, numbers, booleans, None)."""
    return _adapter(type(value)).dump_python(value, mode="json")


def load(kind: type[Value], tree: Any) -> Value:
    """The value of type `kind` that `dump` wrote. Raises ValueError for anything else."""
    from pydantic import ValidationError

    try:
        loaded: Value = _adapter(kind).validate_python(tree)
    except ValidationError as fault:
        first = fault.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"not a {kind.__name__}: {where}: {first['msg']}") from None
    return loaded
