"""What scripts written for the vendor's Manager change around models: over real HTTP, on both
engines.
"""

from typing import Any

import pytest

from apiops.model.audit import AuditQuery
from tests.web.conftest import Api
from tests.web.test_vendor_shared import opened, spec
from tests.web.test_vendor_writes import OTHER, SECRET, everything, rows, send

DEFINITION = {
    "name": "in-house",
    "code": "in-house",
    "displayName": "In-house",
    "defaultEndpoint": "https://models.bank.example/v1",
}
MODEL = {
    "name": "in-house/summary",
    "providerCode": "in-house",
    "modelId": "summary",
    "providerDefinitionId": "in-house",
    "modality": "TEXT",
}
PROVIDER = {
    "_class": "llm",
    "name": "house",
    "providerType": "VLLM",
    "endpoint": "https://models.bank.example/v1",
    "apiKey": SECRET,
    "providerDefinitionId": "in-house",
    "metadata": [{"key": "contract", "value": SECRET, "secret": True}],
}
VECTORS = {
    "_class": "vector-db",
    "name": "passages",
    "dbType": "PGVECTOR",
    "transport": {
        "family": "jdbc",
        "jdbcUrl": "jdbc:postgresql://db.bank.example/passages",
        "username": "app",
        "password": SECRET,
        "pool": {"minimumIdle": 1},
    },
}
BASE = {"name": "guide", "vectorDbRef": "passages", "embeddingProviderRef": "house"}
PRESET = {"ruleValue": "itk_[A-Za-z0-9]{32}", "action": "BLOCK"}
WRITES = [
    ("POST", "llm-provider-definitions/in-house/", DEFINITION),
    ("POST", "llm-models/in-house%2Fsummary/", MODEL),
    ("POST", "llm-providers/house/", PROVIDER),
    ("POST", "vector-dbs/passages/", VECTORS),
    ("POST", "knowledge-bases/guide/", BASE),
    ("POST", "ai-dlp-presets/token/", PRESET),
]


@pytest.fixture
def made(api: Api) -> Api:
    for method, path, body in WRITES:
        assert (200, "") == send(api, method, path, body), path
    return api


def test_definitions_and_models_are_made_read_and_deleted(made: Api) -> None:
    shown = {**DEFINITION, "id": "in-house", "builtIn": False}
    assert [shown] == rows(made, "llm-provider-definitions/")
    model = {**MODEL, "id": MODEL["name"], "builtIn": False}
    assert [model] == rows(made, "llm-models/") == rows(made, "llm-models/In-house%2Fsummary/")
    assert "in-house" == spec(made, "LlmModel", "in-house/summary")["providerDefinition"]

    path = "llm-models/in-house%2Fsummary"
    assert (200, "") == send(made, "PUT", path, MODEL | {"contextWindow": 8})
    assert 8 == rows(made, path)[0]["contextWindow"]
    why = "modelId (other) does not match name (in-house/summary)!"
    assert (400, why) == send(made, "PUT", path, MODEL | {"modelId": "other"})
    assert (200, "") == send(made, "DELETE", path)
    assert (400, "Model catalog entry (name: in-house/summary) was not found!") == send(
        made, "DELETE", path
    )


def test_a_provider_keeps_a_secret_that_is_blank_or_left_out(made: Api) -> None:
    (shown,) = rows(made, "llm-providers/house/")
    assert (None, True, False) == (shown["apiKey"], shown["apiKeySet"], shown["apiSecretSet"])
    assert ("in-house", None) == (shown["providerDefinitionId"], shown["metadata"][0]["value"])
    bare = {k: v for k, v in PROVIDER.items() if k not in ("apiKey", "metadata")}
    for more, there in (({}, SECRET), ({"apiKey": ""}, SECRET), ({"apiKey": OTHER}, OTHER)):
        assert (200, "") == send(made, "PUT", "llm-providers/House/", bare | more)
        assert {"/apiKey": there} == opened(made, "LlmProvider", "house")
    assert 400 == send(made, "PUT", "llm-providers/house/", bare | {"_class": "vector-db"})[0]


def test_a_provider_that_is_used_stays(made: Api) -> None:
    why = (
        "This LLM provider is in use and cannot be deleted. Remove the references first: "
        "Knowledge Base: guide"
    )
    assert (400, why) == send(made, "DELETE", "llm-providers/house/")
    send(made, "DELETE", "knowledge-bases/guide/")
    assert (200, "") == send(made, "DELETE", "llm-providers/house/")


