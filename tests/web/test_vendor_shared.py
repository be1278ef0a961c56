"""What scripts written for the vendor's Manager change of shared policies, groups of proxies, rate
limits and organisations: over real HTTP, on both engines.
"""

from typing import Any

import pytest

from apiops.errors import ManagerUnavailable
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from apiops.web import envelope, problems
from apiops.wiring import deeds
from tests.managers import a_context
from tests.web.conftest import Api
from tests.web.test_vendor_writes import OTHER, SECRET, everything, rows, send

TOKENED = {
    "_class": "policy-ws-security-username",
    "name": "to-core",
    "active": True,
    "username": "gateway",
    "password": SECRET,
    "passwordType": "PasswordText",
}
SIZE = {"_class": "max-message-size", "name": "size", "active": True, "maxMessageSize": 1048576}
BASELINE = {
    "_class": "policy-group",
    "name": "baseline",
    "active": True,
    "oneWay": False,
    "canBeDeleted": True,
    "targetPipeline": "REQUEST",
    "policyList": [SIZE, {"id": "1", **TOKENED}],
}
RETAIL = {"name": "retail", "clientRoute": {"relativePathList": ["/retail"]}}
LIMIT = {
    "apiProxyName": "orders",
    "endpointName": "ALL",
    "endpointHTTPMethod": "ALL",
    "permittedMessageCount": 100,
    "timeIntervalPeriodLength": 1,
    "timeInterval": "ONE_MINUTE",
    "timeIntervalWindowType": "SLIDING",
    "cacheConnectionTimeoutInSeconds": 3,
    "cacheErrorHandlingType": "FAIL",
}
PARTNERS = {
    "code": "partners",
    "nameDefault": "Partners",
    "metadata": [
        {"key": "contract", "value": "2026-17"},
        {"key": "key", "value": SECRET, "secret": True},
    ],
}


def opened(api: Api, kind: str, name: str) -> dict[str, str]:
    """The secrets of a resource by their pointers, as its owner may take them out."""
    id = ResourceId(kind, "payments", name)
    found = api.house.manager.open_secrets([id], principal="ayse", context=a_context())
    return {where: one.reveal().decode() for where, one in found.values.get(id, {}).items()}


def spec(api: Api, kind: str, name: str) -> Any:
    found = api.house.manager.views.resource("ayse", ResourceId(kind, "payments", name))
    assert found is not None
    return found.spec


class TestPolicies:
    def test_one_is_made_replaced_and_deleted(self, api: Api) -> None:
        stub = {"id": "to-core", "name": "to-core", "policyType": TOKENED["_class"]}
        stub["policyTypeLabel"] = TOKENED["_class"]
        made = api.call(
            "POST", "/apiops/projects/payments/globalPolicies/", as_="mert", json=TOKENED
        )
        assert (200, [stub]) == (made.status, made.json()["resultList"])
        assert [stub] == rows(api, "globalPolicies/") == rows(api, "globalPolicies/TO-core/")
        assert {"/password": SECRET} == opened(api, "GlobalPolicy", "to-core")

        for word, there in ((None, SECRET), (OTHER, OTHER), (None, OTHER), ("", "")):
            body = TOKENED | {"password": word, "username": "other"}
            assert (200, "") == send(api, "PUT", "globalPolicies/To-Core/", body)
            assert there == opened(api, "GlobalPolicy", "to-core").get("/password", "")
        assert "other" == spec(api, "GlobalPolicy", "to-core")["username"]
        assert (200, "") == send(api, "DELETE", "globalPolicies/to-core/")
        assert [] == rows(api, "globalPolicies/")

    def test_what_does_not_fit_is_told_in_the_vendors_words(self, api: Api) -> None:
        send(api, "POST", "globalPolicies/", SIZE)
        one = "globalPolicies/size/"
        for method, path, body, why in (
            ("POST", "globalPolicies/", SIZE, "Global policy (name: size) already exists!"),
            ("POST", "globalPolicies/", {"name": "x"}, "Policy snapshot could not be parsed."),
            ("POST", "globalPolicies/", {"_class": "cache"}, "name value can not be empty!"),
            ("PUT", "globalPolicies/x/", SIZE, "Global policy (name: x) was not found!"),
            (
                *("PUT", one, TOKENED | {"name": "Size"}),
                "Policy type in body does not match the existing policy's type.",
            ),
            (
                *("PUT", one, SIZE | {"name": "b"}),
                "Global policy name in path (size) does not match name in body (b)!",
            ),
            (
                *("PUT", "policyGroups/x/", BASELINE),
                "Policy group (name: x) was not found!",
            ),
            ("POST", "policyGroups/", SIZE, "The supplied snapshot is not a policy group."),
        ):
            assert (400, why) == send(api, method, path, body)
        status, why = send(api, "POST", "globalPolicies/", SIZE | {"name": "y", "more": 1})
        assert (400, True) == (status, "more" in why)

    def test_one_that_does_not_say_so_is_not_in_use(self, api: Api) -> None:
        body = {k: v for k, v in SIZE.items() if k != "active"}
        assert (200, "") == send(api, "POST", "globalPolicies/", body)
        assert spec(api, "GlobalPolicy", "size")["active"] is False

    def test_a_group_is_made_replaced_and_deleted(self, api: Api) -> None:
        assert (200, "") == send(api, "POST", "policyGroups/", BASELINE)
        stub = {"id": "baseline", "name": "baseline", "targetPipeline": "REQUEST"}
        assert [stub] == rows(api, "policyGroups/") == rows(api, "policyGroups/Baseline/")
        assert {"/policyList/1/password": SECRET} == opened(api, "PolicyGroup", "baseline")
        assert {"active", "targetPipeline", "policyList"} == set(
            spec(api, "PolicyGroup", "baseline")
        )
        kept = BASELINE | {"policyList": [SIZE, TOKENED | {"password": None}], "order": 2}
        assert (200, "") == send(api, "PUT", "policyGroups/baseline/", kept)
        assert {"/policyList/1/password": SECRET} == opened(api, "PolicyGroup", "baseline")
        assert 2 == spec(api, "PolicyGroup", "baseline")["order"]
        assert (200, "") == send(api, "DELETE", "policyGroups/baseline")
        assert [] == rows(api, "policyGroups/")

    def test_an_ip_group_that_is_named_must_be_there(self, api: Api) -> None:
        body = {"_class": "ip-white", "name": "office", "ipGroupIdList": ["offices"]}
        assert (400, "IpGroup (name: offices) is not found!") == send(
            api, "POST", "globalPolicies/", body
        )
        send(api, "POST", "ipGroups/", {"name": "offices", "ipList": ["192.0.2.1"]})
        assert (200, "") == send(api, "POST", "globalPolicies/", body)


