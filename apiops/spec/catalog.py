"""The checked-in JSON Schemas: where they lie, which there are, and one of them read.

They are package data: beside the package's modules in an installed wheel, at the root of a
checkout otherwise. Policies and connections are schema-as-data: a file per type, the source of
truth; the files per kind are generated from the models and these (see `generate`).
"""

import functools
import pathlib
from typing import Any, Final

import orjson

POLICIES: Final = "policies"
CONNECTIONS: Final = "connections"


def directory() -> pathlib.Path:
    """The directory of the schemas."""
    package = pathlib.Path(__file__).resolve().parents[1]
    packed = package / "schemas"
    return packed if packed.is_dir() else package.parent / "schemas"


@functools.cache
def types(family: str) -> tuple[str, ...]:
    """The types of a payload family (`policies`, `connections`), sorted."""
    return tuple(sorted(path.stem for path in (directory() / family).glob("*.json")))


@functools.cache
def payload(family: str, type_: str) -> dict[str, Any]:
    """The JSON Schema of one payload type, not to be changed. Raises KeyError if there is none."""
    if type_ not in types(family):
        raise KeyError(f"{family} has no type {type_!r}")
    return _read(f"{family}/{type_}.json")


@functools.cache
def kind(name: str) -> dict[str, Any]:
    """The JSON Schema of a whole document of one kind, not to be changed."""
    return _read(f"{name}.json")


@functools.cache
def example(name: str) -> str:
    """The example of a kind, as YAML text."""
    text = (directory() / "examples" / f"{name}.yaml").read_text(encoding="utf-8")
    return text.partition("\n")[2]


@functools.cache
def payload_examples(family: str) -> dict[str, Any]:
    """Type → an example of what its schema describes, not to be changed."""
    import yaml

    text = (directory() / "examples" / f"{family}.yaml").read_text(encoding="utf-8")
    examples: dict[str, Any] = yaml.safe_load(text)
    return examples


def _read(relative: str) -> dict[str, Any]:
    schema: dict[str, Any] = orjson.loads((directory() / relative).read_bytes())
    return schema
