"""The stand-in behaves as the reference says: each test names the section it is about."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.standin import QUIRKS, Standin, contract
from tests.standin.proxies import FLAT, WRAPPED
from tests.standin.wire import ROUTES

PET = {
    "apiProxyName": "pets",
    "apiProxyCreationType": "REVERSE_PROXY",
    "clientRoute": {"relativePathList": ["/pets"]},
    "routingInfo": {"routingAddressList": [{"address": "https://pets.bank.example"}]},
}
THROTTLE = {
    "operationMetadata": {"targetScope": "ALL", "targetPipeline": "REQUEST", "deploy": False},
    "policy": {"type": "policy-max-message-size", "maxMessageSize": 10},
}


class Wire:
    """A bare client of the stand-in."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.pool = urllib3.PoolManager()

    def __call__(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.standin.token}"}
        answer = self.pool.request(
            method,
            f"{self.standin.url}/apiops{path}",
            headers=headers,
            body=None if body is None else json.dumps(body),
            retries=False,
        )
        text = answer.data.decode()
        return answer.status, json.loads(text) if text.startswith("{") else text


def a_wire(*quirks: str) -> Iterator[Wire]:
    with Standin(*quirks) as standin:
        standin.world.add_project("payments")
        standin.world.add_environment("dev")
        standin.world.add_environment("production", "PRODUCTION")
        wire = Wire(standin)
        yield wire
        wire.pool.clear()
        assert [] == standin.world.violations


@pytest.fixture
def wire() -> Iterator[Wire]:
    yield from a_wire()


def test_the_healthcheck_needs_no_token(wire: Wire) -> None:
    assert (200, "OK") == wire("GET", "/test/healthcheck", token="nobody")


@pytest.mark.parametrize(
    ("token", "said"), [("wrong", "Token is not valid!"), ("old", "Token was expired!")]
)
def test_a_bad_token_is_401_with_its_own_words(wire: Wire, token: str, said: str) -> None:
    wire.standin.world.add_user("old", expired=True)

    status, tree = wire("GET", "/projects/", token=token)

    assert (401, said) == (status, tree["resultMessage"])


def test_a_missing_right_and_a_missing_thing_are_both_400(wire: Wire) -> None:
    wire.standin.world.add_user("reader", rights={("payments", "API_MANAGEMENT.VIEW")})

    denied = wire("POST", "/projects/payments/apiProxies/url/", PET, token="reader")
    missing = wire("GET", "/projects/payments/apiProxies/none/")

    assert [400, 400] == [denied[0], missing[0]]
    assert "required permission" in denied[1]["resultMessage"]
    assert "was not found" in missing[1]["resultMessage"]


def test_a_path_without_its_slash_is_404(wire: Wire) -> None:
    assert 404 == wire("GET", "/projects/payments/apiProxies")[0]


def test_saving_asks_for_a_redeploy_and_deploying_answers_it(wire: Wire) -> None:
    wire("POST", "/projects/payments/apiProxies/url/", PET)
    wire("POST", "/projects/payments/apiProxies/pets/environments/dev/", {"description": "why"})
    body = {"circuitBreakerEnabled": True, "deploy": False}
    wire("PATCH", "/projects/payments/apiProxies/pets/settings/circuit-breaker/", body)

    _, tree = wire("GET", "/projects/payments/apiProxies/pets/")
    _, history = wire("GET", "/projects/payments/apiProxies/pets/deploy-histories/")

    assert [{"environmentName": "dev", "deployed": True, "redeployRequired": True}] == (
        tree["resultList"][0]["deploymentList"]
    )
    assert ["why"] == [row["description"] for row in history["resultList"]]


def test_a_deploy_that_fails_is_saved_all_the_same(wire: Wire) -> None:
    wire.standin.world.refusing.add(("pets", "dev"))
    wire("POST", "/projects/payments/apiProxies/url/", PET)

    status, tree = wire("POST", "/projects/payments/apiProxies/pets/environments/dev/", {})

    assert (200, "SUCCESS", False) == (status, tree["status"], tree["deploymentResult"]["success"])


