"""API proxies, made and changed by scripts written for the vendor's Manager, over real HTTP."""

from typing import Any

import orjson
import pytest

from apiops.model.audit import AuditQuery
from tests.web.conftest import Api
from tests.web.test_vendor_writes import OTHER, SECRET, everything, given, rows, send

ROUTE = {"relativePathList": ["/books"], "methodList": ["GET"]}
BOOKS = {
    "apiProxyName": "books",
    "apiProxyDescription": "What can be read",
    "apiProxyCreationType": "EMPTY_API",
    "clientRoute": ROUTE,
    "routingInfo": {
        "loadBalanceAlgorithm": "ROUND_ROBIN",
        "routingAddressList": [{"address": "https://books.bank.example", "weight": 1}],
        "readTimeout": 30,
    },
}
DOCUMENT = b"""openapi: 3.0.3
info: {title: Books, version: '1'}
paths:
  /books/{id}:
    get: {responses: {'200': {description: one}}}
  /books:
    get: {responses: {'200': {description: all}}}
    post: {responses: {'201': {description: made}}}
"""
RUN = {"deploy": True, "deployTargetEnvironmentNameList": ["production"]}
ALL = {"targetScope": "ALL", "targetPipeline": "REQUEST"}


@pytest.fixture
def books(api: Api) -> Api:
    assert (200, "") == send(api, "POST", "apiProxies/url/", BOOKS)
    return api


def spec(api: Api, name: str = "books") -> dict[str, Any]:
    """As the Manager holds it, deployed first for the workers."""
    assert 200 == send(api, "POST", f"apiProxies/{name}/environments/production/")[0]
    found: dict[str, Any] = given(api, "ApiProxy", name)
    return found


def upload(api: Api, method: str, metadata: dict[str, Any], content: bytes, name: str) -> int:
    path = "/apiops/projects/payments/apiProxies/file/"
    form = {"metadata": orjson.dumps(metadata).decode(), "specFile": (name, content)}
    return api.call(method, path, as_="mert", form=form).status


