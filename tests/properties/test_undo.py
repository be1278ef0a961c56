"""Undo goes back to any state that there was: contents, names, deployments, inventory, secrets."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apiops.manager import embedded
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.resource import JsonObject, LiveResource
from tests.engines import ENGINES, fresh
from tests.estates import Thing, estates, written
from tests.shop import AYSE, Shop, the_bank

REASON = "incident 4711"


@st.composite
def histories(draw: st.DrawFn) -> list[list[Thing]]:
    """What there is, run by run; some things take another name on the way."""
    found = draw(st.lists(estates(4), min_size=2, max_size=4))
    for before, after in pairwise(found):
        if before and draw(st.booleans()):
            one = draw(st.sampled_from(before))
            content = draw(st.sampled_from([one, *(x for x in after if x.kind == one.kind)]))
            name = "delta" if one.name.lower() != "delta" else "epsilon"
            name = name.upper() if one.kind == "EnvironmentVariable" else name
            if not any(x.id == one.id or (x.files and content.files) for x in after):
                after.append(replace(content, name=name, renamed_from=one.name))
    return found


def opened(shop: Shop) -> embedded.EmbeddedManager:
    variables = shop.variables
    key_file = Path(variables["APIOPS_KEY_FILE"])
    return embedded.open_manager(variables["APIOPS_MANAGER"], key_file=key_file)


def state(shop: Shop) -> list[Any]:
    """All that the Manager holds, with the secrets opened."""
    context = AuditContext("ayse", "ayse", Reason("look"), "look", Source.CONSOLE)
    with opened(shop) as manager:
        rows = manager.read("", "").resources
        ids = [one.id for one in rows]
        values = manager.open_secrets(ids, principal="ayse", context=context).values
        return [
            (
                *map(str, (one.id, sets(one.spec), dict(one.labels), one.protected, one.owner)),
                str(None if one.applied is None else sets(one.applied)),
                [(run.environment, run.digest) for run in one.deployments if ran(one)],
                {where: value.reveal() for where, value in values.get(one.id, {}).items()},
            )
            for one in rows
        ]


def sets(spec: JsonObject) -> JsonObject:
    """The spec, its addresses in one order: they are a set, so another order is no change."""
    return {k: sorted(v) if k == "ipList" else v for k, v in spec.items()}


def ran(one: LiveResource) -> bool:
    """Whether it runs as it is; what ran as something older comes back as it was then."""
    return all(run.digest == one.digest for run in one.deployments)


def compared(before: list[Any], now: list[Any]) -> list[Any]:
    """What is there now, without the deployments of what ran as something older then."""
    return [
        (*row[:6], row[6] if was[6] else [], row[7]) for was, row in zip(before, now, strict=True)
    ]


@pytest.mark.parametrize("engine", ENGINES)
@given(history=histories(), data=st.data())
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_run_can_be_undone(
    request: pytest.FixtureRequest, engine: str, history: list[list[Thing]], data: st.DataObject
) -> None:
    with fresh(engine, request) as shop:
        who = ("--as", "ayse", "--sign-key", str(shop.person_key(AYSE)), "--reason", REASON)
        guards = [f"--allow={name}" for name in ("protected", "mass-delete", "replace", "rename")]
        shop.begin(the_bank())
        held: dict[str, bytes] = {}
        runs: list[tuple[str, list[Any]]] = []
        for things in history:
            files, before = written(things, shop.recipient), state(shop)
            gone = dict.fromkeys(held.keys() - files.keys())
            shop.commit(AYSE, {**gone, **files, "README.md": f"{len(runs)}\n"})
            done = shop.run("apply", "--yes", "-o", "json", *guards)
            assert 0 == done.code, done.out + done.err
            runs.append((done.json["report"]["run"], before))
            held = files
        assert 0 == shop.run("suspend", *who).code
        run, before = data.draw(st.sampled_from(runs))
        undo = ("undo", run, *who, *guards)
        shown = shop.run(*undo, "--no-input")
        if "--approve" in shown.err:
            digest = shown.err.rsplit("--approve ", 1)[1][:8]
            done = shop.run(*undo, "--approve", digest)
            assert 0 == done.code, done.out + done.err
        else:
            assert 0 == shown.code, shown.out + shown.err
        assert before == compared(before, state(shop)), shown.err
        with opened(shop) as manager:
            assert manager.verify().first_bad is None