def test_a_policy_is_found_by_its_name_in_any_case(wire: Wire) -> None:
    wire("POST", "/projects/payments/apiProxies/url/", PET)
    first = wire("POST", "/projects/payments/apiProxies/pets/policies/size/", THROTTLE)
    twin = wire("POST", "/projects/payments/apiProxies/pets/policies/SIZE/", THROTTLE)

    assert [200, 400] == [first[0], twin[0]]


def test_policies_come_back_with_what_was_left_out(wire: Wire) -> None:
    wire("POST", "/projects/payments/apiProxies/url/", PET)
    wire("POST", "/projects/payments/apiProxies/pets/policies/size/", THROTTLE)

    _, tree = wire("GET", "/projects/payments/apiProxies/pets/policies/")
    (policy,) = tree["resultList"][0]["requestPolicyList"]

    assert [{"conditionCriteria": "AND", "conditionRuleList": []}] == (
        policy["policyCondition"]["conditionRuleList"]
    )
    assert policy["errorMessageList"]


def test_a_new_list_of_addresses_replaces_the_old_one(wire: Wire) -> None:
    body = {"name": "office", "ipList": ["10.0.0.1"]}
    wire("POST", "/projects/payments/ipGroups/", body)
    wire("PUT", "/projects/payments/ipGroups/office/", {"description": "emptied"})

    _, tree = wire("GET", "/projects/payments/ipGroups/")

    assert [[]] == [row["ipList"] for row in tree["resultList"]]


@pytest.mark.parametrize("quirk", QUIRKS)
def test_every_quirk_changes_something_and_breaks_nothing(quirk: str) -> None:
    """The same conversation, with and without: an answer differs, and each is an answer."""
    said = {}
    for quirks in ((), (quirk,)):
        (wire,) = [*_conversation(*quirks)]
        said[quirks] = wire

    assert said[()] != said[(quirk,)]


