"""What is this? The answer for a kind, a field, a policy or connection type, or a code.

Everything is read from the checked-in schemas and the codes, so the help cannot differ from what
documents are checked with.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from apiops.errors import UsageError
from apiops.model import codes
from apiops.model.kinds import KINDS
from apiops.model.kinds.classes import POLICY_CLASSES
from apiops.spec import catalog, near, publish, traits
from apiops.spec.publish import Schema

FAMILIES: Final = (catalog.POLICIES, catalog.CONNECTIONS)

_CODE: Final = re.compile(r"AO\d{3}")
_TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
}


@dataclass(frozen=True, slots=True)
class Child:
    """A field below the one that is explained."""

    name: str
    type: str
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: `default` is JSON-like text (empty: none), `example` YAML, `remedy` for codes.

    `notes` say what a name refers to, that a value is a secret, what leaving out means.
    """

    title: str
    type: str
    description: str
    default: str = ""
    required: bool = False
    allowed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    example: str = ""
    remedy: str = ""


def explain(topic: str) -> Explanation:
    """Explain `AO203`, `ApiProxy`, `ApiProxy.spec.routing`, `policy-script.scriptBody`, `kinds`.

    Raises UsageError AO902 for what there is not, with the nearest that there is.
    """
    if _CODE.fullmatch(topic):
        return _code(topic)
    if topic in indexes():
        return indexes()[topic]
    first, *steps = topic.split(".")
    first = _by_type(first)
    if first in KINDS:
        tree = catalog.kind(first)
        return _at(tree, tree, [first], steps, required=False)
    family = _family(first)
    if family is None:
        raise _unknown(topic, [*KINDS, *indexes(), *_all_types(), *codes.ALL])
    tree = catalog.payload(family, first)
    return _at(tree, tree, [first], steps, required=False)


@functools.cache
def indexes() -> dict[str, Explanation]:
    """The lists of kinds and of payload types, each a topic of its own."""
    kinds = tuple(Child(kind.name, "kind", kind.summary) for kind in KINDS.values())
    found = {
        "kinds": Explanation("kinds", "index", "What a document can describe.", children=kinds)
    }
    for family, text in zip(
        FAMILIES, ("What a policy can do.", "What can be connected."), strict=True
    ):
        schemas = {type_: catalog.payload(family, type_) for type_ in catalog.types(family)}
        children = tuple(Child(type_, "type", s["description"]) for type_, s in schemas.items())
        found[family] = Explanation(family, "index", text, children=children)
    return found


def children(tree: Schema, node: Schema) -> Iterator[Child]:
    """The fields of a mapping, or of a list's or mapping's entries, in their order."""
    inner = _inside(tree, node)
    required = inner.get("required", ())
    for name, field in inner.get("properties", {}).items():
        if field is not True:
            text = _described(tree, field)
            yield Child(name, type_text(tree, field), text, name in required)


def type_text(tree: Schema, node: Schema) -> str:
    """A node's type in words: `list of text`, `choice`, `secret`."""
    inner = publish.resolved(tree, node)
    if "x-apiops-secret" in node:
        return "secret" if node["x-apiops-secret"] is True else "text or secret"
    if allowed(tree, node):
        return "choice"
    if "items" in inner:
        return f"list of {type_text(tree, inner['items'])}"
    if isinstance(inner.get("additionalProperties"), dict):
        return f"mapping of names to {type_text(tree, inner['additionalProperties'])}"
    types = inner.get("type", "any")
    return _TYPES.get(types if isinstance(types, str) else types[0], "any")


def allowed(tree: Schema, node: Schema) -> tuple[str, ...]:
    """The values of a choice; nothing if the node is none."""
    inner = publish.resolved(tree, node)
    values = [inner["const"]] if "const" in inner else inner.get("enum", ())
    return tuple(str(value) for value in values)


