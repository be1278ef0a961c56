"""No door differs: each role × category × what it does × tier, through every door, on each engine.

The doors are the library (the Manager's own write, past every face), native HTTP (reads, and
verdicts on submitted commits) and the vendor-shaped HTTP. `tests/unit/test_access_*` hold `decide`
against the reference for all categories; here every door is held against `decide`.
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
import urllib3
import yaml

from apiops.access import decide, roles
from apiops.errors import AccessDenied
from apiops.manager.embedded import EmbeddedManager
from apiops.model.access import Category
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from apiops.model.kinds import KINDS
from apiops.model.plan import Action
from apiops.model.resource import JsonObject, ResourceId
from apiops.wiring import deeds
from tests import postgres
from tests.people import Person, person
from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import a_user, the_bank

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


@dataclass(frozen=True)
class Thing:
    """A kind with a spec that is one and, with `field` changed, another one.

    `vendor` is the collection of the vendor-shaped face that shows it.
    """

    kind: str
    spec: JsonObject
    project: str | None = "payments"
    vendor: str = ""
    field: str = "description"

    def id(self, name: str) -> ResourceId:
        return ResourceId(self.kind, self.project, name)

    def of(self, name: str, words: str = "As it was") -> JsonObject:
        route = {"clientRoute": {"relativePathList": [f"/{name}"]}}
        mail = {"email": f"{name}@bank.example"}
        more = {"ApiProxy": route, "Credential": mail, "User": mail}.get(self.kind, {})
        said = {"enabled": True, "tokensPerMonth": len(words)} if self.field == "budget" else words
        return {**self.spec, **more, self.field: said}

    def manifest(self, name: str, words: str = "As it was") -> str:
        where = {"project": self.project} if self.project else {}
        return yaml.safe_dump(
            {
                "apiVersion": "apiops/v1",
                "kind": self.kind,
                "metadata": {"name": name, **where},
                "spec": self.of(name, words),
            }
        )

    def file(self, name: str) -> str:
        return f"{self.project or 'system'}/{self.kind.lower()}-{name}.yaml"


PROVIDER = {
    "providerType": "VLLM",
    "endpoint": "https://models.bank.example/v1",
    "authScheme": "NONE",
    "deploymentType": "ON_PREM",
    "supportedModels": [{"modelId": "m", "displayName": "M", "modality": "TEXT"}],
}
ROUTE = {"llmProviderRefName": "kept", "modelId": "m"}
THINGS = (
    Thing("IpGroup", {"ipList": ["203.0.113.0/24"]}, vendor="ipGroups"),
    Thing(
        "Connection",
        {"type": "syslog", "syslogServerHostname": "log.bank.example", "syslogPort": 514},
        vendor="connections",
    ),
    Thing("ApiProxy", {"type": "AI", "aiRouting": ROUTE}, vendor="apiProxies"),
    Thing("Credential", {"fullName": "Client", "password": ""}),
    Thing(
        "Jwk",
        {
            "generate": {
                "type": "EC",
                "ec": {
                    "curveType": "P256",
                    "keyUseType": "SIGNATURE",
                    "algorithm": "ES256",
                    "keyIdType": "SHA256",
                },
                "generation": 1,
            }
        },
    ),
    Thing("LlmProvider", PROVIDER),
    Thing("AiBudget", {"target": {"type": "PROJECT"}}, field="budget"),
    Thing("Role", {"permissions": [{"category": "IDENTITY", "actions": ["VIEW"]}]}),
    Thing("Project", {}, None),
    Thing("Environment", {"type": "TEST"}, None),
    Thing("User", {}, None, field="fullName"),
)
NAMES = ("kept", "spare")


def somebody(name: str) -> Person:
    made = person(name)
    return Person(name, made.email, made.key)


def estate() -> dict[str, Any]:
    """The bank with two of every thing, and somebody for every role, through a team, elsewhere,
    and for each system role.
    """
    files: dict[str, Any] = {
        **the_bank(),
        "payments/desk.yaml": TEAM,
        "payments/desk-member.yaml": MEMBER % ("desk", "team: desk", "API Developer"),
    }
    for thing in THINGS:
        files |= {thing.file(name): thing.manifest(name) for name in NAMES}
    for name in PEOPLE:
        files[f"system/{name}.yaml"] = a_user(somebody(name), SYSTEM.get(name, ""))
    for name, role in HOLDERS.items():
        files[f"payments/{name}.yaml"] = MEMBER % (name, f"user: {name}", role)
    far = replace(next(one for one in THINGS if one.kind == "Credential"), project="cards")
    files["cards/far.yaml"] = far.manifest("far")
    elsewhere = MEMBER % ("u-elsewhere", "user: u-elsewhere", "Project Owner")
    files["cards/elsewhere.yaml"] = elsewhere.replace("payments", "cards")
    return files


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("doors")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'doors.db'}"
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres_server")
            made = stack.enter_context(postgres.schema(server, f"t{uuid.uuid4().hex}"))
            url = made.render_as_string(hide_password=False)
        shop = stack.enter_context(remote(folder, url, estate()))
        shop.introduce()
        yield shop


POOL = urllib3.PoolManager(retries=False)
TOKENS: dict[tuple[str, str], str] = {}


def call(shop: Remote, who: str, method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
    key = (shop.url, who)
    if key not in TOKENS:
        TOKENS[key] = a_token(shop.open, who, "read", "write")
    headers = {"Authorization": f"Bearer {TOKENS[key]}"}
    return POOL.request(method, shop.url + path, headers=headers, timeout=60, **more)


def may_see(manager: EmbeddedManager, who: str, id: ResourceId) -> bool:
    return decide.lacking(manager.grants(), who, (decide.need_to_see(id),)) is None


def may(manager: EmbeddedManager, who: str, action: Action, id: ResourceId, *there: str) -> bool:
    return decide.lacking(manager.grants(), who, decide.need(id.kind, action, id, there)) is None


def reached(thing: Thing) -> tuple[str, ...]:
    """Where a change by hand reaches workers at once: everywhere."""
    category = KINDS[thing.kind].category
    everywhere = category in roles.REACHES_WORKERS and thing.project is not None
    return ("dev", *NAMES) if everywhere else ()


def test_the_things_are_of_every_category_and_tier_that_any_kind_has() -> None:
    known = {(kind.category, kind.tier) for kind in KINDS.values()}
    assert {(Category.AI_DEVELOPMENT, KINDS["AiGatewaySettings"].tier)} == known - {
        (KINDS[thing.kind].category, KINDS[thing.kind].tier) for thing in THINGS
    }, "the AI gateway's settings are one for all"


@pytest.mark.parametrize("who", PEOPLE)
def test_reading_is_the_same_through_every_door(shop: Remote, who: str) -> None:
    every = call(shop, who, "GET", "/v1/state").json()["resources"]
    listed = {(one["kind"], one["project"], one["name"]) for one in every}
    for thing in THINGS:
        id = thing.id("kept")
        expected = may_see(shop.open, who, id)
        place = f"projects/{id.project}" if id.project else "system"
        native = call(shop, who, "GET", f"/v1/{place}/{id.kind}/{id.name}")
        found = {
            "library": shop.open.views.resource(who, id) is not None,
            "native": native.status == 200,
            "native list": (id.kind, id.project, id.name) in listed,
        }
        if thing.vendor:
            path = f"/apiops/projects/payments/{thing.vendor}/kept/"
            found["vendor"] = call(shop, who, "GET", path).status == 200
        assert dict.fromkeys(found, expected) == found, thing.kind


def by_hand(shop: Remote, who: str, action: Action, id: ResourceId, **more: Any) -> bool:
    """Whether the Manager itself lets somebody do something, past every door."""
    context = AuditContext(who, who, Reason("Try"), "run", Source.CONSOLE)
    before = shop.open.views.resource("apiops", id)
    try:
        deeds.do(shop.open, action, id, context, before=before, **more)
    except AccessDenied:
        return False
    return True


@pytest.mark.parametrize("who", PEOPLE)
def test_the_library_writes_what_the_judge_allows(shop: Remote, who: str) -> None:
    """Creates, updates and deletes; who may create deletes what they made, others try a spare."""
    for thing in THINGS:
        there, fresh = reached(thing), f"by-{who}"
        expected = {
            action: may(shop.open, who, action, thing.id("kept"), *there)
            for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
        }
        made = by_hand(
            shop, who, Action.CREATE, thing.id(fresh), becomes=deeds.Becomes(thing.of(fresh))
        )
        kept = shop.open.views.resource("apiops", thing.id("kept"))
        spec = {name: value for name, value in kept.spec.items() if name != "deployments"}
        done = {
            Action.CREATE: made,
            Action.UPDATE: by_hand(shop, who, Action.UPDATE, kept.id, becomes=deeds.Becomes(spec)),
            Action.DELETE: by_hand(shop, who, Action.DELETE, thing.id(fresh if made else "spare")),
        }
        assert expected == done, thing.kind


@pytest.mark.parametrize("who", PEOPLE)
def test_a_submitted_commit_is_judged_as_its_maker_would_be_by_hand(shop: Remote, who: str) -> None:
    """One commit creates, updates and deletes one of every thing, in both tiers."""
    files: dict[str, Any] = {}
    for thing in THINGS:
        files[thing.file("kept")] = thing.manifest("kept", f"As {who} wants it")
        files[thing.file("fresh")] = thing.manifest("fresh")
        files[thing.file("spare")] = None
    made = shop.commit(somebody(who), files, f"Try as {who}", parents=[shop.first], branch=who)
    judged = shop.there("plan", "-o", "json", "--ref", made).json["permission"]["judgements"]
    verdicts = {
        (one["change"]["resource"], one["change"]["action"]): one["allowed"] for one in judged
    }
    wanted = {}
    for thing in THINGS:
        there = ("dev",) if reached(thing) else ()
        for action, name in (
            (Action.CREATE, "fresh"),
            (Action.UPDATE, "kept"),
            (Action.DELETE, "spare"),
        ):
            id = thing.id(name)
            wanted[str(id), action.value] = may(shop.open, who, action, id, *there)
    assert wanted == {key: verdicts[key] for key in wanted}


VENDORS = (
    ("IpGroup", "PUT", "ipGroups/kept/", {"ipList": ["203.0.113.0/24"]}),
    ("ApiProxy", "PUT", "apiProxies/kept/ai-routing/", ROUTE),
    ("Connection", "PUT", "connections/kept/", {**THINGS[1].spec, "description": "Another"}),
    ("Credential", "PATCH", "credentials/kept/", {"password": "another-one"}),
)
"""Kind, and a change of the one that is kept in the vendor's shape."""