class TestMaking:
    def test_one_is_made_as_the_body_says(self, books: Api) -> None:
        made = spec(books)
        assert ("EMPTY_API", "What can be read", ROUTE) == (
            made["type"],
            made["description"],
            made["clientRoute"],
        )
        assert "https://books.bank.example" == made["routing"]["addresses"][0]["address"]
        assert 30 == made["settings"]["connection"]["readTimeout"]
        again = send(books, "POST", "apiProxies/url/", BOOKS)
        assert (400, "ApiProxy (name: books) is already exist!") == again

    def test_one_is_deployed_where_the_body_says(self, api: Api) -> None:
        answer = api.call(
            "POST", "/apiops/projects/payments/apiProxies/url/", as_="mert", json=BOOKS | RUN
        )
        assert answer.json()["deploymentResult"]["success"]
        assert [] != [one for one in rows(api, "apiProxies/books/") if one["deploymentList"]]
        actions = [one.action for one in api.house.manager.entries(AuditQuery(name="books"))]
        assert ["deploy", "create"] == actions

    @pytest.mark.parametrize("place", ["nowhere", {}, ["production"]])
    def test_nothing_is_made_where_it_could_not_be_deployed(self, api: Api, place: Any) -> None:
        nowhere = RUN | {"deployTargetEnvironmentNameList": [place]}
        status, why = send(api, "POST", "apiProxies/url/", BOOKS | nowhere)
        assert (400, True) == (status, why.startswith(f"Environment ({place}) is not found"))
        assert [] == [one for one in rows(api, "apiProxies/") if one["name"] == "books"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"apiProxyName": ""},
            {"apiProxyCreationType": "GUESS"},
            {"clientRoute": None},
            {"colour": "red"},
            {"routingInfo": {"speed": 1}},
            {"apiProxyCreationType": "OPEN_API"},
        ],
    )
    def test_what_no_proxy_is_like_is_refused(self, api: Api, wrong: dict[str, Any]) -> None:
        assert 400 == send(api, "POST", "apiProxies/url/", BOOKS | wrong)[0]
        assert [] == [one for one in rows(api, "apiProxies/") if one["name"] == "books"]

    def test_a_document_comes_with_the_call_and_says_the_endpoints(self, api: Api) -> None:
        body = BOOKS | {"apiProxyCreationType": "OPEN_API", "backendApiVersion": "2"}
        assert 200 == upload(api, "POST", body, DOCUMENT, "books.yaml")
        named = [(one["endpoint"], one["httpMethod"]) for one in rows(api, _ENDPOINTS)]
        assert [("/books", "GET"), ("/books", "POST"), ("/books/{id}", "GET")] == named

        shorter = DOCUMENT[: DOCUMENT.index(b"  /books:")]
        less = {"apiProxyName": "books", "apiProxyCreationType": "OPEN_API"}
        assert 200 == upload(api, "PUT", less, shorter, "../../etc/books.yaml")
        assert ["/books/{id}"] == [one["endpoint"] for one in rows(api, _ENDPOINTS)]
        source = spec(api)["source"]
        assert ("books.yaml", "2") == (source["file"], source["backendApiVersion"])
        assert (400, True) == _refused(send(api, "PUT", "apiProxies/url/", {"apiProxyName": "x"}))
        assert 400 == upload(api, "POST", body | {"apiProxyName": "y"}, b"", "books.yaml")

    def test_a_document_by_url_has_its_authorization_sealed(self, api: Api) -> None:
        sent = [{"keyName": "X-Key", "value": SECRET, "type": "header"}]
        by_url = {
            "apiProxyCreationType": "OPEN_API",
            "specUrl": "https://books.bank.example/openapi.yaml",
            "specAuthorizationValueList": sent,
        }
        assert (200, "") == send(api, "POST", "apiProxies/url/", BOOKS | by_url)
        assert SECRET not in everything(api)
        assert SECRET == spec(api)["source"]["authorization"][0]["value"]

    def test_agents_are_made_in_their_first_mode(self, api: Api) -> None:
        tools = {"relativePath": "/tools", "routingMode": "TOOL_EXPOSE"}
        assert (200, "") == send(api, "POST", "apiProxies/mcp/tools/", tools)
        assert "TOOL_EXPOSE" == spec(api, "tools")["mcpRouting"]["routingMode"]
        exposed = {"routingMode": "TOOL_EXPOSE", "exposedTools": [{"proxyId": "none"}]}
        status, _why = send(api, "PUT", "apiProxies/tools/mcp-routing/", exposed)
        assert 400 == status


_ENDPOINTS = "apiProxies/books/endpoints/"


def _refused(told: tuple[int, str]) -> tuple[int, bool]:
    return told[0], "First create it!" in told[1]


