"""Renames and moves through the whole line, on both engines: nothing is deleted on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apiops.manager import embedded
from apiops.model.audit import AuditQuery
from tests.estates import Thing, written
from tests.people import Person, person
from tests.shop import AYSE, DENIZ, MERT, Shop, a_member, a_user, the_bank

SELIN = person("selin")
"""A developer in both projects."""

ORDERS = Thing(
    "ApiProxy",
    "orders",
    {
        "type": "REVERSE_PROXY",
        "clientRoute": {"relativePathList": ["/orders"]},
        "routing": {"addresses": [{"address": "https://orders.bank.example"}]},
        "settings": {
            "proxyServer": {
                "proxyHost": "out.bank.example",
                "proxyPassword": {"$plain": "plaintext-1"},
            }
        },
        "deployments": [{"environment": "dev"}],
    },
)
KEY = Thing(
    "Credential",
    "partner",
    {
        "email": "p@bank.example",
        "fullName": "P",
        "password": {"$plain": "plaintext-2"},
        "access": [{"name": "orders"}],
    },
)
HOME = "payments/orders.yaml"
"""The proxy that the bank begins with; here ORDERS stands in for it."""


class Street(Shop):
    """The bank with ORDERS and KEY in payments, and Selin in both projects."""

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder)
        self.variables = {
            "APIOPS_MANAGER": database,
            "APIOPS_KEY_FILE": str(folder / "manager.key"),
            "SOPS_AGE_KEY": self.identity,
        }
        self.known = {repr(one): written([one], self.recipient) for one in (ORDERS, KEY)}
        bank = {path: text for path, text in the_bank().items() if path != HOME}
        people = {
            "system/selin.yaml": a_user(SELIN),
            "payments/selin.yaml": a_member(SELIN, "payments", "API Developer"),
            "cards/selin.yaml": a_member(SELIN, "cards", "API Developer"),
        }
        first = self.known[repr(ORDERS)] | self.known[repr(KEY)]
        self.begin({**bank, **people, **first})

    def become(self, who: Person, old: Thing, *new: Thing) -> str:
        """A commit in which `new` stand where `old` stood; what comes back is as it was."""
        put: dict[str, bytes | None] = dict.fromkeys(written([old], self.recipient))
        for one in new:
            put |= self.known.setdefault(repr(one), written([one], self.recipient))
        return self.commit(who, put)

    def changes(self, *flags: str) -> list[dict[str, Any]]:
        """What the plan would do."""
        done = self.run("plan", "-o", "json", *flags)
        found: list[dict[str, Any]] = done.json["plan"]["changes"]
        return found

    def settle(self) -> None:
        done = self.run("apply", "--yes")
        assert 0 == done.code, done.out + done.err
        assert [] == self.changes()

    @contextmanager
    def opened(self) -> Iterator[embedded.EmbeddedManager]:
        key_file = Path(self.variables["APIOPS_KEY_FILE"])
        with embedded.open_manager(self.variables["APIOPS_MANAGER"], key_file=key_file) as manager:
            yield manager

    def live(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Serial, and where it runs, of every proxy and credential."""
        with self.opened() as manager:
            return {
                str(one.id): (one.serial, tuple(d.environment for d in one.deployments))
                for one in manager.read("", "dev").resources
                if one.id.kind in ("ApiProxy", "Credential")
            }

    def rows(self, *names: str) -> set[str]:
        """The ids of the rows that the log calls by these names."""
        with self.opened() as manager:
            entries = [
                entry
                for name in names
                for entry in manager.entries(AuditQuery(name=name, limit=0))
                if entry.action in ("create", "update", "delete")
            ]
            assert manager.verify().first_bad is None
        return {(entry.after or entry.before)["id"] for entry in entries}

    def entries(self, action: str) -> int:
        with self.opened() as manager:
            return sum(1 for _ in manager.entries(AuditQuery(action=action, limit=0)))


@pytest.fixture
def street(tmp_path: Path, database: str) -> Street:
    return Street(tmp_path, database)


def renamed(thing: Thing, name: str, *more: str, **fields: Any) -> Thing:
    """The thing under a new name; whatever else is given changes with it."""
    before = f"{thing.project}/{thing.name}" if "project" in fields else thing.name
    return replace(thing, name=name, renamed_from=[before, *more] if more else before, **fields)


