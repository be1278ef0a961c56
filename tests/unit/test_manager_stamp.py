"""The name of a Manager's state: it moves with every write, and with nothing else."""

from pathlib import Path

from apiops.manager import stamp
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from tests.managers import House, a_context, settle


def test_every_write_gives_the_state_another_name(house: House, database: str) -> None:
    seen = [stamp.stamp(database)]
    settle(house.manager)
    seen.append(stamp.stamp(database))
    denied = Change(Action.DELETE, ResourceId("IpGroup", "payments", "branches"))
    house.manager.deny(a_context(), denied, "AO520", "no")
    seen.append(stamp.stamp(database))
    assert None not in seen
    assert len(seen) == len(set(seen))


def test_reading_and_leases_leave_the_name_as_it_is(house: House, database: str) -> None:
    before = stamp.stamp(database)
    house.manager.read("r", "t")
    with house.manager.lease("r/t", "me"):
        assert before == stamp.stamp(database)
    assert before == stamp.stamp(database)


def test_what_is_no_manager_has_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("no database at all, but long enough to look like a file")
    urls = [
        f"sqlite:///{tmp_path}/empty.db",
        f"sqlite:///{tmp_path}/text.db",
        f"sqlite:///{tmp_path}/none.db",
        "postgresql://nobody@127.0.0.1:1/none",
        "mysql://x",
        "",
    ]
    assert [None] * len(urls) == [stamp.stamp(url) for url in urls]
    assert not (tmp_path / "none.db").exists()
