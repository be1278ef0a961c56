"""Subscriptions: a client asks for access, somebody decides, and workers are told at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apiops.errors import AccessDenied, PlanRefused
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from apiops.model.resource import ResourceId
from apiops.wiring import subscriptions
from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import AYSE, MERT
from tests.web.conftest import Api

HERE = "/v1/projects/payments/subscriptions"
WISH = {"name": "app-orders", "credential": "app", "target": {"name": "orders"}, "purpose": "Trial"}
ID = ResourceId("Subscription", "payments", "app-orders")


def review(api: Api, state: str, why: str = "As agreed", **more: Any) -> tuple[int, str]:
    """The status, and the state or the code."""
    by = more.pop("as_", "mert")
    body = {"state": state, "reason": why, **more}
    answer = api.call("POST", f"{HERE}/app-orders/review", as_=by, json=body)
    told = answer.json()
    return answer.status, told["spec"]["state"] if answer.status == 200 else told["code"]


def access(api: Api) -> list[Any]:
    """What the workers of production are told that the client may call."""
    answer = api.get("/v1/environments/production/bundle", as_="worker-production")
    (client,) = [one for one in answer.json()["resources"] if one["kind"] == "Credential"]
    return client["spec"]["access"]


def test_a_request_gives_nothing_an_approval_gives_and_a_revocation_takes(api: Api) -> None:
    asked = api.call("POST", HERE, as_="mert", json=WISH)
    assert (200, "app-orders") == (asked.status, asked.json()["id"]["name"])
    assert [] == access(api)
    assert (200, "APPROVED") == review(api, "APPROVED", expires="2031-01-01T01:00:00+01:00")
    until = {"name": "orders", "type": "API_PROXY", "expireTime": "2031-01-01T00:00:00Z"}
    assert [until] == access(api)
    assert (200, "REVOKED") == review(api, "REVOKED", "Contract ended")
    assert [] == access(api)
    trail = api.house.manager.entries(AuditQuery(kind="Subscription"))
    assert [
        ("update", "mert", "Contract ended", "http", "127.0.0.1"),
        ("update", "mert", "As agreed", "http", "127.0.0.1"),
        ("create", "mert", "Trial", "http", "127.0.0.1"),
    ] == [(one.action, one.principal, one.reason.text, one.source, one.address) for one in trail]


def test_a_decision_goes_only_certain_ways_and_has_a_reason(api: Api) -> None:
    api.call("POST", HERE, as_="mert", json=WISH | {"state": "APPROVED"})
    assert (409, "AO609") == review(api, "REVOKED")
    assert (400, "AO787") == review(api, "APPROVED", "   ")
    assert (400, "AO787") == review(api, "GRANTED")
    assert (400, "AO787") == review(api, "APPROVED", expires="2031-01-01T00:00:00")
    assert (200, "REJECTED") == review(api, "REJECTED")
    assert (409, "AO609") == review(api, "APPROVED")
    assert (200, "REQUESTED") == review(api, "REQUESTED", "They mended it")
    assert (200, "APPROVED") == review(api, "APPROVED")
    assert 409 == api.call("POST", HERE, as_="mert", json=WISH).status


def test_what_is_asked_for_must_be_there(api: Api) -> None:
    for wrong in ({"credential": "nobody"}, {"target": {"name": "limits"}}):
        answer = api.call("POST", HERE, as_="mert", json=WISH | wrong)
        assert (422, "AO301") == (answer.status, answer.json()["code"])
    group = WISH | {"target": {"name": "orders", "type": "API_PROXY_GROUP"}}
    assert 422 == api.call("POST", HERE, as_="mert", json=group).status


def test_who_may_not_is_denied_and_told_nothing(api: Api) -> None:
    denied = api.call("POST", HERE, as_="deniz", json=WISH)
    nowhere = api.call("POST", HERE.replace("payments", "nowhere"), as_="deniz", json=WISH)
    assert (403, 403) == (denied.status, nowhere.status)
    assert denied.json()["detail"].replace("payments", "nowhere") == nowhere.json()["detail"]
    assert 403 == api.call("POST", HERE, as_="ci", json=WISH).status
    api.call("POST", HERE, as_="mert", json=WISH)
    assert (404, "AO784") == review(api, "APPROVED", as_="deniz")
    weak = a_token(api.house.manager, "mert", "read")
    body = {"state": "APPROVED", "reason": "x"}
    assert 403 == api.call("POST", f"{HERE}/app-orders/review", token=weak, json=body).status
    assert "denied" in {
        one.outcome for one in api.house.manager.entries(AuditQuery(principal="deniz"))
    }
    assert [] == access(api)


def test_the_library_is_the_same_door(api: Api) -> None:
    """What HTTP refuses, whoever has the Manager open is refused too, by the same rules."""
    manager = api.house.manager

    def by(name: str) -> AuditContext:
        return AuditContext(name, name, Reason("Because"), "run-s", Source.CONSOLE)

    spec = {name: value for name, value in WISH.items() if name != "name"}
    with pytest.raises(AccessDenied):
        subscriptions.request(manager, ID, spec, by("deniz"))
    subscriptions.request(manager, ID, spec, by("mert"))
    found = manager.views.resource("mert", ID)
    with pytest.raises(AccessDenied):
        subscriptions.review(manager, found, {"state": "APPROVED", "reason": "x"}, by("deniz"))
    with pytest.raises(PlanRefused, match="may become APPROVED or REJECTED"):
        subscriptions.review(manager, found, {"state": "REVOKED", "reason": "x"}, by("mert"))
    subscriptions.review(manager, found, {"state": "APPROVED", "reason": "x"}, by("mert"))
    assert ["orders"] == [one["name"] for one in access(api)]


FILE = "payments/wish.yaml"
CLIENT = """\
apiVersion: apiops/v1
kind: Credential
metadata: {name: app, project: payments}
spec: {email: app@bank.example, fullName: App, password: ""}
"""
ASKED = """\
apiVersion: apiops/v1
kind: Subscription
metadata: {name: app-orders, project: payments}
spec:
  credential: app
  target: {name: orders}
  purpose: Trial
