"""Rotation of the keys that seal: no read fails, nothing stays behind, and a process may die anywhere."""

import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from apiops.errors import AccessDenied, ApiopsError, Conflict, SecretError
from apiops.manager import connect, keyring, providers, rotation, tables
from apiops.manager.fieldcrypt import Place, SealedText, unseal
from apiops.manager.keyring import Ring
from apiops.manager.wrapping import InDevice, InMemory
from apiops.model.audit import AuditQuery, Source
from apiops.model.plan import Action
from apiops.model.secret import SecretValue
from tests import process
from tests.attackers import owner
from tests.managers import (
    ENVIRONMENT,
    a_context,
    a_write,
    found,
    secret_resource,
    settle,
    write_batch,
)

SECRETS = 12
BY = {"principal": "ayse", "context": replace(a_context(), source=Source.ROTATION)}


@pytest.fixture
def full(house):
    """A Manager with a dozen secrets."""
    settle(house.manager)
    made = [secret_resource(house.manager, f"secret-{n}", f"app{n}") for n in range(SECRETS)]
    writes = [a_write(Action.CREATE, one, secrets=plain) for one, plain in made]
    write_batch(house.manager, *writes, base=1, number=2)
    return house


def sealed(house):
    """Every sealed row, with its resource's kind."""
    engine = connect.reader(connect.parse(house.url))
    row, resource = tables.sealed.c, tables.resource.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(row, resource.kind, resource.name).join(
                tables.resource, resource.id == row.resource
            )
        ).all()
    engine.dispose()
    return rows


def kids(house):
    return {row.kid for row in sealed(house)}


def ring(house):
    wrapping = InMemory(keyring.read_file(house.key_file), house.lineage)
    return Ring(wrapping, house.lineage, house.manager.keys.versions())


def opened(house):
    """Every secret by its resource's name, opened with the keys of now."""
    keys = ring(house)
    return {
        row.name: unseal(
            keys.opening_key(row.environment, row.kid),
            Place(row.environment, row.kind, row.resource, row.pointer),
            row.token,
        ).reveal()
        for row in sealed(house)
    }


PLAIN = {f"app{n}": f"secret-{n}".encode() for n in range(SECRETS)}


def test_a_rotation_seals_everything_again_and_changes_no_fingerprint(full):
    before = [found(full.manager, row) for row in (secret_resource(full.manager)[0].id,)]
    prints = {row.name: row.fingerprint for row in sealed(full)}
    full.manager.keys.rotate(ENVIRONMENT, "seal", **BY)
    assert {"v1"} == kids(full)
    assert PLAIN == opened(full)
    assert [5, 5, 2] == list(full.manager.keys.reseal(ENVIRONMENT, most=5, **BY))
    assert {"v2"} == kids(full)
    assert PLAIN == opened(full)
    assert prints == {row.name: row.fingerprint for row in sealed(full)}
    assert before == [found(full.manager, secret_resource(full.manager)[0].id)]


def test_each_value_that_is_sealed_again_is_an_entry_with_who_and_why(full):
    full.manager.keys.rotate(ENVIRONMENT, "seal", **BY)
    assert SECRETS == sum(full.manager.keys.reseal(ENVIRONMENT, **BY))
    entries = list(full.manager.entries(AuditQuery(action="reseal", limit=0)))
    assert SECRETS == len(entries)
    assert {("ayse", "rotation")} == {(one.principal, one.source) for one in entries}
    assert {("v1", "v2")} == {(one.before["kid"], one.after["kid"]) for one in entries}
    assert all("token" not in one.after for one in entries)
    assert full.manager.verify().first_bad is None


def test_an_old_version_is_retired_when_nothing_needs_it_and_then_refused(full):
    keys = full.manager.keys
    token = sealed(full)[0]
    keys.rotate(ENVIRONMENT, "seal", **BY)
    with pytest.raises(SecretError) as refusal:
        keys.retire(ENVIRONMENT, "seal", "v1", **BY)
    assert ("AO733", True) == (refusal.value.code, str(SECRETS) in refusal.value.message)
    list(keys.reseal(ENVIRONMENT, **BY))
    assert "retired" == keys.retire(ENVIRONMENT, "seal", "v1", **BY).state
    assert "retired" == keys.retire(ENVIRONMENT, "seal", "v1", **BY).state
    assert PLAIN == opened(full)
    with pytest.raises(SecretError, match="retired"):
        ring(full).opening_key(token.environment, token.kid)


def test_the_active_version_is_never_retired_and_an_unknown_one_is_named(full):
    for kid, code in (("v1", "AO733"), ("v9", "AO732")):
        with pytest.raises(SecretError) as refusal:
            full.manager.keys.retire(ENVIRONMENT, "seal", kid, **BY)
        assert code == refusal.value.code