class TestSettings:
    @pytest.mark.parametrize(
        ("step", "body", "path", "value"),
        [
            ("cors", {"corsSettings": {"name": "c", "corsActive": True}}, "cors.corsActive", True),
            ("connection", {"readTimeout": 9}, "connection.readTimeout", 9),
            ("circuit-breaker", {"circuitBreakerEnabled": False}, "circuitBreaker", None),
            ("maintenance-mode", {"enabled": True, "message": "soon"}, "maintenanceMode", None),
            (
                "json-error-template",
                {"jsonErrorResponseTemplate": {"jsonValue": "{}"}},
                "jsonErrorTemplate.jsonValue",
                "{}",
            ),
        ],
    )
    def test_one_is_set(self, books: Api, step: str, body: Any, path: str, value: Any) -> None:
        assert (200, "") == send(books, "PATCH", f"apiProxies/books/settings/{step}/", body)
        found: Any = spec(books)["settings"]
        for key in path.split("."):
            found = found[key]
        assert value in (None, found)

    def test_a_field_that_is_left_out_stays(self, books: Api) -> None:
        path = "apiProxies/books/settings/connection/"
        send(books, "PATCH", path, {"connectTimeout": 5})
        assert {"readTimeout": 30, "connectTimeout": 5} == spec(books)["settings"]["connection"]

    def test_secrets_are_sealed_kept_and_moved_along(self, books: Api) -> None:
        path = "apiProxies/books/settings/proxy-server/"
        proxy = {"proxyEnabled": True, "proxyHost": "p", "proxyPort": 1, "proxyPassword": SECRET}
        assert (200, "") == send(books, "PATCH", path, proxy)
        assert (200, "") == send(books, "PATCH", path, {"proxyPort": 2, "proxyPassword": None})
        held = spec(books)["settings"]["proxyServer"]
        assert (2, SECRET) == (held["proxyPort"], held["proxyPassword"])
        assert SECRET not in everything(books)

    def test_route_addresses_and_listing(self, books: Api) -> None:
        here = "apiProxies/books/settings"
        route = {"clientRoute": {"relativePathList": ["/b"]}}
        addresses = {"routingAddressList": [{"address": "https://b.bank.example"}]}
        listing = {"description": "Books", "categoryList": ["a"], "sharingType": "NONE"}
        send(books, "PATCH", f"{here}/client-route/", route)
        send(books, "PATCH", f"{here}/addresses/", addresses)
        send(books, "PATCH", f"{here}/routing-status/", {"mirrorEnabled": True})
        send(books, "PATCH", f"{here}/metadata/", listing)
        send(books, "PATCH", f"{here}/metadata/", {"categoryList": []})
        send(books, "PATCH", f"{here}/spec-access-type/HIDDEN/?checkApiProxyPermission=true", {})
        now = spec(books)
        assert ["/b"] == now["clientRoute"]["relativePathList"]
        assert [{"address": "https://b.bank.example"}] == now["routing"]["addresses"]
        assert ("Books", {"sharingType": "NONE"}) == (now["description"], now["metadata"])
        assert {"type": "HIDDEN", "checkApiProxyPermission": True} == now["settings"]["specAccess"]

    @pytest.mark.parametrize(
        ("step", "body"),
        [
            ("cors", {}),
            ("cors", {"corsSettings": "yes"}),
            ("connection", {"readTimeout": "long"}),
            ("connection", {"unheard": 1}),
            ("addresses", {"routingAddressList": [{}]}),
            ("metadata", {"name": "other"}),
            ("spec-access-type/NOBODY", {}),
            ("mtls", {"keyStoreId": "none"}),
        ],
    )
    def test_what_no_setting_is_like_is_refused(self, books: Api, step: str, body: Any) -> None:
        assert 400 == send(books, "PATCH", f"apiProxies/books/settings/{step}/", body)[0]

    def test_what_is_logged(self, books: Api) -> None:
        path = "apiProxies/books/trafficLogSettings/production/"
        assert (400, "Traffic log settings not found") == send(books, "GET", path)
        assert 200 == send(books, "PUT", path, {"logBodyRequestFromClient": False})[0]
        assert 200 == send(books, "PUT", path, {"logParamRequestFromClient": True})[0]
        (log,) = rows(books, path)
        assert (False, True) == (log["logBodyRequestFromClient"], log["logParamRequestFromClient"])
        assert 400 == send(books, "PUT", path.replace("production", "nowhere"), {})[0]


def test_endpoints_come_change_and_go(books: Api) -> None:
    one = {"name": "/all", "httpMethod": "GET"}
    more = {"description": "", "backendResourceUrl": "/books", "backendHttpMethod": "GET"}
    assert (200, "") == send(books, "POST", _ENDPOINTS, one | more)
    assert 400 == send(books, "POST", _ENDPOINTS, one | more)[0]
    assert (200, "") == send(books, "PATCH", _ENDPOINTS, one | {"description": "All"})
    which = {"identifierName": "/all", "identifierHttpMethod": "GET"}
    assert (200, "") == send(books, "PATCH", f"{_ENDPOINTS}status/", which | {"active": False})
    cache = {"cacheSettings": {"name": "c", "cacheActive": True, "handlingAction": "STOP"}}
    assert (200, "") == send(books, "PATCH", f"{_ENDPOINTS}cache/", which | cache)
    (shown,) = rows(books, _ENDPOINTS)
    assert ("/all", "All", False, "/books") == tuple(
        shown[name] for name in ("endpoint", "description", "active", "backendResourceUrl")
    )
    limited = ALL | {"targetScope": "ENDPOINT", "targetEndpoint": "/all"}
    limited |= {"targetEndpointHTTPMethod": "GET"}
    policy = {"type": "policy-max-message-size", "maxMessageSize": 1}
    body = {"operationMetadata": limited, "policy": policy}
    assert (200, "") == send(books, "POST", "apiProxies/books/policies/size/", body)
    assert (200, "") == send(books, "POST", f"{_ENDPOINTS}delete/", one)
    assert [] == rows(books, _ENDPOINTS)
    assert [] == spec(books)["policies"]["request"]
    assert 400 == send(books, "POST", f"{_ENDPOINTS}delete/", one)[0]


