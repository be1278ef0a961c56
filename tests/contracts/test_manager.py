"""What every Manager promises, on SQLite, on PostgreSQL, and what the fake promises with them."""

import hashlib

import pytest

from apiops.errors import AccessDenied, Conflict, ManagerUnavailable, SecretError
from apiops.model.audit import AuditQuery, Introduction
from apiops.model.outcome import Result
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from apiops.model.secret import SecretLeaf, SecretValue, leaf_of
from tests.managers import (
    ENVIRONMENT,
    REPOSITORY,
    TARGET,
    a_context,
    a_resource,
    a_write,
    commit,
    found,
    secret_resource,
    settle,
    write_batch,
)

CREATE, UPDATE, DELETE = Action.CREATE, Action.UPDATE, Action.DELETE
DEPLOY, UNDEPLOY = Action.DEPLOY, Action.UNDEPLOY

OFFICE = a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]})
WIDER = a_resource("IpGroup", "office", {"ipList": ["10.0.0.0/8"]})
PROXY = a_resource(
    "ApiProxy",
    "orders",
    {"type": "REVERSE_PROXY", "deployments": [{"environment": ENVIRONMENT, "persistent": True}]},
)


@pytest.fixture
def settled(manager):
    settle(manager)
    return manager


def state(manager):
    live = manager.read(REPOSITORY, TARGET)
    return live.resources, dict(live.ledger.applied)


def test_a_new_manager_holds_its_first_admin_and_nothing_else(manager):
    live = manager.read(REPOSITORY, TARGET)
    assert [ResourceId("User", None, "ayse")] == [one.id for one in live.resources]
    assert frozenset({"ayse"}) == live.grants.enabled
    assert {} == live.ledger.applied
    assert live.ledger.introduction is None


def test_a_created_resource_is_read_back_as_it_was_written(settled):
    (outcome,) = write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    held = found(settled, OFFICE.id)
    assert Result.DONE == outcome.result
    assert OFFICE.spec == held.spec
    assert OFFICE.spec == held.applied
    assert outcome.change.digest == held.digest
    assert (REPOSITORY, 1) == (held.owner, held.serial)


def test_resources_are_read_in_the_order_of_their_identities(settled):
    ids = [one.id for one in settled.read(REPOSITORY, TARGET).resources]
    assert sorted(ids, key=lambda one: one.order) == ids


def test_a_reader_may_ask_for_some_resources_alone(settled):
    proxy = a_resource("ApiProxy", "orders", {"type": "REVERSE_PROXY"})
    write_batch(settled, a_write(CREATE, OFFICE), a_write(CREATE, proxy), base=1, number=2)
    whole = settled.read(REPOSITORY, TARGET)
    missing = ResourceId("IpGroup", "payments", "orders")
    some = settled.read(REPOSITORY, TARGET, [OFFICE.id, missing])
    (held,) = some.resources
    assert (OFFICE.id, OFFICE.spec) == (held.id, held.spec)
    assert (found(settled, OFFICE.id).digest, 1) == (held.digest, held.serial)
    assert () == settled.read(REPOSITORY, TARGET, ()).resources
    assert (whole.ledger, whole.permissions) == (some.ledger, some.permissions)


