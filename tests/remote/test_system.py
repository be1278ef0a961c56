"""What belongs to no project: AI gateway, geolocation, presets for all (vendor document, 2.19, 2.20)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apiops.model.outcome import Result
from apiops.model.resource import Resource
from tests.remote import items
from tests.remote.gateway import Gateway, a_resource, done, left, told
from tests.remote.states import flags, some
from tests.standin import QUIRKS

BUDGETS = some(enabled=flags, tokensPerDay=st.integers(1, 9))
GATEWAYS = some(
    defaultConnectTimeoutSeconds=st.integers(1, 300),
    maxToolTurns=st.integers(-1, 100),
    defaultBudget=BUDGETS,
)


def everybodys(kind: str, name: str = "default", **spec: Any) -> Resource:
    return a_resource(kind, name, None, **spec)


def a_database(gateway: Gateway, content: bytes) -> dict[str, str]:
    return {"file": "places.mmdb", "fileDigest": gateway.file(content)}


@st.composite
def systems(draw: st.DrawFn, gateway: Gateway) -> list[Resource]:
    found = [everybodys("AiPreset", name, **draw(items.ai_presets)) for name in draw(_names)]
    if draw(flags):
        found.append(everybodys("AiGatewaySettings", **draw(GATEWAYS)))
    if draw(flags):
        file = draw(st.sampled_from([{}, a_database(gateway, b"1"), a_database(gateway, b"2")]))
        found.append(everybodys("Geolocation", enabled=draw(flags), **file))
    if draw(flags):
        found.append(a_resource("AiPreset", "own", **draw(items.ai_presets)))
    return found


_names = st.lists(st.sampled_from(["shared one", "shared2"]), unique=True)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path) as gateway:
        yield gateway


@pytest.mark.parametrize("quirk", [*QUIRKS, ""])
@settings(
    max_examples=1,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_is_described_is_there_afterwards(
    tmp_path: Path, quirk: str, data: st.DataObject
) -> None:
    with Gateway(tmp_path, *([quirk] if quirk else [])) as gateway:
        for _ in range(2):
            state = data.draw(systems(gateway))
            outcomes = gateway.apply(state)
            assert done(outcomes), told(outcomes)
            assert "" == left(gateway.plan(state))
        assert [] == gateway.world.violations


def test_a_preset_for_all_is_no_projects_own(gateway: Gateway) -> None:
    rule = {"family": "dlp", "ruleValue": "a+", "action": "BLOCK"}
    assert done(gateway.apply([everybodys("AiPreset", "cards", **rule)]))

    live = gateway.manager().read("r", "t").resources

    assert [None] == [one.id.project for one in live if one.id.kind == "AiPreset"]


def test_an_edit_in_the_console_is_drift(gateway: Gateway) -> None:
    state = [everybodys("AiGatewaySettings", maxToolTurns=8)]
    assert done(gateway.apply(state))
    assert 10 == gateway.world.gateway["defaultConnectTimeoutSeconds"]
    gateway.world.gateway["maxToolTurns"] = 50

    assert "50 -> 8" in left(gateway.plan(state))


def test_who_is_no_administrator_writes_nothing_of_it(gateway: Gateway) -> None:
    gateway.world.users[gateway.token].admin = False

    (outcome,) = gateway.apply([everybodys("AiGatewaySettings", maxToolTurns=8)])

    assert (Result.FAILED, "AO762") == (outcome.result, outcome.code)
    assert 5 == gateway.world.gateway["maxToolTurns"]


def test_left_out_settings_stay_and_geolocation_is_switched_off(gateway: Gateway) -> None:
    database = a_database(gateway, b"mmdb")
    state = [
        everybodys("AiGatewaySettings", maxToolTurns=8),
        everybodys("Geolocation", enabled=True, **database),
    ]
    assert done(gateway.apply(state))
    assert (True, b"mmdb") == (
        gateway.world.geolocation["enabled"],
        gateway.world.geolocation["content"],
    )

    assert done(gateway.apply([]))
    assert (8, False) == (
        gateway.world.gateway["maxToolTurns"],
        gateway.world.geolocation["enabled"],
    )
    assert "" == left(gateway.plan([]))
