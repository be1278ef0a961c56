"""Answers are what the published OpenAPI says they are, whatever is sent: schemathesis tries."""

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.conftest import Api

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
TRIES = 8
"""For each operation and each way to generate."""


def schema_of(api: Api):
    return schemathesis.openapi.from_url(f"{api.url}/v1/openapi.json")


def test_the_openapi_is_published_complete_and_names_no_other_host(api: Api) -> None:
    tree = api.get("/v1/openapi.json").json()
    paths = tree["paths"]
    assert {"/v1/state", "/v1/targets/{target}/runs", "/apiops/projects/"} <= set(paths)
    assert "https://" not in str(tree).replace("https://manager.bank.example", "")
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert operation["responses"], (method, path)
    open_ = {p for p, o in paths.items() if not any("security" in one for one in o.values())}
    health = {"/livez", "/readyz", "/healthz", "/metrics"}
    assert {
        *health,
        "/.well-known/jwks.json",
        "/apiops/auth/token",
        "/apiops/test/healthcheck",
    } == open_


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("who", ["mert", "worker-production"])
def test_no_answer_is_undocumented_and_none_is_our_fault(
    api: Api, who: str, mode: GenerationMode
) -> None:
    headers = {"Authorization": f"Bearer {api.tokens[who]}"}
    tried, wrong = 0, dict[str, str]()
    for found in schema_of(api).get_all_operations():
        operation = found.ok()

        @hypothesis.settings(
            max_examples=TRIES,
            deadline=None,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: schemathesis.Case) -> None:
            api.app.state.attempts._failures.clear()
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            attempt()
        except hypothesis.errors.Unsatisfiable:
            continue  # nothing wrong can be said to an operation without parameters
        except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001 - all that is wrong, at once
            wrong[operation.label] = str(fault)[:600]
        tried += 1
    assert {} == wrong
    assert tried > 15
