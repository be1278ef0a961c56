"""A new name for what a vendor's Manager has: the same thing under it, running where it ran."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apiops.model.kinds import KINDS
from apiops.model.outcome import Result
from apiops.model.resource import Resource
from apiops.model.secret import SecretValue
from apiops.remote.answer import Answer
from apiops.remote.client import Client, Reach
from apiops.remote.vendor.api import Api
from apiops.remote.vendor.manager import VendorManager
from apiops.remote.vendor.reading import CODECS, OBSERVED, SYSTEM
from apiops.remote.vendor.renaming import SEGMENTS
from apiops.remote.vendor.unit import PEOPLE
from tests.managers import REPOSITORY, TARGET
from tests.remote.gateway import Gateway, a_resource, done, left, secret, told
from tests.remote.meddler import Meddler

KEY = {"keyType": "SECRET_KEY", "algorithm": "AES"}
MATERIAL = {"dev": {"content": secret("QUJD")}}
STORE = {"keyStoreType": "JKS", "alias": "a", "file": secret("QUJD"), "password": secret("p")}


def a_proxy(name: str, timeout: int = 10, **more: Any) -> Resource:
    return a_resource(
        "ApiProxy",
        name,
        type="REVERSE_PROXY",
        clientRoute={"relativePathList": ["/orders"]},
        routing={"addresses": [{"address": "https://orders.example"}]},
        settings={"connection": {"readTimeout": timeout}},
        deployments=[{"environment": "dev"}],
        **more,
    )


RENAMED = {
    "ApiProxy": a_proxy("old"),
    "Connection": a_resource("Connection", "old", type="webhook", fullUrl="https://a.example"),
    "Key": a_resource("Key", "old", **KEY, environments=MATERIAL),
    "Keystore": a_resource("Keystore", "old", environments={"dev": STORE}),
    "Jwk": a_resource("Jwk", "old", generate={"type": "EC", "ec": {"curveType": "P256"}}),
}


def renamed(one: Resource, name: str = "new") -> Resource:
    return replace(one, id=replace(one.id, name=name), renamed_from=(one.id.name,))


def held(gateway: Gateway, kind: str) -> dict[str, Any]:
    """Name → id, where there is one."""
    project = gateway.payments
    if kind == "ApiProxy":
        return {name: one.id for name, one in project.proxies.items()}
    if kind == "Connection":
        return {name: one.get("id") for name, one in project.connections.items()}
    return {one["name"]: one["id"] for one in project.more[f"{kind.lower()}s"].values()}


@pytest.mark.parametrize("kind", RENAMED)
def test_it_is_the_same_thing_under_its_new_name(tmp_path: Path, kind: str) -> None:
    old = RENAMED[kind]
    with Gateway(tmp_path) as gateway:
        assert done(outcomes := gateway.apply([old])), told(outcomes)
        (id,) = held(gateway, kind).values()

        outcomes = gateway.apply([renamed(old)])

        assert done(outcomes), told(outcomes)
        assert {"new": id} == held(gateway, kind)
        assert "" == left(gateway.plan([renamed(old)]))
        assert "" == left(gateway.plan([replace(renamed(old), renamed_from=())]))
        assert [] == gateway.world.violations


@pytest.mark.parametrize("timeout", [10, 20])
def test_a_proxy_runs_where_it_ran_and_is_never_taken_away(tmp_path: Path, timeout: int) -> None:
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([a_proxy("old")]))
        gateway.world.requests.clear()
        new = renamed(a_proxy("old", timeout))

        assert done(outcomes := gateway.apply([new])), told(outcomes)
        assert {"deployed": True, "redeployRequired": False} == (
            gateway.payments.proxies["new"].deployed["dev"]
        )
        assert "DELETE" not in {method for method, _ in gateway.world.requests}
        assert timeout == gateway.payments.proxies["new"].settings["connection"]["readTimeout"]
        assert "" == left(gateway.plan([new]))


def test_what_runs_elsewhere_is_no_matter_of_this_target(tmp_path: Path) -> None:
    """Whoever may rename for one environment does not deploy in another by it."""
    both = [{"environment": "dev"}, {"environment": "production"}]
    old = a_proxy("old")
    old = replace(old, spec={**old.spec, "deployments": both})
    with Gateway(tmp_path) as gateway:
        assert done(outcomes := gateway.apply([old])), told(outcomes)
        gateway.world.requests.clear()

        outcomes = gateway.apply([renamed(old)], environment="dev")

        assert done(outcomes), told(outcomes)
        deploys = [path for _, path in gateway.world.requests if "environments/" in path]
        assert deploys
        assert [] == [path for path in deploys if "production" in path]


@pytest.mark.parametrize("fault", ["reset-after", "500-after", "reset-before"])
def test_an_answer_that_gets_lost_renames_once(tmp_path: Path, fault: str) -> None:
    with Gateway(tmp_path) as gateway, Meddler(gateway.standin.port) as meddler:
        assert done(gateway.apply([a_proxy("old")]))
        gateway.address = meddler.url
        meddler.spoil(fault, 0)

        assert done(outcomes := gateway.apply([renamed(a_proxy("old"))])), told(outcomes)
        assert ["new"] == [*gateway.payments.proxies]
        assert "" == left(gateway.plan([renamed(a_proxy("old"))]))


class Mortal(Client):
    """Dies with its first write, which was carried out."""

    def call(self, method: str, path: str, **more: Any) -> Answer:
        answer = super().call(method, path, **more)
        if method != "GET":
            raise KeyboardInterrupt
        return answer


def dies(gateway: Gateway, state: list[Resource]) -> None:
    """A run that ends with the answer to its first write: nothing of it is recorded."""
    with (
        Mortal(Reach(gateway.standin.url), lambda: SecretValue(gateway.token)) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        gateway.apply(state, VendorManager(Api(client), gateway.book))


def recorded(gateway: Gateway, kind: str) -> list[str]:
    """The names in the book."""
    rows = gateway.book.read(REPOSITORY, TARGET).resources
    return [one.id.name for one in rows if one.id.kind == kind]


@pytest.mark.parametrize("kind", RENAMED)
def test_a_run_that_ends_right_after_the_rename_is_gone_on_with(tmp_path: Path, kind: str) -> None:
    """The book still has the former name, and learns the new one from what was begun."""
    old = RENAMED[kind]
    new = renamed(old)
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([old]))
        (id,) = held(gateway, kind).values()
        dies(gateway, [new])
        assert ["old"] == recorded(gateway, kind)

        plan = gateway.plan([new])
        assert () == plan.guards
        assert {"update", "deploy"} >= {one.action for one in plan.changes}
        assert done(outcomes := gateway.apply([new])), told(outcomes)
        assert {"new": id} == held(gateway, kind)
        assert ["new"] == recorded(gateway, kind)
        assert {} == gateway.book.unsettled(REPOSITORY, TARGET)
        assert "" == left(gateway.plan([new]))


def test_whoever_makes_one_of_the_former_name_then_keeps_it(tmp_path: Path) -> None:
    old = RENAMED["Connection"]
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([old]))
        dies(gateway, [renamed(old)])
        assert done(gateway.apply([renamed(old)]))
        connections = gateway.payments.connections
        connections["old"] = {**connections["new"], "name": "old", "id": "5" * 24}

        assert "" == left(gateway.plan([replace(renamed(old), renamed_from=())]))


@pytest.mark.parametrize("kind", RENAMED)
def test_an_author_who_takes_the_new_name_back_after_a_run_that_died(
    tmp_path: Path, kind: str
) -> None:
    old = RENAMED[kind]
    back = replace(old, renamed_from=("new",))
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([old]))
        (id,) = held(gateway, kind).values()
        dies(gateway, [renamed(old)])

        assert done(outcomes := gateway.apply([back])), told(outcomes)
        assert {"old": id} == held(gateway, kind)
        assert ["old"] == recorded(gateway, kind)
        assert "" == left(gateway.plan([back]))


@pytest.mark.parametrize("name", ["old", "third"])
def test_an_author_who_then_wants_another_one_gets_it_and_the_renamed_one_goes(
    tmp_path: Path, name: str
) -> None:
    old = RENAMED["Connection"]
    wanted = replace(old, id=replace(old.id, name=name))
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([old]))
        dies(gateway, [renamed(old)])

        assert done(outcomes := gateway.apply([wanted])), told(outcomes)
        assert [name] == [*held(gateway, "Connection")]
        assert [name] == recorded(gateway, "Connection")
        assert "" == left(gateway.plan([wanted]))


@pytest.mark.parametrize("kind", RENAMED)
def test_nothing_is_made_anew_because_nobody_knows_how_an_update_ended(
    tmp_path: Path, kind: str
) -> None:
    """What the API does not show and no update changes is as it was."""
    old = RENAMED[kind]
    changed = replace(old, spec={**old.spec, "description": "other"})
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([old]))
        (id,) = held(gateway, kind).values()
        dies(gateway, [changed])

        assert () == gateway.plan([changed]).guards
        assert done(outcomes := gateway.apply([changed])), told(outcomes)
        assert {"old": id} == held(gateway, kind)
        assert "" == left(gateway.plan([changed]))


def test_a_soap_service_that_is_spoken_as_rest_is_not_made_anew_either(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        document = gateway.file('<definitions><operation name="GetOrder"/></definitions>')
        source = {"file": "orders.wsdl", "fileDigest": document, "soapToRest": True}
        route = {"relativePathList": ["/orders"]}
        old = a_resource("ApiProxy", "old", type="WSDL", source=source, clientRoute=route)
        changed = replace(old, spec={**old.spec, "description": "other"})
        assert done(outcomes := gateway.apply([old])), told(outcomes)
        dies(gateway, [changed])

        assert {"update"} == {change.action for change in gateway.plan([changed]).changes}
        assert done(outcomes := gateway.apply([changed])), told(outcomes)
        assert "" == left(gateway.plan([changed]))


def test_the_table_of_kinds_says_what_the_adapter_can() -> None:
    written = {*CODECS, *SYSTEM, *OBSERVED, *PEOPLE}

    assert {*KINDS} - written == {name for name, kind in KINDS.items() if kind.beyond}
    assert {*SEGMENTS, "ApiProxy"} == {name for name, kind in KINDS.items() if kind.renames}
    assert {*RENAMED} == {name for name, kind in KINDS.items() if kind.renames}


def test_what_has_no_call_for_it_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    offices = a_resource("IpGroup", "offices", ipList=["10.0.0.1"])
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([offices]))

        (outcome,) = gateway.apply([renamed(offices)])

        assert (Result.FAILED, "AO769") == (outcome.result, outcome.code)
        assert ["offices"] == [*gateway.payments.ip_groups]