class TestGroupsOfProxies:
    @pytest.fixture(autouse=True)
    def made(self, api: Api) -> None:
        assert (200, "") == send(api, "POST", "apiProxyGroups/", RETAIL)

    def test_one_is_listed_changed_and_deleted(self, api: Api) -> None:
        send(api, "POST", "apiProxyGroups/retail/apiProxies/orders/")
        body = {"name": "retail", "description": "Shops", "clientRoute": RETAIL["clientRoute"]}
        assert (200, "") == send(api, "PUT", "apiProxyGroups/", body)
        shown = {"id": "retail", "name": "retail", "description": "Shops"}
        assert [shown] == rows(api, "apiProxyGroups/")
        assert ["orders"] == spec(api, "ApiProxyGroup", "retail")["members"]
        assert (200, "") == send(api, "DELETE", "apiProxyGroups/retail/")
        assert [] == rows(api, "apiProxyGroups/")

    def test_members_come_and_go_however_often(self, api: Api) -> None:
        there = "apiProxyGroups/retail/apiProxies/orders/"
        for method, members in (("POST", ["orders"]), ("DELETE", [])):
            for _ in range(2):
                assert (200, "") == send(api, method, there)
                read = rows(api, "apiProxyGroups/retail/proxies/forpromotion")
                assert members == [one["name"] for one in read]
        why = "ApiProxy (none) is not found or user does not have privilege to access it!"
        assert (400, why) == send(api, "POST", "apiProxyGroups/retail/apiProxies/none/")

    def test_it_is_deployed_and_undeployed(self, api: Api) -> None:
        there = "apiProxyGroups/retail/environments/test/"
        assert (200, "") == send(api, "POST", there, {"description": "for the fair"})
        send(api, "POST", "apiProxyGroups/retail/apiProxies/orders/")
        runs = {"name": "test", "type": "TEST", "deployed": True, "redeployRequired": True}
        assert [runs] == rows(api, "apiProxyGroups/retail/environments/")
        assert (200, "") == send(api, "POST", there)
        (now,) = rows(api, "apiProxyGroups/retail/environments/")
        assert now["redeployRequired"] is False
        assert (200, "") == send(api, "DELETE", there)
        assert [] == rows(api, "apiProxyGroups/retail/environments/")

    def test_one_is_made_and_deployed_by_one_call(self, api: Api) -> None:
        body = RETAIL | {"name": "fair", "environmentName": "test"}
        answer = api.call(
            "POST", "/apiops/projects/payments/apiProxyGroups/", as_="mert", json=body
        )
        assert (200, True) == (answer.status, answer.json()["deploymentResult"]["success"])
        assert ["test"] == [one["name"] for one in rows(api, "apiProxyGroups/fair/environments/")]
        nowhere = RETAIL | {"name": "other", "environmentName": "nowhere"}
        assert 400 == send(api, "POST", "apiProxyGroups/", nowhere)[0]
        assert "other" not in {one["name"] for one in rows(api, "apiProxyGroups/")}

    def test_what_is_saved_and_cannot_be_deployed_is_told_as_that(self, api: Api) -> None:
        two_people(api, "test")
        body = RETAIL | {"name": "fair", "environmentName": "test"}
        answer = api.call(
            "POST", "/apiops/projects/payments/apiProxyGroups/", as_="mert", json=body
        )
        result = answer.json()["deploymentResult"]
        assert (200, False) == (answer.status, result["success"])
        assert "only one person wants" in result["detailList"][0]["detail"]
        assert "fair" in {one["name"] for one in rows(api, "apiProxyGroups/")}

    def test_what_does_not_fit_is_told_in_the_vendors_words(self, api: Api) -> None:
        absent = "API Proxy Group (x) is not found or user does not have privilege to access it!"
        twice = "ApiProxyGroup: (retail) is already created! If you want to udate it use update endpoint!"
        for method, path, body, why in (
            ("POST", "apiProxyGroups/", RETAIL, twice),
            ("PUT", "apiProxyGroups/", RETAIL | {"name": "x"}, absent),
            ("DELETE", "apiProxyGroups/x/", None, absent),
            ("POST", "apiProxyGroups/", {"name": "y"}, "clientRoute value can not be empty!"),
            (
                *("POST", "apiProxyGroups/", {"name": "y", "clientRoute": {"hostList": ["a"]}}),
                "clientRoute value needs at least one relativePath!",
            ),
        ):
            assert (400, why) == send(api, method, path, body)


