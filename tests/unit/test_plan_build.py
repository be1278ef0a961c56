"""From two states to a plan: which changes there are, and what each is bound to."""

from dataclasses import replace

import pytest

from apiops.errors import PlanRefused
from apiops.model.audit import LedgerState
from apiops.model.diagnostic import Location
from apiops.model.plan import Action, FieldChange
from apiops.model.resource import Deployment, state_digest
from apiops.plan import build
from tests.builders import (
    HEAD,
    OTHER_REPOSITORY,
    REPOSITORY,
    a_change,
    a_desired,
    a_leaf,
    a_live,
    a_plan,
    a_proxy,
    a_resource,
    an_id,
    an_ip_group,
    applied,
    built,
    held,
    planned,
)


def actions(plan):
    return [(change.action.value, change.id.name, change.environment) for change in plan.changes]


def test_nothing_is_planned_when_live_is_as_desired():
    proxy = a_proxy("orders", "production")
    plan = planned([proxy], a_live([held(proxy, "production")]))
    assert plan.changes == ()
    assert plan.unchanged == 1


def test_what_is_only_desired_is_created_and_then_deployed():
    plan = planned([a_proxy("orders", "production")], a_live())
    assert actions(plan) == [("create", "orders", None), ("deploy", "orders", "production")]


def test_all_that_is_new_of_a_resource_is_shown_where_its_document_begins():
    plan = planned(
        [a_proxy("orders", "production")],
        a_live(),
        locate=lambda _, path: Location("orders.yaml", 30 if path else 1, 1),
    )
    assert [Location("orders.yaml", 1, 1)] * 2 == [change.location for change in plan.changes]


def test_what_is_only_live_and_ours_is_undeployed_and_then_deleted():
    other = an_ip_group()
    plan = planned([other], a_live([held(a_proxy(), "production"), held(other)]))
    assert actions(plan) == [("undeploy", "orders", "production"), ("delete", "orders", None)]


def test_a_changed_field_is_an_update_with_its_position_and_the_live_serial():
    place = Location("payments/orders.yaml", 9, 5)
    built_ = built(
        [a_proxy(description="new")],
        a_live([held(a_proxy(description="old"), serial=7)]),
        locate=lambda _, path: place if path == ("spec", "description") else None,
    )
    (update,) = built_.plan.changes
    assert (FieldChange("spec.description", "old", "new", location=place),) == update.fields
    assert (update.action, update.serial) == (Action.UPDATE, 7)
    assert {update.id: {"type": "REVERSE_PROXY", "description": "new"}} == built_.results


def test_an_update_of_a_running_proxy_deploys_it_again_with_the_new_digest():
    plan = planned(
        [a_proxy("orders", "production", description="new")],
        a_live([held(a_proxy("orders", description="old"), "production")]),
    )
    assert actions(plan) == [("update", "orders", None), ("deploy", "orders", "production")]
    assert plan.changes[0].digest == plan.changes[1].digest


@pytest.mark.parametrize("owner", [None, REPOSITORY])
def test_what_is_live_already_and_the_same_is_taken_in_without_a_field(owner):
    plan = planned([a_proxy()], a_live([held(a_proxy(), owner=owner)]))
    assert [(owner is None, ())] * (owner is None) == [(c.adopts, c.fields) for c in plan.changes]


def test_what_is_live_already_and_differs_is_adopted_with_its_fields():
    live = held(a_proxy(description="theirs"), owner=None, applied=None)
    (update,) = planned([a_proxy(description="ours")], a_live([live])).changes
    assert update.adopts
    assert ["spec.description"] == [field.path for field in update.fields]


def test_adopting_does_not_take_back_what_another_author_wrote():
    theirs = held(a_proxy(settings={"cors": {"corsActive": True}}), owner=OTHER_REPOSITORY)
    found = built([a_proxy(settings={})], a_live([theirs]))
    assert {"corsActive": True} == found.results[theirs.id]["settings"]["cors"]


