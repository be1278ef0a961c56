"""What scripts written for the vendor's Manager change, secrets included: over real HTTP, on both
engines. What was sealed is proven by what workers are given.
"""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from apiops.git.inbox import Inbox
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.web import app
from apiops.wiring.serving import Serving
from apiops.wiring.settings import TargetSettings
from tests.managers import a_resource, a_write, write_batch
from tests.serving import served
from tests.web.conftest import Api

HERE = "/apiops/projects/payments"
SECRET = "correct-horse-battery-staple"
OTHER = "a-second-battery-of-staples"
DATABASE = {
    "type": "database",
    "dbType": "POSTGRES",
    "jdbcUrl": "jdbc:postgresql://db.bank.example/orders",
    "username": "app",
    "password": SECRET,
}
CLIENT = {
    "username": "partner",
    "password": SECRET,
    "email": "it@partner.example",
    "fullName": "Partner",
    "roleNameList": [],
    "ipList": ["198.51.100.0/24"],
    "metadata": [
        {"key": "tier", "value": "gold"},
        {"key": "contract", "value": SECRET, "secret": True},
    ],
}


def send(api: Api, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
    """Status, and the words of a refusal."""
    more.setdefault("as_", "mert")
    answer = api.call(method, f"{HERE}/{path}", json=body, **more)
    return answer.status, answer.json().get("resultMessage", "")


def rows(api: Api, path: str) -> list[dict[str, Any]]:
    answer = api.get(f"{HERE}/{path}", as_="mert")
    assert 200 == answer.status, answer.data
    found: list[dict[str, Any]] = answer.json()["resultList"]
    return found


def given(api: Api, kind: str, name: str, environment: str = "production") -> Any:
    """The spec of a resource as workers are given it, secrets opened."""
    path = f"/v1/environments/{environment}/bundle"
    answer = api.get(path, as_=f"worker-{environment}")
    assert 200 == answer.status, answer.data
    parts = answer.json()["resources"]
    return next(one["spec"] for one in parts if (one["kind"], one["name"]) == (kind, name))


def everything(api: Api) -> str:
    """All that the database holds, as text."""
    engine = create_engine(api.house.url)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        names = connection.execute(text(tables)).scalars().all()
        found = [connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in names]
    engine.dispose()
    return str(found)


def test_a_connection_is_made_replaced_and_deleted(api: Api) -> None:
    assert (200, "") == send(api, "POST", "connections/orders-db/", DATABASE)
    shown = DATABASE | {"password": None, "name": "orders-db"}
    assert [shown] == rows(api, "connections/orders-db/") == rows(api, "connections/?type=database")
    assert SECRET == given(api, "Connection", "orders-db")["password"]

    for word, opened in ((None, SECRET), (OTHER, OTHER), (None, OTHER), ("", "")):
        body = DATABASE | {"password": word, "name": "orders-db", "username": "app2"}
        assert (200, "") == send(api, "PUT", "connections/Orders-DB/", body)
        assert opened == given(api, "Connection", "orders-db")["password"]
    assert (200, "") == send(api, "POST", "connections/orders-db/", DATABASE)  # makes or replaces

    assert (200, "") == send(api, "DELETE", "connections/orders-db")
    absent = (400, "Connection (name: orders-db) was not found!")
    assert absent == send(api, "DELETE", "connections/orders-db/")
    assert absent == send(api, "PUT", "connections/orders-db/", DATABASE)


def test_what_is_sent_as_a_secret_is_nowhere_to_be_read(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    send(api, "POST", "connections/orders-db/", DATABASE)
    send(api, "POST", "credentials/", CLIENT)
    hidden = {"environmentName": "production", "value": SECRET}
    send(api, "POST", "environmentVariables/KEY/", {"environmentValueList": [hidden]})
    told = [
        send(api, "POST", "connections/x/", DATABASE | {"dbType": SECRET[:5]}),
        send(api, "POST", "connections/y/", DATABASE | {"unknown": 1}),
        send(api, "PUT", "credentials/", CLIENT | {"email": "nobody"}),
    ]
    assert [400, 400, 400] == [status for status, _ in told]

    entries = list(api.house.manager.entries(AuditQuery(limit=0)))
    read = [rows(api, "credentials/"), rows(api, "connections/?type=database")]
    for place in (everything(api), str(entries), str(read), str(told), caplog.text):
        assert SECRET not in place


def test_a_change_has_its_entry_with_person_token_and_reason(api: Api) -> None:
    headers = {"X-Apiops-Reason": "ticket 4711"}
    send(api, "POST", "connections/orders-db/", DATABASE, headers=headers)
    (entry,) = api.house.manager.entries(AuditQuery(kind="Connection", action="create", limit=1))

    assert ("create", "mert", "ticket 4711", "127.0.0.1") == (
        entry.action,
        entry.principal,
        entry.reason.text,
        entry.address,
    )
    assert "fingerprint" in str(entry.after)


def test_a_variable_has_its_values_sealed_for_their_environments(api: Api) -> None:
    values = [
        {"environmentName": "production", "value": SECRET},
        {"environmentName": "test", "value": "shown", "visible": True},
    ]
    path = "environmentVariables/KEY/"
    assert (200, "") == send(api, "POST", path, {"environmentValueList": values})
    assert (400, "Environment variable (name: KEY) already exists!") == send(
        api, "POST", path, {"environmentValueList": values}
    )
    shown = {one["environmentName"]: one["value"] for one in rows(api, path)[0][_LIST]}
    assert {"production": None, "test": "shown"} == shown
    assert SECRET == given(api, "EnvironmentVariable", "KEY")["values"]["production"]["value"]

    kept = [{"environmentName": "production", "value": None, "visible": False}]
    assert (200, "") == send(api, "PUT", path, {"name": "KEY", "environmentValueList": kept})
    values = given(api, "EnvironmentVariable", "KEY")["values"]
    assert {"production": {"value": SECRET, "visible": False}} == values
    cleared = [{"environmentName": "production", "value": ""}]
    send(api, "PUT", path, {"environmentValueList": cleared})
    assert "" == given(api, "EnvironmentVariable", "KEY")["values"]["production"]["value"]
    assert (200, "") == send(api, "DELETE", path)


_LIST = "environmentValueList"


def test_no_keys_are_made_for_an_environment_that_is_not_there(api: Api) -> None:
    body = {_LIST: [{"environmentName": "nowhere", "value": SECRET}]}
    told = send(api, "POST", "environmentVariables/KEY/", body)
    elsewhere = {"X-Apiops-Environment": "nowhere"}
    also = send(api, "POST", "connections/x/", DATABASE, headers=elsewhere)

    why = "Environment (nowhere) is not found or user does not have privilege to access it!"
    assert [(400, why)] * 2 == [told, also]
    assert "nowhere" not in {one.environment for one in api.house.manager.keys.versions()}


@pytest.mark.parametrize("values", ["x", ["x"], [[]], [{}]])
def test_a_list_of_something_else_is_told(api: Api, values: Any) -> None:
    told = send(api, "POST", "environmentVariables/KEY/", {_LIST: values})
    assert (400, "environmentName value can not be empty!") == told


def test_a_name_in_the_path_and_another_in_the_body_are_refused(api: Api) -> None:
    why = "Connection name in path (a) does not match name in body (b)!"
    assert (400, why) == send(api, "POST", "connections/a/", DATABASE | {"name": "b"})


def test_addresses_come_and_go(api: Api) -> None:
    send(api, "POST", "ipGroups/", {"name": "offices", "ipList": ["192.0.2.1"]})
    ips = "ipGroups/offices/ips/"
    assert (200, "") == send(api, "POST", ips, {"ipList": ["192.0.2.1", "192.0.2.2"]})
    assert ["192.0.2.1", "192.0.2.2"] == rows(api, "ipGroups/offices/")[0]["ipList"]
    send(api, "DELETE", ips, {"ipList": ["192.0.2.1", "192.0.2.9"]})
    assert ["192.0.2.2"] == rows(api, "ipGroups/offices/")[0]["ipList"]
    send(api, "PUT", ips, {"ipList": ["198.51.100.0/24"]})
    assert ["198.51.100.0/24"] == rows(api, "ipGroups/offices/")[0]["ipList"]
    assert (400, "ipList value can not be empty!") == send(api, "PUT", ips, {"ipList": []})
    assert 400 == send(api, "POST", ips, {"ipList": ["not an address"]})[0]
    counted = api.get("/metrics").data.decode()
    assert 'route="/apiops/projects/{project}/ipGroups/{name}/ips/"' in counted


class TestCredentials:
    @pytest.fixture(autouse=True)
    def made(self, api: Api) -> None:
        assert (200, "") == send(api, "POST", "credentials/", CLIENT)

    def test_one_is_read_without_what_it_hides(self, api: Api) -> None:
        (shown,) = (one for one in rows(api, "credentials/") if one["username"] == "partner")
        facts = {one["key"]: one["value"] for one in shown.pop("metadata")}
        assert {"tier": "gold", "contract": None} == facts
        expected = {k: v for k, v in CLIENT.items() if k != "metadata"} | {"password": None}
        assert expected == shown

    def test_a_name_is_taken_in_every_project(self, api: Api) -> None:
        answer = api.call("POST", "/apiops/projects/cards/credentials/", as_="deniz", json=CLIENT)
        assert 400 == answer.status
        assert "must be unique across ALL projects" in answer.json()["resultMessage"]

    def test_a_put_replaces_what_it_is_and_leaves_what_it_may_call(self, api: Api) -> None:
        grant = {"credentialAccessList": [{"name": "orders", "type": "API_PROXY"}]}
        assert (200, "") == send(api, "PUT", "credentials/partner/access/", grant)
        tier, contract = CLIENT["metadata"]
        body = CLIENT | {"password": OTHER, "metadata": [tier, contract | {"value": None}]}
        assert (200, "") == send(api, "PUT", "credentials/", body)

        now = given(api, "Credential", "partner")
        assert (OTHER, SECRET) == (now["password"], now["metadata"][1]["value"])
        assert ["orders"] == [one["name"] for one in now["access"]]
        body["metadata"].reverse()  # what is kept goes along
        assert (200, "") == send(api, "PUT", "credentials/", body)
        assert SECRET == given(api, "Credential", "partner")["metadata"][0]["value"]
        needed = send(api, "PUT", "credentials/", CLIENT | {"password": None})
        assert (400, "Credential password can not be empty!") == needed

    def test_a_password_alone(self, api: Api) -> None:
        assert (200, "") == send(api, "PATCH", "credentials/partner/", {"password": OTHER})
        assert OTHER == given(api, "Credential", "partner")["password"]
        assert (400, "Credential (username: nobody) was not found!") == send(
            api, "PATCH", "credentials/nobody/", {"password": OTHER}
        )

    def test_grants_come_once_and_go(self, api: Api) -> None:
        path = "credentials/partner/access/"
        orders = {"name": "orders", "type": "API_PROXY", "expireTime": "2030-01-01T00:00:00Z"}
        grant = {"credentialAccessList": [orders]}
        assert (200, "") == send(api, "PUT", path, grant)
        assert [{"name": "orders", "type": "API_PROXY"}] == rows(api, path)
        again = send(api, "PUT", path, grant)
        assert "has already access to API Proxy (name:orders)!" in again[1]
        strange = {"credentialAccessList": [{"name": "nothing", "type": "API_PROXY"}]}
        why = "API Proxy (name:nothing) is not found or user does not have privilege to access it!"
        assert (400, why) == send(api, "PUT", path, strange)
        assert (200, "") == send(api, "DELETE", path, grant)
        assert [] == rows(api, path)

    @pytest.mark.parametrize(
        ("slot", "called"),
        [("secretKey", "Secret Key"), ("jwk/validation", "JWK for validation")],
    )
    def test_what_it_carries_must_be_there(self, api: Api, slot: str, called: str) -> None:
        status, why = send(api, "PUT", f"credentials/partner/{slot}/none/")
        assert (400, True) == (status, why.endswith("(name: none) is not found!"))
        empty = f"Credential (username: partner) does not have a {called} assigned!"
        assert (400, empty) == send(api, "DELETE", f"credentials/partner/{slot}/")

    def test_settings_of_its_tokens_are_merged_and_reset(self, api: Api) -> None:
        path = "credentials/partner/token/"
        lives = {"tokenNeverExpires": False, "tokenExpiresInAmount": 5}
        assert (200, "") == send(api, "PUT", path, lives | {"tokenExpiresInUnit": "MINUTES"})
        assert (200, "") == send(api, "PUT", path, {"tokenExpiresInAmount": 9})
        token = given(api, "Credential", "partner")["token"]
        assert (9, "MINUTES") == (token["tokenExpiresInAmount"], token["tokenExpiresInUnit"])
        assert (200, "") == send(api, "DELETE", path)
        assert "token" not in given(api, "Credential", "partner")

    def test_it_is_deleted(self, api: Api) -> None:
        assert (200, "") == send(api, "DELETE", "credentials/partner/")
        assert "partner" not in {one["username"] for one in rows(api, "credentials/")}


ROUTE = "apiProxies/chat/ai-routing/"


def test_a_secret_in_an_ai_route_is_sealed(api: Api) -> None:
    chat = {"type": "AI", "clientRoute": {"relativePathList": ["/chat"]}}
    proxy = a_resource("ApiProxy", "chat", chat)
    cloud = a_resource("LlmProvider", "cloud", {"providerType": "OPENAI"})
    made = (a_write(Action.CREATE, one) for one in (cloud, proxy))
    write_batch(api.house.manager, *made, base=2, number=3)
    route = {"llmProviderRefName": "cloud", "modelId": "m", "proxyPassword": SECRET}
    assert (200, "") == send(api, "PUT", ROUTE, route)
    assert (200, "") == send(api, "PUT", ROUTE, route | {"modelId": "n", "proxyPassword": None})
    send(api, "POST", "apiProxies/chat/environments/production/")
    route = given(api, "ApiProxy", "chat")["aiRouting"]
    assert ("n", SECRET) == (route["modelId"], route["proxyPassword"])
    assert SECRET not in everything(api)


@pytest.mark.parametrize(
    "leaf", [{"unheard": 1}, {"environment": "production", "fingerprint": "f" * 64}, "x"]
)
def test_what_stands_for_a_secret_inside_is_not_taken_from_outside(api: Api, leaf: Any) -> None:
    for field in ("password", "username"):
        status, why = send(api, "POST", "connections/x/", DATABASE | {field: {"$secret": leaf}})
        assert (400, True) == (status, "$secret has no meaning here" in why)
    assert "unheard" not in everything(api)


ODD = [
    b'{"name":"x","description":"a\\u0000b","ipList":[]}',
    b'{"name":"x\\ud800","ipList":[]}',
    b'{"name":"x\\u0000","ipList":[]}',
    b'{"username":"x\\ud800","email":"a@b.example","fullName":"a","password":"p"}',
    b'{"type":"database","dbType":"POSTGRES","jdbcUrl":"j","username":"u","password":"\\ud800"}',
    b'{"name":"x","d\\ud800":1,"ipList":[]}',
    b'{"name":"x","description":' + b"[" * 3000 + b"]" * 3000 + b',"ipList":[]}',
    b'{"name":"x","description":1e999,"ipList":[]}',
    b'{"name":"x","description":NaN,"ipList":[]}',
    b'{"name":["x"],"ipList":[]}',
    b'{"name":{"a":1},"ipList":{}}',
    *(b"[]", b"null", b'"x"', b"{", b"\xff\xfe"),
]
PLACES = (
    *("ipGroups", "connections/x", "credentials", "apiProxies/url", "apiProxies/ai/x"),
    *("globalPolicies", "policyGroups", "apiProxyGroups", "rlcl", "environmentVariables/x"),
    *("keys", "keystores", "jwks", "jwks/generate", "llm-providers/x", "vector-dbs/x"),
    "credential-organizations",
)


@pytest.mark.parametrize("place", PLACES)
def test_what_no_text_is_like_is_refused_and_never_our_fault(api: Api, place: str) -> None:
    before = len(list(api.house.manager.entries(AuditQuery(limit=0))))
    headers = {"Authorization": f"Bearer {api.tokens['mert']}", "Content-Type": "application/json"}
    for body in ODD:
        where = f"{api.url}{HERE}/{place}/"
        answer = api.pool.request("POST", where, body=body, headers=headers)
        assert answer.status in (400, 413), (body, answer.data)
    assert before == len(list(api.house.manager.entries(AuditQuery(limit=0))))


FORBIDDEN = "User does not have required permission for this operation!"
NO_PROJECT = "Project (payments) is not found or user does not have privilege to access it!"
WRITES = [
    ("POST", "connections/x/", DATABASE),
    ("POST", "credentials/", CLIENT),
    ("POST", "ipGroups/", {"name": "x", "ipList": []}),
    ("POST", "environmentVariables/X/", {_LIST: [{"environmentName": "test", "value": "x"}]}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[one[1] for one in WRITES])
def test_whoever_has_no_right_changes_nothing(
    api: Api, method: str, path: str, body: dict[str, Any]
) -> None:
    before = len(list(api.house.manager.entries(AuditQuery(limit=0))))
    for name, why in (("deniz", NO_PROJECT), ("ci", NO_PROJECT)):
        status, told = send(api, method, path, body, as_=name)
        assert (400, True) == (status, told in (why, FORBIDDEN)), told
    assert before == len(list(api.house.manager.entries(AuditQuery(limit=0))))


def test_with_several_environments_somebody_says_whose_keys_are_meant(
    api: Api, tmp_path: Path
) -> None:
    targets = {name: TargetSettings(name, name, api.house.url) for name in ("production", "test")}
    made = app.create(Serving(api.house.manager, Inbox(tmp_path / "more"), targets))
    with served(made) as url:
        several = Api(api.house, url, made, api.tokens)
        status, why = send(several, "POST", "connections/x/", DATABASE)
        assert (400, True) == (status, "which environment's keys seal password" in why)
        named = {"X-Apiops-Environment": "production"}
        assert (200, "") == send(several, "POST", "connections/x/", DATABASE, headers=named)
        body = DATABASE | {"password": OTHER}  # the keys that it has already
        assert (200, "") == send(several, "PUT", "connections/x/", body)
        assert OTHER == given(several, "Connection", "x")["password"]
