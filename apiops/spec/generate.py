"""Everything that is generated and checked in, as text: schemas per kind, catalogue, reference.

Pure: the caller writes the files (`apiops schema --write`), and a test compares them with what
is checked in. The sources are the table of kinds, the models and the payload schemas.
"""

import importlib
import json
from collections.abc import Iterator
from typing import Any, Final

from apiops.model.kinds import API_VERSION, KINDS, NAME, PROTECTED, Home, Kind, Payload, Reference
from apiops.spec import catalog, handbook, publish
from apiops.spec.publish import Schema

DRAFT: Final = "http://json-schema.org/draft-07/schema#"

ANY: Final = "manifest.json"
"""The schema of a document of any kind, for files that hold several."""


def files() -> dict[str, str]:
    """Path relative to the repository's root → text, for every generated file."""
    schemas = {name: schema(kind) for name, kind in KINDS.items()}
    return {
        **{f"schemas/{name}.json": _text(tree) for name, tree in schemas.items()},
        f"schemas/{ANY}": _text(_any()),
        "schemas/catalog.json": _text(_catalogue()),
        "docs/reference/kinds.md": handbook.page(schemas),
    }


def schema(kind: Kind) -> Schema:
    """The JSON Schema (draft-07, self-contained) of a whole document of one kind."""
    module, name = kind.model.split(":")
    raw = getattr(importlib.import_module(module), name).model_json_schema(
        ref_template="#/definitions/{model}"
    )
    parts = raw.pop("$defs", {})
    definitions = {
        **publish.SHARED,
        **{part: publish.node(tree) for part, tree in parts.items()},
        name: publish.node(raw),
    }
    tree = {
        "$schema": DRAFT,
        "title": kind.name,
        "description": kind.summary,
        "type": "object",
        "properties": {
            "apiVersion": {"description": "Version of the manifests.", "const": API_VERSION},
            "kind": {"description": "What the document describes.", "const": kind.name},
            "metadata": _metadata(kind),
            "spec": {"$ref": f"#/definitions/{name}"},
            "sops": {"description": "Written by sops, not by hand.", "type": "object"},
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
    }
    tree["definitions"] = definitions
    _add_payloads(kind, tree)
    for reference in kind.references:
        if not reference.marked:
            _mark(reference, tree)
    tree["definitions"] = {part: definitions[part] for part in sorted(definitions)}
    return tree


def _metadata(kind: Kind) -> Schema:
    texts: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    properties: Schema = {
        "name": {
            "description": "Name, unique among the resources of its kind and project.",
            "type": "string",
            "pattern": kind.names,
        },
        "project": {"description": "The project that it belongs to.", "type": "string"},
        "labels": {"description": "Words to select resources by.", **texts},
        "annotations": {
            "description": "Notes, never sent to the Manager. "
            f'`{PROTECTED}: "true"` defends the resource against deletion and replacement.',
            **texts,
        },
        "renamedFrom": _renamed_from(kind),
    }
    if kind.home is Home.SYSTEM:
        del properties["project"]
    return {
        "description": "Identity.",
        "type": "object",
        "properties": properties,
        "required": ["name", "project"] if kind.home is Home.PROJECT else ["name"],
        "additionalProperties": False,
    }


def _renamed_from(kind: Kind) -> Schema:
    name = kind.names.removeprefix("^").removesuffix("$")
    project = "" if kind.home is Home.SYSTEM else f"({NAME[1:-1]}/)?"
    former: Schema = {"type": "string", "pattern": f"^{project}{name}$"}
    moves = "" if kind.home is Home.SYSTEM else " `project/name` moves it from another project."
    return {
        "description": "The name it had before, or several, newest first; renames without delete "
        f"and create.{moves}",
        **former,
        "type": ["string", "array"],
        "items": former,
        "maxItems": 20,
    }


def _add_payloads(kind: Kind, tree: Schema) -> None:
    """Let the type of each payload choose what it must look like."""
    definitions = tree["definitions"]
    for payload in kind.payloads:
        steps = payload.path.split(".") if payload.path else []
        holder = _at(tree, tree["properties"]["spec"], steps)
        holder = publish.resolved(tree, holder)
        rules = list(_chosen(payload, definitions))
        if payload.inside:
            rules = [{**rule, "then": _inside(payload, rule, definitions)} for rule in rules]
        else:
            del holder["additionalProperties"]
            common = dict.fromkeys(holder["properties"], True)
            for rule in rules:
                chosen = _target(rule, definitions)
                chosen["properties"] = {**common, **chosen["properties"]}
        holder["allOf"] = rules


def _chosen(payload: Payload, definitions: dict[str, Schema]) -> Iterator[Schema]:
    types = payload.types or {type_: type_ for type_ in catalog.types(payload.family)}
    for type_, schema_ in types.items():
        for name, tree in publish.payload(payload.family, schema_).items():
            if definitions.setdefault(name, tree) != tree:
                raise ValueError(f"{payload.family}: two definitions have the name {name}")
        yield {
            "if": {"properties": {payload.type: {"const": type_}}, "required": [payload.type]},
            "then": {"$ref": f"#/definitions/{publish.prefixed(payload.family, schema_)}"},
        }


def _target(rule: Schema, definitions: dict[str, Schema]) -> Schema:
    return definitions[rule["then"]["$ref"].rsplit("/", 1)[1]]


def _inside(payload: Payload, rule: Schema, definitions: dict[str, Schema]) -> Schema:
    then: Schema = {"properties": {payload.inside: rule["then"]}}
    needed = _target(rule, definitions).get("required")
    return {**then, "required": [payload.inside]} if needed else then


def _mark(reference: Reference, tree: Schema) -> None:
    """Say in the schema what kind of name a field holds."""
    found = _at(tree, tree["properties"]["spec"], reference.path.split("."))
    if reference.key:
        found = found.setdefault("propertyNames", {})
    known = found.get("x-apiops-reference")
    kinds = [known, reference.kind] if known not in (None, reference.kind) else [reference.kind]
    found["x-apiops-reference"] = " or ".join(kinds)


def _at(tree: Schema, start: Schema, steps: list[str]) -> Schema:
    """The node that a pattern leads to; of fields that are alike, the first.

    Raises KeyError if the models have no such field.
    """
    here = start
    for step in steps:
        here = publish.resolved(tree, here)
        if step != "*":
            here = here["properties"][step]
        elif "items" in here:
            here = here["items"]
        else:
            entry = here["additionalProperties"]
            here = entry if isinstance(entry, dict) else next(iter(here["properties"].values()))
    return here


def _any() -> Schema:
    return {
        "$schema": DRAFT,
        "title": "Manifest",
        "description": "A document of any kind.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {"kind": {"enum": list(KINDS)}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"{name}.json"},
            }
            for name in KINDS
        ],
    }


def _catalogue() -> Schema:
    """In the form of SchemaStore's catalogue, which editors read."""
    entries = [
        {"name": "apiops", "description": "Any kind.", "fileMatch": ["*.apiops.yaml"], "url": ANY}
    ]
    for name, kind in KINDS.items():
        entries.append(
            {
                "name": f"apiops {name}",
                "description": kind.summary,
                "fileMatch": [f"*.{name}.yaml"],
                "url": f"{name}.json",
            }
        )
    return {
        "$schema": "https://json.schemastore.org/schema-catalog.json",
        "version": 1,
        "schemas": entries,
    }


def _text(tree: Any) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
