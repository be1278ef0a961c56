"""Killed while a Manager is made or migrated, while keys rotate, while files are encrypted anew,
while one exports.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apiops.age import identities
from apiops.manager import connect, fieldcrypt, keyring
from apiops.manager.fieldcrypt import Place
from apiops.manager.keyring import Ring
from apiops.manager.wrapping import InMemory
from apiops.model.audit import AuditQuery
from apiops.model.secret import SecretValue
from tests.dying import Ended, Mortals
from tests.engines import ENGINES
from tests.estates import Thing, written
from tests.managers import NOON
from tests.process import limited
from tests.shop import AYSE, MERT, Shop, the_bank
from tests.unit import test_manager_migration as migration
from tests.worlds import World, keep

KEYS = [
    Thing(
        "Credential",
        name,
        {"email": "p@bank.example", "fullName": "P", "password": {"$plain": f"plaintext-{name}"}},
    )
    for name in ("one", "two", "three")
]


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with Mortals() as server:
        yield server


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with keep(request.param, request, tmp_path) as world:
        yield world


def run(mortals: Mortals, shop: Shop, *arguments: str, at: int = 0) -> Ended:
    return mortals.run(*arguments, cwd=shop.repository, variables=shop.variables, at=at)


def deaths(mortals: Mortals, world: World, *arguments: str) -> Iterator[tuple[int, World]]:
    """The world after a death at each step of a command, one after the other."""
    with world.copied() as whole:
        done = run(mortals, whole.shop, *arguments)
        assert 0 == done.code, done.err
        assert 0 < done.steps
    for at in range(1, done.steps + 1):
        with world.copied() as copy:
            assert run(mortals, copy.shop, *arguments, at=at).code is None
            yield at, copy


@pytest.mark.slow
def test_a_manager_that_was_half_made_is_made_by_the_next_try(
    empty: World, mortals: Mortals
) -> None:
    (empty.shop.repository / "apiops.toml").write_text(the_bank()["apiops.toml"])
    init = ("manager", "init", "--admin", "ayse", "--admin-key", "../ayse.pub")
    for at, world in deaths(mortals, empty, *init):
        again = run(mortals, world.shop, *init)
        assert again.code == 0 or "AO717" in again.err, f"step {at}: {again.err}"
        with world.opened() as manager:
            assert ["User/ayse"] == [str(one.id) for one in manager.read("", "dev").resources]
            assert manager.verify().first_bad is None


def test_a_key_file_that_does_not_fit_on_the_disk_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "manager.key"
    program = "import pathlib, sys; from apiops.manager import keyring; keyring.make_file(pathlib.Path(sys.argv[1]))"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        preexec_fn=limited(3),
        capture_output=True,
        check=False,
    )
    assert (1, True) == (done.returncode, b"cannot make the key file" in done.stderr)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_migration_that_is_killed_is_done_by_the_next_or_was_done(
    empty: World, mortals: Mortals
) -> None:
    (empty.shop.repository / "apiops.toml").write_text(the_bank()["apiops.toml"])
    old(empty)
    before = tables(empty)
    for at, world in deaths(mortals, empty, "manager", "migrate"):
        again = run(mortals, world.shop, "manager", "migrate")
        assert 0 == again.code, f"step {at}: {again.err}"
        for name, rows in tables(world).items():
            known = [{k: v for k, v in row.items() if k in before[name][0]} for row in rows]
            assert sorted(map(str, before[name])) == sorted(map(str, known)), f"step {at}"
        with world.opened() as manager:
            assert manager.verify().first_bad is None
            assert 1 == len(list(manager.entries(AuditQuery(action="migrate", limit=0))))


def old(world: World) -> None:
    """Make the Manager that version 0001 would have left."""
    keyring.make_file(world.key_file)
    kek = InMemory(keyring.read_file(world.key_file), migration.LINEAGE)
    ring = Ring(kek, migration.LINEAGE, ())
    versions = [ring.make("", "digest", NOON), ring.make("production", "seal", NOON)]
    found = ring.sealing_key("production")
    assert found is not None
    place = Place("production", "Credential", "c1", "/password")
    token = fieldcrypt.seal(found[1], "v1", place, SecretValue("hunter2"))
    url = connect.parse(world.url.render_as_string(hide_password=False))
    if world.server is None:
        Path(url.database or "").touch(mode=0o600)
    engine = connect.owner(url)
    with engine.begin() as connection:
        migration.upgrade(connection, "0001")
        connect.issue(connection, migration.TICKET)
        migration.fill(connection, versions, token)
        connect.withdraw(connection)
    engine.dispose()


def tables(world: World) -> dict[str, list[dict[str, object]]]:
    url = world.url.render_as_string(hide_password=False)
    return {name: migration.rows(url, name) for name in ("meta", "resource", "sealed", "keyring")}


# --- keys

PROOF = ("--as", "ayse", "--sign-key", "../ayse.key", "--reason", "yearly")


@pytest.fixture(params=ENGINES)
def keyed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A Manager with three sealed secrets."""
    with keep(request.param, request, tmp_path) as world:
        shop = world.shop
        shop.begin({**the_bank(), **written(KEYS, shop.recipient)})
        shop.person_key(AYSE)
        yield world