def test_a_rename_is_one_update():
    new = replace(a_proxy("orders-v2"), renamed_from=("orders",))
    plan = planned([new], a_live([held(a_proxy("orders"), serial=3)]))
    (rename,) = plan.changes
    assert (Action.UPDATE, "orders", 3) == (rename.action, rename.renamed_from, rename.serial)
    assert an_id(name="orders-v2") == rename.id


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        pytest.param([], ["create new"], id="the-old-one-never-was"),
        pytest.param([("new", REPOSITORY)], [], id="it-was-done-already"),
        pytest.param([("old", OTHER_REPOSITORY)], ["create new"], id="the-old-one-is-not-ours"),
        pytest.param([("old", None)], ["create new"], id="the-old-one-is-nobodys"),
        pytest.param(
            [("old", REPOSITORY), ("new", REPOSITORY)], ["delete old"], id="both-are-there"
        ),
    ],
)
def test_a_former_name_counts_only_while_it_can_be_renamed(live, expected):
    new = replace(a_proxy("new"), renamed_from=("old",))
    there = [held(a_proxy(name), owner=owner) for name, owner in live]
    plan = planned([new], a_live(there))
    assert expected == [f"{change.action} {change.id.name}" for change in plan.changes]


def test_a_former_name_that_another_document_has_is_not_taken_from_it():
    new = replace(a_proxy("new"), renamed_from=("old",))
    plan = planned([new, a_proxy("old")], a_live([held(a_proxy("old"))]))
    assert [("create", "new", None)] == actions(plan)


def test_another_case_is_a_rename_where_names_ignore_case():
    old, new = (a_resource("Connection", name, spec={"type": "kafka"}) for name in ("Logs", "logs"))
    (rename,) = planned([new], a_live([held(old)])).changes
    assert (Action.UPDATE, "Logs") == (rename.action, rename.renamed_from)


def test_a_change_in_the_manager_is_called_drift_and_a_change_in_git_is_not():
    was, now = a_proxy(description="was"), a_proxy(description="now")
    by_hand = replace(held(was), spec=held(now).spec, digest=held(now).digest)
    assert [True] == [change.drifted for change in planned([was], a_live([by_hand])).changes]
    assert [False] == [change.drifted for change in planned([now], a_live([held(was)])).changes]


def test_what_somebody_else_set_where_the_kind_merges_is_no_drift():
    ours = a_proxy(settings={"cache": {"cacheActive": True}})
    theirs = {**ours.spec, "settings": {**ours.spec["settings"], "cors": {"corsActive": True}}}
    live = replace(held(ours), spec=theirs, digest=state_digest(theirs, {}))
    assert () == planned([ours], a_live([live])).changes


def test_a_field_that_the_author_takes_back_goes():
    before = a_proxy(settings={"cache": {"cacheActive": True}})
    plan = planned([a_proxy(settings={})], a_live([held(before)]))
    assert ["spec.settings.cache"] == [field.path for field in plan.changes[0].fields]


def test_labels_and_protection_are_part_of_what_is_compared():
    new = replace(a_proxy(), labels={"team": "core"}, protected=True)
    (update,) = planned([new], a_live([held(a_proxy())])).changes
    assert [
        ("metadata.labels.team", None, "core"),
        ("metadata.protected", False, True),
    ] == [(field.path, field.before, field.after) for field in update.fields]


def test_a_proxy_that_runs_as_something_older_is_deployed_again():
    live = held(a_proxy("orders"), deployments=(Deployment("production", "0" * 64),))
    plan = planned([a_proxy("orders", "production")], a_live([live]))
    assert [("deploy", "orders", "production")] == actions(plan)
    assert live.digest == plan.changes[0].digest


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param({}, [], id="left-out-is-unmanaged"),
        pytest.param({"deployments": None}, [("undeploy", "orders", "test")], id="null-is-nowhere"),
        pytest.param({"deployments": []}, [("undeploy", "orders", "test")], id="empty-is-nowhere"),
        pytest.param(
            {"deployments": [{"environment": "production"}]},
            [("deploy", "orders", "production"), ("undeploy", "orders", "test")],
            id="elsewhere",
        ),
    ],
)
def test_deployments_follow_what_is_desired(wanted, expected):
    plan = planned([a_proxy("orders", **wanted)], a_live([held(a_proxy("orders"), "test")]))
    assert expected == actions(plan)


def test_a_stopped_unit_is_neither_changed_nor_pruned():
    live = a_live([held(an_ip_group("old")), held(an_ip_group("group", "10.0.0.1"))])
    desired = a_desired([an_ip_group("group", "10.0.0.2")], stopped={"payments": "AO201"})
    plan = planned(desired, live)
    assert ((), 0, {"payments": "AO201"}) == (plan.changes, plan.unchanged, plan.stopped)


