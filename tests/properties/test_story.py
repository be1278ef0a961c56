"""The invariants of the line over whole stories, on both engines, with a real Manager.

People commit, somebody without a right commits too, somebody changes things by hand, resources
are renamed and moved, runs are killed in the middle. Whatever the order: what is applied is what
is described, nothing else is touched, and the log says exactly what the tables hold.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apiops.manager import leases
from apiops.model.audit import AuditQuery, Introduction
from apiops.model.plan import Action
from tests import managers
from tests.dying import Ended, Mortals
from tests.engines import ENGINES
from tests.estates import Thing, credentials, ip_groups, proxies, variables, written
from tests.people import person
from tests.properties.test_manager import replayed, stored
from tests.shop import AYSE, a_user, the_bank
from tests.worlds import World, keep

CEM = person("cem")
"""Has an account and no role anywhere."""

KINDS = frozenset({"ApiProxy", "Credential", "EnvironmentVariable", "IpGroup"})
LATER = leases.LIFE + timedelta(seconds=1)
FOREIGN = managers.a_resource("IpGroup", "foreign", {"ipList": ["198.51.100.7"]})
things = st.one_of(
    ip_groups, credentials, variables, proxies().filter(lambda proxy: not proxy.files)
).map(lambda thing: replace(thing, protected=False))


class Story(RuleBasedStateMachine):
    """One bank from its first commit on; `described` is what the head says of `KINDS`."""

    def __init__(self, make: Callable[[], World], mortals: Mortals) -> None:
        super().__init__()
        self.world = make()
        self.mortals = mortals
        self.described: dict[str, Thing] = {}
        self.pending = False
        self.later = timedelta()
        self.said: list[str] = []
        self.known: dict[str, dict[str, bytes]] = {}

    @initialize()
    def begin(self) -> None:
        bank = {
            p: text for p, text in the_bank().items() if "orders" not in p and "limits" not in p
        }
        shop = self.world.shop
        shop.begin({**bank, "system/cem.yaml": a_user(CEM)})
        shop.person_key(AYSE)
        with self.world.opened() as manager:
            managers.write_batch(
                manager,
                managers.a_write(Action.CREATE, FOREIGN),
                introduction=Introduction(managers.REPOSITORY, managers.TARGET, "1" * 40, "ayse"),
            )

    # --- what people do

    @rule(thing=things)
    def describe(self, thing: Thing) -> None:
        place = f"{thing.project}/{thing.name}"
        former = [
            one
            for one in self.described.values()
            if one.kind == thing.kind and place in one.renamed_from
        ]
        for one in former:  # the old name is free again, so it must no longer be claimed
            self.write(one, replace(one, renamed_from=[]))
        self.write(self.described.get(thing.id), thing)

    @precondition(lambda self: self.described)
    @rule(data=st.data())
    def leave_out(self, data: st.DataObject) -> None:
        self.write(self.one(data), None)

    @precondition(lambda self: self.described)
    @rule(data=st.data(), name=st.sampled_from(["delta", "epsilon"]), moves=st.booleans())
    def rename(self, data: st.DataObject, name: str, moves: bool) -> None:
        self.apply()
        old = self.one(data)
        name = name.upper() if old.kind == "EnvironmentVariable" else name
        project = "cards" if moves and old.project == "payments" else old.project
        new = replace(old, name=name, project=project, renamed_from=[f"{old.project}/{old.name}"])
        if new.id not in self.described and name not in {
            one.name for one in self.described.values() if one.kind == old.kind
        }:
            self.write(old, new)
            self.renames(old, new)

    def renames(self, old: Thing, new: Thing) -> None:
        """The plan knows that it is one resource, and applying keeps its row."""
        rows = self.keys()
        done = self.run("plan", "-o", "json")
        (change, *_) = [c for c in changes(done) if c["action"] == "update"]
        assert change["renamed_from"] in (old.name, f"{old.project}/{old.name}")
        self.apply()
        assert rows[old.id] == self.keys()[new.id]

    @precondition(lambda self: self.described)
    @rule(data=st.data())
    def change_by_hand(self, data: st.DataObject) -> None:
        groups = [one for one in self.described.values() if one.kind == "IpGroup"]
        if not groups:
            return
        self.apply()
        one = data.draw(st.sampled_from(sorted(groups, key=lambda thing: thing.id)))
        who = ("--as", "ayse", "--sign-key", "../ayse.key", "--reason", "incident 4711")
        done = self.run("manager", "set", one.id, "spec.description=by hand", *who)
        assert 0 == done.code, done.err
        drift = self.run("drift", "--detailed-exitcode")
        assert (2 if one.spec.get("description") != "by hand" else 0) == drift.code, drift.out
        self.pending = True

    @precondition(lambda self: self.described)
    @rule(data=st.data())
    def intrude(self, data: st.DataObject) -> None:
        self.apply()
        before = self.world.image()["resources"]
        one = self.one(data)
        self.world.shop.commit(CEM, {f"{one.folder}/{one.name}.yaml": None}, "Sneak it out")
        denied = self.run("sync")
        assert 4 == denied.code, denied.out + denied.err
        assert before == self.world.image()["resources"]
        self.write(None, one)

    @precondition(lambda self: self.pending)
    @rule(at=st.integers(1, 90))
    def die(self, at: int) -> None:
        ended = self.run("apply", "--yes", at=at)
        if ended.code is None:
            self.later += LATER

    @rule()
    def apply(self) -> None:
        done = self.run("apply", "--yes")
        assert 0 == done.code, done.out + done.err
        self.pending = False
        self.settled()

    @rule()
    def export(self) -> None:
        done = self.run("export", *(f"--kind={kind}" for kind in sorted(KINDS)))
        found = () if done.code else yaml.safe_load_all(done.out)
        live = {name for name in self.world.image()["resources"] if name.split("/")[0] in KINDS}
        assert live == {
            f"{one['kind']}/{one['metadata']['project']}/{one['metadata']['name']}" for one in found
        }

    # --- what always holds

    def settled(self) -> None:
        """Live is as described, on our inventory; and to apply it again changes nothing."""
        before = self.world.image()
        ours = {
            name
            for name, (_, _, owner, *_) in before["resources"].items()
            if owner == self.world.shop.lineage and name.split("/")[0] in KINDS
        }
        assert set(self.described) == ours
        assert str(FOREIGN.id) in before["resources"]
        plan = self.run("plan", "-o", "json")
        assert [] == changes(plan)
        assert 0 == self.run("apply", "--yes").code
        assert before == self.world.image()

    @invariant()
    def the_log_is_what_the_tables_hold(self) -> None:
        if not self.said:
            return
        with self.world.opened() as manager:
            entries = list(manager.entries(AuditQuery(limit=0)))
            assert manager.verify().first_bad is None
        url = self.world.url.render_as_string(hide_password=False)
        tables = stored(SimpleNamespace(url=url))
        assert replayed(reversed(entries)) == tables
        assert "plaintext-" not in str(tables) + str(entries) + "".join(self.said)

    # --- how

    def one(self, data: st.DataObject) -> Thing:
        return self.described[data.draw(st.sampled_from(sorted(self.described)))]

    def write(self, old: Thing | None, new: Thing | None) -> None:
        gone: dict[str, Any] = dict.fromkeys(self.files(old)) if old else {}
        self.world.shop.commit(AYSE, {**gone, **(self.files(new) if new else {})})
        if old is not None:
            self.described.pop(old.id, None)
        if new is not None:
            self.described[new.id] = new
        self.pending = True

    def files(self, thing: Thing) -> dict[str, bytes]:
        """What it is written as; what comes back is as it was, as Git would bring it back."""
        return self.known.setdefault(repr(thing), written([thing], self.world.shop.recipient))

    def keys(self) -> dict[str, str]:
        """Name → the id of its row."""
        with self.world.opened() as manager:
            entries = manager.entries(AuditQuery(limit=0))
            return {
                str(entry.resource): entry.after["id"]
                for entry in reversed(list(entries))
                if entry.action in ("create", "update")
            }

    def run(self, *arguments: str, at: int = 0) -> Ended:
        shop = self.world.shop
        done = self.mortals.run(
            *arguments, cwd=shop.repository, variables=shop.variables, at=at, later=self.later
        )
        self.said.append(done.out + done.err)
        return done


def changes(done: Ended) -> list[dict[str, Any]]:
    """What a plan would do."""
    found: list[dict[str, Any]] = json.loads(done.out)["plan"]["changes"]
    return found


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with Mortals() as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_happens_the_invariants_hold(
    request: pytest.FixtureRequest, tmp_path: Path, mortals: Mortals, engine: str
) -> None:
    with ExitStack() as worlds:

        def make() -> World:
            worlds.close()
            folder = tmp_path / f"s{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return worlds.enter_context(keep(engine, request, folder))

        run_state_machine_as_test(
            lambda: Story(make, mortals),
            settings=settings(
                max_examples=5,
                stateful_step_count=8,
                deadline=None,
                phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each step is a process
                suppress_health_check=list(HealthCheck),
            ),
        )
