"""A certificate that loses an environment is made anew, and whatever used it uses it again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apiops.model.resource import Resource
from tests.remote.deaths import risen, witnessed
from tests.remote.gateway import Gateway, a_resource, done, left, secret, told

PEM = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
CALL = {
    "callType": "ONE_WAY",
    "httpMethod": "GET",
    "url": "https://a.example",
    "certificateName": "partner",
    "certificateEnabled": True,
}
LDAP = {
    "type": "ldap",
    "serverAddress": "ldaps://a.example",
    "username": "u",
    "baseDn": "dc=bank",
}


@pytest.fixture(params=[(), ("ldap-by-certificate-id",)], ids=["by-name", "by-id"])
def gateway(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    (folder := tmp_path / "gateway").mkdir()
    with Gateway(folder, *request.param) as gateway:
        yield gateway


def state(gateway: Gateway, *environments: str) -> list[Resource]:
    file = {"file": "partner.pem", "fileDigest": gateway.file(PEM)}
    held = {name: {"alias": "partner", **file} for name in environments}
    person = {"email": "a@b.example", "fullName": "App", "password": secret("p")}
    return [
        a_resource("Certificate", "partner", environments=held),
        a_resource("Connection", "staff", **LDAP, password=secret("p"), certificateName="partner"),
        a_resource("Credential", "app", **person, assignments={"certificate": "partner"}),
        a_resource("GlobalPolicy", "shared", _class="policy-api-call", **CALL),
        a_resource(
            "ApiProxy",
            "orders",
            type="EMPTY_API",
            clientRoute={"relativePathList": ["/orders"]},
            policies={"request": [{"name": "call", "type": "policy-api-call", "spec": CALL}]},
            deployments=[{"environment": "dev"}],
        ),
    ]


def users(gateway: Gateway) -> dict[str, Any]:
    """Who uses which certificate; that of a connection by its id where it is kept by that."""
    payments = gateway.payments
    (rows,) = payments.proxies["orders"].policies.values()
    staff, held = payments.connections["staff"], payments.certificates["partner"]
    ids = {held["id"]: "partner"}
    return {
        "connection": ids.get(staff.get("certificateId")) or staff.get("certificateName"),
        "credential": payments.credentials["app"]["slots"].get("certificate"),
        "shared": payments.shared["globalPolicies"][0].get("certificateName"),
        "policy": rows[0].get("certificateName"),
    }


USED = dict.fromkeys(("connection", "credential", "shared", "policy"), "partner")


def where(gateway: Gateway) -> list[str]:
    rows = gateway.payments.certificates["partner"]["certificateEnvironmentList"]
    return [one["environmentName"] for one in rows]


def test_it_is_gone_from_one_environment_and_used_as_before(gateway: Gateway) -> None:
    assert done(outcomes := gateway.apply(state(gateway, "dev", "production"))), told(outcomes)
    assert USED == users(gateway)
    assert "" == left(gateway.plan(state(gateway, "dev", "production")))

    assert done(outcomes := gateway.apply(state(gateway, "dev"))), told(outcomes)

    assert ["dev"] == where(gateway)
    assert USED == users(gateway)
    assert gateway.payments.proxies["orders"].deployed["dev"]["deployed"]
    assert not gateway.payments.proxies["orders"].deployed["dev"]["redeployRequired"]
    assert "" == left(gateway.plan(state(gateway, "dev")))


def test_one_that_the_console_lost_is_used_again(gateway: Gateway) -> None:
    assert done(gateway.apply(state(gateway, "dev")))
    assert 200 == gateway.ask("DELETE", "certificates/partner/").status

    assert done(outcomes := gateway.apply(state(gateway, "dev"))), told(outcomes)

    assert USED == users(gateway)
    assert "" == left(gateway.plan(state(gateway, "dev")))


def test_wherever_the_run_dies_it_is_used_after_the_next(gateway: Gateway, tmp_path: Path) -> None:
    assert done(gateway.apply(state(gateway, "dev", "production")))
    outcomes, moments = witnessed(gateway, state(gateway, "dev"))
    assert done(outcomes), told(outcomes)
    assert len(moments) >= 10

    for what, later in risen(tmp_path, moments):
        assert done(outcomes := later.apply(state(later, "dev"))), f"{what}: {told(outcomes)}"
        assert (["dev"], USED) == (where(later), users(later)), what
        assert "" == left(later.plan(state(later, "dev"))), what


def test_another_environment_more_leaves_everybody_alone(gateway: Gateway) -> None:
    assert done(gateway.apply(state(gateway, "dev")))

    plan = gateway.plan(state(gateway, "dev", "production"))

    assert [("update", "partner")] == [(one.action, one.id.name) for one in plan.changes]