def pointing(name: str) -> Thing:
    return replace(KEY, spec={**KEY.spec, "access": [{"name": name}]})


def test_a_rename_is_one_update_that_keeps_secrets_deployments_and_history(street: Street) -> None:
    before = street.live()["ApiProxy/payments/orders"]
    street.become(MERT, ORDERS, renamed(ORDERS, "purchases"), pointing("purchases"))
    first, *others = street.changes()
    assert ("update", "orders", []) == (first["action"], first["renamed_from"], first["fields"])
    assert {"update", "deploy"} == {one["action"] for one in others}, (
        "a fingerprint has a name in it"
    )
    street.settle()
    serial, running = street.live()["ApiProxy/payments/purchases"]
    assert (before[1], True) == (running, serial > before[0])
    assert 1 == len(street.rows("orders", "purchases"))
    assert (0, 0) == (street.entries("delete"), street.entries("unseal"))
    assert 0 == street.entries("undeploy")


def test_a_running_proxy_without_secrets_is_not_even_deployed_again(street: Street) -> None:
    plain = replace(ORDERS, name="plain", spec={**ORDERS.spec, "settings": {}})
    plain = replace(plain, spec={**plain.spec, "clientRoute": {"relativePathList": ["/plain"]}})
    street.commit(MERT, written([plain], street.recipient))
    street.settle()
    street.become(MERT, plain, renamed(plain, "plainer"))
    (change,) = street.changes()
    assert ("update", "plain", []) == (change["action"], change["renamed_from"], change["fields"])
    street.settle()
    assert ("dev",) == street.live()["ApiProxy/payments/plainer"][1]


def test_dropping_the_old_name_later_plans_to_nothing(street: Street) -> None:
    new = renamed(KEY, "partner-a")
    street.become(MERT, KEY, new)
    street.settle()
    street.become(MERT, new, replace(new, renamed_from=""))
    assert [] == street.changes()
    street.settle()


def test_a_rename_with_an_edit_shows_the_edit_alone(street: Street) -> None:
    edited = {**KEY.spec, "fullName": "Partner"}
    street.become(MERT, KEY, renamed(KEY, "partner-a", spec=edited))
    (change,) = street.changes()
    assert ["spec.fullName"] == [field["path"] for field in change["fields"]]
    street.settle()


def test_a_rename_with_another_secret_hides_it(street: Street) -> None:
    edited = {**KEY.spec, "password": {"$plain": "plaintext-3"}}
    street.become(MERT, KEY, renamed(KEY, "partner-a", spec=edited))
    (change,) = street.changes()
    assert [("spec.password", True)] == [(f["path"], f["hidden"]) for f in change["fields"]]
    street.settle()


def test_renames_one_after_the_other_are_followed(street: Street) -> None:
    once = renamed(KEY, "b")
    street.become(MERT, KEY, once)
    street.settle()
    twice = renamed(once, "c")
    street.become(MERT, once, twice)
    street.settle()
    assert 1 == len(street.rows("partner", "b", "c"))


def test_a_target_that_missed_a_rename_finds_the_older_name(street: Street) -> None:
    once = renamed(KEY, "b")
    street.become(MERT, KEY, once)
    street.become(MERT, once, renamed(once, "c", "partner"))
    (change,) = street.changes()
    assert ("update", "partner") == (change["action"], change["renamed_from"])
    street.settle()
    assert 1 == len(street.rows("partner", "b", "c"))


@pytest.mark.parametrize("circle", [("a", "b"), ("a", "b", "c")])
def test_names_are_not_passed_round_in_one_commit(street: Street, circle: tuple[str, ...]) -> None:
    keys = [replace(KEY, name=name) for name in circle]
    street.commit(MERT, written(keys, street.recipient))
    street.settle()
    before = street.live()
    turned = [
        replace(key, renamed_from=old)
        for key, old in zip(keys, circle[1:] + circle[:1], strict=True)
    ]
    street.commit(MERT, written(turned, street.recipient))
    done = street.run("apply", "--yes")
    assert (3, True) == (done.code, "AO307" in done.err)
    assert before == street.live()