@pytest.mark.parametrize("who", PEOPLE)
def test_the_vendors_shape_writes_what_the_judge_allows(shop: Remote, who: str) -> None:
    things = {thing.kind: thing for thing in THINGS}
    expected, done = {}, {}
    for kind, method, path, body in VENDORS:
        thing = things[kind]
        answer = call(shop, who, method, f"/apiops/projects/payments/{path}", json=body)
        expected[kind] = may(shop.open, who, Action.UPDATE, thing.id("kept"), *reached(thing))
        done[kind] = answer.status == 200
    assert expected == done


MAKES = {
    "IpGroup": ("ipGroups/", "ipGroups/%s/", {"ipList": []}),
    "Connection": ("connections/%s/", "connections/%s/", THINGS[1].spec),
    "Credential": (
        "credentials/",
        "credentials/%s/",
        {"email": "a@bank.example", "fullName": "A", "password": "a-word"},
    ),
    "ApiProxy": (
        "apiProxies/url/",
        "apiProxies/%s/",
        {"apiProxyCreationType": "EMPTY_API", "clientRoute": {"relativePathList": ["/made"]}},
    ),
}
"""Kind → where one is made in the vendor's shape, where it is then, and the rest of the body."""
CALLED = {"Credential": "username", "ApiProxy": "apiProxyName"}


