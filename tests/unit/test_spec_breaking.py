"""What a new OpenAPI document breaks, rule by rule, and what it does not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from apiops.model.breaking import RULES
from apiops.spec import breaking, contract

Document = dict[str, Any]
Change = Callable[[Document], object]

ORDERS: Document = {
    "openapi": "3.0.3",
    "info": {"title": "Orders", "version": "1"},
    "security": [{"key": []}, {"oauth": ["read", "write"]}],
    "paths": {
        "/orders": {
            "parameters": [{"name": "X-Client", "in": "header", "schema": {"type": "string"}}],
            "get": {
                "parameters": [
                    {"name": "state", "in": "query", "schema": {"enum": ["open", "paid"]}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                ],
                "responses": {
                    200: {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Order"},
                                }
                            }
                        }
                    },
                    404: {"description": "None"},
                },
            },
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/NewOrder"}},
                        "application/xml": {"schema": {"type": "object"}},
                    }
                },
                "responses": {201: {"$ref": "#/components/responses/Made"}},
            },
        },
        "/orders/{id}": {
            "get": {
                "security": [],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {200: {"$ref": "#/components/responses/Made"}},
            }
        },
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "responses": {
            "Made": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
            }
        },
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string"},
                    "state": {"type": "string", "enum": ["open", "paid"]},
                    "note": {"type": "string", "nullable": True},
                    "parent": {"$ref": "#/components/schemas/Order"},
                },
            },
            "NewOrder": {
                "allOf": [
                    {"type": "object", "required": ["amount"]},
                    {
                        "properties": {
                            "amount": {"type": "number", "minimum": 0},
                            "note": {"type": "string", "maxLength": 100},
                            "pay": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                        }
                    },
                ]
            },
        },
    },
}


def read(document: Document) -> contract.Contract:
    found = contract.read(yaml.safe_dump(document, sort_keys=False).encode(), "orders.yaml")
    assert found is not None
    return found


def broken(old: Document, new: Document) -> list[str]:
    return [one.rule for one in breaking.compare(read(old), read(new))]


def after(change: Change, document: Document = ORDERS) -> Document:
    changed = copy.deepcopy(document)
    change(changed)
    return changed


def order(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Order"]
    return found


def new_order(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["NewOrder"]["allOf"][1]["properties"]
    return found


def listing(document: Document) -> Document:
    found: Document = document["paths"]["/orders"]["get"]
    return found


def making(document: Document) -> Document:
    found: Document = document["paths"]["/orders"]["post"]
    return found


BREAKS: dict[str, tuple[str, Change]] = {
    "a path gone": ("path-removed", lambda d: d["paths"].pop("/orders/{id}")),
    "a method gone": ("operation-removed", lambda d: d["paths"]["/orders"].pop("post")),
    "a new parameter": (
        "parameter-added",
        lambda d: listing(d)["parameters"].append({"name": "q", "in": "query", "required": True}),
    ),
    "a parameter required": (
        "parameter-required",
        lambda d: listing(d)["parameters"][0].update(required=True),
    ),
    "a header of the whole path": (
        "parameter-required",
        lambda d: d["paths"]["/orders"]["parameters"][0].update(required=True),
    ),
    "a value fewer": (
        "request-narrowed",
        lambda d: listing(d)["parameters"][0]["schema"].update(enum=["open"]),
    ),
    "values named": (
        "request-narrowed",
        lambda d: listing(d)["parameters"][1]["schema"].update(enum=[10, 20]),
    ),
    "a lower maximum": (
        "request-narrowed",
        lambda d: listing(d)["parameters"][1]["schema"].update(maximum=50),
    ),
    "a body required": ("body-required", lambda d: making(d)["requestBody"].update(required=True)),
    "a media type gone": (
        "request-media-removed",
        lambda d: making(d)["requestBody"]["content"].pop("application/xml"),
    ),
    "a field required": (
        "request-field-required",
        lambda d: d["components"]["schemas"]["NewOrder"]["allOf"][0]["required"].append("note"),
    ),
    "a shorter text": ("request-narrowed", lambda d: new_order(d)["note"].update(maxLength=10)),
    "a pattern": ("request-narrowed", lambda d: new_order(d)["note"].update(pattern="^a")),
    "a minimum": ("request-narrowed", lambda d: new_order(d)["note"].update(minLength=1)),
    "another type": ("request-narrowed", lambda d: new_order(d)["amount"].update(type="integer")),
    "an alternative fewer": ("request-narrowed", lambda d: new_order(d)["pay"]["oneOf"].pop()),
    "closed to other fields": (
        "request-narrowed",
        lambda d: d["components"]["schemas"]["NewOrder"].update(additionalProperties=False),
    ),
    "an alternative where there was none": (
        "request-narrowed",
        lambda d: new_order(d)["note"].update(oneOf=[{"maxLength": 3}]),
    ),
    "other fields of one type": (
        "request-narrowed",
        lambda d: d["components"]["schemas"]["NewOrder"].update(
            additionalProperties={"type": "string"}
        ),
    ),
    "something it must not be": (
        "request-narrowed",
        lambda d: new_order(d)["note"].update({"not": {"pattern": "x"}}),
    ),
    "a constant": ("request-narrowed", lambda d: new_order(d)["amount"].update(const=1)),
    "a bound that is excluded": (
        "request-narrowed",
        lambda d: new_order(d)["amount"].update(exclusiveMinimum=True),
    ),
    "a field that may not be": ("request-narrowed", lambda d: new_order(d).update(note=False)),
    "a bound beside a reference": (
        "request-field-required",
        lambda d: making(d)["requestBody"]["content"]["application/json"]["schema"].update(
            required=["note"]
        ),
    ),
    "a stricter part before a looser one": (
        "request-narrowed",
        lambda d: d["components"]["schemas"]["NewOrder"]["allOf"].insert(
            0, {"properties": {"amount": {"minimum": 100}}}
        ),
    ),
    "a schema in another file": (
        "not-comparable",
        lambda d: new_order(d).update(note={"$ref": "other.yaml#/Note"}),
    ),
    "a parameter in another file": (
        "not-comparable",
        lambda d: listing(d)["parameters"].append({"$ref": "other.yaml#/Page"}),
    ),
    "a list written otherwise": (
        "request-narrowed",
        lambda d: listing(d)["parameters"][0].update(style="pipeDelimited"),
    ),
    "a key in another place": (
        "auth-tightened",
        lambda d: d["components"]["securitySchemes"]["key"].update({"in": "query"}),
    ),
    "a success gone": ("response-removed", lambda d: listing(d)["responses"].pop(200)),
    "another media type": (
        "response-media-removed",
        lambda d: d["components"]["responses"]["Made"].update(
            content={"application/xml": {"schema": {}}}
        ),
    ),
    "a field gone": ("response-field-removed", lambda d: order(d)["properties"].pop("note")),
    "a field that may be missing": (
        "response-field-optional",
        lambda d: order(d)["required"].remove("state"),
    ),
    "a new value": (
        "response-widened",
        lambda d: order(d)["properties"]["state"]["enum"].append("void"),
    ),
    "null": ("response-widened", lambda d: order(d)["properties"]["id"].update(nullable=True)),
    "any type": ("response-widened", lambda d: order(d)["properties"]["id"].pop("type")),
    "a scope more": (
        "auth-tightened",
        lambda d: d.update(security=[{"key": []}, {"oauth": ["read", "write", "admin"]}]),
    ),
    "a way in fewer": ("auth-tightened", lambda d: d["security"].pop(0)),
    "a key where there was none": (
        "auth-tightened",
        lambda d: d["paths"]["/orders/{id}"]["get"].pop("security"),
    ),
}


@pytest.mark.parametrize(("rule", "change"), BREAKS.values(), ids=BREAKS.keys())
def test_what_a_client_relied_on_is_missed(rule: str, change: Change) -> None:
    assert rule in broken(ORDERS, after(change))
    assert rule in RULES


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _ in BREAKS.values()} == RULES.keys()


def rename_schema(document: Document) -> None:
    text = json.dumps(document).replace("schemas/Order", "schemas/Purchase")
    changed = json.loads(text)
    schemas = changed["components"]["schemas"]
    schemas["Purchase"] = schemas.pop("Order")
    document.clear()
    document.update(changed)


def inline_response(document: Document) -> None:
    made = document["components"]["responses"]["Made"]
    document["paths"]["/orders/{id}"]["get"]["responses"] = {"200": copy.deepcopy(made)}


def rename_variable(document: Document) -> None:
    item = document["paths"].pop("/orders/{id}")
    item["get"]["parameters"][0]["name"] = "orderId"
    document["paths"]["/orders/{orderId}"] = item


FINE: dict[str, Change] = {
    "nothing": lambda d: None,
    "words": lambda d: d["info"].update(title="Purchases", version="2"),
    "a schema by another name": rename_schema,
    "a response written out": inline_response,
    "a path variable by another name": rename_variable,
    "another order": lambda d: d.update(paths=dict(reversed(d["paths"].items()))),
    "a new path": lambda d: d["paths"].update({"/new": {"get": {"responses": {}}}}),
    "a parameter that may be left out": lambda d: listing(d)["parameters"].append(
        {"name": "q", "in": "query", "schema": {"type": "string"}}
    ),
    "a header spelt otherwise": lambda d: d["paths"]["/orders"]["parameters"][0].update(
        name="x-client"
    ),
    "a field more in an answer": lambda d: order(d)["properties"].update(total={}),
    "a field more that may be sent": lambda d: new_order(d).update(gift={"type": "boolean"}),
    "a value more that may be sent": lambda d: listing(d)["parameters"][0]["schema"].update(
        enum=["open", "paid", "void"]
    ),
    "a wider number": lambda d: listing(d)["parameters"][1]["schema"].update(type="number"),
    "a field that is always there": lambda d: order(d)["required"].append("note"),
    "an error fewer": lambda d: listing(d)["responses"].pop(404),
    "a way in more": lambda d: d["security"].append({"mtls": []}),
    "a scope fewer": lambda d: d["security"][1].update(oauth=["read"]),
    "nobody has to show anything": lambda d: d.update(security=[{}]),
    "a media type that covers it": lambda d: making(d)["requestBody"].update(
        content={"*/*": {"schema": {}}}
    ),
    "an alternative more": lambda d: new_order(d)["pay"]["oneOf"].append({"type": "null"}),
}


@pytest.mark.parametrize("change", FINE.values(), ids=FINE.keys())
def test_what_is_added_or_only_looks_otherwise_breaks_nothing(change: Change) -> None:
    assert [] == broken(ORDERS, after(change))


def test_a_break_stands_where_the_document_says_it() -> None:
    new = read(after(lambda d: listing(d)["parameters"][0].update(required=True)))
    (found,) = breaking.compare(read(ORDERS), new)
    assert "query parameter state of GET /orders must be sent" == found.message
    assert found.location is not None
    lines = yaml.safe_dump(
        after(lambda d: listing(d)["parameters"][0].update(required=True)), sort_keys=False
    ).splitlines()
    assert "name: state" in lines[found.location.line - 1]


SWAGGER: Document = {
    "swagger": "2.0",
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "paths": {
        "/orders": {
            "post": {
                "parameters": [
                    {"in": "body", "name": "b", "schema": {"$ref": "#/definitions/O"}},
                    {"in": "query", "name": "q", "type": "string"},
                ],
                "responses": {"200": {"schema": {"$ref": "#/definitions/O"}}},
            }
        }
    },
    "definitions": {"O": {"type": "object", "properties": {"id": {"type": "string"}}}},
}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("request-field-required", lambda d: d["definitions"]["O"].update(required=["id"])),
        ("response-field-removed", lambda d: d["definitions"]["O"]["properties"].clear()),
        ("request-media-removed", lambda d: d.update(consumes=["text/plain"])),
        ("response-media-removed", lambda d: d.update(produces=["text/plain"])),
        (
            "request-narrowed",
            lambda d: d["paths"]["/orders"]["post"]["parameters"][1].update(type="integer"),
        ),
        (
            "body-required",
            lambda d: d["paths"]["/orders"]["post"]["parameters"][0].update(required=True),
        ),
    ],
)
def test_swagger_says_the_same_in_other_words(rule: str, change: Change) -> None:
    assert rule in broken(SWAGGER, after(change, SWAGGER))
    assert [] == broken(SWAGGER, SWAGGER)


def set_order(schema: Any) -> Change:
    return lambda document: document["components"]["schemas"].update(Order=schema)


@pytest.mark.parametrize("word", ["allOf", "oneOf", "anyOf"])
def test_schemas_that_multiply_end(word: str) -> None:
    """Each contains the next twice, in both documents, and the last is another one."""

    def tower(last: Document) -> Document:
        names = {
            f"S{n}": {word: [{"$ref": f"#/components/schemas/S{n + 1}"}] * 2} for n in range(60)
        }
        schemas = {**names, "S60": last, "Order": {"$ref": "#/components/schemas/S0"}}
        return after(lambda d: d["components"].update(schemas=schemas))

    assert broken(tower({"type": "string"}), tower({"type": "integer"}))


def test_alternatives_in_alternatives_end() -> None:
    deep: Document = {"type": "string"}
    for _ in range(20):
        deep = {"oneOf": [{"items": deep}]}
    shallow: Document = {"oneOf": [{"items": {"oneOf": [{"type": "null"}]}}]}
    towers = [after(set_order(tower)) for tower in (deep, shallow)]
    assert [] == broken(towers[0], towers[0])
    assert "response-widened" in broken(*reversed(towers))


@pytest.mark.parametrize("place", ["oneOf", "properties"])
def test_a_schema_that_is_part_of_its_own_part_ends(place: str) -> None:
    """As documents say it that know inheritance: a kind of order is an order, and one of them."""
    inner = {"allOf": [{"$ref": "#/components/schemas/Order"}, {"required": ["id"]}]}
    whole = {"oneOf": [inner]} if place == "oneOf" else {"properties": {"part": inner}}
    round_about = after(set_order(whole))
    assert [] == broken(round_about, round_about)


def test_more_than_is_looked_at_is_told() -> None:
    names = {f"p{n}": {"type": "string"} for n in range(20_100)}
    large = after(set_order({"properties": names}))
    assert [breaking.NOT_COMPARABLE] == broken(large, large)


def test_what_is_no_openapi_document_has_no_contract() -> None:
    for content in (b"", b"PK\x03\x04\xff", b"<wsdl/>", b"a: 1", b"openapi: 4.0.0", b"swagger: []"):
        assert contract.read(content, "x") is None


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/components/schemas/Order"},
        {"allOf": [{"$ref": "#/components/schemas/Order"}]},
        {"oneOf": [{"$ref": "#/components/schemas/Order"}]},
        {"properties": {"a": {"$ref": "#/components/schemas/Order"}}},
        {"$ref": "#/components/schemas/Nowhere"},
        {"$ref": "https://elsewhere.example/schema.json"},
        {"$ref": 7, "type": 7, "enum": 7, "required": 7, "properties": 7, "allOf": 7},
        [],
        None,
        "text",
    ],
)
def test_circles_and_nonsense_end(schema: Any) -> None:
    odd = after(set_order(schema))
    assert [] == broken(odd, odd)
    broken(ORDERS, odd)
    broken(odd, ORDERS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["string", "a", "#/x", "get"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "enum",
                    "properties",
                    "items",
                    "allOf",
                    "oneOf",
                    "$ref",
                    "required",
                    "get",
                    "parameters",
                    "responses",
                    "200",
                    "content",
                    "schema",
                    "security",
                    "in",
                    "name",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(json_values, json_values)
def test_nothing_that_is_in_a_document_stops_it(one: Any, other: Any) -> None:
    """Whatever stands there: it ends, and a document breaks nothing of itself."""
    old, new = ({**ORDERS, "paths": {"/a": node, "/b": {"get": node}}} for node in (one, other))
    assert [] == broken(old, old)
    broken(old, new)


def test_the_vendors_own_document_breaks_nothing_of_itself() -> None:
    file = Path("../shared/fixtures/apinizer/openapi.yaml")
    content = file.read_bytes()
    found = contract.read(content, "openapi.yaml")
    assert found is not None
    assert len(found.operations) > 100
    assert () == breaking.compare(found, found)
