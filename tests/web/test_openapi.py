"""Answers are what the published OpenAPI says they are, whatever is sent: schemathesis tries."""

import pytest
import schemathesis
from schemathesis.generation import GenerationMode

from apiops.model.token import SCOPES
from tests.serving import a_token
from tests.web.asking import asked
from tests.web.conftest import Api


def tries(path: str) -> int:
    """For each operation and each way to generate: what has the vendor's shape goes through a few
    tables, and is tried by the vendor's own document as well.
    """
    return 1 if path.startswith("/apiops/projects/") else 8


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
@pytest.mark.parametrize("who", ["ayse", "mert", "worker-production"])
def test_no_answer_is_undocumented_and_none_is_our_fault(
    api: Api, who: str, mode: GenerationMode
) -> None:
    """ayse, who administers, with a token for everything: so keys are rotated, checkpoints made."""
    every = SCOPES.keys() - {"bundle", "attest"}
    token = a_token(api.house.manager, "ayse", *every) if who == "ayse" else api.tokens[who]

    def afresh(_case: schemathesis.Case) -> None:
        api.app.state.attempts._failures.clear()

    headers = {"Authorization": f"Bearer {token}"}
    wrong, tried = asked(schema_of(api), headers, mode, tries, afresh)
    assert not wrong, wrong
    assert tried > 15
