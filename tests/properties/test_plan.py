"""The invariants of a plan (DESIGN, section 1), on states that hypothesis makes up.

`carried_out` applies a plan in memory and checks on the way what a Manager would check.
"""

import random
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from apiops.model.kinds import KINDS
from apiops.model.plan import Action, Plan
from apiops.model.resource import (
    Deployment,
    Desired,
    LiveResource,
    Resource,
    ResourceId,
)
from apiops.plan import build, diff, file, graph, guard, merge
from apiops.ports import Live
from tests.builders import (
    REPOSITORY,
    a_desired,
    a_live,
    a_resource,
    built,
    desired_states,
    held,
    planned,
    resources,
    worlds,
)

EVERYTHING = guard.OVERRIDABLE


def carried_out(done: build.Built, desired: Desired, live: Live) -> Live:
    """The live state after a plan, one change after the other."""
    state = {resource.id: resource for resource in live.resources}
    wanted = {resource.id: resource for resource in desired.resources}
    for change in done.plan.changes:
        match change.action:
            case Action.CREATE:
                assert graph.fold(change.id) not in {graph.fold(id) for id in state}
                state[change.id] = written(wanted[change.id], done.results, 1, ())
            case Action.UPDATE:
                old = state.pop(change.former or change.id)
                assert change.serial == old.serial
                state[change.id] = written(
                    wanted[change.id], done.results, old.serial + 1, old.deployments
                )
                assert change.digest == state[change.id].digest
            case Action.DELETE:
                gone = state.pop(change.id)
                assert () == gone.deployments, "it still runs"
                assert change.serial == gone.serial
            case Action.DEPLOY:
                assert change.digest == state[change.id].digest, "not what was planned"
                state[change.id] = deployed(state[change.id], change.environment, change.digest)
            case Action.UNDEPLOY:
                state[change.id] = deployed(state[change.id], change.environment, None)
    return replace(live, resources=tuple(state.values()))


def written(
    resource: Resource,
    results: Mapping[ResourceId, Mapping],
    serial: int,
    running: tuple[Deployment, ...],
) -> LiveResource:
    spec = results[resource.id]
    return held(resource.with_spec(spec), serial=serial, applied=resource.spec, deployments=running)


def deployed(live: LiveResource, environment: str, digest: str | None) -> LiveResource:
    others = tuple(d for d in live.deployments if d.environment != environment)
    if digest is None:
        assert len(others) < len(live.deployments), "it does not run there"
        return replace(live, deployments=others)
    return replace(live, deployments=(*others, Deployment(environment, digest)))


@given(desired_states(keyless=False))
def test_a_state_differs_not_from_itself(desired):
    live = carried_out(built(desired, a_live()), desired, a_live())
    assert () == planned(desired, live).changes


@given(worlds(keyless=False))
def test_applying_makes_live_as_desired_and_applying_again_changes_nothing(world):
    desired, live = world
    after = carried_out(built(desired, live, allow=EVERYTHING), desired, live)
    again = planned(desired, after)
    assert () == again.changes
    assert len(desired.resources) == again.unchanged


@given(worlds(keyless=False))
def test_what_is_applied_is_the_desired_state_on_our_inventory(world):
    desired, live = world
    after = carried_out(built(desired, live, allow=EVERYTHING), desired, live)
    ours = {r.id: r for r in after.resources if r.owner == REPOSITORY}
    assert {r.id for r in desired.resources} == set(ours)
    for resource in desired.resources:
        found = ours[resource.id]
        kind = KINDS[resource.id.kind]
        shall = merge.result(kind, resource.spec, found.spec if kind.merges else None, None)
        assert not diff.compare(kind, found.spec, shall, lambda _path: None)
        assert resource.labels == found.labels
        if "deployments" in resource.spec:
            environments = {item["environment"] for item in resource.spec["deployments"]}
            assert environments == {d.environment for d in found.deployments}
            assert {found.digest} >= {d.digest for d in found.deployments}


@given(worlds())
def test_what_is_not_ours_and_not_desired_is_left_alone(world):
    desired, live = world
    after = carried_out(built(desired, live, allow=EVERYTHING), desired, live)
    wanted = {graph.fold(resource.id) for resource in desired.resources}
    for resource in live.resources:
        if resource.owner != REPOSITORY and graph.fold(resource.id) not in wanted:
            assert resource in after.resources