def test_without_a_key_a_plan_says_what_it_could_not_compare():
    def credential(leaf):
        return a_resource("Credential", "shop", spec={"password": leaf})

    live = held(credential(a_leaf("f1", cipher="c1")))
    plan = planned([credential(a_leaf(None, cipher="c2"))], a_live([live]))
    assert [((), ("spec.password",))] == [(c.fields, c.uncompared) for c in plan.changes]
    assert () == planned([credential(a_leaf(None, cipher="c1"))], a_live([live])).changes


def test_a_plan_names_what_it_is_bound_to():
    live = a_live(ledger=LedgerState(applied={"payments": applied("payments", "b" * 40)}))
    plan = planned([a_proxy()], live)
    assert {"payments": "b" * 40} == plan.base
    assert (REPOSITORY, "manager-1", live.permissions) == (
        plan.repository,
        plan.lineage,
        plan.permissions,
    )


def test_the_digest_is_of_the_commit_not_of_the_name_it_was_found_by():
    tag = replace(HEAD, ref="refs/tags/v1")
    assert a_plan().digest == a_plan(head=tag).digest
    assert a_plan().digest != a_plan(head=replace(HEAD, commit="c" * 40)).digest


@pytest.mark.parametrize("length", [8, 12, 64])
def test_an_approved_digest_may_be_cut(length):
    plan = a_plan()
    build.check(plan, plan.digest[:length])


@pytest.mark.parametrize(
    ("approved", "code"),
    [
        ("", "AO621"),
        ("1234567", "AO621"),
        ("0" * 65, "AO621"),
        ("DEADBEEF", "AO621"),
        ("deadbeef\n", "AO621"),
        ("é" * 8, "AO621"),
        ("00000000", "AO620"),
        ("0" * 64, "AO620"),
    ],
)
def test_another_digest_is_not_an_approval(approved, code):
    with pytest.raises(PlanRefused) as refused:
        build.check(a_plan(), approved)
    assert code == refused.value.code


@pytest.mark.parametrize(
    ("moved", "named"),
    [
        pytest.param({"head": replace(HEAD, commit="c" * 40)}, "head 8d2f01c → ccccccc", id="head"),
        pytest.param({"base": {"payments": "b" * 40}}, "applied revision of payments", id="base"),
        pytest.param({"permissions": "f" * 64}, "permissions", id="permissions"),
        pytest.param({"engine": "0.2.0"}, "engine 0.1.0 → 0.2.0", id="engine"),
        pytest.param({"lineage": "manager-2"}, "Manager manager-1 → manager-2", id="manager"),
        pytest.param({"target": "test"}, "target production → test", id="target"),
        pytest.param({"repository": "e" * 40}, "repository", id="repository"),
        pytest.param({"unchanged": 3}, "the changes", id="something-else"),
    ],
)
def test_a_stale_plan_is_refused_and_says_what_moved(moved, named):
    with pytest.raises(PlanRefused) as refused:
        build.same(a_plan(), a_plan(**moved))
    assert "AO622" == refused.value.code
    assert named in refused.value.message


def test_a_live_resource_that_was_written_since_is_named():
    stored, fresh = a_plan(a_change(serial=4)), a_plan(a_change(serial=5))
    with pytest.raises(PlanRefused, match=r"ApiProxy/payments/orders \(serial 4 → 5\)"):
        build.same(stored, fresh)


def test_a_plan_that_is_still_the_plan_passes():
    build.same(a_plan(a_change()), a_plan(a_change()))


def a_jwk(fingerprint, description=""):
    key = {"type": "COPY_PASTE", "kid": "one", "jwkStr": a_leaf(fingerprint)}
    return a_resource("Jwk", "partners", spec={"description": description, "source": key})


@pytest.mark.parametrize(
    ("fingerprint", "expected"),
    [
        pytest.param("f1", [Action.UPDATE], id="the-same-secret"),
        pytest.param(None, [Action.UPDATE], id="a-secret-that-was-not-opened"),
        pytest.param("f2", [Action.DELETE, Action.CREATE], id="another-secret"),
    ],
)
def test_a_secret_in_a_field_that_cannot_change_replaces_only_when_it_is_another(
    fingerprint, expected
):
    plan = planned([a_jwk(fingerprint, "new words")], a_live([held(a_jwk("f1"))]))
    assert expected == [change.action for change in plan.changes]
