"""No door differs: each role × what it does × where, through every door, gives what the table says.

The doors are the library (`access.decide`, then the Manager's own write), native HTTP (reads, and
verdicts on submitted commits) and the vendor-shaped HTTP. `tests/unit/test_access_*` hold `decide`
against the reference for all categories; here every door is held against `decide`.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from apiops.access import decide, roles
from apiops.errors import AccessDenied
from apiops.manager.embedded import EmbeddedManager
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from apiops.wiring import deeds
from tests.people import Person, person
from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import a_proxy, a_user, the_bank

OFFICE = (
    "apiVersion: apiops/v1\nkind: IpGroup\nmetadata: {name: office, project: payments}\n"
    "spec: {ipList: [203.0.113.0/24]}\n"
)
CONNECTION = (
    "apiVersion: apiops/v1\nkind: Connection\nmetadata: {name: log, project: payments}\n"
    "spec: {type: syslog, syslogServerHostname: log.bank.example, syslogPort: 514}\n"
)
MEMBER = (
    "apiVersion: apiops/v1\nkind: Membership\nmetadata: {name: %s, project: payments}\n"
    "spec: {%s, roles: [%s]}\n"
)
TEAM = (
    "apiVersion: apiops/v1\nkind: Team\nmetadata: {name: desk, project: payments}\n"
    "spec: {members: [{user: u-team, roles: [API Developer]}]}\n"
)

HOLDERS = {f"u-{role.lower().replace(' ', '-')}": role for role in roles.ROLES}
SYSTEM = {"u-admin": "sysAdmin", "u-manager": "sysProjectManager", "u-analyzer": "sysAnalyzer"}
PEOPLE = (*HOLDERS, *SYSTEM, "u-team", "u-elsewhere", "u-nobody")
READS = {
    "IpGroup": ("office", "ipGroups"),
    "Connection": ("log", "connections"),
    "ApiProxy": ("orders", "apiProxies"),
}


def somebody(name: str) -> Person:
    made = person(name)
    return Person(name, made.email, made.key)


def estate() -> dict[str, Any]:
    """The bank with somebody for every role, through a team, elsewhere, and for each system role."""
    files: dict[str, Any] = {
        **the_bank(),
        "payments/office.yaml": OFFICE,
        "payments/log.yaml": CONNECTION,
        "payments/desk.yaml": TEAM,
        "payments/desk-member.yaml": MEMBER % ("desk", "team: desk", "API Developer"),
    }
    for name in PEOPLE:
        files[f"system/{name}.yaml"] = a_user(somebody(name), SYSTEM.get(name, ""))
    for name, role in HOLDERS.items():
        files[f"payments/{name}.yaml"] = MEMBER % (name, f"user: {name}", role)
    elsewhere = MEMBER % ("u-elsewhere", "user: u-elsewhere", "Project Owner")
    files["cards/elsewhere.yaml"] = elsewhere.replace("payments", "cards")
    return files


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("doors")
    with remote(folder, f"sqlite:///{folder / 'doors.db'}", estate()) as shop:
        shop.introduce()
        yield shop


POOL = urllib3.PoolManager(retries=False)


def call(shop: Remote, who: str, method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
    token = a_token(shop.open, who, "read", "write")
    headers = {"Authorization": f"Bearer {token}"}
    return POOL.request(method, shop.url + path, headers=headers, timeout=60, **more)


def may_see(manager: EmbeddedManager, who: str, id: ResourceId) -> bool:
    return decide.lacking(manager.grants(), who, (decide.need_to_see(id),)) is None


def may(manager: EmbeddedManager, who: str, action: Action, id: ResourceId) -> bool:
    there = ("dev",) if id.kind == "ApiProxy" else ()
    return decide.lacking(manager.grants(), who, decide.need(id.kind, action, id, there)) is None


@pytest.mark.parametrize("kind", READS)
@pytest.mark.parametrize("who", PEOPLE)
def test_reading_a_project_is_the_same_through_every_door(
    shop: Remote, who: str, kind: str
) -> None:
    name, collection = READS[kind]
    id = ResourceId(kind, "payments", name)
    expected = may_see(shop.open, who, id)
    native = call(shop, who, "GET", f"/v1/projects/payments/{kind}/{name}")
    listed = call(shop, who, "GET", "/v1/state?project=payments").json()["resources"]
    vendor = call(shop, who, "GET", f"/apiops/projects/payments/{collection}/{name}/")
    assert {
        "library": expected,
        "native": expected,
        "native list": expected,
        "vendor": expected,
    } == {
        "library": shop.open.views.resource(who, id) is not None,
        "native": native.status == 200,
        "native list": kind in {one["kind"] for one in listed},
        "vendor": vendor.status == 200,
    }


@pytest.mark.parametrize("who", PEOPLE)
def test_reading_the_system_tier_is_the_same_through_every_door(shop: Remote, who: str) -> None:
    for kind, name in (("User", "mert"), ("Environment", "dev"), ("Project", "cards")):
        id = ResourceId(kind, None, name)
        expected = may_see(shop.open, who, id)
        native = call(shop, who, "GET", f"/v1/system/{kind}/{name}").status == 200
        assert (expected, expected) == (shop.open.views.resource(who, id) is not None, native)


def by_hand(shop: Remote, who: str, action: Action, id: ResourceId, **more: Any) -> bool:
    """Whether the Manager itself lets somebody do something, past every door."""
    context = AuditContext(who, who, Reason("Try"), "run", Source.CONSOLE)
    before = shop.open.views.resource("u-manager", id)
    try:
        deeds.do(shop.open, action, id, context, before=before, **more)
    except AccessDenied:
        return False
    return True


@pytest.mark.parametrize("who", PEOPLE)
def test_changing_settings_is_the_same_through_every_door(shop: Remote, who: str) -> None:
    id = ResourceId("IpGroup", "payments", "office")
    expected = may(shop.open, who, Action.UPDATE, id)
    spec = {"ipList": ["203.0.113.0/24"]}
    vendor = call(shop, who, "PUT", "/apiops/projects/payments/ipGroups/office/", json=spec)
    library = by_hand(shop, who, Action.UPDATE, id, spec=spec)
    assert (expected, expected) == (library, vendor.status == 200), vendor.data


@pytest.mark.parametrize("who", PEOPLE)
def test_deploying_and_undeploying_is_the_same_through_every_door(shop: Remote, who: str) -> None:
    id = ResourceId("ApiProxy", "payments", "orders")
    path = "/apiops/projects/payments/apiProxies/orders/environments/dev/"
    for action, method in ((Action.UNDEPLOY, "DELETE"), (Action.DEPLOY, "POST")):
        expected = may(shop.open, who, action, id)
        vendor = call(shop, who, method, path).status == 200
        library = by_hand(shop, who, action, id, environment="dev")
        assert (expected, expected) == (library, vendor), action
        by_hand(shop, "u-manager", Action.DEPLOY, id, environment="dev")


@pytest.mark.parametrize("who", PEOPLE)
def test_an_ai_route_is_changed_by_whoever_may_change_the_proxy(shop: Remote, who: str) -> None:
    id = ResourceId("ApiProxy", "payments", "orders")
    expected = may(shop.open, who, Action.UPDATE, id)
    path = "/apiops/projects/payments/apiProxies/orders/ai-routing/"
    said = call(shop, who, "PUT", path, json={"modelId": 7}).json()["resultMessage"]
    refused = (
        "does not have required permission" in said
        or "does not have privilege to access it" in said
        or "was not found" in said
    )
    # The proxy is none of the AI kinds, so whoever may is told that it would be invalid.
    assert expected == (not refused), said


@pytest.mark.parametrize("who", PEOPLE)
def test_a_submitted_commit_is_judged_as_its_maker_would_be_by_hand(shop: Remote, who: str) -> None:
    made = shop.commit(
        somebody(who),
        {
            "payments/office.yaml": OFFICE.replace("203.0.113.0/24", "198.51.100.0/24"),
            "payments/orders.yaml": a_proxy("orders").replace("readTimeout: 60", "readTimeout: 61"),
            "payments/log.yaml": CONNECTION.replace("log.bank", "logs.bank"),
            "system/deniz.yaml": a_user(somebody("u-strange")).replace("u-strange", "deniz"),
        },
        f"Try as {who}",
        parents=[shop.first],
        branch=who,
    )
    judged = shop.there("plan", "-o", "json", "--ref", made).json["permission"]["judgements"]
    verdicts = {
        (one["change"]["resource"], one["change"]["action"]): one["allowed"] for one in judged
    }
    wanted = {
        (str(id), "update"): may(shop.open, who, Action.UPDATE, id)
        for id in (
            ResourceId("IpGroup", "payments", "office"),
            ResourceId("ApiProxy", "payments", "orders"),
            ResourceId("Connection", "payments", "log"),
            ResourceId("User", None, "deniz"),
        )
    }
    assert wanted == {key: verdicts[key] for key in wanted}


def test_a_denied_attempt_through_a_door_is_in_the_log(shop: Remote) -> None:
    call(
        shop,
        "u-api-security",
        "PUT",
        "/apiops/projects/payments/ipGroups/office/",
        json={"ipList": ["10.0.0.1"]},
    )
    (newest,) = shop.open.entries(AuditQuery(principal="u-api-security", limit=1))
    assert ("denied", "http", "127.0.0.1") == (newest.outcome, newest.source, newest.address)


def test_the_vendors_words_tell_no_stranger_that_a_project_exists(shop: Remote) -> None:
    for tail in ("ipGroups/", "ipGroups/office/", "apiProxies/", "apiProxies/orders/"):
        there = call(shop, "u-elsewhere", "GET", f"/apiops/projects/payments/{tail}")
        nowhere = call(shop, "u-elsewhere", "GET", f"/apiops/projects/nothing/{tail}")
        assert (400, 400) == (there.status, nowhere.status)
        assert there.json() == {
            **nowhere.json(),
            "resultMessage": nowhere.json()["resultMessage"].replace("nothing", "payments"),
        }
    seen = call(shop, "u-elsewhere", "GET", "/apiops/projects/").json()["resultList"]
    assert ["cards"] == [one["name"] for one in seen]
