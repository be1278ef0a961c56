"""An OpenAPI document as what it promises: operations, what they take and what they give.

Swagger 2.0, OpenAPI 3.0 and 3.1 come out in the same form. Everything that is followed is inside
the document: a reference elsewhere stands for anything. Anything odd stands for anything too, since
the document was for its author's tools to check; nothing in here raises.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apiops.model.diagnostic import Location
from apiops.spec import compose
from apiops.spec.compose import Composed

NODES: Final = 400_000
"""How many values a document may have, aliases expanded."""

LINKS: Final = 32
"""References that lead to references, at most."""

NOTHING: Final[Mapping[str, Any]] = {}
"""What stands where nothing does."""

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_VARIABLE: Final = re.compile(r"\{[^{}/]*\}")
_ANY_MEDIA: Final = "*/*"

Path = tuple[str | int, ...]
Security = tuple[Mapping[str, frozenset[str]], ...]
"""Alternatives: schemes that are needed together, each with its scopes."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value in the document, and where it stands. What is not there is an empty mapping."""

    value: Any
    path: Path

    def get(self, *keys: str | int) -> "Node":
        """What stands below."""
        value = self.value
        for key in keys:
            if isinstance(value, Mapping):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                value = None
        return Node(NOTHING if value is None else value, (*self.path, *keys))

    @property
    def mapping(self) -> Mapping[str, Any]:
        """The value, if it is a mapping."""
        return self.value if isinstance(self.value, Mapping) else {}

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """What a mapping has, by name."""
        return (
            (str(name), Node(value, (*self.path, name))) for name, value in self.mapping.items()
        )

    def children(self) -> Iterator["Node"]:
        """What a mapping has."""
        return (node for _name, node in self.items())

    def listed(self) -> Iterator["Node"]:
        """What a list has."""
        items = self.value if isinstance(self.value, list) else ()
        return (Node(value, (*self.path, index)) for index, value in enumerate(items))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `name` is its position for one in the path, which has no other meaning."""

    node: Node
    required: bool
    schema: Node


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked, and what comes back. Bodies are schemas by media type."""

    node: Node
    parameters: Mapping[tuple[str, str], Parameter]
    body: Mapping[str, Node]
    body_required: bool
    responses: Mapping[str, Mapping[str, Node]]
    security: Security


@dataclass(frozen=True, slots=True)
class Contract:
    """A document. `operations` are by path, its variables without names, and method."""

    file: str
    root: Node
    composed: Composed = field(repr=False)
    operations: Mapping[str, Mapping[str, Operation]] = field(default_factory=dict)

    @property
    def schemes(self) -> Mapping[str, Node]:
        """The security schemes, by name."""
        place = ("components", "securitySchemes") if "components" in self.root.mapping else ()
        listed = self.root.get(*(place or ("securityDefinitions",))).items()
        return {name: self.resolved(node) for name, node in listed}

    @property
    def elsewhere(self) -> frozenset[str]:
        """References of paths, parameters, bodies and responses that lead out of the document."""
        found = set()
        for item in self.root.get("paths").children():
            parts = [item, *item.get("parameters").listed()]
            for operation in self.resolved(item).children():
                parts += operation.get("parameters").listed()
                parts.append(operation.get("requestBody"))
                parts += operation.get("responses").children()
            found |= {str(part.mapping.get("$ref", "#/")) for part in parts}
        return frozenset(one for one in found if not one.startswith("#/"))

    def at(self, path: Path) -> Location:
        """The place of a path in the file, or the nearest above it that there is."""
        places = self.composed.places
        for end in range(len(path), -1, -1):
            place = places.get(path[:end])
            if place is not None:
                return Location(self.file, place.key_line or place.line, place.key_column or 1)
        return Location(self.file)

    def resolved(self, node: Node) -> Node:
        """What a reference leads to inside of the document; anything, if it leads elsewhere."""
        for _ in range(LINKS):
            reference = node.mapping.get("$ref")
            if not isinstance(reference, str):
                return node
            if not reference.startswith("#/"):
                return Node(NOTHING, node.path)
            steps = reference[2:].split("/")
            node = self.root.get(*(step.replace("~1", "/").replace("~0", "~") for step in steps))
        return Node(NOTHING, node.path)


def place(file: str) -> Location:
    """The beginning of a file."""
    return Location(file, 1, 1)


