"""What every book of a remote Manager promises: in SQLite, in PostgreSQL and in a Git ref."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apiops.age import identities
from apiops.errors import AccessDenied, Conflict
from apiops.git import ledgerref
from apiops.manager import gitbook
from apiops.manager.book import SqlBook
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from apiops.ports import Batch, Begun, Write
from apiops.wiring import gitledger
from tests import managers
from tests.managers import (
    REPOSITORY,
    TARGET,
    House,
    a_context,
    a_resource,
    a_write,
    commit,
    found,
    revision,
    secret_resource,
)
from tests.people import GitStory, person, signing_key

OFFICE = a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]})


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.getfixturevalue("where") == "postgresql":
        url = request.getfixturevalue("postgres_url").render_as_string(hide_password=False)
    with House(url, tmp_path / "manager.key") as house:
        managers.settle(house.manager)
        yield house


@pytest.fixture(params=["sqlite", "postgresql", "git"])
def where(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def book(house: House, where: str, tmp_path: Path) -> Iterator[SqlBook]:
    if where == "git":
        repository = GitStory(tmp_path / "repo")
        repository.commit(person("ayse"), {"README": "a"})
        name = "refs/apiops/production"
        ref = ledgerref.open(repository.path, name, ledgerref.Access(key=signing_key("runner")))
        sealed = gitledger.Sealed(ref, name, (identities.generate()[1],))
        yield gitbook.face(house.manager, sealed.keep)
        return
    with SqlBook(*house.manager.parts) as opened:
        yield opened


def a_batch(*writes: Write, fence: int, number: int = 2) -> Batch:
    return Batch(
        REPOSITORY, TARGET, "payments", commit(1), revision(number), writes, a_context(), fence
    )


@pytest.fixture
def fence(book: SqlBook) -> Iterator[int]:
    with book.lease(f"{REPOSITORY}/{TARGET}", "run-1") as fence:
        yield fence


def test_a_rehearsal_leaves_nothing_but_the_denial(book: SqlBook, fence: int) -> None:
    made = a_write(Action.CREATE, OFFICE)
    denied = a_write(Action.CREATE, OFFICE, by="mert")
    entries = book.verify().entries

    book.rehearse(a_batch(made, fence=fence))
    assert entries == book.verify().entries
    assert found(book, OFFICE.id) is None

    with pytest.raises(AccessDenied):
        book.rehearse(a_batch(denied, fence=fence))
    (entry,) = book.entries(AuditQuery(limit=1))
    assert ("denied", OFFICE.id) == (entry.outcome, entry.resource)


def test_a_rehearsal_finds_that_somebody_was_faster(book: SqlBook, fence: int) -> None:
    with pytest.raises(Conflict):
        book.rehearse(replace(a_batch(fence=fence), base=commit(7)))
    with pytest.raises(Conflict):
        book.rehearse(a_batch(fence=fence + 1))


def test_a_recorded_write_is_audited_and_ours_and_the_unit_stays(book: SqlBook, fence: int) -> None:
    write = a_write(Action.CREATE, OFFICE)

    (outcome,) = book.record(a_batch(write, fence=fence), [write])

    (entry,) = book.entries(AuditQuery(name="office"))
    live = found(book, OFFICE.id)
    assert outcome.entry == entry.seq
    assert live is not None
    assert (REPOSITORY, OFFICE.spec) == (live.owner, live.applied)
    assert commit(1) == book.state(REPOSITORY, TARGET).applied["payments"].commit


def test_advancing_moves_the_unit(book: SqlBook, fence: int) -> None:
    book.advance(a_batch(fence=fence))

    assert commit(2) == book.state(REPOSITORY, TARGET).applied["payments"].commit


def test_a_part_is_what_is_named_and_whole_kinds(book: SqlBook, fence: int) -> None:
    annex = replace(OFFICE, id=replace(OFFICE.id, name="annex"))
    writes = [a_write(Action.CREATE, OFFICE), a_write(Action.CREATE, annex)]
    book.record(a_batch(*writes, fence=fence), writes)

    def names(among: list[ResourceId], *kinds: str) -> list[str]:
        return [one.id.name for one in book.read(REPOSITORY, TARGET, among, kinds).resources]

    assert ["annex"] == names([annex.id])
    assert ["annex", "office", "payments"] == sorted(names([annex.id], "Project", "IpGroup"))
    assert [] == names([])


def test_a_kind_that_was_written_in_a_project_is_had_there_alone(book: SqlBook, fence: int) -> None:
    write = a_write(Action.CREATE, OFFICE)
    assert not book.has("IpGroup", "payments")

    book.record(a_batch(write, fence=fence), [write])

    assert book.has("IpGroup", "payments")
    assert book.has("Project", None)
    assert not book.has("IpGroup", "cards")
    assert not book.has("IpGroup", None)


def test_what_was_begun_is_unsettled_until_it_is_recorded(book: SqlBook, fence: int) -> None:
    write = a_write(Action.CREATE, OFFICE)
    batch = a_batch(write, fence=fence)

    (number,) = book.intend(batch, [(write, "POST /ipGroups/")])
    assert {OFFICE.id: Begun(anew=True)} == book.unsettled(REPOSITORY, TARGET)
    book.end([(number, "done")])
    assert {OFFICE.id: Begun(anew=True)} == book.unsettled(REPOSITORY, TARGET)
    assert {} == book.unsettled("another", TARGET)
    book.record(batch, [write])
    assert {} == book.unsettled(REPOSITORY, TARGET)


def test_what_it_was_called_before_is_told_as_well(book: SqlBook, fence: int) -> None:
    old = a_write(Action.CREATE, OFFICE)
    book.record(a_batch(old, fence=fence), [old])
    write = a_write(Action.UPDATE, replace(OFFICE, id=replace(OFFICE.id, name="branch")))
    renames = replace(write, change=replace(write.change, renamed_from="office"))

    book.intend(a_batch(renames, fence=fence), [(renames, "PUT /ipGroups/office/")])

    assert {write.change.id: Begun(OFFICE.id)} == book.unsettled(REPOSITORY, TARGET)


def test_what_is_begun_and_never_sent_changed_nothing(book: SqlBook) -> None:
    write = a_write(Action.CREATE, OFFICE)
    with book.lease(f"{REPOSITORY}/{TARGET}", "run-1") as fence:
        book.begin(a_batch(write, fence=fence), [write])

    assert {} == book.unsettled(REPOSITORY, TARGET)


def test_a_wave_that_was_begun_settles_with_its_records(book: SqlBook, fence: int) -> None:
    write = a_write(Action.CREATE, OFFICE)
    batch = a_batch(write, fence=fence)

    book.begin(batch, [write])
    (number,) = book.intend(batch, [(write, "POST /ipGroups/")])
    book.end([(number, "done")])
    assert {OFFICE.id: Begun(anew=True)} == book.unsettled(REPOSITORY, TARGET)
    book.record(batch, [write])
    assert {} == book.unsettled(REPOSITORY, TARGET)


def test_what_was_refused_changed_nothing(book: SqlBook, fence: int) -> None:
    write = a_write(Action.CREATE, OFFICE)

    (number,) = book.intend(a_batch(write, fence=fence), [(write, "POST")])
    book.end([(number, "failed: AO763")])

    assert {} == book.unsettled(REPOSITORY, TARGET)


def test_what_vanished_elsewhere_is_recorded_all_the_same(book: SqlBook, fence: int) -> None:
    """The other Manager lost it and it was made again; or it was never recorded and is deleted."""
    write = a_write(Action.CREATE, OFFICE)
    book.record(a_batch(write, fence=fence), [write])

    book.record(a_batch(write, fence=fence), [write])
    gone = a_write(Action.DELETE, OFFICE, serial=99)
    book.record(a_batch(gone, fence=fence), [gone])
    book.record(a_batch(gone, fence=fence), [gone])

    assert found(book, OFFICE.id) is None
    assert book.verify().first_bad is None


def test_of_a_secret_only_the_fingerprint_is_kept(book: SqlBook, house: House, fence: int) -> None:
    resource, secrets = secret_resource(book)
    write = a_write(Action.CREATE, resource, secrets=secrets)
    book.record(a_batch(write, fence=fence), [write])

    live = found(book, resource.id)
    assert live is not None
    assert (
        resource.spec["password"]["$secret"]["fingerprint"]
        == (live.spec["password"]["$secret"]["fingerprint"])
    )


def test_what_is_in_another_inventory_is_not_taken(book: SqlBook, fence: int) -> None:
    write = a_write(Action.CREATE, OFFICE)
    book.record(a_batch(write, fence=fence), [write])
    with book.lease(f"other/{TARGET}", "run-2") as theirs:
        batch = replace(a_batch(write, fence=theirs), repository="other", base=None)
        with pytest.raises(Conflict):
            book.rehearse(batch)