def test_an_update_raises_the_serial_and_keeps_the_identity(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    write_batch(settled, a_write(UPDATE, WIDER, serial=1), base=2, number=3)
    held = found(settled, OFFICE.id)
    assert (WIDER.spec, 2) == (held.spec, held.serial)


def test_a_deleted_resource_is_gone(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    write_batch(settled, a_write(DELETE, OFFICE, serial=1), base=2, number=3)
    assert found(settled, OFFICE.id) is None


def test_delete_and_create_of_one_identity_replace_it_in_one_batch(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    write_batch(
        settled, a_write(DELETE, OFFICE, serial=1), a_write(CREATE, WIDER), base=2, number=3
    )
    held = found(settled, OFFICE.id)
    assert (WIDER.spec, 1) == (held.spec, held.serial)


def test_a_rename_keeps_the_resource(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    branch = a_resource("IpGroup", "branch", OFFICE.spec)
    write_batch(settled, a_write(UPDATE, branch, serial=1, renamed_from="office"), base=2, number=3)
    assert found(settled, OFFICE.id) is None
    assert 2 == found(settled, branch.id).serial


def test_a_deployment_is_live_state_of_its_own(settled):
    deploy = a_write(DEPLOY, PROXY, environment=ENVIRONMENT)
    write_batch(settled, a_write(CREATE, PROXY), deploy, base=1, number=2)
    held = found(settled, PROXY.id)
    assert [{"environment": ENVIRONMENT, "persistent": True}] == held.spec["deployments"]
    assert [(ENVIRONMENT, held.digest, 1)] == [
        (one.environment, one.digest, one.revision) for one in held.deployments
    ]


def test_a_deployment_keeps_its_digest_when_the_resource_moves_on(settled):
    deploy = a_write(DEPLOY, PROXY, environment=ENVIRONMENT)
    write_batch(settled, a_write(CREATE, PROXY), deploy, base=1, number=2)
    before = found(settled, PROXY.id)
    changed = a_resource("ApiProxy", "orders", {"type": "AI", "deployments": []})
    write_batch(settled, a_write(UPDATE, changed, serial=before.serial), base=2, number=3)
    after = found(settled, PROXY.id)
    assert before.digest != after.digest
    assert before.digest == after.deployments[0].digest


def test_an_undeployment_raises_the_serial_and_ends_the_deployment(settled):
    deploy = a_write(DEPLOY, PROXY, environment=ENVIRONMENT)
    write_batch(settled, a_write(CREATE, PROXY), deploy, base=1, number=2)
    before = found(settled, PROXY.id)
    stop = a_write(UNDEPLOY, PROXY, environment=ENVIRONMENT, serial=before.serial)
    write_batch(settled, stop, base=2, number=3)
    after = found(settled, PROXY.id)
    assert () == after.deployments
    assert [] == after.spec["deployments"]
    assert before.serial < after.serial


def test_a_secret_is_held_as_environment_and_fingerprint_alone(settled):
    resource, plain = secret_resource(settled)
    write_batch(settled, a_write(CREATE, resource, secrets=plain), base=1, number=2)
    node = found(settled, resource.id).spec["password"]
    wanted = settled.fingerprint(resource.id, "/password", ENVIRONMENT, plain["/password"])
    assert SecretLeaf(ENVIRONMENT, wanted) == leaf_of(node)


def test_a_fingerprint_is_bound_to_value_environment_and_place(manager):
    id, other = ResourceId("Credential", "cards", "a"), ResourceId("Credential", "cards", "b")
    value = SecretValue("same")
    prints = {
        manager.fingerprint(id, "/password", "production", value),
        manager.fingerprint(other, "/password", "production", value),
        manager.fingerprint(id, "/other", "production", value),
        manager.fingerprint(id, "/password", "test", value),
        manager.fingerprint(id, "/password", "production", SecretValue("other")),
    }
    assert 5 == len(prints)
    assert manager.fingerprint(id, "/password", "production", SecretValue("same")) in prints


def test_a_secret_that_stays_needs_no_plaintext(settled):
    resource, plain = secret_resource(settled)
    write_batch(settled, a_write(CREATE, resource, secrets=plain), base=1, number=2)
    changed, _ = secret_resource(settled, description="now described")
    write_batch(settled, a_write(UPDATE, changed, serial=1), base=2, number=3)
    assert "now described" == found(settled, resource.id).spec["description"]


def test_a_new_secret_without_its_plaintext_is_refused(settled):
    resource, _ = secret_resource(settled)
    before = state(settled)
    with pytest.raises(SecretError):
        write_batch(settled, a_write(CREATE, resource), base=1, number=2)
    assert before == state(settled)


def test_files_come_with_their_resource(settled):
    content = b"openapi: 3.0.0\n"
    digest = hashlib.sha256(content).hexdigest()
    proxy = a_resource("ApiProxy", "files", {"source": {"file": "x", "fileDigest": digest}})
    write_batch(settled, a_write(CREATE, proxy, files={digest: content}), base=1, number=2)
    assert proxy.spec["source"] == found(settled, proxy.id).spec["source"]


def test_a_stale_serial_is_a_conflict_and_nothing_of_the_batch_stays(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    before = state(settled)
    other = a_resource("IpGroup", "branch", {"ipList": []})
    with pytest.raises(Conflict):
        write_batch(
            settled, a_write(CREATE, other), a_write(UPDATE, WIDER, serial=7), base=2, number=3
        )
    assert before == state(settled)


def test_creating_what_is_there_and_updating_what_is_not_are_conflicts(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    absent = a_resource("IpGroup", "absent", {})
    for write in (a_write(CREATE, OFFICE), a_write(UPDATE, absent, serial=1)):
        with pytest.raises(Conflict):
            write_batch(settled, write, base=2, number=3)


def test_content_that_is_not_what_was_planned_is_a_conflict(settled):
    with pytest.raises(Conflict):
        write_batch(settled, a_write(CREATE, OFFICE, digest="0" * 64), base=1, number=2)


def test_a_unit_that_moved_on_is_a_conflict(settled):
    with pytest.raises(Conflict):
        write_batch(settled, a_write(CREATE, OFFICE), base=None, number=2)


def test_a_batch_without_writes_still_moves_the_unit(settled):
    assert () == write_batch(settled, base=1, number=2)
    assert commit(2) == settled.read(REPOSITORY, TARGET).ledger.applied["payments"].commit


def test_a_principal_without_the_right_is_denied_and_the_denial_is_an_entry(settled):
    before = state(settled)
    write = a_write(CREATE, OFFICE, by="mert")
    with pytest.raises(AccessDenied):
        write_batch(settled, write, base=1, number=2)
    (entry,) = settled.entries(AuditQuery(limit=1))
    assert before == state(settled)
    assert ("denied", "create", OFFICE.id) == (entry.outcome, entry.action, entry.resource)
    assert "mert" == entry.principal


def test_every_principal_of_a_change_must_hold_the_right(settled):
    write = a_write(CREATE, OFFICE, principals=("ayse", "mert"))
    with pytest.raises(AccessDenied):
        write_batch(settled, write, base=1, number=2)


def test_a_change_that_nobody_answers_for_is_denied(settled):
    with pytest.raises(AccessDenied):
        write_batch(settled, a_write(CREATE, OFFICE, principals=()), base=1, number=2)


def test_rights_that_a_batch_gives_do_not_count_in_the_same_batch(settled):
    member = a_resource("Membership", "mert", {"user": "mert", "roles": ["Project Owner"]})
    with pytest.raises(AccessDenied):
        write_batch(
            settled, a_write(CREATE, member), a_write(CREATE, OFFICE, by="mert"), base=1, number=2
        )
    write_batch(settled, a_write(CREATE, member), base=1, number=2)
    write_batch(settled, a_write(CREATE, OFFICE, by="mert"), base=2, number=3)
    assert found(settled, OFFICE.id) is not None


def test_another_repositorys_resource_is_left_alone(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    with settled.lease(f"other/{TARGET}", "run-other") as fence, pytest.raises(Conflict):
        write_batch(
            settled, a_write(UPDATE, WIDER, serial=1), repository="other", fence=fence, number=2
        )


def test_a_lease_is_held_by_one_run_at_a_time(manager):
    with manager.lease("name", "first") as fence:
        with pytest.raises(ManagerUnavailable), manager.lease("name", "second"):
            pass
        with manager.lease("another", "second"):
            pass
    with manager.lease("name", "second") as later:
        assert fence < later


def test_a_late_holder_is_refused_by_its_fence(settled):
    name = f"{REPOSITORY}/{TARGET}"
    with settled.lease(name, "first") as old:
        pass
    with settled.lease(name, "second"), pytest.raises(Conflict):
        write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2, fence=old)


def test_a_write_without_the_lease_is_refused(settled):
    with pytest.raises(Conflict):
        write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2, fence=0)


def test_a_persons_own_change_moves_no_unit_and_no_inventory(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    before = settled.read(REPOSITORY, TARGET).ledger
    context = a_context(run="console-1")
    outcome = settled.change(
        OFFICE.id, {"description": "by hand"}, principal="ayse", context=context
    )
    held = found(settled, OFFICE.id)
    assert Result.DONE == outcome.result
    assert {**OFFICE.spec, "description": "by hand"} == held.spec
    assert OFFICE.spec == held.applied
    assert REPOSITORY == held.owner
    assert before == settled.read(REPOSITORY, TARGET).ledger


def test_a_person_without_the_right_cannot_change_by_hand(settled):
    write_batch(settled, a_write(CREATE, OFFICE), base=1, number=2)
    with pytest.raises(AccessDenied):
        settled.change(OFFICE.id, {"x": 1}, principal="mert", context=a_context("mert"))
    assert OFFICE.spec == found(settled, OFFICE.id).spec


def test_an_introduction_is_recorded_once_and_stands(settled):
    known = Introduction(REPOSITORY, TARGET, commit(1), "ayse")
    assert known == settled.read(REPOSITORY, TARGET).ledger.introduction
    write_batch(settled, base=1, number=2, introduction=known)
    other = Introduction(REPOSITORY, TARGET, commit(9), "ayse")
    with pytest.raises(Conflict):
        write_batch(settled, base=2, number=3, introduction=other)


def test_a_stranger_cannot_approve_an_introduction(manager):
    introduction = Introduction(REPOSITORY, TARGET, commit(1), "nobody")
    with pytest.raises(AccessDenied):
        write_batch(manager, unit="system", introduction=introduction)