def read(content: bytes, file: str) -> Contract | None:
    """The contract in a file; None if it is no OpenAPI document, or one that cannot be read."""
    try:
        composed = compose.document(content.decode(), nodes=NODES)
    except UnicodeDecodeError:
        return None
    root = Node(composed.tree, ())
    version = str(root.mapping.get("openapi") or root.mapping.get("swagger") or "")
    if not composed.whole or not version.startswith(("2.", "3.")):
        return None
    bare = Contract(file, root, composed)
    operations = _operations(_Old(bare) if version.startswith("2.") else _New(bare))
    return Contract(file, root, composed, operations)


def _operations(dialect: "_New") -> dict[str, dict[str, Operation]]:
    found: dict[str, dict[str, Operation]] = {}
    contract = dialect.contract
    for template, item in contract.root.get("paths").items():
        plain, path = contract.resolved(item), _VARIABLE.sub("{}", template)
        for method, operation in plain.items():
            if method in METHODS:
                made = dialect.operation(template, plain, operation)
                found.setdefault(path, {})[method.upper()] = made
    return found


@dataclass(frozen=True, slots=True)
class _New:
    """How OpenAPI 3 says it."""

    contract: Contract

    def operation(self, template: str, item: Node, node: Node) -> Operation:
        parameters = self._parameters(template, item, node)
        body, required = self.body(node, parameters)
        return Operation(
            node=node,
            parameters={key: one for key, one in parameters.items() if key[0] != "body"},
            body=body,
            body_required=required,
            responses=dict(self._responses(node)),
            security=self._security(node),
        )

    def _parameters(
        self, template: str, item: Node, node: Node
    ) -> dict[tuple[str, str], Parameter]:
        order = [variable[1:-1] for variable in _VARIABLE.findall(template)]
        found: dict[tuple[str, str], Parameter] = {}
        for listed in (item.get("parameters"), node.get("parameters")):
            for one in map(self.contract.resolved, listed.listed()):
                place, name = str(one.mapping.get("in")), str(one.mapping.get("name"))
                if place == "path":
                    name = f"number {order.index(name) + 1}" if name in order else name
                elif place == "header":
                    name = name.lower()
                required = one.mapping.get("required") is True
                found[place, name] = Parameter(one, required, self.schema(one))
        return found

    def schema(self, parameter: Node) -> Node:
        """The schema of a parameter."""
        if "schema" in parameter.mapping:
            return parameter.get("schema")
        media = next(iter(parameter.get("content").mapping), "")
        return parameter.get("content", media, "schema")

    def body(
        self, node: Node, _parameters: Mapping[tuple[str, str], Parameter]
    ) -> tuple[dict[str, Node], bool]:
        """The schemas of the request by media type, and whether there must be one."""
        body = self.contract.resolved(node.get("requestBody"))
        content = {media: one.get("schema") for media, one in body.get("content").items()}
        return content, body.mapping.get("required") is True

    def _responses(self, node: Node) -> Iterator[tuple[str, dict[str, Node]]]:
        for status, one in node.get("responses").items():
            yield status, self.content(node, self.contract.resolved(one))

    def content(self, _operation: Node, response: Node) -> dict[str, Node]:
        """The schemas of a response by media type."""
        return {media: one.get("schema") for media, one in response.get("content").items()}

    def _security(self, node: Node) -> Security:
        said = node if "security" in node.mapping else self.contract.root
        return tuple(
            {
                name: frozenset(str(scope.value) for scope in scopes.listed())
                for name, scopes in one.items()
            }
            for one in said.get("security").listed()
        )


class _Old(_New):
    """How Swagger 2.0 says it."""

    __slots__ = ()

    def schema(self, parameter: Node) -> Node:
        return parameter.get("schema") if "schema" in parameter.mapping else parameter

    def body(
        self, node: Node, parameters: Mapping[tuple[str, str], Parameter]
    ) -> tuple[dict[str, Node], bool]:
        whole = next((one for (place, _), one in parameters.items() if place == "body"), None)
        if whole is None:
            return {}, False
        return dict.fromkeys(self._media(node, "consumes"), whole.schema), whole.required

    def content(self, operation: Node, response: Node) -> dict[str, Node]:
        if "schema" not in response.mapping:
            return {}
        return dict.fromkeys(self._media(operation, "produces"), response.get("schema"))

    def _media(self, node: Node, what: str) -> list[str]:
        said = node if what in node.mapping else self.contract.root
        return [str(one.value) for one in said.get(what).listed()] or [_ANY_MEDIA]