class TestRateLimits:
    @pytest.fixture(autouse=True)
    def made(self, api: Api) -> None:
        assert (200, "") == send(api, "POST", "rlcl/", {"name": "partners", "description": "All"})

    def one(self, api: Api) -> dict[str, Any]:
        (found,) = rows(api, "rlcl/partners/")
        return found

    def test_its_facts_are_merged(self, api: Api) -> None:
        body = {"identitySource": "AUTH_RESOLVED", "enabled": None}
        assert (200, "") == send(api, "PUT", "rlcl/partners/", body)
        now = self.one(api)
        assert ("All", True, "AFTER_API_METHOD") == (
            now["description"],
            now["enabled"],
            now["executionOrder"],
        )
        assert [now] == rows(api, "rlcl/")
        assert (200, "") == send(api, "DELETE", "rlcl/partners/")
        assert (400, "RLCL (partners) is not found!") == send(api, "DELETE", "rlcl/partners/")

    def test_clients_come_and_go(self, api: Api) -> None:
        path = "rlcl/partners/credentials/"
        body = {"credentialNameList": ["app"]}
        for method in ("POST", "POST", "PUT"):
            assert (200, "") == send(api, method, path, body)
            assert ["app"] == self.one(api)["credentialNameList"]
        strange = {"credentialNameList": ["nobody"]}
        why = "Credential with name (nobody) is not found in project!"
        assert (400, why) == send(api, "POST", path, strange)
        empty = "credentialNameList value can not be empty!"
        assert (400, empty) == send(api, "PUT", path, {"credentialNameList": []})
        assert (200, "") == send(api, "DELETE", path, body)
        assert [] == self.one(api)["credentialNameList"]

    def test_endpoints_come_and_go(self, api: Api) -> None:
        path = "rlcl/partners/endpoints/"
        more = LIMIT | {"permittedMessageCount": 5}
        assert (200, "") == send(api, "POST", path, {"endpointRateLimitList": [LIMIT]})
        assert (200, "") == send(api, "POST", path, {"endpointRateLimitList": [more]})
        assert [more] == self.one(api)["endpointRateLimitList"]
        strange = {"endpointRateLimitList": [LIMIT | {"apiProxyName": "none"}]}
        why = "API Proxy with name (none) is not found in project!"
        assert (400, why) == send(api, "PUT", path, strange)
        assert (200, "") == send(api, "DELETE", path, {"endpointRateLimitList": [LIMIT]})
        assert [] == self.one(api)["endpointRateLimitList"]

    def test_a_condition_is_set_and_reset(self, api: Api) -> None:
        path = "rlcl/partners/condition/"
        always = self.one(api)["condition"]
        rule = {
            "conditionCriteria": "VALUE",
            "firstVariable": {"name": "h", "type": "HEADER", "headerName": "X-Tier"},
            "valueComparisonOperator": "EQ",
            "secondValueSource": "VALUE",
            "secondValue": "gold",
        }
        assert (200, "") == send(api, "PUT", path, {"conditionRuleList": [rule]})
        assert [rule] == self.one(api)["condition"]["conditionRuleList"]
        for method, body in (("POST", always), ("DELETE", None)):
            assert (200, "") == send(api, method, path, body)
            assert always == self.one(api)["condition"]
        assert (400, "condition value can not be empty!") == send(api, "POST", path, {})


