"""A plan with nothing to do is said again from memory: the same bytes, and never out of date."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiops.wiring import memory
from tests.process import child, environment
from tests.shop import AYSE, MERT, Shop, a_project, a_proxy

HEAVY = {
    "alembic", "cryptography", "jsonschema", "orjson", "pydantic", "pygit2", "pyrage", "re2",
    "rich", "ryaml", "sqlalchemy", "yaml",
}  # fmt: skip
"""What a plan with nothing to do must not load."""

SPARED = {"apiops.age.keyring", "apiops.age.yamltext", "sqlalchemy.dialects.postgresql"}
"""What a walk must not load where it opens no secret and its database is SQLite."""

OURS = 17
"""How many of our modules it may load; lower it when one goes."""

PROGRAM = """
import contextlib, io, sqlite3, sys
connect, asked = sqlite3.connect, []
def watched(*given, **more):
    found = connect(*given, **more)
    found.set_trace_callback(asked.append)
    return found
sqlite3.connect = watched
from apiops.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(*sorted(sys.modules))
print(sum('SELECT' in one.split() for one in asked))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.variables |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CI": "true"}
    made.begin()
    return made


def kept(shop: Shop) -> Path:
    (file,) = (shop.folder / "cache" / "apiops").glob("plan-*")
    return file


def walks(shop: Shop, *flags: str) -> bool:
    """Whether a plan walks the line: only then CI sees progress on stderr."""
    return "reading the specifications" in shop.run("plan", *flags).err


@pytest.mark.parametrize("format", ["text", "json", "markdown"])
def test_what_is_said_again_is_what_was_said(shop: Shop, format: str) -> None:
    walked, recalled = (shop.run("plan", "-o", format) for _ in range(2))
    assert (walked.code, walked.out) == (recalled.code, recalled.out)
    assert ("", True) == (recalled.err, walked.err != "")
    kept(shop).unlink()
    again = shop.run("plan", "-o", format)
    assert (walked.code, walked.out) == (again.code, again.out)


def by_hand(shop: Shop) -> None:
    done = shop.run(
        *("manager", "set", "ApiProxy/payments/orders", "spec.settings.connection.readTimeout=90"),
        *("--as", "mert", "--sign-key", shop.person_key(MERT), "--reason", "incident 4711"),
    )
    assert 0 == done.code, done.err


def a_commit(shop: Shop) -> None:
    shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders") + "\n"}, "Say it longer")


def a_key_is_revoked(shop: Shop) -> None:
    no_keys = shop.run(
        *("manager", "set", "User/mert", "spec.keys=[]", "--as", "ayse"),
        *("--sign-key", shop.person_key(AYSE), "--reason", "stolen"),
    )
    assert 0 == no_keys.code, no_keys.err


def another_identity(shop: Shop) -> None:
    shop.variables["SOPS_AGE_KEY"] = shop.identity


def another_environment(shop: Shop) -> None:
    file = shop.repository / "apiops.toml"
    file.write_text(file.read_text() + 'environment = "test"\n')


@pytest.mark.parametrize(
    "move", [by_hand, a_commit, a_key_is_revoked, another_identity, another_environment]
)
def test_whatever_moves_is_felt_at_once(shop: Shop, move: Callable[[Shop], None]) -> None:
    shop.run("plan")
    assert not walks(shop)
    move(shop)
    assert walks(shop)


@pytest.mark.parametrize(
    "flags",
    [("--no-prune",), ("--allow", "empty"), ("--worktree",), ("-o", "text=plan.txt"), ("-q",)],
    ids=" ".join,
)
def test_another_wish_is_another_question(shop: Shop, flags: tuple[str, ...]) -> None:
    shop.run("plan")
    text = shop.run("plan", *flags)
    (shop.repository / "plan.txt").unlink(missing_ok=True)
    kept(shop).unlink()
    assert text == shop.run("plan", *flags)


def test_a_plan_with_something_to_do_is_not_kept(shop: Shop) -> None:
    changed = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")
    shop.commit(MERT, {"payments/orders.yaml": changed}, "Wait longer")
    assert walks(shop)
    assert walks(shop)
    assert not list((shop.folder / "cache").rglob("plan-*"))


