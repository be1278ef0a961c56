"""Make the JSON Schema that editors and the loader use from a model's raw one.

Draft-07 throughout, because that is what YAML editors understand reliably: a `$ref` stands alone
or inside `allOf`, and there are no tuples. Three things are added to what a model says:

- a field may hold a parameter, `${param:name}`, until it is put in: every number, boolean and
  choice accepts that text as well (`check` runs on rendered documents);
- a secret field accepts a secret (`Secret`), not plaintext;
- `null` is allowed where it means something: in mappings that merge, to clear a field.
"""

from collections.abc import Mapping
from typing import Any, Final

from apiops.spec import catalog

Schema = dict[str, Any]

PARAMETER: Final = r"^\$\{param:[A-Za-z_][A-Za-z0-9_.-]*\}$"
"""A whole value that is put in per target."""

SEALED_TEXT: Final = r"\$\{(param:)?[A-Za-z_][A-Za-z0-9_.-]*\}|^ENC\[AES256_GCM,"
"""Text that may stand in a secret field: a variable or parameter in it, or a sops token."""

_LEAVES: Final[list[Schema]] = [
    {
        "type": "object",
        "description": "A value of a sops file: `{$secret: file.sops.yaml#key}`.",
        "properties": {"$secret": {"type": ["string", "object"]}},
        "required": ["$secret"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "description": "A whole age file: `{$secretFile: path.age}`.",
        "properties": {"$secretFile": {"type": "string", "minLength": 1}},
        "required": ["$secretFile"],
        "additionalProperties": False,
    },
]

SHARED: Final[dict[str, Schema]] = {
    "Parameter": {
        "description": "A parameter of the target, put in before anything else.",
        "type": "string",
        "pattern": PARAMETER,
    },
    "Secret": {
        "description": "A secret: never plaintext.",
        "x-apiops-secret": True,
        "anyOf": [{"type": "string", "pattern": SEALED_TEXT}, *_LEAVES],
    },
    "PossibleSecret": {
        "description": "A text that may be secret.",
        "x-apiops-secret": "possible",
        "anyOf": [{"type": "string"}, *_LEAVES],
    },
}
"""Definitions that every kind's schema has, under these names."""

SCALARS: Final = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
"""JSON types that a parameter may stand for, in words."""

_NULL: Final[Schema] = {"type": "null"}


def node(raw: Mapping[str, Any], family: str = "", *, nulls: bool = False) -> Schema:
    """The published form of a raw schema node and all below it.

    `family` is the payload family whose definitions `$ref` means; `nulls`: the node is a field of
    a mapping that merges.
    """
    out = {key: value for key, value in raw.items() if key not in {"title", "anyOf"}}
    options = [option for option in raw.get("anyOf", ()) if option != _NULL]
    nullable = nulls and len(options) < len(raw.get("anyOf", ()))
    if len(options) == 1:
        out = {**options[0], **out}
        out.pop("title", None)
    elif options:
        out["anyOf"] = [node(option, family) for option in options]
    if out.get("default", ...) is None:
        del out["default"]
    return _accepting(_below(_named(out, family), family), nullable=nullable)


def _named(out: Schema, family: str) -> Schema:
    """References alone or in `allOf`, secrets and lists of types spelt out."""
    reference = out.pop("$ref", None)
    if "x-apiops-secret" in out:
        out.pop("type", None)
        reference = "Secret" if out["x-apiops-secret"] is True else "PossibleSecret"
        out["allOf"] = [{"$ref": f"#/definitions/{reference}"}]
    elif reference is not None:
        name = reference.rsplit("/", 1)[1]
        target = {"$ref": f"#/definitions/{prefixed(family, name)}"}
        if not out:
            return target
        out["allOf"] = [target]
    elif "allOf" in out:
        out["allOf"] = [_part(part, family) for part in out["allOf"]]
    if "x-apiops-types" in out:
        out |= {"type": "string", "enum": list(catalog.types(out.pop("x-apiops-types")))}
    return out


def _part(part: Schema, family: str) -> Schema:
    return dict(part) if "if" in part else node(part, family)


def _below(out: Schema, family: str) -> Schema:
    merges = bool(out.get("x-apiops-merges"))
    if "properties" in out:
        out["properties"] = {
            name: node(child, family, nulls=merges) for name, child in out["properties"].items()
        }
    for keyword in ("items", "additionalProperties"):
        if isinstance(out.get(keyword), dict):
            out[keyword] = node(out[keyword], family)
    return out


def _accepting(out: Schema, *, nullable: bool) -> Schema:
    """The node widened by what else may stand in its place."""
    extra = [_NULL] if nullable else []
    if "enum" in out or "const" in out:
        out.pop("type", None)
        choice = {key: out.pop(key) for key in ("enum", "const") if key in out}
        return {**out, "anyOf": [choice, {"$ref": "#/definitions/Parameter"}, *extra]}
    type_ = out.get("type")
    if type_ in SCALARS:
        words = f"must be {SCALARS[type_]}, or a parameter: ${{param:name}}"
        out |= {"type": [type_, "string"], "pattern": PARAMETER, "patternErrorMessage": words}
    if extra and "type" in out:
        types = out["type"] if isinstance(out["type"], list) else [out["type"]]
        return {**out, "type": [*types, "null"]}
    if extra:
        options = out.pop("anyOf", None) or out.pop("allOf")
        return {**out, "anyOf": [*options, *extra]}
    return out


def prefixed(family: str, name: str) -> str:
    """The name of a payload's definition in a kind's schema."""
    return f"{family}.{name}" if family else name


def payload(family: str, type_: str) -> dict[str, Schema]:
    """The definitions that one payload type adds: itself, and what it is made of."""
    raw = dict(catalog.payload(family, type_))
    parts = raw.pop("definitions", {})
    for keyword in ("$schema", "$comment"):
        raw.pop(keyword, None)
    found = {prefixed(family, type_): {"title": raw["title"], **node(raw, family)}}
    for name, part in parts.items():
        found[prefixed(family, name)] = node(part, family)
    return found


def resolved(tree: Schema, here: Schema) -> Schema:
    """The node behind a `$ref`, alone or as the first of `allOf` or `anyOf`."""
    for keyword in ("allOf", "anyOf"):
        if keyword in here and "properties" not in here:
            return resolved(tree, here[keyword][0])
    if "$ref" in here:
        return resolved(tree, tree["definitions"][here["$ref"].rsplit("/", 1)[1]])
    return here