def test_a_rename_onto_a_name_that_is_there_deletes_nothing_unasked(street: Street) -> None:
    other = replace(KEY, name="other")
    street.commit(MERT, written([other], street.recipient))
    street.settle()
    before = street.live()
    street.become(MERT, KEY, replace(other, renamed_from="partner"))
    refused = street.run("apply", "--yes")
    assert (5, True) == (refused.code, "AO610" in refused.err)
    assert before == street.live()
    assert 0 == street.run("apply", "--yes", "--allow", "rename").code
    assert before.keys() - street.live().keys() == {"Credential/payments/partner"}


def test_a_name_that_another_case_makes_is_a_rename(street: Street) -> None:
    hook = Thing("Connection", "Hook", {"type": "webhook", "fullUrl": "https://hook.bank.example"})
    street.commit(MERT, written([hook], street.recipient))
    done = street.run("apply", "--yes")
    assert 0 == done.code, done.err
    street.become(MERT, hook, replace(hook, name="hook"))
    (change,) = street.changes()
    assert ("update", "Hook") == (change["action"], change["renamed_from"])
    street.settle()


# --- moves

MOVED = renamed(KEY, "partner", project="cards", spec={**KEY.spec, "access": []})


def test_a_move_is_one_update_for_who_holds_both_rights(street: Street) -> None:
    street.become(SELIN, KEY, MOVED)
    (change,) = street.changes()
    assert ("update", "payments/partner") == (change["action"], change["renamed_from"])
    street.settle()
    assert {"Credential/cards/partner", "ApiProxy/cards/limits", "ApiProxy/payments/orders"} == set(
        street.live()
    )
    assert 1 == len(street.rows("partner"))
    assert (0, 0) == (street.entries("delete"), street.entries("unseal"))


@pytest.mark.parametrize("who", [MERT, DENIZ], ids=["the-giver", "the-taker"])
def test_a_move_needs_the_right_in_both_projects(street: Street, who: Person) -> None:
    before = street.live()
    street.become(who, KEY, MOVED)
    done = street.run("apply", "--yes")
    assert (4, True) == (done.code, "AO520" in done.err), done.err
    assert before == street.live()
    street.become(who, MOVED, KEY)
    street.settle()
    street.become(SELIN, KEY, MOVED)
    street.settle()
    assert "Credential/cards/partner" in street.live()


def test_a_deployed_proxy_moves_without_an_interruption(street: Street) -> None:
    street.become(SELIN, KEY)
    street.become(SELIN, ORDERS, renamed(ORDERS, "orders", project="cards"))
    assert {"update", "deploy", "delete"} == {one["action"] for one in street.changes()}
    street.settle()
    assert ("dev",) == street.live()["ApiProxy/cards/orders"][1]
    assert 0 == street.entries("undeploy")


def test_a_frozen_project_gives_nothing_away(street: Street) -> None:
    before = street.live()
    street.become(SELIN, KEY, MOVED)
    street.commit(DENIZ, {"payments/sneak.yaml": a_member(DENIZ, "payments", "Project Owner")})
    done = street.run("apply", "--yes")
    assert 4 == done.code
    assert before == street.live()


def test_what_a_faulty_project_is_about_to_take_is_not_deleted(street: Street) -> None:
    before = street.live()
    street.become(SELIN, KEY, MOVED)
    street.commit(SELIN, {"cards/bad.yaml": a_member(SELIN, "cards", "No Such Role")})
    done = street.run("apply", "--yes")
    assert 3 == done.code, done.out
    assert before == street.live()
    street.commit(SELIN, {"cards/bad.yaml": None})
    street.settle()
    assert "Credential/cards/partner" in street.live()
    assert 0 == street.entries("delete")


def test_a_faulty_project_gives_nothing_away(street: Street) -> None:
    before = street.live()
    street.become(SELIN, KEY, MOVED)
    street.commit(SELIN, {"payments/bad.yaml": a_member(SELIN, "payments", "No Such Role")})
    done = street.run("apply", "--yes")
    assert 0 != done.code
    assert before.keys() <= street.live().keys()


def test_who_deletes_a_whole_project_by_a_broken_file_deletes_nothing(street: Street) -> None:
    """Nobody can tell whose a file is that cannot be read, so nothing at all is pruned."""
    before = street.live()
    gone = [path for path in the_bank() if path.startswith("cards/")]
    street.commit(
        AYSE, {**dict.fromkeys(gone), "cards/selin.yaml": None, "all.yaml": "kind: [\napiVersion: apiops/v1\n"}
    )  # fmt: skip
    done = street.run("apply", "--yes")
    assert 3 == done.code
    assert before == street.live()