def test_where_a_commit_had_to_be_judged_time_has_a_say_and_nothing_is_kept(shop: Shop) -> None:
    done = shop.run(
        *("manager", "set", "Project/payments", "spec.description=Money", "--as", "ayse"),
        *("--sign-key", shop.person_key(AYSE), "--reason", "incident 4711"),
    )
    assert 0 == done.code, done.err
    described = a_project("payments").replace("{}", "{description: Money}")
    shop.commit(AYSE, {"payments/project.yaml": described}, "As it is by now")
    assert [] == shop.run("plan", "-o", "json").json["plan"]["changes"]
    assert walks(shop)
    assert not list((shop.folder / "cache").rglob("plan-*"))


def test_a_build_that_differs_in_one_file_asks_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run("plan")
    # Another build is another installation: to change a file of this one would disturb others.
    monkeypatch.setattr(memory, "_build", lambda: ["another"])
    assert walks(shop)


def open_to_others(file: Path) -> None:
    file.chmod(0o644)


def in_an_open_folder(file: Path) -> None:
    file.parent.chmod(0o755)


def in_a_linked_folder(file: Path) -> None:
    real = file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.symlink_to(real)


def a_link(file: Path) -> None:
    real = file.rename(file.with_name("real"))
    file.symlink_to(real)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def too_long(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b" " * memory.MAX_BYTES)


def sealed_by_another(file: Path) -> None:
    """As a job would that knows everything but the Manager's key."""
    body = file.read_bytes().partition(b"\n")[2].replace(b"No changes", b"No worries")
    forged = memory.Question("", file, b"\0" * 32)
    file.write_bytes(forged._mac(body) + b"\n" + body)


@pytest.mark.parametrize(
    "poison",
    [
        open_to_others,
        in_an_open_folder,
        in_a_linked_folder,
        a_link,
        empty,
        too_long,
        sealed_by_another,
    ],
)
def test_a_memory_that_others_could_have_written_is_not_believed(
    shop: Shop, poison: Callable[[Path], None]
) -> None:
    said = shop.run("plan").out
    poison(kept(shop))
    again = shop.run("plan")
    assert said == again.out
    assert "reading the specifications" in again.err


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_damaged_memory_gives_an_answer(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "private"
    asked = memory.Question("f" * 64, folder / "plan", b"k" * 32)
    asked.keep("No changes.\n")
    assert "No changes.\n" == asked.answer()
    good = asked.file.read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    bad = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[place]))
    asked.file.write_bytes(good[:place] + bytes([bad]) + good[place + 1 :])
    assert None is asked.answer()
    asked.file.write_bytes(good[:place])
    assert None is asked.answer()


def test_where_nothing_can_be_kept_a_plan_is_worked_out_again(shop: Shop) -> None:
    (shop.folder / "cache").mkdir(exist_ok=True)
    (shop.folder / "cache" / "apiops").write_text("a file, not a folder")
    assert walks(shop)
    assert walks(shop)


def test_what_is_wrong_with_the_question_is_said_in_the_format_that_was_asked_for(
    shop: Shop,
) -> None:
    assert "AO904" in shop.run("plan", "--target", "nowhere", "-o", "json").out


def test_every_process_asks_the_same_question(shop: Shop) -> None:
    questions = {
        child("plan", cwd=shop.repository, **shop.variables, PYTHONHASHSEED=str(seed)).out
        + kept(shop).read_text()
        for seed in range(4)
    }
    assert len(questions) == 1


def test_it_loads_little_and_asks_the_database_once(shop: Shop) -> None:
    shop.run("plan")
    names, statements = loaded(shop, "plan")
    assert set() == HEAVY & {name.partition(".")[0] for name in names}
    assert OURS >= len([name for name in names if name.startswith("apiops.")]), names
    assert 1 == statements


@pytest.mark.parametrize("words", [("plan", "-q"), ("apply", "--yes")], ids=" ".join)
def test_a_walk_with_no_secret_to_open_loads_nothing_that_opens_one(
    shop: Shop, words: tuple[str, ...]
) -> None:
    changed = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")
    shop.commit(MERT, {"payments/orders.yaml": changed}, "Wait longer")
    names, _ = loaded(shop, *words)
    assert {"apiops.reconcile.line", "sqlalchemy"} <= names
    assert set() == SPARED & names


def loaded(shop: Shop, *words: str) -> tuple[set[str], int]:
    """The modules that a command loads, and how many questions it asks the database."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=shop.repository,
        env=environment(**shop.variables),
        capture_output=True,
        text=True,
        check=True,
    )
    *_, modules, statements = done.stdout.splitlines()
    return set(modules.split()), int(statements)


def test_the_folder_is_this_users_alone(shop: Shop) -> None:
    shop.run("plan")
    file = kept(shop)
    assert (0o700, 0o600) == (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777)
    assert os.geteuid() == file.stat().st_uid
