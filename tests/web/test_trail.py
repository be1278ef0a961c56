"""The log over HTTP: what the database leaves out is what the judge would have, page by page."""

import random

import pytest

from apiops.access import decide
from apiops.model.access import Category, Scope, Tier, Verb
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.model.secret import SecretValue
from apiops.remote.client import Client, Reach
from apiops.remote.log import NativeLog
from tests.managers import a_resource, a_write, write_batch
from tests.web.conftest import Api

QUERIES = {
    "project": (None, "payments", "cards", "gone", "nowhere", "system"),
    "kind": (None, None, "ApiProxy", "Membership", "User"),
    "action": (None, None, "create", "deploy", "apply"),
    "principal": (None, None, "ayse", "deniz"),
    "outcome": (None, "done", "denied"),
}


@pytest.fixture
def estate(api: Api) -> Api:
    """A project that is no more, a person who manages every project, and one who analyzes."""
    manager, create, delete = api.house.manager, Action.CREATE, Action.DELETE
    roles = {"zeynep": "sysProjectManager", "can": "sysAnalyzer"}
    people = [
        a_resource("User", name, {"email": f"{name}@bank.example", "systemRoles": [role]}, None)
        for name, role in roles.items()
    ]
    gone = a_resource("Project", "gone", {"displayName": "Gone"}, None)
    made = [a_write(create, one) for one in (*people, gone)]
    write_batch(manager, *made, unit="system", base=2, number=3)
    owner = a_resource("Membership", "mert", {"user": "mert", "roles": ["Project Owner"]}, "gone")
    write_batch(manager, a_write(create, owner), unit="gone", number=3)
    write_batch(manager, a_write(delete, owner, serial=1), unit="gone", base=3, number=4)
    write_batch(manager, a_write(delete, gone, serial=1), unit="system", base=3, number=4)
    return api


def judged(api: Api, principal: str, query: AuditQuery) -> list[int]:
    """What the judge shows of everything, without the database's help."""
    grants = api.house.manager.grants()
    found = []
    for entry in api.house.manager.entries(query):
        unit = entry.after.get("unit") if entry.resource is None and entry.after else None
        project = unit if entry.resource is None else entry.resource.project
        place = Scope(Tier.PROJECT, project) if project not in (None, "system") else None
        scope = place or Scope(Tier.SYSTEM)
        if decide.decide(grants, principal, Verb.VIEW, Category.AUDIT, scope).allowed:
            found.append(entry.seq)
    return found


def test_the_database_leaves_out_what_the_judge_would(estate: Api) -> None:
    views, dice, seen = estate.house.manager.views, random.Random(1), set()
    for principal in ("ayse", "mert", "deniz", "zeynep", "can", "nobody"):
        seen.add(tuple(judged(estate, principal, AuditQuery(limit=0))))
        for _ in range(30):
            chosen = {name: dice.choice(those) for name, those in QUERIES.items()}
            query = AuditQuery(**chosen, limit=0)
            shown = [one.seq for one in views.entries(principal, query)]
            assert judged(estate, principal, query) == shown, (principal, query)
    assert len(seen) > 4, "they see different parts"


def test_pages_are_the_whole_and_no_entry_is_there_twice(estate: Api) -> None:
    whole = judged(estate, "mert", AuditQuery(limit=0))
    pages, before = [], ""
    while True:
        page = estate.get(f"/v1/audit?limit=4{before}", as_="mert").json()
        pages += [one["seq"] for one in page["entries"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert whole == pages
    assert len(whole) > 8


def test_a_client_fetches_all_that_it_is_asked_for(estate: Api) -> None:
    whole = judged(estate, "mert", AuditQuery(limit=0))
    with Client(Reach(estate.url), lambda: SecretValue(estate.tokens["mert"].encode())) as client:
        log = NativeLog(client, page=3)
        for limit in (0, 1, 3, 7, len(whole), len(whole) + 5):
            shown = [one.seq for one in log.entries(AuditQuery(limit=limit))]
            assert (whole[:limit] if limit else whole) == shown
        (last,) = log.entries(AuditQuery(before=whole[4], limit=1))
        assert whole[5] == last.seq
