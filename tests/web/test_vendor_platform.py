"""What there is once per Manager, and budgets, in the vendor's shape, over real HTTP."""

import pytest

from tests.web.conftest import Api
from tests.web.test_vendor_writes import rows, send

ALL = "/apiops/settings"


def ask(api: Api, method: str, path: str, as_: str = "ayse", **more: object) -> tuple[int, object]:
    answer = api.call(method, f"{ALL}/{path}", as_=as_, **more)  # type: ignore[arg-type]  # a test's words
    tree = answer.json()
    return answer.status, tree.get("resultList") or tree.get("resultMessage", "")


def test_the_settings_of_the_gateway_are_merged(api: Api) -> None:
    assert (200, [{}]) == ask(api, "GET", "ai-gateway")
    assert 200 == ask(api, "PUT", "ai-gateway", json={"maxToolTurns": 3})[0]
    sent = {"defaultRetryCount": 2, "maxToolTurns": None}
    assert 200 == ask(api, "PUT", "ai-gateway/", json=sent)[0]
    assert (200, [{"maxToolTurns": 3, "defaultRetryCount": 2}]) == ask(api, "GET", "ai-gateway")
    assert 400 == ask(api, "PUT", "ai-gateway", json={"maxToolTurns": 101})[0]
    assert 400 == ask(api, "PUT", "ai-gateway", json={})[0]


def test_geolocation_has_a_database_and_a_switch(api: Api) -> None:
    (status,) = ask(api, "GET", "geolocation/")[1:]
    assert [{"enabled": False, "mmdbFileUploaded": False}] == status
    form = {"fileName": "places.mmdb", "file": ("x", b"MMDB")}
    assert 200 == ask(api, "PUT", "geolocation/mmdb", form=form)[0]
    assert 200 == ask(api, "PUT", "geolocation/enable")[0]
    (status,) = ask(api, "GET", "geolocation/")[1:]
    assert [{"enabled": True, "mmdbFileUploaded": True, "fileName": "places.mmdb"}] == status
    assert 200 == ask(api, "PUT", "geolocation/disable")[0]
    (held,) = (
        one for one in api.house.manager.read("", "").resources if one.id.kind == "Geolocation"
    )
    assert held.spec["enabled"] is False
    assert {held.spec["fileDigest"]: b"MMDB"} == api.house.manager.files([held.spec["fileDigest"]])


@pytest.mark.parametrize("path", ["ai-gateway", "geolocation/enable"])
def test_only_who_administers_changes_them(api: Api, path: str) -> None:
    assert 400 == ask(api, "PUT", path, as_="mert", json={"maxToolTurns": 3})[0]


BUDGET = {"enabled": True, "tokensPerDay": 5, "softCapPercents": [50, 80]}


def test_a_budget_is_set_for_what_is_there(api: Api) -> None:
    path = "ai-budgets/"
    proxy = {"targetType": "API_PROXY", "targetId": "orders", "budget": BUDGET}
    assert (200, "") == send(api, "PUT", path, proxy)
    less = {"enabled": True, "tokensPerDay": 4, "softCapPercents": None}
    assert (200, "") == send(api, "PUT", path, proxy | {"budget": less})
    (rule,) = rows(api, f"{path}scope-rules/")
    assert ("API_PROXY", "orders") == (rule["entityType"], rule["id"])
    assert {"enabled": True, "tokensPerDay": 4, "softCapPercents": [50, 80]} == rule["budget"]
    (top,) = rows(api, f"{path}hierarchy/")
    assert ("payments", ["orders"]) == (
        top["nodeId"],
        [one["nodeId"] for one in top["children"] if one["nodeType"] == "API_PROXY"],
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"targetType": None},
        {"targetId": "nothing"},
        {"targetType": "API_PROXIES"},
        {"targetType": "CREDENTIAL_ALLOWED_API_PROXY"},
        {"budget": None},
        {"budget": {"tokensPerDay": 0}},
        {"colour": "red"},
    ],
)
def test_what_no_budget_is_like_is_refused(api: Api, wrong: dict[str, object]) -> None:
    body = {"targetType": "API_PROXY", "targetId": "orders", "budget": BUDGET} | wrong
    assert 400 == send(api, "PUT", "ai-budgets/", body)[0]
    assert [] == rows(api, "ai-budgets/scope-rules/")
