"""The vendor-shaped face against the vendor's own OpenAPI document: schemathesis asks by it, and
every answer must be one that it, or the reference where it corrects it, knows.
"""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from schemathesis.generation import GenerationMode

from apiops.web import vendor
from tests.web.asking import asked
from tests.web.conftest import Api
from tests.web.test_vendor_ai import WRITES as OF_MODELS
from tests.web.test_vendor_shared import WRITES

TRIES = 2
"""For each operation and each way to generate."""

DOCUMENT = Path(__file__).parents[3] / "shared/fixtures/apinizer/openapi.yaml"
ERROR = {"$ref": "#/components/schemas/ApiOpsResponseError"}
DONE = {"$ref": "#/components/schemas/ApiOpsResponseSuccess"}
BAD = {"description": "reference 1.4", "content": {"application/json": {"schema": ERROR}}}
"""Validation, not there and not allowed are all 400; the document forgets that status."""

ONLY_ON_PAGES = {
    ("GET", "/apiops/settings/geolocation"),
    *{
        ("GET", f"/apiops/projects/{{}}/{of}{one}")
        for of in ("ipGroups", "rlcl")
        for one in ("", "/{}")
    },
    *{
        (method, f"/apiops/{place}/ai-prompt-decorator-presets{one}")
        for place in ("projects/{}", "settings")
        for method in ("GET", "POST", "PUT", "DELETE")
        for one in ("", "/{}")
        if one or method == "GET"
    },
}
"""Contradiction 13: operations that the document does not have."""

READ_AS_NULL = (
    ("CredentialDTO", "password"),
    ("CredentialMetadataDTO", "value"),
    ("ConnectionConfigLlmDTO", "apiKey", "apiSecret"),
    ("LlmProviderMetadataEntry", "value"),
    ("ConnectionConfigVectorDbDTO", "jdbcPassword", "redisPassword", "apiKey", "apiSecret"),
)
"""5.2: secrets, which the document forgets."""
WORDS = (
    *("EnumAiGuardAction", "EnumPiiMaskMode", "EnumPrivacyPatternType"),
    "EnumPrivacySettingsRuleOperationType",
)
"""Appendix E: words, which the document takes for objects."""


def bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


def served() -> set[tuple[str, str]]:
    """Methods and paths of the vendor-shaped face."""
    routes = (one for family in vendor.FAMILIES for one in family.routes.routes)
    return {(method, bare(one.path)) for one in routes for method in one.methods}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The vendor's document, of what is served, corrected where the reference corrects it."""
    whole = yaml.load(DOCUMENT.read_bytes(), yaml.CSafeLoader)
    kept = {}
    for path, operations in whole["paths"].items():
        chosen = {
            method: copy.deepcopy(operation)
            for method, operation in operations.items()
            if (method.upper(), bare(path)) in served()
        }
        for method, operation in chosen.items():
            if "401" in operation["responses"]:
                operation["responses"]["400"] = BAD
            if method == "delete" and path.endswith("/environments/{environmentName}/"):
                # Contradiction 9: an undeployment is typed as a proxy.
                operation["responses"]["200"]["content"]["application/json"]["schema"] = DONE
        if chosen:
            kept[path] = chosen
    schemas = whole["components"]["schemas"]
    for name, *fields in READ_AS_NULL:
        for field in fields:
            schemas[name]["properties"][field]["nullable"] = True
    for name in WORDS:
        schemas[name] = {"type": "string"}
    return {**whole, "paths": kept, "servers": []}


def test_every_operation_that_is_served_is_the_vendors(document: dict[str, Any]) -> None:
    theirs = {
        (method.upper(), bare(path))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert ONLY_ON_PAGES == served() - theirs


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_answer_is_another_than_the_vendors(
    api: Api, document: dict[str, Any], mode: GenerationMode
) -> None:
    headers = {"Authorization": f"Bearer {api.tokens['mert']}"}
    for method, path, body in (*WRITES, *OF_MODELS):
        made = api.call(method, f"/apiops/projects/payments/{path}", as_="mert", json=body)
        assert made.status in (200, 201), made.data
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=api.url)
    wrong, tried = asked(schema, headers, mode, lambda _path: TRIES, at_home)
    assert not wrong, wrong
    assert tried > (10 if mode is GenerationMode.POSITIVE else 3)


HERE = {
    "projectName": "payments",
    "apiProxyName": "orders",
    "apiProxyGroupName": "retail",
    "environmentName": "production",
    "policyName": "to-core",
    "policyGroupName": "baseline",
    "rlclName": "partners",
    "code": "partners",
    "username": "app",
    "definitionName": "in-house",
    "modelName": "in-house/summary",
    "providerName": "house",
    "vectorDbName": "passages",
    "presetName": "token",
    "name": "guide",
}


def at_home(case: schemathesis.Case) -> None:
    """Every other question is about something that is there: names made up find nothing."""
    model = (case.path_parameters or {}).get("modelName")
    if isinstance(model, str):  # of a name with a slash, which no line feed belongs to
        case.path_parameters["modelName"] = model.replace("\n", "")
    if case.path_parameters and len(str(case.path_parameters)) % 2:
        known = {name: value for name, value in HERE.items() if name in case.path_parameters}
        case.path_parameters.update(known)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_address_or_a_method_that_is_none_is_told_in_the_vendors_words(api: Api) -> None:
    for method, path, status in (
        ("PATCH", "/apiops/projects/", 405),
        ("GET", "/apiops/nothing/", 404),
        ("GET", "/apiops/projects/payments/apiProxies/orders/nothing/", 404),
    ):
        answer = api.call(method, path, as_="mert")
        assert (status, {"status", "resultMessage"}) == (answer.status, set(answer.json()))