def test_a_vector_database_is_written_nested_and_read_flat(made: Api) -> None:
    (shown,) = rows(made, "vector-dbs/passages/")
    assert {"jdbcUsername": "app", "jdbcPassword": None, "jdbcPasswordSet": True} == {
        name: shown[name] for name in ("jdbcUsername", "jdbcPassword", "jdbcPasswordSet")
    }
    assert (1, "jdbc") == (shown["poolMinimumIdle"], shown["family"])
    kept = {k: v for k, v in VECTORS["transport"].items() if k != "password"}
    body = VECTORS | {"transport": kept | {"username": "other"}}
    assert (200, "") == send(made, "PUT", "vector-dbs/passages/", body)
    assert {"/transport/password": SECRET} == opened(made, "VectorDb", "passages")
    http = {"family": "http", "endpoint": "https://q.bank.example", "apiKey": OTHER}
    assert (200, "") == send(made, "PUT", "vector-dbs/passages/", VECTORS | {"transport": http})
    assert {"/transport/apiKey": OTHER} == opened(made, "VectorDb", "passages")
    assert rows(made, "vector-dbs/")[0]["apiKeySet"] is True


def test_a_knowledge_base_is_made_replaced_and_deleted(made: Api) -> None:
    assert (200, "") == send(made, "PUT", "knowledge-bases/guide/", BASE | {"chunkSize": 500})
    (shown,) = rows(made, "knowledge-bases/")
    assert (500, 200, 0) == (shown["chunkSize"], shown["chunkOverlap"], shown["docCount"])
    why = "VectorDb (name: none) is not found!"
    assert (400, why) == send(made, "PUT", "knowledge-bases/guide/", BASE | {"vectorDbRef": "none"})
    assert (200, "") == send(made, "DELETE", "knowledge-bases/guide/")


def test_a_preset_is_of_its_family_and_its_name_of_all(made: Api) -> None:
    shown = {**PRESET, "name": "token", "id": "token", "builtIn": False, "projectId": "payments"}
    assert [shown] == rows(made, "ai-dlp-presets/") == rows(made, "ai-dlp-presets/TOKEN/")
    assert [] == rows(made, "ai-prompt-guard-presets/")
    taken = send(made, "POST", "ai-prompt-guard-presets/token/", PRESET)
    assert (400, True) == (taken[0], "already exists in the visible scope" in taken[1])
    assert (200, "") == send(made, "PUT", "ai-dlp-presets/token/", PRESET | {"action": "FLAG"})
    assert "FLAG" == rows(made, "ai-dlp-presets/token/")[0]["action"]
    absent = "AI privacy preset (name: token) was not found!"
    assert (400, absent) == send(made, "DELETE", "ai-privacy-presets/token/")
    assert (200, "") == send(made, "DELETE", "ai-dlp-presets/token/")


def test_presets_for_all_projects_take_the_right_for_all(api: Api) -> None:
    path = "/apiops/settings/ai-dlp-presets/token/"
    assert 400 == api.call("POST", path, as_="mert", json=PRESET).status
    assert 200 == api.call("POST", path, as_="ayse", json=PRESET).status
    (shown,) = api.get("/apiops/settings/ai-dlp-presets/", as_="ayse").json()["resultList"]
    assert ("token", "admin") == (shown["name"], shown["projectId"])
    assert 200 == api.call("DELETE", path, as_="ayse").status


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[one[1] for one in WRITES])
def test_whoever_has_no_right_changes_nothing(
    api: Api, method: str, path: str, body: dict[str, Any]
) -> None:
    before = len(list(api.house.manager.entries(AuditQuery(limit=0))))
    for name in ("deniz", "ci"):
        assert 400 == send(api, method, path, body, as_=name)[0]
    assert before == len(list(api.house.manager.entries(AuditQuery(limit=0))))


def test_no_secret_is_stored_told_or_logged_in_the_clear(
    made: Api, caplog: pytest.LogCaptureFixture
) -> None:
    read = [rows(made, "llm-providers/"), rows(made, "vector-dbs/")]
    entries = list(made.house.manager.entries(AuditQuery(limit=0)))
    for place in (everything(made), str(entries), str(read), caplog.text):
        assert SECRET not in place