@pytest.mark.parametrize("who", PEOPLE)
def test_the_vendors_shape_makes_and_deletes_what_the_judge_allows(shop: Remote, who: str) -> None:
    """Everybody tries to make one of their own, and to delete one that is there."""
    here, things = "/apiops/projects/payments/", {thing.kind: thing for thing in THINGS}
    expected, done = {}, {}
    for kind, (collection, item, body) in MAKES.items():
        thing, own, other = things[kind], f"of-{who}", f"for-{who}"
        if shop.open.views.resource("apiops", thing.id(other)) is None:
            becomes = deeds.Becomes(thing.of(other))
            assert by_hand(shop, "u-manager", Action.CREATE, thing.id(other), becomes=becomes)
        where = collection % own if "%s" in collection else collection
        made = call(shop, who, "POST", here + where, json={**body, CALLED.get(kind, "name"): own})
        gone = call(shop, who, "DELETE", here + item % other)
        done[kind] = (made.status == 200, gone.status == 200)
        expected[kind] = tuple(
            may(shop.open, who, action, thing.id(name), *reached(thing))
            for action, name in ((Action.CREATE, own), (Action.DELETE, other))
        )
    assert expected == done


@pytest.mark.parametrize("who", PEOPLE)
def test_deploying_and_undeploying_is_the_same_through_every_door(shop: Remote, who: str) -> None:
    id = ResourceId("ApiProxy", "payments", "orders")
    path = "/apiops/projects/payments/apiProxies/orders/environments/dev/"
    for action, method in ((Action.UNDEPLOY, "DELETE"), (Action.DEPLOY, "POST")):
        expected = may(shop.open, who, action, id, "dev")
        vendor = call(shop, who, method, path).status == 200
        library = by_hand(shop, who, action, id, environment="dev")
        assert (expected, expected) == (library, vendor), action
        by_hand(shop, "u-manager", Action.DEPLOY, id, environment="dev")


