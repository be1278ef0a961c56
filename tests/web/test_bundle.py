"""The runtime's read: what runs in an environment, for its workers, secrets opened and recorded."""

import pytest

from apiops.access import decide
from apiops.errors import AccessDenied
from apiops.manager import connect, faults
from apiops.manager.store import Store
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.model.resource import Resource, ResourceId
from apiops.model.secret import SecretLeaf, SecretValue
from tests.managers import a_context, a_resource, a_write, write_batch
from tests.web.conftest import PASSWORD, Api

PATH = "/v1/environments/production/bundle"


def fetched(api: Api, place: str = "production") -> dict[tuple[str, str], dict]:
    answer = api.get(f"/v1/environments/{place}/bundle", as_=f"worker-{place}")
    assert 200 == answer.status, answer.data
    return {(one["kind"], one["name"]): one for one in answer.json()["resources"]}


def test_a_worker_gets_what_runs_in_its_environment_with_its_secrets(api: Api) -> None:
    found = fetched(api)
    assert {"ApiProxy", "Credential", "EnvironmentVariable"} == {kind for kind, _ in found}
    assert "Orders" == found["ApiProxy", "orders"]["spec"]["description"]
    assert 1 == found["ApiProxy", "orders"]["revision"]
    assert PASSWORD == found["Credential", "app"]["spec"]["password"]


def test_nothing_of_another_environment_or_of_people_is_in_it(api: Api) -> None:
    here = api.get(PATH, as_="worker-production").data.decode()
    there = api.get("/v1/environments/test/bundle", as_="worker-test").data.decode()
    assert ("in production" in here, "in test" in here) == (True, False)
    assert {("ApiProxy", "limits")} == set(fetched(api, "test"))
    assert PASSWORD not in there
    for kind in ("Membership", "User", "Project"):
        assert kind not in here


def test_it_is_the_configuration_as_it_was_deployed(api: Api) -> None:
    changed = a_resource("ApiProxy", "orders", {"type": "REVERSE_PROXY", "description": "Newer"})
    write_batch(api.house.manager, a_write(Action.UPDATE, changed, serial=2), base=2, number=3)
    assert "Orders" == fetched(api)["ApiProxy", "orders"]["spec"]["description"]
    write_batch(
        api.house.manager,
        a_write(Action.DEPLOY, changed, environment="production", serial=3),
        base=3,
        number=4,
    )
    assert "Newer" == fetched(api)["ApiProxy", "orders"]["spec"]["description"]
    write_batch(
        api.house.manager,
        a_write(Action.UNDEPLOY, changed, environment="production", serial=4),
        base=4,
        number=5,
    )
    assert {} == fetched(api)


def test_who_has_it_already_is_told_so_and_nothing_is_opened(api: Api) -> None:
    etag = api.get(PATH, as_="worker-production").headers["ETag"]
    before = len(list(api.house.manager.entries(AuditQuery(action="fetch"))))
    again = api.get(PATH, as_="worker-production", headers={"If-None-Match": f'W/"x", {etag}'})
    assert (304, b"", etag) == (again.status, again.data, again.headers["ETag"])
    assert before == len(list(api.house.manager.entries(AuditQuery(action="fetch"))))
    variable = a_resource("EnvironmentVariable", "HOST", {"values": {"production": {"value": "x"}}})
    write_batch(api.house.manager, a_write(Action.UPDATE, variable, serial=1), base=2, number=3)
    changed = api.get(PATH, as_="worker-production", headers={"If-None-Match": etag})
    assert (200, True) == (changed.status, changed.headers["ETag"] != etag)


def test_each_fetch_is_recorded_with_who_and_from_where(api: Api) -> None:
    api.get(PATH, as_="worker-production")
    (entry,) = api.house.manager.entries(AuditQuery(action="fetch"))
    assert ("worker@production", "production", "opened", "http", "127.0.0.1") == (
        entry.principal,
        entry.environment,
        entry.outcome,
        entry.source,
        entry.address,
    )
    assert PASSWORD not in str(entry)


def test_a_worker_of_one_environment_cannot_read_another_and_the_attempt_is_recorded(
    api: Api,
) -> None:
    strange = api.get(PATH, as_="worker-test")
    missing = api.get("/v1/environments/nowhere/bundle", as_="worker-test")
    assert (404, 404) == (strange.status, missing.status)
    assert told(strange) == told(missing)
    denied = [
        (entry.environment, entry.principal)
        for entry in api.house.manager.entries(AuditQuery(action="fetch"))
        if entry.outcome == "denied"
    ]
    assert {("production", "worker@test"), ("nowhere", "worker@test")} == set(denied)


def test_an_etag_does_not_tell_another_environments_worker_that_it_still_counts(api: Api) -> None:
    etag = api.get(PATH, as_="worker-production").headers["ETag"]
    held = {"If-None-Match": etag}
    strange = api.get(PATH, as_="worker-test", headers=held)
    missing = api.get("/v1/environments/nowhere/bundle", as_="worker-test", headers=held)
    assert (404, 404) == (strange.status, missing.status)
    assert told(strange) == told(missing)
    assert "ETag" not in strange.headers
    fetches = api.house.manager.entries(AuditQuery(action="fetch", principal="worker@test"))
    assert ["denied", "denied"] == [entry.outcome for entry in fetches]


@pytest.mark.parametrize("who", ["worker@test", "worker@", "ayse", "mert", "nobody"])
def test_the_library_denies_and_records_what_the_door_does(api: Api, who: str) -> None:
    bundles = api.house.manager.bundles
    for look in (bundles.digest, bundles.fetch):
        with pytest.raises(AccessDenied):
            look("production", a_context(who))
    fetches = list(api.house.manager.entries(AuditQuery(action="fetch")))
    assert [("denied", who, "production")] * 2 == [
        (entry.outcome, entry.principal, entry.environment) for entry in fetches
    ]