def test_keys_of_an_unknown_environment_are_not_rotated(full):
    for environment in ("prodcution", ""):
        with pytest.raises(SecretError) as refusal:
            full.manager.keys.rotate(environment, "seal", **BY)
        assert "AO732" == refusal.value.code


@pytest.mark.parametrize("principal", ["mert", "nobody"])
def test_who_is_no_system_admin_touches_no_key_and_leaves_a_denial(full, principal):
    by = {"principal": principal, "context": a_context(principal)}
    keys = full.manager.keys
    before = keys.versions()
    other = InMemory(bytes(32), full.lineage)
    for act in (
        lambda: keys.rotate(ENVIRONMENT, "seal", **by),
        lambda: list(keys.reseal(ENVIRONMENT, **by)),
        lambda: keys.retire(ENVIRONMENT, "seal", "v1", **by),
        lambda: keys.rewrap(other, **by),
    ):
        with pytest.raises(AccessDenied):
            act()
    denied = list(full.manager.entries(AuditQuery(outcome="denied")))
    wanted = ["key-rewrap", "key-retire", "key-reseal", "key-rotate"]
    assert wanted == [one.action for one in denied]
    assert {principal} == {one.principal for one in denied}
    assert before == keys.versions()


def test_rotation_while_writers_and_readers_work(full):
    """Two rotations with small batches, three writers and two readers, each a process of its own."""
    done = threading.Event()
    broken = []
    threads = [
        threading.Thread(target=work, args=(full.another(), done, broken, act))
        for act in (writes(1), writes(2), writes(3), reads(full), reads(full))
    ]
    for thread in threads:
        thread.start()
    keys = full.another().keys
    for _ in range(2):
        keys.rotate(ENVIRONMENT, "seal", **BY)
        list(keys.reseal(ENVIRONMENT, most=2, **BY))
    done.set()
    for thread in threads:
        thread.join()
    assert [] == broken
    list(keys.reseal(ENVIRONMENT, **BY))  # what a writer sealed between two versions
    assert {"v3"} == kids(full)
    for kid in ("v1", "v2"):
        keys.retire(ENVIRONMENT, "seal", kid, **BY)
    secrets = opened(full)
    assert set(PLAIN) == set(secrets)
    assert any(value.startswith(b"new") for value in secrets.values())  # the writers did write
    assert full.manager.verify().first_bad is None


def work(manager, done, broken, act):
    try:
        act(manager)
        while not done.is_set():
            act(manager)
    except ApiopsError as fault:
        broken.append(fault)


def writes(number):
    def act(manager):
        """Give a credential another secret, as a run would; somebody faster wins."""
        credential, plain = secret_resource(manager, f"new {manager.keys._clock()}", f"app{number}")
        serial = found(manager, credential.id).serial
        head = manager.state("5f1c6a0e" * 5, "production").applied["payments"]
        at = int(head.commit, 16)
        update = a_write(Action.UPDATE, credential, secrets=plain, serial=serial)
        fence = {"base": at, "number": at + 1}
        try:
            write_batch(manager, update, **fence)
        except Conflict:
            return
        except ApiopsError as fault:
            if not fault.retryable:
                raise

    return act


def reads(house):
    def act(manager):
        """Open every secret in one snapshot, as a Worker's bundle does."""
        with manager._snapshot() as connection:
            from apiops.manager import state

            keys = manager._ring.at(state.keys(connection))
            rows = connection.execute(
                select(tables.sealed, tables.resource.c.kind).join(
                    tables.resource, tables.resource.c.id == tables.sealed.c.resource
                )
            ).all()
        assert SECRETS == len(rows)
        for row in rows:
            key = keys.opening_key(row.environment, row.kid)
            unseal(key, Place(row.environment, row.kind, row.resource, row.pointer), row.token)

    return act


PROGRAM = """
import sys
from apiops.manager import embedded
from apiops.model.audit import AuditContext, Reason, Source
from pathlib import Path
context = AuditContext("ayse", "ayse", Reason("yearly"), "r", Source.ROTATION)
by = {"principal": "ayse", "context": context}
with embedded.open_manager(sys.argv[1], key_file=Path(sys.argv[2])) as manager:
    manager.keys.rotate("production", "seal", **by)
    print("rotated", flush=True)
    for count in manager.keys.reseal("production", most=1, **by):
        print("batch", flush=True)
        sys.stdin.readline()
"""


@pytest.mark.parametrize("batches", [0, 1, 5])
def test_a_rotation_that_is_killed_goes_on_where_it_was(full, batches):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, full.url, str(full.key_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=process.environment(),
    ) as rotating:
        assert "rotated\n" == rotating.stdout.readline()
        for _ in range(batches):
            assert "batch\n" == rotating.stdout.readline()
            rotating.stdin.write("\n")
            rotating.stdin.flush()
        rotating.kill()
    assert PLAIN == opened(full)  # both versions open
    assert kids(full) <= {"v1", "v2"}
    list(full.manager.keys.reseal(ENVIRONMENT, **BY))
    assert {"v2"} == kids(full)
    assert "retired" == full.manager.keys.retire(ENVIRONMENT, "seal", "v1", **BY).state
    assert PLAIN == opened(full)
    assert full.manager.verify().first_bad is None


