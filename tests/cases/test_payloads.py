"""Each type of policy and connection has an example that is right, and something that it refuses.

What is right stands in `schemas/examples`, where `apiops explain` finds it; what is refused, in
which words, in `payloads/invalid.yaml`. A type without either fails here.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from apiops.model.kinds.classes import POLICY_CLASSES
from apiops.spec import catalog, schema

INVALID = yaml.safe_load((Path(__file__).parent / "payloads/invalid.yaml").read_text())
TYPES = [
    (family, type_)
    for family in (catalog.POLICIES, catalog.CONNECTIONS)
    for type_ in catalog.types(family)
]


def document(family: str, type_: str, payload: Any) -> tuple[str, dict[str, Any]]:
    """A whole document with the payload in its place."""
    kind, spec = "Connection", payload
    if family == catalog.POLICIES:
        policy = {"name": "one", "type": type_, "spec": payload}
        route = {"relativePathList": ["/x"]}
        kind = "ApiProxy"
        spec = {"type": "EMPTY_API", "clientRoute": route, "policies": {"request": [policy]}}
    else:
        spec = {"type": type_, **payload}
    frame = {"apiVersion": "apiops/v1", "kind": kind}
    return kind, {**frame, "metadata": {"name": "x", "project": "payments"}, "spec": spec}


def test_the_tables_name_every_type_and_no_other() -> None:
    for family in (catalog.POLICIES, catalog.CONNECTIONS):
        assert list(catalog.types(family)) == sorted(INVALID[family])
        assert list(catalog.types(family)) == sorted(catalog.payload_examples(family))


@pytest.mark.parametrize(("family", "type_"), TYPES, ids=lambda value: value)
def test_the_example_of_a_type_is_right(family: str, type_: str) -> None:
    kind, whole = document(family, type_, catalog.payload_examples(family)[type_])
    assert () == schema.check(kind, whole)
    assert () == schema.meaning(kind, whole)


@pytest.mark.parametrize(("family", "type_"), TYPES, ids=lambda value: value)
def test_a_type_refuses_what_does_not_fit_and_says_so(family: str, type_: str) -> None:
    change, words = INVALID[family][type_]
    payload = change
    if isinstance(change, dict):
        payload = copy.deepcopy(dict(catalog.payload_examples(family)[type_])) | change
        payload = {name: value for name, value in payload.items() if value is not None}
    kind, whole = document(family, type_, payload)
    (fault,) = schema.check(kind, whole)
    assert words
    assert fault.message.startswith(words), fault.message


@pytest.mark.parametrize("class_", POLICY_CLASSES)
def test_a_policy_that_stands_by_itself_takes_the_fields_of_its_type(class_: str) -> None:
    payload = catalog.payload_examples(catalog.POLICIES)[POLICY_CLASSES[class_]]
    spec = {"_class": class_, "active": True, **payload}
    frame = {"apiVersion": "apiops/v1", "metadata": {"name": "x", "project": "payments"}}
    whole = {**frame, "kind": "GlobalPolicy", "spec": spec}
    assert () == schema.check("GlobalPolicy", whole)
    group = {"active": True, "targetPipeline": "REQUEST", "policyList": [{"name": "one", **spec}]}
    assert () == schema.check("PolicyGroup", {**frame, "kind": "PolicyGroup", "spec": group})