def test_a_permit_for_one_environment_gives_out_no_token_of_another(api: Api) -> None:
    url = connect.parse(api.house.url)
    store = Store(connect.writer(url), api.house.clock)
    try:
        with faults.translated(url), store.unit(a_context("worker@test")) as unit:
            needs = decide.need_for_bundle("test")
            permits = decide.permits(unit.grants, "worker@test", needs)
            with pytest.raises(AccessDenied) as refused:
                unit.fetch(permits, "production", {})
            assert "AO716" == refused.value.code
            assert {} == unit.fetch(permits, "test", {})
    finally:
        store.close()


def told(answer) -> dict:
    return {name: value for name, value in answer.json().items() if name != "instance"}


def test_nobody_else_fetches_a_bundle_and_a_worker_does_nothing_else(api: Api) -> None:
    for name in ("ayse", "mert", "ci"):
        assert 403 == api.get(PATH, as_=name).status
    for path in ("/v1/state", "/v1/audit", "/v1/tokens", "/v1/leases"):
        assert 403 == api.get(path, as_="worker-production").status


def keyed(
    api: Api, value: str, place: str = "production"
) -> tuple[Resource, dict[str, SecretValue]]:
    """A proxy with a secret of an environment in its settings."""
    id, pointer = ResourceId("ApiProxy", "payments", "keyed"), "/settings/keys/secretKey"
    plain = SecretValue(value)
    print_ = api.house.manager.fingerprint(id, pointer, place, plain)
    leaf = SecretLeaf(place, print_, "b10b" * 10, "secrets.yaml", "key", value)
    spec = {"type": "REVERSE_PROXY", "settings": {"keys": {"secretKey": leaf.node()}}}
    return a_resource("ApiProxy", "keyed", spec), {pointer: plain}


def test_a_secret_that_was_changed_after_the_deployment_is_not_given_as_if_it_had_run(
    api: Api,
) -> None:
    first, plain = keyed(api, "first")
    second, newer = keyed(api, "second")
    deploy = {"environment": "production"}
    write_batch(
        api.house.manager,
        a_write(Action.CREATE, first, secrets=plain),
        a_write(Action.DEPLOY, first, **deploy),
        base=2,
        number=3,
    )
    secret = fetched(api)["ApiProxy", "keyed"]["spec"]["settings"]["keys"]["secretKey"]
    assert "first" == secret
    update = a_write(Action.UPDATE, second, secrets=newer, serial=2)
    write_batch(api.house.manager, update, base=3, number=4)
    part = fetched(api)["ApiProxy", "keyed"]
    assert (None, ["/settings/keys/secretKey"]) == (
        part["spec"]["settings"]["keys"]["secretKey"],
        part["outdated"],
    )
    again = a_write(Action.DEPLOY, second, **deploy, serial=3)
    write_batch(api.house.manager, again, base=4, number=5)
    assert "second" == fetched(api)["ApiProxy", "keyed"]["spec"]["settings"]["keys"]["secretKey"]


def test_a_secret_of_another_environment_is_neither_given_nor_named(api: Api) -> None:
    proxy, plain = keyed(api, "for test alone", "test")
    deploys = [a_write(Action.DEPLOY, proxy, environment=place) for place in ("production", "test")]
    create = a_write(Action.CREATE, proxy, secrets=plain)
    write_batch(api.house.manager, create, *deploys, base=2, number=3)
    for place, value in (("production", None), ("test", "for test alone")):
        part = fetched(api, place)["ApiProxy", "keyed"]
        assert value == part["spec"]["settings"]["keys"]["secretKey"]
        assert [] == part["outdated"]


def test_a_label_and_a_deployment_change_the_etag(api: Api) -> None:
    def etag() -> str:
        return api.get(PATH, as_="worker-production").headers["ETag"]

    manager, there = api.house.manager, {"environment": "production"}
    proxy = a_resource("ApiProxy", "orders", {"type": "REVERSE_PROXY", "description": "Orders"})
    values = {"test": {"value": "in test"}, "production": {"value": "in production"}}
    spec = {"global": False, "values": values}
    labelled = a_resource("EnvironmentVariable", "HOST", spec, labels={"owner": "payments"})
    seen = [etag()]
    write_batch(manager, a_write(Action.UPDATE, labelled, serial=1), base=2, number=3)
    seen.append(etag())
    write_batch(manager, a_write(Action.UNDEPLOY, proxy, serial=2, **there), base=3, number=4)
    write_batch(manager, a_write(Action.DEPLOY, proxy, serial=3, **there), base=4, number=5)
    seen.append(etag())
    assert len(seen) == len(set(seen))
    assert 1 < fetched(api)["ApiProxy", "orders"]["revision"]


def test_a_client_may_call_what_a_subscription_gave_it_until_it_is_revoked(api: Api) -> None:
    def decided(state: str, action: Action, serial: int | None, base: int) -> None:
        spec = {"credential": "app", "target": {"name": "orders"}, "state": state, "reason": "so"}
        subscription = a_resource("Subscription", "app-orders", spec)
        write = a_write(action, subscription, serial=serial)
        write_batch(api.house.manager, write, base=base, number=base + 1)

    def access() -> list:
        return fetched(api)["Credential", "app"]["spec"]["access"]

    before = access()
    decided("REQUESTED", Action.CREATE, None, 2)
    asked = access()
    decided("APPROVED", Action.UPDATE, 1, 3)
    approved = access()
    decided("REVOKED", Action.UPDATE, 2, 4)

    assert before == asked == access()
    assert [*before, {"name": "orders", "type": "API_PROXY"}] == approved
    assert ("Subscription", "app-orders") not in fetched(api)