@pytest.mark.parametrize(
    "moved",
    [
        "UPDATE sealed SET pointer = '/other' WHERE resource = (SELECT min(resource) FROM sealed)",
        "UPDATE sealed SET environment = 'test' WHERE resource = (SELECT min(resource) FROM sealed)",
        "UPDATE sealed SET token = (SELECT max(token) FROM sealed)",
    ],
    ids=["field", "environment", "row"],
)
def test_a_token_that_somebody_moved_stops_the_work_and_is_never_garbage(full, moved):
    connection = owner(full)
    connection.execute(moved)
    connection.close()
    with pytest.raises(SecretError) as refusal:
        opened(full)
    assert refusal.value.code in ("AO724", "AO725")
    assert refusal.value.hint


# ── rewrapping ────────────────────────────────────────────────────────────────────────────────


def test_rewrapping_moves_every_key_to_another_wrapping_key_at_once(full, tmp_path):
    token = full.manager.keys.issue({"exp": full.clock.at.timestamp() + 60})
    other = tmp_path / "other.key"
    wrapping = providers.made_file(other)(full.lineage)
    versions = full.manager.keys.rewrap(wrapping, **BY)
    assert {wrapping.kid} == {one.wrapped.kid for one in full.manager.keys.versions()}
    assert 3 == len(versions)
    with pytest.raises(SecretError) as refusal:
        full.another()
    assert "AO723" == refusal.value.code
    full.key_file = other
    assert PLAIN == opened(full)
    kid = token.split(".")[0]
    assert kid == full.another().keys.issue({"exp": full.clock.at.timestamp() + 60}).split(".")[0]


def test_the_log_says_which_wrapping_key_holds_a_key_and_never_the_key(full, tmp_path):
    before = {one.wrapped.kid for one in full.manager.keys.versions()}
    wrapping = providers.made_file(tmp_path / "other.key")(full.lineage)
    full.manager.keys.rewrap(wrapping, **BY)
    entries = list(full.manager.entries(AuditQuery(action="key-update")))
    assert before == {one.before["wrapper"] for one in entries}
    assert {wrapping.kid} == {one.after["wrapper"] for one in entries}
    assert {"/wrapper"} == {change["path"] for one in entries for change in one.delta}


class Device:
    """A stand-in for a device: it wraps with AES-GCM and shows its key to nobody."""

    def __init__(self, kid="hsm-1", key=bytes(32)):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.kid = kid
        self._cipher = AESGCM(key)

    def wrap(self, key, bound):
        return bytes(12) + self._cipher.encrypt(bytes(12), key, bound)

    def unwrap(self, wrapped, bound):
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(wrapped[:12], wrapped[12:], bound)
        except InvalidTag:
            raise SecretError("the device refuses", code="AO724") from None


def test_keys_in_a_device_are_wrapped_and_opened_by_it(full):
    device = InDevice(Device())
    full.manager.keys.rewrap(device, **BY)
    versions = full.manager.keys.versions()
    assert {"apw1.hsm-1"} == {one.wrapped.token.rpartition(".")[0] for one in versions}
    keys = Ring(device, full.lineage, versions)
    row = sealed(full)[0]
    place = Place(row.environment, row.kind, row.resource, row.pointer)
    key = keys.opening_key(row.environment, row.kid)
    assert PLAIN[row.name] == unseal(key, place, row.token).reveal()


def test_a_device_with_another_key_or_another_place_opens_nothing():
    device = InDevice(Device())
    place = Place("production", "keyring", "m1", "/seal/v1")
    wrapped = device.wrap(place, SecretValue(bytes(32)))
    assert SecretValue(bytes(32)) == device.unwrap(place, wrapped)
    for other, where in (
        (InDevice(Device(key=bytes(31) + b"x")), place),
        (device, replace(place, environment="test")),
        (device, replace(place, field="/seal/v2")),
    ):
        with pytest.raises(SecretError):
            other.unwrap(where, wrapped)
    for damaged in ("apw1.hsm-1.", "apf1.hsm-1.AAAA", "apw1.hsm-1.!"):
        with pytest.raises(SecretError):
            device.unwrap(place, SealedText(damaged))


@pytest.mark.parametrize("kid", ["", "a.b", "a b", "x" * 65])
def test_a_device_names_its_key_so_that_a_token_can_carry_it(kid):
    with pytest.raises(SecretError) as refusal:
        InDevice(Device(kid))
    assert "AO721" == refusal.value.code


def test_only_purposes_that_rotate_are_offered():
    assert ("seal", "sign", "checkpoint") == rotation.ROTATED