class TestPolicies:
    def add(self, api: Api, name: str, order: int | None = None, **fields: Any) -> tuple[int, str]:
        policy = {"type": "policy-max-message-size", "maxMessageSize": 9} | fields
        where = ALL | ({} if order is None else {"order": order})
        body = {"operationMetadata": where, "policy": policy}
        return send(api, "POST", f"apiProxies/books/policies/{name}/", body)

    def names(self, api: Api) -> list[str]:
        (shown,) = rows(api, "apiProxies/books/policies/")
        return [one["name"] for one in shown["requestPolicyList"]]

    def test_they_run_in_the_order_that_is_asked_for(self, books: Api) -> None:
        for name, order in (("a", None), ("b", None), ("c", 1), ("d", 2), ("e", 99)):
            assert (200, "") == self.add(books, name, order)
        assert ["c", "d", "a", "b", "e"] == self.names(books)
        body = {"operationMetadata": ALL, "policy": {"type": "policy-max-message-size"}}
        body["policy"]["maxMessageSize"] = 10
        path = "apiProxies/books/policies"
        assert (200, "") == send(books, "PUT", f"{path}/D/", body)
        assert ["c", "d", "a", "b", "e"] == self.names(books)
        moved = body | {"operationMetadata": ALL | {"order": 99}}
        assert (200, "") == send(books, "PUT", f"{path}/d/", moved)
        assert (200, "") == send(books, "DELETE", f"{path}/c/", {"operationMetadata": ALL})
        assert ["a", "b", "e", "d"] == self.names(books)

    def test_what_is_there_or_is_not_is_told(self, books: Api) -> None:
        self.add(books, "a")
        twice = (400, "A policy with same name (A) is already exist in API Proxy!")
        assert twice == self.add(books, "A")
        absent = (400, "A policy with name (b) does not exist in API Proxy!")
        assert absent == send(books, "DELETE", "apiProxies/books/policies/b/")
        elsewhere = {"operationMetadata": {"targetPipeline": "RESPONSE"}}
        status, _why = send(books, "DELETE", "apiProxies/books/policies/a/", elsewhere)
        assert 400 == status
        assert 400 == self.add(books, "c", type="policy-unheard-of")[0]
        assert 400 == self.add(books, "c", colour="red")[0]

    def test_a_secret_goes_along_when_its_policy_moves(self, books: Api) -> None:
        oidc = {"type": "policy-ws-security-username", "username": "app", "password": SECRET}
        oidc["passwordType"] = "PasswordText"
        told = self.add(books, "login", **{k: v for k, v in oidc.items() if k != "type"},
                        type=oidc["type"], maxMessageSize=None)  # fmt: skip
        assert (200, "") == told
        assert (200, "") == self.add(books, "size", 1)
        assert ["size", "login"] == self.names(books)
        (shown,) = rows(books, "apiProxies/books/policies/")
        assert shown["requestPolicyList"][1]["password"] is None
        body = {"operationMetadata": ALL, "policy": oidc | {"password": None, "username": "b"}}
        assert (200, "") == send(books, "PUT", "apiProxies/books/policies/login/", body)
        assert (200, "") == send(books, "DELETE", "apiProxies/books/policies/size/")
        (login,) = spec(books)["policies"]["request"]
        assert ("b", SECRET) == (login["spec"]["username"], login["spec"]["password"])
        body["policy"]["password"] = OTHER
        assert (200, "") == send(books, "PUT", "apiProxies/books/policies/login/", body)
        (login,) = spec(books)["policies"]["request"]
        assert OTHER == login["spec"]["password"]
        assert SECRET not in everything(books)
