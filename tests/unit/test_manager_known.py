"""What is remembered between units is what a reading from scratch gives, whoever changed what."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from apiops.errors import AccessDenied
from apiops.manager import connect
from apiops.manager.known import Knowledge, Known
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from tests.managers import (
    REPOSITORY,
    TARGET,
    House,
    a_context,
    a_resource,
    a_write,
    found,
    secret_resource,
    settle,
    write_batch,
)

Step = Callable[[House], object]
MERT = {"user": "mert", "roles": ["Project Owner"]}


def write(house: House, kind: str, name: str, project: str | None, **spec: object) -> None:
    """One more write of a resource, by a Manager of its own, as another process would."""
    other = house.another()
    resource = a_resource(kind, name, spec, project)
    live = found(other, resource.id)
    action = Action.CREATE if live is None else Action.UPDATE
    serial = None if live is None else live.serial
    unit = project or "system"
    applied = other.state(REPOSITORY, TARGET).applied.get(unit)
    base = None if applied is None else int(applied.commit, 16)
    write_batch(
        other,
        a_write(action, resource, serial=serial),
        unit=unit,
        base=base,
        number=(base or 0) + 1,
    )


def seal(house: House) -> None:
    other = house.another()
    credential, plain = secret_resource(other)
    write_batch(other, a_write(Action.CREATE, credential, secrets=plain), base=1, number=2)


def rotate(house: House) -> None:
    house.another().keys.rotate(
        "production", "seal", principal="ayse", context=a_context(run="rotation")
    )


def refuse(house: House) -> None:
    group = a_resource("IpGroup", "office", {"ipList": []})
    with pytest.raises(AccessDenied):
        write_batch(house.another(), a_write(Action.CREATE, group, by="mert"), base=1, number=2)


STEPS: dict[str, Step] = {
    "an ordinary write": lambda h: write(h, "IpGroup", "office", "payments", ipList=[]),
    "a user": lambda h: write(h, "User", "zeynep", None, email="zeynep@bank.example"),
    "a user disabled": lambda h: write(h, "User", "mert", None, enabled=False),
    "a role": lambda h: write(h, "Role", "Reader", "payments", permissions=[]),
    "a team": lambda h: write(h, "Team", "core", "payments", members=[]),
    "a membership": lambda h: write(h, "Membership", "mert", "payments", **MERT),
    "an environment": lambda h: write(h, "Environment", "test", None, type="TEST"),
    "a first secret": seal,
    "a rotation": rotate,
    "a denied write": refuse,
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_it_is_what_a_reading_from_scratch_gives(house: House, step: Step) -> None:
    settle(house.manager)
    reader = connect.reader(connect.parse(house.url))
    knowledge = Knowledge()
    with reader.connect() as connection:
        before = knowledge.at(connection)
    step(house)
    with reader.connect() as connection:
        after = knowledge.at(connection)
        assert after == Knowledge().at(connection)
    reader.dispose()
    assert after.seq > before.seq


def statements(house: House, knowledge: Knowledge) -> tuple[Known, int]:
    reader = connect.reader(connect.parse(house.url))
    asked: list[str] = []
    with reader.connect() as connection:
        connection.begin()
        event.listen(reader, "before_cursor_execute", lambda *call: asked.append(call[2]))
        known = knowledge.at(connection)
    reader.dispose()
    return known, len(asked)


def test_what_is_known_costs_one_question(house: House) -> None:
    settle(house.manager)
    knowledge = Knowledge()
    first, asked = statements(house, knowledge)
    assert asked > 1
    assert statements(house, knowledge) == (first, 1)
    write(house, "IpGroup", "office", "payments", ipList=["10.0.0.1"])
    second, asked = statements(house, knowledge)
    assert (asked, second.grants is first.grants) == (1, True)
    assert statements(house, knowledge) == (second, 1)


def test_who_is_far_behind_reads_all_again(house: House) -> None:
    settle(house.manager)
    knowledge = Knowledge()
    first, _ = statements(house, knowledge)
    groups = [a_resource("IpGroup", f"office-{number}", {"ipList": []}) for number in range(500)]
    write_batch(house.manager, *(a_write(Action.CREATE, one) for one in groups), base=1, number=2)
    last, asked = statements(house, knowledge)
    assert asked > 1
    assert last.grants == first.grants


def test_another_history_of_the_same_length_is_not_taken_for_this_one(
    house: House, tmp_path: Path
) -> None:
    """A database restored from a backup under a running server, or another one in its place."""
    with House(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other.key") as another:
        settle(house.manager)
        settle(another.manager)
        write(another, "Membership", "mert", "payments", **MERT)
        write(house, "IpGroup", "office", "payments", ipList=[])
        knowledge = Knowledge()
        here, _ = statements(house, knowledge)
        there, _ = statements(another, knowledge)
        assert here.seq == there.seq
        assert there == statements(another, Knowledge())[0]
        assert there.grants != here.grants


def test_a_right_that_is_taken_away_elsewhere_is_gone_at_the_next_write(house: House) -> None:
    settle(house.manager)
    write(house, "Membership", "mert", "payments", **MERT)
    group = a_resource("IpGroup", "office", {"ipList": []})
    write_batch(house.manager, a_write(Action.CREATE, group, by="mert"), base=2, number=3)
    write(house, "Membership", "mert", "payments", user="mert", roles=[])
    other = a_resource("IpGroup", "branch", {"ipList": []})
    with pytest.raises(AccessDenied):
        write_batch(house.manager, a_write(Action.CREATE, other, by="mert"), base=4, number=5)
    assert found(house.manager, ResourceId("IpGroup", "payments", "branch")) is None