@given(worlds(), st.booleans(), st.sets(st.sampled_from(["cards", "system"])))
def test_prune_never_names_what_is_outside_the_inventory(world, prune, stopped):
    desired, live = world
    desired = replace(desired, stopped=dict.fromkeys(stopped, "AO201"))
    plan = planned(desired, live, prune=prune)
    ours = {resource.id for resource in live.resources if resource.owner == REPOSITORY}
    standing = {finding.guard for finding in plan.guards}
    for change in plan.changes:
        assert change.id.unit not in stopped
        if change.action is Action.DELETE and change.id not in ours:
            assert {guard.ADOPT, guard.REPLACE} <= standing


@given(worlds())
def test_every_change_comes_after_those_that_it_needs(world):
    desired, live = world
    done = built(desired, live)
    writes = [c for c in done.plan.changes if c.action in (Action.CREATE, Action.UPDATE)]
    at = {change.id: place for place, change in enumerate(writes)}
    for id, spec in done.results.items():
        for other in graph.named(id, spec):
            assert at.get(other, -1) <= at[id]
    phases = [_phase(change.action) for change in _without_replaced(done.plan)]
    assert sorted(phases) == phases


def _phase(action: Action) -> int:
    order = (Action.CREATE, Action.DEPLOY, Action.UNDEPLOY, Action.DELETE)
    return order.index(Action.CREATE if action is Action.UPDATE else action)


def _without_replaced(plan: Plan):
    created = {graph.fold(c.id) for c in plan.changes if c.action is Action.CREATE}
    replaced = {graph.fold(c.id) for c in plan.changes if c.action is Action.DELETE} & created
    return [c for c in plan.changes if graph.fold(c.id) not in replaced]


@given(st.lists(resources(), max_size=8, unique_by=lambda resource: graph.fold(resource.id)))
def test_deletes_mirror_creates(found):
    there = [replace(resource, renamed_from=()) for resource in found]
    marker = a_resource("IpGroup", "marker")
    creates = planned([*there, marker], a_live([held(marker)])).changes
    running = [held(r, *_running(r)) for r in there]
    deletes = planned([marker], a_live([*running, held(marker)])).changes
    assert _ids(creates, Action.CREATE) == _ids(deletes, Action.DELETE)[::-1]
    assert _ids(creates, Action.DEPLOY) == sorted(
        _ids(deletes, Action.UNDEPLOY), key=_ids(creates, Action.CREATE).index
    )


def _running(resource: Resource) -> list[str]:
    return [item["environment"] for item in resource.spec.get("deployments", ())]


def _ids(changes, action):
    return [change.id for change in changes if change.action is action]


@given(worlds())
def test_no_fingerprint_occurs_in_a_plan_or_its_file(world):
    desired, live = world
    plan = planned(desired, live)
    assert "FINGERPRINT" not in repr(plan)
    assert b"FINGERPRINT" not in file.to_json(plan)


@given(worlds())
def test_a_plan_file_reads_back_as_the_plan(world):
    desired, live = world
    plan = planned(desired, live)
    assert plan == file.from_json(file.to_json(plan))


@given(worlds(), st.randoms(use_true_random=False))
def test_a_digest_does_not_depend_on_the_order_of_the_input(world, shuffle):
    desired, live = world
    plan = planned(desired, live)
    again = planned(
        a_desired([replace(r, spec=_shuffled(r.spec, shuffle)) for r in desired.resources]),
        a_live(
            shuffle.sample(
                [replace(r, spec=_shuffled(r.spec, shuffle)) for r in live.resources],
                len(live.resources),
            )
        ),
    )
    assert plan.digest == again.digest


def _shuffled(node, shuffle: random.Random):
    if isinstance(node, Mapping):
        keys = shuffle.sample(sorted(node), len(node))
        return {key: _shuffled(node[key], shuffle) for key in keys}
    return [_shuffled(item, shuffle) for item in node] if isinstance(node, list) else node


@given(worlds(), worlds())
def test_different_plans_have_different_digests(one, other):
    first, second = planned(*one), planned(*other)
    assert (first == second) == (first.digest == second.digest)


@given(worlds(keyless=False))
def test_after_an_apply_nothing_has_drifted(world):
    desired, live = world
    after = carried_out(built(desired, live, allow=EVERYTHING), desired, live)
    emptied = planned([], after).changes
    assert not any(change.drifted for change in emptied)