def _conversation(*quirks: str) -> Iterator[list[Any]]:
    with Standin(*quirks) as standin:
        world = standin.world
        world.add_project("payments", path="/pay").certificates["partner"] = {
            "name": "partner",
            "certificateEnvironmentList": [{"environmentName": "dev", "alias": "p"}],
        }
        world.add_project("cards")
        world.add_environment("dev")
        world.add_user("reader", rights={("payments", "API_MANAGEMENT.VIEW")})
        wire = Wire(standin)
        at = "/projects/payments"
        hook = {"type": "webhook", "fullUrl": "https://x", "value": "v"}
        hook["headerList"] = [{"name": "X-Token", "value": "t"}]
        app = {"username": "app", "email": "a@b", "fullName": "App", "password": "p"}
        app |= {"ipList": ["10.0.0.1", "10.0.0.2"], "expireDate": "2027-01-01T00:00:00Z"}
        app["metadata"] = [{"key": "tier", "value": "gold"}]
        throttle = {**THROTTLE, "policy": {"type": "policy-api-based-throttling"}}
        throttle["policy"]["cacheErrorHandlingType"] = "CONTINUE"
        pair = {"credentialAccessList": [{"name": "pets", "type": "API_PROXY"}]}
        search = {"elasticHostList": [], "elasticsearchType": "READ"}
        slow = {"name": "slow", "cacheErrorHandlingType": "CONTINUE", "outOfTargetAction": "BLOCK"}
        kept = {"environmentName": "dev", "file": "QUJD", "password": "p", "keyStoreType": "JKS"}
        stores = {"name": "s1", "keyStoreEnvironmentList": [kept]}
        calls: list[tuple[Any, ...]] = [
            ("GET", "/projects/"),
            ("GET", "/environments/", None, "reader"),
            ("POST", f"{at}/apiProxies/url/", PET),
            ("POST", f"{at}/apiProxies/pets/policies/throttle/", throttle),
            ("GET", f"{at}/apiProxies/pets/"),
            ("GET", f"{at}/apiProxies/pets/policies/"),
            ("POST", f"{at}/apiProxies/pets/environments/dev/", {}),
            ("POST", f"{at}/connections/hook/", hook),
            ("POST", f"{at}/connections/hook/", hook),
            ("DELETE", f"{at}/connections/nobody/", None, "reader"),
            ("GET", f"{at}/connections/?type=webhook"),
            ("POST", f"{at}/connections/staff/", {"type": "ldap", "certificateName": "partner"}),
            ("GET", f"{at}/connections/?type=ldap"),
            ("GET", f"{at}/certificates/"),
            ("POST", f"{at}/connections/find/", {"type": "elasticsearch", **search}),
            ("GET", f"{at}/connections/?type=elasticsearch"),
            ("POST", f"{at}/connections/files/", {"type": "ftp", "protocol": "sftp"}),
            ("GET", f"{at}/connections/?type=ftp"),
            ("POST", f"{at}/keystores/", stores),
            ("GET", f"{at}/keystores/"),
            ("POST", f"{at}/rlcl/", slow),
            ("GET", f"{at}/rlcl/"),
            ("POST", f"{at}/credentials/", app),
            ("GET", f"{at}/credentials/"),
            ("DELETE", f"{at}/credentials/app/access/", pair),
            ("GET", f"{at}/credential-organizations/nobody"),
            ("POST", f"{at}/ipGroups/", {"name": "office", "ipList": ["10.0.0.1"]}),
            ("GET", f"{at}/ipGroups/"),
            ("POST", f"{at}/apiProxies/url/", PET, "reader"),
        ]
        yield [wire(*call) for call in calls]
        wire.pool.clear()


PAGES_ONLY = (
    "GET /projects/{p}/ipGroups/",
    "GET /projects/{p}/rlcl/",
    "GET /settings/geolocation/",
    *(
        f"{method} {place}/ai-prompt-decorator-presets/{name}"
        for place in ("/projects/{p}", "/settings")
        for method, name in (("GET", ""), ("POST", "{n}/"), ("PUT", "{n}/"), ("DELETE", "{n}/"))
    ),
)
"""1.10 #13: what the vendor's document does not have."""

WORDS = {
    "/settings/{s}/": [*WRAPPED, *FLAT, "addresses", "routing-status", "client-route", "metadata"],
    "/endpoints/{what}/": ["status", "cache", "wsa"],
    "/rlcl/{n}/{list}/": ["credentials", "endpoints", "condition"],
    "/apiProxies/{flavour}/{x}/": ["ai", "mcp", "a2a"],
}
"""Routes of the stand-in that are several operations, with the words that tell them apart."""


def test_every_operation_is_held_against_the_vendors_document_or_named() -> None:
    """Else a route that is spelled in another way than there is judged by nobody."""
    operations = {
        f"{method} {contract.spelled(template, dict.fromkeys(contract.SPELLED, word))}"
        for (method, _), routes in ROUTES.items()
        for template, *_ in routes
        for word in next((words for end, words in WORDS.items() if template.endswith(end)), [""])
    }

    unknown = {one for one in operations if not contract.known(*one.split(" "))}
    assert set(PAGES_ONLY) == unknown


def test_a_request_that_the_document_does_not_know_is_seen(wire: Wire) -> None:
    wire("POST", "/projects/payments/apiProxies/url/", PET)
    cors = {"corsSettings": {"name": "c", "maxAge": "long"}}
    wire("PATCH", "/projects/payments/apiProxies/pets/settings/cors/", cors)

    (said,) = wire.standin.world.violations
    assert "PATCH /projects/{p}/apiProxies/{x}/settings/cors/: maxAge" in said
    wire.standin.world.violations.clear()
