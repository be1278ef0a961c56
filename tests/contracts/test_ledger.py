"""What every ledger promises: entries with reasons, applied revisions as a chain, a walk that verifies."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from apiops.errors import AccessDenied
from apiops.model.access import Category, Right, Scope, Tier, Verb
from apiops.model.audit import AuditQuery, Statement
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from tests.managers import (
    REPOSITORY,
    TARGET,
    a_context,
    a_resource,
    a_write,
    commit,
    secret_resource,
    settle,
    write_batch,
)

OFFICE = a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]})
WIDER = a_resource("IpGroup", "office", {"ipList": ["10.0.0.0/8"]})


@pytest.fixture
def ledger(manager):
    settle(manager)
    write_batch(manager, a_write(Action.CREATE, OFFICE), base=1, number=2)
    update = a_write(Action.UPDATE, WIDER, serial=1, context=a_context(number=3, run="run-3"))
    write_batch(manager, update, base=2, number=3)
    return manager


def entries(ledger, **query):
    return list(ledger.entries(AuditQuery(**({"limit": 0} | query))))


def test_an_outcome_names_its_entry(ledger):
    delete = a_write(Action.DELETE, WIDER, serial=2)
    (outcome,) = write_batch(ledger, delete, base=3, number=4)
    (entry,) = [one for one in entries(ledger) if one.seq == outcome.entry]
    assert ("delete", OFFICE.id) == (entry.action, entry.resource)


def test_an_entry_says_who_what_why_and_in_which_run(ledger):
    (entry,) = entries(ledger, kind="IpGroup", action="update")
    assert ("ayse", "run-3", "apply") == (entry.principal, entry.run, entry.source)
    assert ("Change 3", commit(3), "ayse") == (
        entry.reason.text,
        entry.reason.commit,
        entry.reason.signer,
    )
    assert OFFICE.spec == entry.before["spec"]
    assert WIDER.spec == entry.after["spec"]
    change = {"op": "replace", "path": "/spec/ipList", "value": ["10.0.0.0/8"]}
    assert change in entry.delta


def test_entries_come_newest_first_without_gaps(ledger):
    numbers = [entry.seq for entry in entries(ledger)]
    assert list(range(len(numbers), 0, -1)) == numbers


def test_queries_narrow_by_every_field(ledger):
    (update,) = entries(ledger, kind="IpGroup", action="update")
    narrowed = {
        "principal": "ayse",
        "project": "payments",
        "kind": "IpGroup",
        "name": "office",
        "run": "run-3",
        "commit": commit(3),
        "action": "update",
        "since": update.at,
        "until": update.at + timedelta(microseconds=1),
    }
    assert [update] == entries(ledger, **narrowed)
    for field, nothing in {
        "principal": "mert",
        "project": "cards",
        "kind": "ApiProxy",
        "name": "branch",
        "run": "run-4",
        "commit": commit(9),
        "action": "delete",
        "environment": "test",
        "since": update.at + timedelta(seconds=1),
        "until": update.at,
    }.items():
        assert [] == entries(ledger, **(narrowed | {field: nothing}))


def test_a_limit_gives_the_newest(ledger):
    assert entries(ledger)[:2] == entries(ledger, limit=2)


def test_the_system_tier_is_asked_for_by_its_unit_name(ledger):
    kinds = {entry.resource.kind for entry in entries(ledger, project="system") if entry.resource}
    assert {"User", "Project", "Environment"} == kinds


def test_a_denial_is_an_entry_of_its_own(ledger):
    change = Change(Action.CREATE, OFFICE.id)
    number = ledger.deny(a_context("mert"), change, "AO520", "mert may not")
    (entry,) = entries(ledger, principal="mert")
    assert (number, "denied", "create") == (entry.seq, entry.outcome, entry.action)
    assert {"code": "AO520", "message": "mert may not"} == entry.delta
    assert entry.before is None
    assert entry.after is None


def test_applied_revisions_are_a_chain(ledger):
    links = ledger.history(REPOSITORY, TARGET, "payments")
    assert [commit(1), commit(2), commit(3)] == [link.commit for link in links]
    assert [1, 2, 3] == [link.serial for link in links]
    assert ["", links[0].digest, links[1].digest] == [link.previous for link in links]
    assert links[-1] == ledger.state(REPOSITORY, TARGET).applied["payments"]
    assert () == ledger.history(REPOSITORY, "another", "payments")


def test_the_chain_verifies_and_its_head_is_the_newest_entry(ledger):
    report = ledger.verify()
    newest = entries(ledger, limit=1)[0]
    assert (newest.seq, newest.digest, None) == (report.entries, report.head, report.first_bad)


def test_every_entry_follows_the_one_before(ledger):
    newest_first = entries(ledger)
    for later, earlier in pairwise(newest_first):
        assert earlier.digest == later.previous


def test_no_entry_holds_a_plaintext(ledger):
    resource, plain = secret_resource(ledger, "correct-horse-battery")
    write_batch(ledger, a_write(Action.CREATE, resource, secrets=plain), base=3, number=4)
    assert "correct-horse-battery" not in repr(entries(ledger))


SAID = Statement("approve", "approved", TARGET, "production", {"plan": "d" * 64})
NEEDS = ((Right(Category.API_MANAGEMENT, Verb.MANAGE), Scope(Tier.TEAM, "payments")),)


def test_what_is_said_of_a_target_is_an_entry_of_whoever_gave_it(ledger):
    number = ledger.say(a_context("ayse"), SAID, NEEDS)
    ledger.say(a_context("ayse"), replace(SAID, outcome="withdrawn"), NEEDS)
    last, first = entries(ledger, action="approve")
    assert (number, "ayse", "approved") == (first.seq, first.principal, first.outcome)
    assert "withdrawn" == last.outcome
    assert {"plan": "d" * 64} == first.delta
    assert (ResourceId("Target", None, TARGET), "production") == (first.resource, first.environment)


@pytest.mark.parametrize("needs", [NEEDS, ()])
def test_whoever_lacks_a_right_has_no_say_and_leaves_an_entry(ledger, needs):
    with pytest.raises(AccessDenied) as denied:
        ledger.say(a_context("mert"), SAID, needs)
    assert "AO520" == denied.value.code
    (entry,) = entries(ledger, action="approve")
    assert ("mert", "denied", "AO520") == (entry.principal, entry.outcome, entry.delta["code"])