@pytest.mark.slow
def test_a_rotation_that_is_killed_at_any_step_is_ended_by_the_next(
    keyed: World, mortals: Mortals
) -> None:
    rotate = ("manager", "keys", "rotate", "--environment", "dev", *PROOF)
    retire = ("manager", "keys", "retire", "v1", "--environment", "dev", *PROOF)
    secrets = keyed.plaintexts("mert")
    assert {f"plaintext-{one.name}".encode() for one in KEYS} == set(secrets.values())
    for at, world in deaths(mortals, keyed, *rotate):
        assert secrets == world.plaintexts("mert"), f"step {at}"
        again = run(mortals, world.shop, *rotate)
        assert 0 == again.code, f"step {at}: {again.err}"
        assert 0 == run(mortals, world.shop, *retire).code, f"step {at}"
        assert secrets == world.plaintexts("mert"), f"step {at}"
        with world.opened() as manager:
            assert manager.verify().first_bad is None, f"step {at}"


@pytest.mark.slow
def test_a_retirement_that_is_killed_was_done_or_is_done_by_the_next(
    keyed: World, mortals: Mortals
) -> None:
    assert (
        0
        == run(
            mortals, keyed.shop, "manager", "keys", "rotate", "--environment", "dev", *PROOF
        ).code
    )
    retire = ("manager", "keys", "retire", "v1", "--environment", "dev", *PROOF)
    secrets = keyed.plaintexts("mert")
    for at, world in deaths(mortals, keyed, *retire):
        again = run(mortals, world.shop, *retire)
        assert again.code == 0 or "retired" in again.err, f"step {at}: {again.err}"
        assert secrets == world.plaintexts("mert"), f"step {at}"
        with world.opened() as manager:
            assert manager.verify().first_bad is None, f"step {at}"


# --- files


@pytest.fixture
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Three sops files in a work tree."""
    with keep("sqlite", request, tmp_path) as world:
        shop = world.shop
        for path, content in {**the_bank(), **written(KEYS, shop.recipient)}.items():
            file = shop.repository / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        yield world


OTHER = identities.generate()


def plain(mortals: Mortals, shop: Shop) -> list[str]:
    """What each file says, in the clear; every one must open."""
    files = sorted(shop.repository.rglob("*.sops.yaml"))
    assert 3 == len(files)
    done = [run(mortals, shop, "secrets", "decrypt", str(file)) for file in files]
    assert [0, 0, 0] == [one.code for one in done], [one.err for one in done]
    return [one.out for one in done]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("secrets", "recipients", "add", "--age", OTHER[1], "."),
        ("secrets", "rotate", "."),
        ("secrets", "recipients", "remove", "--age", OTHER[1], "."),
    ],
    ids=["add", "rotate", "remove"],
)
def test_files_that_were_half_done_open_and_the_next_run_does_the_rest(
    sealed: World, mortals: Mortals, command: tuple[str, ...]
) -> None:
    if "remove" in command:
        added = run(mortals, sealed.shop, "secrets", "recipients", "add", "--age", OTHER[1], ".")
        assert 0 == added.code, added.err
    before = plain(mortals, sealed.shop)
    for at, world in deaths(mortals, sealed, *command):
        assert before == plain(mortals, world.shop), f"step {at}"
        again = run(mortals, world.shop, *command)
        assert 0 == again.code, f"step {at}: {again.err}"
        assert before == plain(mortals, world.shop), f"step {at}"
        listed = run(mortals, world.shop, "secrets", "recipients", "list", ".").out
        expected = 0 if "remove" in command else 3 if "add" in command else 0
        assert expected == listed.count(OTHER[1]), f"step {at}: {listed}"
        valid = run(mortals, world.shop, "validate", "--worktree")
        assert 0 == valid.code, f"step {at}: {valid.out}"


def test_an_edit_in_place_that_is_killed_leaves_the_old_file_or_the_new(
    sealed: World, mortals: Mortals
) -> None:
    file = next(iter(sorted(sealed.shop.repository.rglob("*.sops.yaml"))))
    place = file.relative_to(sealed.shop.repository).as_posix()
    for at, world in deaths(mortals, sealed, "secrets", "decrypt", "--in-place", place):
        content = (world.shop.repository / place).read_bytes()
        assert content == file.read_bytes() or b"plaintext-" in content, f"step {at}"


@pytest.mark.slow
def test_an_export_that_is_killed_is_finished_by_the_next(
    request: pytest.FixtureRequest, tmp_path: Path, mortals: Mortals
) -> None:
    with keep("sqlite", request, tmp_path) as world:
        shop = world.shop
        shop.begin({**the_bank(), **written(KEYS[:1], shop.recipient)})
        shop.person_key(MERT)
        export = ("export", "--into", "out", "--project", "payments", "--encrypt-to", shop.recipient,
                  "--as", "mert", "--sign-key", "../mert.key", "--reason", "look", "--overwrite")  # fmt: skip
        with world.copied() as whole:
            assert 0 == run(mortals, whole.shop, *export).code
            expected = names(whole)
        for at, copy in deaths(mortals, world, *export):
            assert 0 == run(mortals, copy.shop, *export).code, f"step {at}"
            assert expected == names(copy), f"step {at}"


def names(world: World) -> set[str]:
    """The files of an export, without what a dead process left beside them."""
    out = world.shop.repository / "out"
    return {
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and path.name[0] != "."
    }
