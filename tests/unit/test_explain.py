"""`apiops explain`: the answer is there for whatever a message or a schema names."""

from typing import Any

import pytest
import yaml

from apiops.errors import UsageError
from apiops.model import codes
from apiops.model.kinds import KINDS
from apiops.spec import catalog, explain, schema

TYPES = [(family, type_) for family in explain.FAMILIES for type_ in catalog.types(family)]


def test_a_kind_is_explained_with_a_whole_example() -> None:
    found = explain.explain("ApiProxy")
    assert ("ApiProxy", "kind", KINDS["ApiProxy"].summary) == (
        found.title,
        found.type,
        found.description,
    )
    assert ["apiVersion", "kind", "metadata", "spec", "sops"] == [
        child.name for child in found.children
    ]
    assert () == schema.check("ApiProxy", yaml.safe_load(found.example))


def test_a_field_is_explained_with_type_default_and_fields() -> None:
    routing = explain.explain("ApiProxy.spec.routing")
    assert ("mapping", False) == (routing.type, routing.required)
    assert explain.Child("addresses", "list of mapping", "Backends, in order.") in routing.children
    assert ("What is left out stays as it is; null clears.",) == routing.notes
    weight = explain.explain("ApiProxy.spec.routing.addresses.weight")
    assert ("whole number", "1", ("At least 0.",)) == (weight.type, weight.default, weight.notes)


def test_a_choice_lists_its_values() -> None:
    found = explain.explain("Environment.spec.type")
    assert ("choice", ("PRODUCTION", "SANDBOX", "TEST"), True) == (
        found.type,
        found.allowed,
        found.required,
    )
    methods = explain.explain("ApiProxy.spec.clientRoute.methodList")
    assert ("list of choice", "GET") == (methods.type, methods.allowed[0])


def test_a_secret_and_a_reference_say_so() -> None:
    secret = explain.explain("LlmProvider.spec.apiKey")
    assert "secret" == secret.type
    assert secret.notes[0].startswith("A secret: `${NAME}`")
    place = explain.explain("ApiProxy.spec.deployments.environment")
    assert ("Names a resource of the kind Environment.",) == place.notes


def test_a_code_is_explained_with_why_and_what_to_do() -> None:
    found = explain.explain("AO203")
    assert ("AO203: Unknown field", codes.ALL["AO203"].fix) == (found.title, found.remedy)


@pytest.mark.parametrize("id", list(codes.ALL))
def test_every_code_is_explained(id: str) -> None:
    found = explain.explain(id)
    assert found.description
    assert found.remedy


def test_a_policy_type_is_found_alone_and_inside_a_proxy() -> None:
    alone = explain.explain("policy-script")
    inside = explain.explain("ApiProxy.spec.policies.request.policy-script")
    assert alone.children == inside.children
    assert "choice" == explain.explain("policy-script.executionType").type
    assert "secret" == explain.explain("database.password").type
    assert "choice" == explain.explain("Connection.spec.database.dbType").type


@pytest.mark.parametrize(("family", "type_"), TYPES)
def test_the_example_of_a_type_fits_its_schema(family: str, type_: str) -> None:
    piece = yaml.safe_load(explain.explain(type_).example)
    assert type_ == piece["type"]
    kind = "Connection" if family == catalog.CONNECTIONS else "ApiProxy"
    document: dict[str, Any] = yaml.safe_load(catalog.example(kind))
    if kind == "Connection":
        document["spec"] = piece
    else:
        document["spec"]["policies"] = {"request": [{"name": "one", **piece}]}
    assert () == schema.check(kind, document)


def test_a_mapping_of_names_is_passed_with_any_name() -> None:
    found = explain.explain("ApiProxy.spec.trafficLog.production.logBodyRequestFromClient")
    assert "true or false" == found.type
    found = explain.explain("ApiProxy.spec.trafficLog.logBodyRequestFromClient")
    assert "true or false" == found.type


@pytest.mark.parametrize(("topic", "count"), [("kinds", 30), ("policies", 61), ("connections", 14)])
def test_the_indexes_list_what_there_is(topic: str, count: int) -> None:
    assert count == len(explain.explain(topic).children)


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("ApiProxi", 'did you mean "ApiProxy"?'),
        ("ApiProxy.spec.rooting", 'did you mean "ApiProxy.spec.routing"?'),
        ("policy-scrpt", 'did you mean "policy-script"?'),
        ("nothing like it", "`apiops explain kinds` lists what there is"),
        ("ApiProxy.spec.type.deeper", "`apiops explain kinds` lists what there is"),
        ("", "`apiops explain kinds` lists what there is"),
        ("ApiProxy..x", "`apiops explain kinds` lists what there is"),
    ],
)
def test_what_there_is_not_is_told_with_the_nearest(topic: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain.explain(topic)
    assert ("AO902", hint) == (caught.value.code, caught.value.hint)


def everything(topic: str, depth: int) -> list[str]:
    found = explain.explain(topic)
    below = [f"{topic}.{child.name}" for child in found.children] if depth else []
    return [topic, *(deeper for child in below for deeper in everything(child, depth - 1))]


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_field_of_a_kind_can_be_explained(kind: str) -> None:
    for topic in everything(kind, 5):
        found = explain.explain(topic)
        assert found.description, topic
        assert found.type != "any", topic


@pytest.mark.parametrize(("family", "type_"), TYPES)
def test_every_field_of_a_type_can_be_explained(family: str, type_: str) -> None:
    for topic in everything(type_, 3):
        assert explain.explain(topic).description, topic


@pytest.mark.parametrize(
    "topic", ["oidc-auth.clientSecret", "GlobalPolicy.spec.oidc-auth.clientSecret"]
)
def test_a_policy_may_be_called_by_its_class(topic: str) -> None:
    assert "secret" == explain.explain(topic).type