"""
APPROVED = "  state: APPROVED\n  reason: As agreed\n"


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Iterator[Remote]:
    """A served shop whose repository has a request."""
    with remote(tmp_path, database) as shop:
        shop.introduce()
        shop.commit(MERT, {"payments/app.yaml": CLIENT, FILE: ASKED}, "Ask")
        assert 0 == shop.there("apply", "--yes").code
        yield shop


def decide(shop: Remote, state: str) -> None:
    found = shop.open.views.resource("ayse", ID)
    by = AuditContext("ayse", "ayse", Reason("By hand"), "run-s", Source.CONSOLE)
    subscriptions.review(shop.open, found, {"state": state, "reason": "By hand"}, by)


def state(shop: Remote) -> str:
    found = shop.open.views.resource("ayse", ID)
    assert found is not None
    return str(found.spec.get("state", "REQUESTED"))


def test_what_was_decided_in_the_manager_stands_until_the_author_says_otherwise(
    shop: Remote,
) -> None:
    decide(shop, "APPROVED")
    for nothing in (shop.there("plan", "--detailed-exitcode"), shop.there("drift")):
        assert 0 == nothing.code, nothing.out
    shop.commit(MERT, {FILE: ASKED.replace("Trial", "Production")}, "Say more")
    assert 0 == shop.there("apply", "--yes").code
    assert "APPROVED" == state(shop)
    shop.commit(AYSE, {FILE: ASKED + APPROVED}, "Say what is so")
    assert 0 == shop.there("apply", "--yes").code
    decide(shop, "REVOKED")
    assert "No changes" in shop.there("plan").out
    shop.commit(AYSE, {FILE: ASKED + APPROVED.replace("As", "Once more as")}, "Approve again")
    refused = shop.there("apply", "--yes")
    assert (5, True) == (refused.code, "AO609" in refused.out + refused.err), refused.out
    assert "REVOKED" == state(shop)
