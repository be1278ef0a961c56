"""There is one way to the Manager's store, and `access.decide` stands in it.

The import rule of pyproject.toml keeps others from the writer, the scans keep others from making
the proofs that it wants, and the rest tries every method of a unit with bad proofs.
"""

import ast
import copy
import inspect
import pickle
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apiops.access import decide, grants
from apiops.errors import AccessDenied
from apiops.manager import connect, fieldcrypt, state, tables
from apiops.manager.keyring import KeyVersion
from apiops.manager.state import Held, Running
from apiops.manager.store import Store, Unit
from apiops.model.access import Category, Right, Scope, Tier, Verb
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from apiops.model.token import AccessToken, Holder
from tests.managers import House, a_context, a_resource, a_write, settle, write_batch
from tests.permissions import WORLD, snapshot

ROOT = Path(__file__).parents[2]
PACKAGE = sorted((ROOT / "apiops").rglob("*.py"))

GUARDED = frozenset(
    {"create", "update", "delete", "run", "seal", "unseal", "attach", "open", "set_key", "reseal"}
    | {"add_token", "revoke_token", "fetch"}
)
"""The methods of a unit that change, deploy or add to a resource, or give out a secret of it."""

UNGUARDED = {
    "because": "names the reason of what follows; writes nothing",
    "start": "takes the permission snapshot; writes nothing",
    "finish": "compares the log with what was written",
    "advance": "the ledger: the chain of applied revisions, after permitted writes",
    "introduce": "the ledger: where trust begins, judged before",
    "add_key": "key versions, wrapped; no resource",
    "found": "the first admin, before anybody has rights, and only in an empty Manager",
    "deny": "records a denial in the log",
    "forget": "former secrets of runs that are too long ago, after permitted writes",
    "event": "records what happened without a change",
}
"""Every other method of a unit, and why it needs no permit."""


def calls(name: str) -> Iterator[str]:
    """The files in which something of that name is called."""
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                if name == getattr(called, "id", None) or name == getattr(called, "attr", None):
                    yield path.relative_to(ROOT / "apiops").as_posix()


def names(name: str) -> set[str]:
    """The files in which a name occurs at all."""
    return {
        path.relative_to(ROOT / "apiops").as_posix()
        for path in PACKAGE
        if name in path.read_text(encoding="utf-8")
    }


@pytest.mark.parametrize("proof", ["Permit", "Sight"])
def test_only_the_deciding_function_makes_proofs(proof: str) -> None:
    assert {"access/decide.py"} == set(calls(proof))


def test_nobody_else_has_the_mint() -> None:
    assert {"access/decide.py"} == names("_MINT")


@pytest.mark.parametrize("door", ["Store", "Unit"])
def test_only_the_embedded_manager_opens_the_writer(door: str) -> None:
    assert {"manager/embedded.py", "manager/init.py", "manager/store.py"} >= set(calls(door))


def test_the_import_rule_says_the_same() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rules = settings["tool"]["importlinter"]["contracts"]
    (rule,) = (one for one in rules if "apiops.manager.store" in one.get("protected_modules", ()))
    importers = {
        f"apiops.{path.relative_to(ROOT / 'apiops').with_suffix('').as_posix().replace('/', '.')}"
        for path in PACKAGE
        if "apiops.manager.store import" in path.read_text(encoding="utf-8")
        or "from apiops.manager import store" in path.read_text(encoding="utf-8")
    }
    assert ("protected", importers) == (rule["type"], set(rule["allowed_importers"]))


def test_the_manager_opens_the_database_for_writing_in_one_place() -> None:
    assert {"manager/embedded.py", "manager/init.py"} >= set(calls("writer"))


def test_every_method_of_a_unit_is_guarded_or_says_why_not() -> None:
    public = {name for name, _ in inspect.getmembers(Unit, inspect.isfunction) if name[0] != "_"}
    assert public == GUARDED | UNGUARDED.keys()
    assert GUARDED == {
        name for name in public if "permits" in inspect.signature(getattr(Unit, name)).parameters
    }