class TestOrganizations:
    def ask(self, api: Api, method: str, code: str = "", body: Any = None) -> tuple[int, Any]:
        path = f"/apiops/projects/payments/credential-organizations/{code}"
        answer = api.call(method, path, as_="mert", json=body)
        return answer.status, answer.json() if answer.data else None

    def test_one_is_made_read_changed_and_deleted(self, api: Api) -> None:
        secret = {"key": "key", "value": None, "secret": True}
        shown = PARTNERS | {"metadata": [PARTNERS["metadata"][0], secret]}
        assert (201, shown) == self.ask(api, "POST", body=PARTNERS)
        assert (200, shown) == self.ask(api, "GET", "partners")
        assert 409 == self.ask(api, "POST", body=PARTNERS)[0]
        assert {"/metadata/1/value": SECRET} == opened(api, "CredentialOrganization", "partners")

        kept = {"nameDefault": "", "nameSecondary": "Ortaklar", "metadata": shown["metadata"]}
        assert (200, shown | {"nameSecondary": "Ortaklar"}) == self.ask(
            api, "PUT", "partners", kept
        )
        assert {"/metadata/1/value": SECRET} == opened(api, "CredentialOrganization", "partners")
        _, bare = self.ask(api, "PUT", "partners", {})
        assert [] == bare["metadata"]
        assert (204, None) == self.ask(api, "DELETE", "partners")
        for method in ("GET", "PUT", "DELETE"):
            assert 404 == self.ask(api, method, "partners", {} if method == "PUT" else None)[0]

    def test_one_above_must_be_there(self, api: Api) -> None:
        status, told = self.ask(api, "POST", body=PARTNERS | {"parentOrganizationCode": "none"})
        assert 400 == status
        assert "(name: none) is not found!" in told["resultMessage"]


def two_people(api: Api, name: str) -> None:
    """Let an environment ask for somebody else's approval."""
    id = ResourceId("Environment", None, name)
    before = api.house.manager.views.resource("ayse", id)
    asks = {"type": "TEST", "approvals": 1}
    deeds.do(
        api.house.manager,
        Action.UPDATE,
        id,
        a_context(),
        before=before,
        becomes=deeds.Becomes(asks),
    )


def test_where_it_takes_two_people_one_changes_nothing(api: Api) -> None:
    two_people(api, "test")
    status, why = send(api, "POST", "rlcl/", {"name": "partners"})
    assert (400, "test takes nothing that only one person wants") == (status, why)
    assert [] == rows(api, "rlcl/")


WRITES = [
    ("POST", "globalPolicies/", TOKENED),
    ("POST", "policyGroups/", BASELINE),
    ("POST", "apiProxyGroups/", RETAIL),
    ("POST", "rlcl/", {"name": "partners"}),
    ("POST", "credential-organizations/", PARTNERS),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[one[1] for one in WRITES])
def test_whoever_has_no_right_changes_nothing(
    api: Api, method: str, path: str, body: dict[str, Any]
) -> None:
    before = len(list(api.house.manager.entries(AuditQuery(limit=0))))
    for name in ("deniz", "ci"):
        assert 400 == send(api, method, path, body, as_=name)[0]
    assert before == len(list(api.house.manager.entries(AuditQuery(limit=0))))


def test_no_secret_is_stored_told_or_logged_in_the_clear(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    told = [send(api, method, path, body) for method, path, body in WRITES]
    wrong = TOKENED | {"name": "x", "passwordType": "None"}
    told.append(send(api, "POST", "globalPolicies/", wrong))
    assert 400 == told[-1][0]
    assert {200, 201} == {status for status, _ in told[:-1]}
    entries = list(api.house.manager.entries(AuditQuery(limit=0)))
    assert "fingerprint" in str(entries)
    for place in (everything(api), str(entries), str(told), caplog.text):
        assert SECRET not in place


def test_a_commit_of_which_nobody_knows_the_end_is_told_as_that() -> None:
    fault = ManagerUnavailable("lost", code="AO734", hint="look")
    answer = envelope.failure(fault, problems.status_of(fault))
    assert (500, True) == (
        answer.status_code,
        b"whether the change was stored is not known" in answer.body,
    )