def test_a_denied_attempt_through_a_door_is_in_the_log(shop: Remote) -> None:
    path = "/apiops/projects/payments/ipGroups/kept/"
    call(shop, "u-api-security", "PUT", path, json={"ipList": ["10.0.0.1"]})
    (newest,) = shop.open.entries(AuditQuery(principal="u-api-security", limit=1))
    assert ("denied", "http", "127.0.0.1") == (newest.outcome, newest.source, newest.address)


def test_whoever_may_not_write_is_not_told_what_there_is_to_name(shop: Remote) -> None:
    thing = next(one for one in THINGS if one.kind == "Credential")
    here = "/apiops/projects/payments/credentials/"
    taken = {**thing.of("kept"), "username": "far", "password": "a-word"}
    told = set()
    for who in PEOPLE:
        if not may(shop.open, who, Action.UPDATE, thing.id("kept"), *reached(thing)):
            answers = (
                call(shop, who, "PUT", f"{here}kept/certificate/none/"),
                call(shop, who, "POST", here, json=taken),
            )
            told |= {one.json()["resultMessage"] for one in answers}
    forbidden = "User does not have required permission for this operation!"
    nowhere = "Project (payments) is not found or user does not have privilege to access it!"
    assert {forbidden, nowhere} == told


def test_the_vendors_words_tell_no_stranger_that_a_project_exists(shop: Remote) -> None:
    for tail in ("ipGroups/", "ipGroups/kept/", "apiProxies/", "apiProxies/orders/"):
        there = call(shop, "u-elsewhere", "GET", f"/apiops/projects/payments/{tail}")
        nowhere = call(shop, "u-elsewhere", "GET", f"/apiops/projects/nothing/{tail}")
        assert (400, 400) == (there.status, nowhere.status)
        assert there.json() == {
            **nowhere.json(),
            "resultMessage": nowhere.json()["resultMessage"].replace("nothing", "payments"),
        }
    seen = call(shop, "u-elsewhere", "GET", "/apiops/projects/").json()["resultList"]
    assert ["cards"] == [one["name"] for one in seen]


def test_a_strangers_answers_are_the_same_for_what_is_there_and_what_is_not(shop: Remote) -> None:
    """By id and by name, for every thing: byte for byte but for the request's id and the name."""
    for thing in THINGS:
        if thing.project is None:
            continue
        there, nowhere = (
            call(shop, "u-elsewhere", "GET", f"/v1/projects/payments/{thing.kind}/{name}")
            for name in ("kept", "none")
        )
        plain = [
            {name: value for name, value in one.json().items() if name != "instance"}
            for one in (there, nowhere)
        ]
        assert (404, plain[0]) == (there.status, plain[1]), thing.kind
