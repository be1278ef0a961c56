"""From any state to any other, killed anywhere: the next run comes to where the first one went."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apiops.model.kinds import KINDS
from apiops.model.resource import LiveResource, ResourceId
from apiops.plan import diff
from tests.remote.deaths import risen, witnessed
from tests.remote.gateway import Gateway, done, left, told
from tests.remote.states import states
from tests.standin import QUIRKS

FEW = settings(
    max_examples=4,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
AT_ONCE = 3
"""So many moments of one run are tried: there may be a hundred, each a server and a database."""


@FEW
@given(st.data(), st.sampled_from([(), *((quirk,) for quirk in QUIRKS)]))
def test_a_run_that_dies_anywhere_is_ended_by_the_next(
    data: st.DataObject, quirks: tuple[str, ...]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "first").mkdir()
        with Gateway(folder / "first", *quirks) as gateway:
            assert done(outcomes := gateway.apply(data.draw(states(gateway)))), told(outcomes)
            wished, files = data.draw(states(gateway)), gateway.files
            outcomes, moments = witnessed(gateway, wished)
            assert done(outcomes), told(outcomes)
            there = shown(gateway)
        number = min(AT_ONCE, len(moments))
        every = st.sampled_from(range(len(moments))) if moments else st.nothing()
        chosen = data.draw(st.sets(every, min_size=number, max_size=number))
        for what, later in risen(folder, [moments[one] for one in sorted(chosen)]):
            later.files.update(files)
            assert done(outcomes := later.apply(wished)), f"{what}: {told(outcomes)}"
            assert "" == left(later.plan(wished)), what
            alike(there, shown(later), what)


def shown(gateway: Gateway) -> dict[ResourceId, LiveResource]:
    """What the Manager shows of everything."""
    return {one.id: one for one in gateway.manager().read("r", "t").resources}


def alike(
    these: dict[ResourceId, LiveResource], those: dict[ResourceId, LiveResource], what: str
) -> None:
    """The same things, with no difference that a plan would show, running in the same places."""
    assert {*these} == {*those}, what
    for id, one in these.items():
        other = those[id]
        specs = [{**each.spec, "deployments": []} for each in (one, other)]
        fields = diff.compare(KINDS[id.kind], *specs, lambda _path: None).fields
        assert () == fields, f"{what}: {id}"
        running = [{run.environment for run in each.deployments} for each in (one, other)]
        assert running[0] == running[1], f"{what}: {id}"