def default_text(node: Schema) -> str:
    """The default as it would be written in YAML's flow style; empty if there is none."""
    if "default" not in node:
        return ""
    text = yaml.safe_dump(node["default"], default_flow_style=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def notes(tree: Schema, node: Schema) -> tuple[str, ...]:
    """What else is to be known of a field."""
    inner = publish.resolved(tree, node)
    places = (node, inner.get("items", {}), inner.get("propertyNames", {}))
    kinds = [place["x-apiops-reference"] for place in places if "x-apiops-reference" in place]
    said = [f"Names a resource of the kind {kind}." for kind in kinds]
    if node.get("x-apiops-secret") is True:
        said.append("A secret: `${NAME}`, `{$secret: file.sops.yaml#key}` or a sops value.")
    if inner.get("x-apiops-merges"):
        said.append("What is left out stays as it is; null clears.")
    said += [
        f"{words} {place[keyword]}."
        for place in (node, inner)
        for keyword, words in (("minimum", "At least"), ("maximum", "At most"))
        if keyword in place
    ]
    return tuple(dict.fromkeys(said))


def _at(
    tree: Schema, node: Schema, done: list[str], steps: list[str], *, required: bool
) -> Explanation:
    """Walk down to the node that the steps name, and describe it."""
    if not steps:
        return _describe(tree, node, done, required=required)
    step, *rest = steps
    type_ = _by_type(step)
    family = _family(type_)
    if family is not None and step not in _inside(tree, node).get("properties", {}):
        payload = catalog.payload(family, type_)
        return _at(payload, payload, [*done, type_], rest, required=False)
    inner = publish.resolved(tree, node)
    fields = _inside(tree, node)
    if fields.get("properties", {}).get(step, True) is not True:
        child = fields["properties"][step]
        needed = step in fields.get("required", ())
        return _at(tree, child, [*done, step], rest, required=needed)
    if isinstance(inner.get("additionalProperties"), dict):
        return _at(tree, inner["additionalProperties"], [*done, step], rest, required=False)
    here = ".".join(done)
    raise _unknown(f"{here}.{step}", [f"{here}.{child.name}" for child in children(tree, node)])


def _describe(tree: Schema, node: Schema, done: list[str], *, required: bool) -> Explanation:
    inner = publish.resolved(tree, node)
    kind = KINDS.get(done[0]) if len(done) == 1 else None
    return Explanation(
        title=".".join(done),
        type="kind" if kind else type_text(tree, node),
        description=_described(tree, node),
        default=default_text(node),
        required=required,
        allowed=allowed(tree, node) or allowed(tree, inner.get("items", {})),
        notes=tuple(traits.of(kind)) if kind else notes(tree, node),
        children=tuple(children(tree, node)),
        example=_example(tree, node, done),
    )


def _described(tree: Schema, node: Schema) -> str:
    text: str = node.get("description") or publish.resolved(tree, node).get("description", "")
    return text


def _inside(tree: Schema, node: Schema) -> Schema:
    """The mapping whose fields a topic goes on with: entries stand for their list or mapping."""
    inner = publish.resolved(tree, node)
    for keyword in ("items", "additionalProperties"):
        if isinstance(inner.get(keyword), dict) and "properties" not in inner:
            return _inside(tree, inner[keyword])
    return inner


def _example(tree: Schema, node: Schema, done: list[str]) -> str:
    """The part of the kind's example that is meant, or the least that the schema asks for."""
    family = _family(done[-1])
    if family is not None and node is tree:
        shown = catalog.payload_examples(family)[done[-1]]
        inside = {"spec": shown} if family == catalog.POLICIES else shown
        return _yaml({"type": done[-1], **inside})
    if done[0] not in KINDS:
        return _yaml({done[-1]: _least(tree, node)})
    if len(done) == 1:
        return catalog.example(done[0])
    found: Any = yaml.safe_load(catalog.example(done[0]))
    for step in done[1:]:
        found = found[0] if isinstance(found, list) and found else found
        found = found.get(step) if isinstance(found, Mapping) else None
    return _yaml({done[-1]: _least(tree, node) if found is None else found})


def _least(tree: Schema, node: Schema) -> Any:
    """A value with the required fields alone."""
    inner = publish.resolved(tree, node)
    if node.get("x-apiops-secret") is True:
        return "${NAME}"
    if "default" in node:
        return node["default"]
    if allowed(tree, node):
        return allowed(tree, node)[0]
    if "items" in inner:
        return [_least(tree, inner["items"])]
    types = inner.get("type", "object")
    type_ = types if isinstance(types, str) else types[0]
    if type_ == "object":
        return _least_mapping(tree, inner)
    return {"integer": inner.get("minimum", 1), "number": 1.0, "boolean": True}.get(type_, "…")


def _least_mapping(tree: Schema, node: Schema) -> dict[str, Any]:
    """The required fields, and what their values require in turn."""
    fields = node.get("properties", {})
    found = {name: _least(tree, fields[name]) for name in node.get("required", ())}
    for rule in node.get("allOf", ()):
        asked = rule.get("if", {}).get("properties", {})
        if asked and all(found.get(name) == test.get("const") for name, test in asked.items()):
            found |= {name: _least(tree, fields[name]) for name in rule["then"].get("required", ())}
    return found


def _yaml(tree: Any) -> str:
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return text


def _code(id: str) -> Explanation:
    if id not in codes.ALL:
        raise _unknown(id, codes.ALL)
    code = codes.ALL[id]
    family = codes.FAMILIES[id[:3]]
    return Explanation(f"{id}: {code.title}", f"code ({family})", code.why, remedy=code.fix)


def _by_type(name: str) -> str:
    """The type of a policy that is called by its class (`oidc-auth`); any other name as it is."""
    return POLICY_CLASSES.get(name, name)


def _family(type_: str) -> str | None:
    return next((family for family in FAMILIES if type_ in catalog.types(family)), None)


def _all_types() -> list[str]:
    return [type_ for family in FAMILIES for type_ in catalog.types(family)]


def _unknown(topic: str, known: Any) -> UsageError:
    hint = near.hint(topic, known, "`apiops explain kinds` lists what there is")
    return UsageError(f"nothing is known of {topic!r}", code="AO902", hint=hint)