HELD = Held(
    key="11111111-1111-4111-8111-111111111111",
    id=ResourceId("ApiProxy", "payments", "orders"),
    spec={"type": "REVERSE_PROXY"},
    labels={},
    protected=False,
    digest="d" * 64,
    serial=1,
    owner=None,
    applied=None,
    secrets={"/password": ("production", "fp")},
)
RUNNING = Running("production", active=True, persistent=None, digest="d" * 64, revision=1, serial=1)
KEY = KeyVersion(
    "",
    "digest",
    "v1",
    "retired",
    fieldcrypt.SealedText("apf1.k.x"),
    datetime(2026, 3, 1, tzinfo=UTC),
)
TOKEN = AccessToken(
    *("0" * 16, "mert", "laptop", Holder.PERSON, ("read",), "ayse"),
    created=datetime(2026, 3, 1, tzinfo=UTC),
    expires=datetime(2027, 3, 1, tzinfo=UTC),
)
TRIES: dict[str, Callable[[Unit, tuple[decide.Permit, ...]], object]] = {
    "create": lambda unit, permits: unit.create(permits, HELD),
    "update": lambda unit, permits: unit.update(permits, HELD),
    "delete": lambda unit, permits: unit.delete(permits, HELD),
    "run": lambda unit, permits: unit.run(permits, HELD, RUNNING),
    "seal": lambda unit, permits: unit.seal(
        permits, HELD, "/password", "production", fieldcrypt.SealedText("apf1.k.x"), "fp"
    ),
    "unseal": lambda unit, permits: unit.unseal(permits, HELD, "/password"),
    "attach": lambda unit, permits: unit.attach(permits, HELD, "d" * 64, b"content"),
    "set_key": lambda unit, permits: unit.set_key(permits, KEY),
    "reseal": lambda unit, permits: unit.reseal(
        permits, tables.sealed, HELD.key, "/password", KEY.wrapped, KEY.wrapped
    ),
    "open": lambda unit, permits: unit.open(permits, HELD, "/password"),
    "fetch": lambda unit, permits: unit.fetch(permits, "production", {}),
    "add_token": lambda unit, permits: unit.add_token(permits, TOKEN, "0" * 64),
    "revoke_token": lambda unit, permits: unit.revoke_token(permits, TOKEN),
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(f"sqlite:///{tmp_path / 'manager.db'}", tmp_path / "manager.key") as house:
        settle(house.manager)
        yield house


def other_permits(unit: Unit) -> Iterator[tuple[decide.Permit, ...]]:
    """No permit; one for less; one for elsewhere; one of another moment."""
    yield ()
    team = Scope(Tier.TEAM, "payments")
    yield (decide.permit(unit.grants, "ayse", Verb.VIEW, Category.API_MANAGEMENT, team),)
    yield (decide.permit(unit.grants, "ayse", Verb.MANAGE, Category.CONNECTIONS, team),)
    earlier = snapshot(WORLD)
    for verb in (Verb.MANAGE, Verb.DEPLOY_UNDEPLOY):
        needs = [(Right(Category.API_MANAGEMENT, verb), team)]
        needs += [(needs[0][0], Scope(Tier.TEAM, "payments", "production"))]
        yield decide.permits(earlier, "alice", needs)


def test_all_guarded_methods_are_tried() -> None:
    assert GUARDED == TRIES.keys()


@pytest.mark.parametrize("method", sorted(TRIES))
def test_a_unit_refuses_without_the_permit_of_this_moment(house: House, method: str) -> None:
    before = house.manager.verify()
    store = Store(connect.writer(connect.parse(house.url)), house.clock)
    try:
        with store.unit(a_context()) as unit:
            for permits in other_permits(unit):
                with pytest.raises(AccessDenied) as refused:
                    TRIES[method](unit, permits)
                assert "AO716" == refused.value.code
    finally:
        store.close()
    assert before == house.manager.verify()


def test_a_permit_cannot_be_made_copied_into_another_or_carried_over() -> None:
    held = snapshot(WORLD)
    scope = Scope(Tier.TEAM, "payments")
    right = Right(Category.API_MANAGEMENT, Verb.MANAGE)
    permit = decide.permit(held, "alice", right.verb, right.category, scope)
    with pytest.raises(TypeError):
        decide.Permit("mallory", right, scope, "R", held.digest, mint=object())
    with pytest.raises((TypeError, ValueError)):
        replace(permit, principal="mallory")
    for carry in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            carry(permit)
    with pytest.raises(TypeError):
        decide.Sight("mallory", held, mint=object())


def test_reading_shows_what_the_principal_may_look_at_and_nothing_else(house: House) -> None:
    office = a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]})
    write_batch(house.manager, a_write(Action.CREATE, office), number=2, base=1)
    engine = connect.reader(connect.parse(house.url))
    try:
        with engine.connect() as connection:
            permissions = state.permissions(connection)
            everything = state.held(connection, decide.sight(permissions, grants.ENGINE))
            nothing = state.held(connection, decide.sight(permissions, "mallory"))
            some = state.held(connection, decide.sight(permissions, "ayse"))
    finally:
        engine.dispose()
    assert office.id in {row.id for row in everything}
    assert () == nothing
    assert {row.id for row in some} <= {row.id for row in everything}


def test_a_read_asks_for_the_view_of_the_kind_where_it_stands() -> None:
    held = snapshot(WORLD)
    proxy = ResourceId("ApiProxy", "payments", "orders")
    seen = {name: decide.sight(held, name).sees(proxy) for name in ("bob", "carol", "root", "gone")}
    assert {"bob": True, "carol": False, "root": False, "gone": False} == seen
    assert decide.sight(held, "root").sees(ResourceId("User", None, "bob"))
    assert not decide.sight(held, "bob").sees(ResourceId("Strange", "payments", "x"))


def test_the_engine_looks_at_everything_and_changes_nothing(house: House) -> None:
    permissions = house.manager.grants()
    for action in Action:
        for kind in ("ApiProxy", "User", "Credential"):
            id = ResourceId(kind, None if kind == "User" else "payments", "x")
            with pytest.raises(AccessDenied):
                decide.permits(permissions, grants.ENGINE, decide.need(kind, action, id, ("dev",)))
    assert [] == [e for e in house.manager.entries(AuditQuery()) if e.principal == grants.ENGINE]
