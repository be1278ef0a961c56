"""Whatever is wrong, from the command line: a clear error, the right exit code, nothing lost."""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from apiops.git import author
from tests.people import GitStory
from tests.process import child, limited, mortal
from tests.shop import AYSE, MERT, Done, Shop, a_project, a_proxy, run, the_bank

TIMEOUT = ("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def begun(shop: Shop) -> Shop:
    shop.begin()
    return shop


def refused(done: Done, exit_code: int, code: str, *words: str) -> None:
    """One error with its code, the words that say what and where, a hint, and no artefact."""
    assert (exit_code, "") == (done.code, done.out), done.out + done.err
    lines = done.err.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith(f"error {code}  ")]
    told = "\n".join(lines[at:])
    for word in (*words, f"apiops explain {code}"):
        assert word in told, told
    assert len(lines) - at >= 3, f"a hint is missing: {told}"
    assert "Traceback" not in done.err


def everything(shop: Shop) -> str:
    """All that the audit log has; it verifies, or the test ends here."""
    assert 0 == shop.run("audit", "verify").code
    return shop.run("audit", "list", "--limit", "0", "-o", "json").out


def change(shop: Shop) -> str:
    return shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})


def loose(shop: Shop, id: str) -> Path:
    return shop.repository / ".git/objects" / id[:2] / id[2:]


class TestTheRepository:
    def test_a_folder_without_one_is_named(self, begun: Shop) -> None:
        config = begun.repository / "apiops.toml"
        done = run("plan", "-C", begun.folder, "--config", config, cwd=begun.folder)
        refused(done, 3, "AO801", str(begun.folder), "git init")

    def test_a_branch_without_commits_is_named(self, tmp_path: Path) -> None:
        author.init(tmp_path / "new")
        done = run("validate", cwd=tmp_path / "new")
        refused(done, 3, "AO804", "no commit yet", "--worktree")

    @pytest.mark.parametrize("ref", ["mian", "HEAD~1", "--all", "", "a\x1b[31mb", "0" * 40])
    def test_an_unknown_ref_is_named(self, begun: Shop, ref: str) -> None:
        done = begun.run("plan", f"--ref={ref}")
        refused(done, 3, "AO805")
        assert "\x1b" not in done.err

    def test_a_ref_that_means_two_things_is_refused(self, begun: Shop) -> None:
        change(begun)
        tags = begun.repository / ".git/refs/tags"
        tags.mkdir(parents=True, exist_ok=True)
        (tags / "main").write_text(begun.story.open().resolve("HEAD").commit + "\n")
        change_again = begun.commit(AYSE, {"notes.txt": "x"})
        assert change_again != (tags / "main").read_text().strip()
        refused(begun.run("plan", "--ref", "main"), 3, "AO806", "refs/heads/main", "refs/tags/main")

    def test_a_shallow_clone_without_the_base_says_how_to_deepen_it(self, begun: Shop) -> None:
        first = begun.story.open().resolve("HEAD").commit
        second = change(begun)
        (begun.repository / ".git/shallow").write_text(second + "\n")
        loose(begun, first).unlink()
        before = everything(begun)
        refused(begun.run("sync"), 3, "AO808", "git fetch --unshallow")
        assert before == everything(begun)

    @pytest.mark.parametrize("damage", ["gone", "garbage", "empty"])
    def test_an_object_that_cannot_be_read_is_named(self, begun: Shop, damage: str) -> None:
        change(begun)
        repository = begun.story.open()
        snapshot = repository.snapshot(repository.resolve("HEAD"))
        blob = snapshot.files["payments/orders.yaml"].blob
        object_file = loose(begun, blob)
        object_file.chmod(0o600)
        if damage == "gone":
            object_file.unlink()
        else:
            object_file.write_bytes(b"" if damage == "empty" else b"\x00garbage")
        before = everything(begun)
        refused(begun.run("sync"), 3, "AO809", blob[:12], "git fsck")
        assert before == everything(begun)

    def test_a_rewritten_branch_is_not_followed(self, begun: Shop) -> None:
        first = begun.story.open().resolve("HEAD").commit
        second = change(begun)
        assert 0 == begun.run("sync").code
        other = begun.commit(
            MERT, {"payments/extra.yaml": a_proxy("extra")}, parents=[first], branch="other"
        )
        (begun.repository / ".git/refs/heads/main").write_text(other + "\n")
        before = everything(begun)
        refused(begun.run("sync"), 5, "AO625", second[:7], "applied last", other[:7])
        assert before == everything(begun)

    def test_an_older_commit_is_not_gone_back_to(self, begun: Shop) -> None:
        first = begun.story.open().resolve("HEAD").commit
        second = change(begun)
        assert 0 == begun.run("sync").code
        before = everything(begun)
        refused(begun.run("sync", "--ref", first), 5, "AO625", first[:7], second[:7], "git revert")
        assert before == everything(begun)

    def test_a_remote_that_is_not_there_is_named(self, begun: Shop) -> None:
        refused(begun.run("sync", "--fetch", "orign"), 3, "AO813", "orign", "git remote add")

    def test_a_remote_that_does_not_answer_may_be_tried_again(self, begun: Shop) -> None:
        config = begun.repository / ".git/config"
        config.write_text(
            config.read_text()
            + '[remote "origin"]\n\turl = https://127.0.0.1:9/x.git\n'
            + "\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
        )
        refused(begun.run("sync", "--fetch", "origin"), 7, "AO812", "origin")


class TestTheIntroduction:
    def begin(self, shop: Shop, commit: str, approver: str = "ayse") -> Done:
        return shop.run("apply", "--introduction", commit, "--approver", approver, "--yes", "-q")

    def prepared(self, shop: Shop) -> str:
        first = shop.commit(AYSE, the_bank())
        assert 0 == shop.manager().code
        return first

    def test_an_unknown_commit_is_refused(self, shop: Shop) -> None:
        self.prepared(shop)
        refused(self.begin(shop, "deadbeef"), 3, "AO805", "deadbeef")

    def test_a_commit_of_another_history_is_refused(self, shop: Shop) -> None:
        self.prepared(shop)
        foreign = shop.commit(AYSE, {"a.txt": "a"}, branch="other", parents=[])
        done = self.begin(shop, foreign)
        refused(done, 5, "AO625", "the introduction", foreign[:7], "name a commit of this branch")

    def test_one_half_of_it_is_refused(self, shop: Shop) -> None:
        self.prepared(shop)
        done = shop.run("apply", "--introduction", "HEAD", "--yes")
        refused(done, 64, "AO905", "--introduction COMMIT --approver NAME")

    def test_an_approver_that_nobody_knows_is_refused(self, shop: Shop) -> None:
        first = self.prepared(shop)
        done = self.begin(shop, first, "ghost")
        assert 4 == done.code
        assert "ghost" in done.err
        self.nothing_was_written(shop)

    def test_it_must_be_signed_by_the_one_who_answers_for_it(self, shop: Shop) -> None:
        first = shop.commit(MERT, the_bank())
        assert 0 == shop.manager().code
        done = self.begin(shop, first)
        assert 4 == done.code, done.err
        self.nothing_was_written(shop)

    def test_an_unsigned_one_is_refused(self, shop: Shop) -> None:
        first = shop.commit(AYSE, the_bank(), signed=False)
        assert 0 == shop.manager().code
        done = self.begin(shop, first)
        assert 4 == done.code, done.err
        self.nothing_was_written(shop)

    def test_an_approver_without_the_right_is_refused(self, begun: Shop, tmp_path: Path) -> None:
        second = GitStory(tmp_path / "second")
        first = second.commit(
            MERT, {"apiops.toml": the_bank()["apiops.toml"], "loans.yaml": a_project("loans")}
        )
        before = everything(begun)
        begin = ("--introduction", first, "--approver", "mert", "--yes")
        done = run("apply", *begin, cwd=tmp_path / "second")
        assert 4 == done.code, done.err
        assert "mert" in done.err
        assert _written(before) == _written(everything(begun))

    def nothing_was_written(self, shop: Shop) -> None:
        assert {"init"} == {entry["source"] for entry in _written(everything(shop))}


def _written(entries: str) -> list[dict[str, Any]]:
    """The entries of an audit list that are no denials."""
    return [one for one in json.loads(entries)["entries"] if one["outcome"] != "denied"]


def _updates(entries: str) -> int:
    return sum(one["action"] == "update" for one in _written(entries))


class TestTheDatabase:
    @pytest.fixture
    def database(self, begun: Shop) -> Path:
        return begun.folder / "dev.db"

    @pytest.fixture
    def closed(self, begun: Shop) -> Iterator[Path]:
        """A folder for a database that may be opened and closed to writers."""
        folder = begun.folder / "closed"
        folder.mkdir()
        for name in ("dev.db", "dev.db.key"):
            shutil.copy(begun.folder / name, folder / name)
        yield folder
        folder.chmod(0o700)
        for file in folder.iterdir():
            file.chmod(0o600)

    def manager(self, file: Path) -> tuple[str, str]:
        return ("--manager", f"sqlite:///{file}")

    def with_key(self, begun: Shop, file: Path) -> tuple[str, str]:
        """The options for another database that has its key file beside it."""
        shutil.copy(begun.folder / "dev.db.key", f"{file}.key")
        return self.manager(file)

    @pytest.mark.parametrize("verb", ["plan", "drift", "audit list", "access who"])
    def test_one_that_is_not_there_is_named_and_not_made(self, begun: Shop, verb: str) -> None:
        file = begun.folder / "none.db"
        refused(
            begun.run(*verb.split(), *self.manager(file)), 1, "AO705", str(file), "manager init"
        )
        assert not file.exists()

    def test_a_folder_that_is_not_there_is_named(self, begun: Shop) -> None:
        file = begun.folder / "none/x.db"
        admin = ("--admin", "ayse", "--admin-key", begun.folder / "ayse.pub")
        key = ("--key-file", begun.folder / "x.key")
        done = begun.run("manager", "init", *self.manager(file), *key, *admin)
        refused(done, 1, "AO705", str(file.parent))
        assert not (begun.folder / "x.key").exists()

    @pytest.mark.parametrize(("mode", "hint"), [(0o000, "read and write it"), (0o400, "owner and")])
    def test_a_file_without_permission_is_named(
        self, begun: Shop, closed: Path, mode: int, hint: str
    ) -> None:
        change(begun)
        (closed / "dev.db").chmod(mode)
        done = child(
            *("apply", "--yes", "-q", *self.manager(closed / "dev.db")),
            cwd=begun.repository,
            before=mortal,
        )
        refused(done, 1, "AO705", str(closed / "dev.db"), hint)

    def test_a_folder_without_permission_is_named(self, begun: Shop, closed: Path) -> None:
        change(begun)
        closed.chmod(0o500)
        done = child(
            *("apply", "--yes", "-q", *self.manager(closed / "dev.db")),
            cwd=begun.repository,
            before=mortal,
        )
        refused(done, 1, "AO705", str(closed / "dev.db"), "directory")

    def test_a_newer_schema_is_left_alone(self, begun: Shop, database: Path) -> None:
        with closing(sqlite3.connect(database)) as raw:
            raw.execute("UPDATE schema_version SET version_num = '9999'")
            raw.commit()
        refused(begun.run("plan"), 1, "AO714", "9999", "newer")
        refused(begun.run("manager", "migrate"), 1, "AO714", "9999", "newer")

    @pytest.mark.parametrize("verb", ["plan", "manager migrate"])
    def test_a_database_of_something_else_is_left_alone(self, begun: Shop, verb: str) -> None:
        file = begun.folder / "other.db"
        with closing(sqlite3.connect(file)) as raw:
            raw.execute("CREATE TABLE invoices (number)")
            raw.commit()
        before = file.read_bytes()
        done = begun.run(*verb.split(), *self.with_key(begun, file))
        refused(done, 1, "AO708", str(file))
        assert before == file.read_bytes()

    def test_what_is_no_database_is_named(self, begun: Shop) -> None:
        file = begun.folder / "notes.txt"
        file.write_text("not a database, " * 500)
        refused(begun.run("plan", *self.with_key(begun, file)), 1, "AO703", str(file))
        folder = begun.folder
        refused(begun.run("plan", *self.with_key(begun, folder)), 1, "AO705", str(folder))

    def test_a_plan_for_another_manager_is_refused(self, begun: Shop) -> None:
        change(begun)
        other = ("--manager", f"sqlite:///{begun.folder}/other.db")
        admin = ("--admin", "ayse", "--admin-key", begun.folder / "ayse.pub")
        assert 0 == begun.run("manager", "init", *other, *admin).code
        assert 0 == begun.run("plan", "--out", begun.folder / "plan.json", "-q").code
        introduced = ("--introduction", "HEAD", "--approver", "ayse")
        done = begun.run("apply", begun.folder / "plan.json", "-q", *other, *introduced)
        refused(done, 5, "AO622", "Manager")

    def test_a_second_manager_is_not_made_over_the_first(self, begun: Shop) -> None:
        before = everything(begun)
        refused(begun.manager(), 1, "AO717", "nothing was changed")
        assert before == everything(begun)

    def test_a_locked_one_ends_the_wait(self, begun: Shop, database: Path) -> None:
        change(begun)
        before = everything(begun)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            refused(begun.run("apply", "--yes", "-q"), 7, "AO704", str(database))
            assert time.monotonic() - began < 20
        assert before == everything(begun)
        assert 0 == begun.run("sync").code

    @pytest.mark.parametrize("size", [0, 4096, 40_960, 81_920, 106_496, 131_072, 196_608])
    def test_a_full_disk_takes_the_change_back(
        self, begun: Shop, database: Path, size: int
    ) -> None:
        change(begun)
        before = everything(begun)
        done = child("apply", "--yes", "-q", cwd=begun.repository, before=limited(size))
        assert "Traceback" not in done.err
        assert {0: "Applied 2 changes", 1: "AO706", 8: "AO706"}[done.code] in done.out + done.err
        assert (0 if done.code == 1 else 1) == _updates(everything(begun)) - _updates(before)
        with closing(sqlite3.connect(database)) as raw:
            raw.execute("UPDATE lease SET expires = '2000-01-01T00:00:00.000000Z'")
            raw.commit()
        assert 0 == begun.run("sync").code
        assert "No changes." in begun.run("plan").out

    def test_a_lease_that_another_run_holds_is_respected(self, begun: Shop) -> None:
        change(begun)
        before = everything(begun)
        with begun.open_manager() as manager, manager.lease(f"{begun.lineage}/dev", "run-of-bob"):
            refused(begun.run("apply", "--yes", "-q"), 7, "AO718", "run-of-bob")
        assert before == everything(begun)
        assert 0 == begun.run("sync").code

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://apiops:hunter2@127.0.0.1:9/gateway",
            "postgresql://apiops@127.0.0.1:9/gateway?password=hunter2",
        ],
    )
    def test_a_server_that_does_not_answer_is_named_without_the_password(
        self, begun: Shop, url: str
    ) -> None:
        key = ("--key-file", begun.folder / "dev.db.key")
        done = begun.run("plan", "--manager", url, *key)
        refused(done, 7, "AO701", "127.0.0.1:9/gateway")
        doctor = begun.run("doctor", "--settings", "--manager", url, *key)
        assert 1 == doctor.code
        assert "hunter2" not in done.err + doctor.out + doctor.err

    @pytest.mark.parametrize(
        "url",
        ["nonsense", "sqlite:///", "mysql://u:hunter2@h/x", "postgresql://u:hunter2@h:port/x"],
    )
    def test_a_url_that_cannot_be_used_is_refused(self, begun: Shop, url: str) -> None:
        done = begun.run("plan", "--manager", url)
        refused(done, 64, "AO702", "postgresql://user@host/database")
        assert "hunter2" not in done.err


class TestTheKeyFile:
    def test_a_missing_one_is_named(self, begun: Shop) -> None:
        done = begun.run("plan", "--key-file", begun.folder / "none.key")
        refused(done, 6, "AO721", "none.key", "manager init")

    def test_another_managers_is_refused(self, begun: Shop) -> None:
        other = ("--manager", f"sqlite:///{begun.folder}/other.db")
        admin = ("--admin", "ayse", "--admin-key", begun.folder / "ayse.pub")
        assert 0 == begun.run("manager", "init", *other, *admin).code
        refused(begun.run("plan", "--key-file", begun.folder / "other.db.key"), 6, "AO723")

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not a key", b"QUJD"])
    def test_what_is_no_key_is_refused_and_not_quoted(self, begun: Shop, content: bytes) -> None:
        file = begun.folder / "junk.key"
        file.write_bytes(content)
        file.chmod(0o600)
        done = begun.run("plan", "--key-file", file)
        refused(done, 6, "AO723", str(file))
        assert "not a key" not in done.err

    @pytest.mark.parametrize("mode", [0o640, 0o604])
    def test_one_that_others_can_read_is_refused(self, begun: Shop, mode: int) -> None:
        (begun.folder / "dev.db.key").chmod(mode)
        refused(begun.run("plan"), 6, "AO722", "chmod 600")

    def test_a_server_needs_one_to_be_named(self, begun: Shop) -> None:
        done = begun.run("plan", "--manager", "postgresql://u:hunter2@h/x")
        refused(done, 64, "AO908", "--key-file")
        assert "hunter2" not in done.err


class TestFilesThatPeopleGive:
    """Read up to a bound, or named in a clear error: a plan, a key, the forge's evidence."""

    @pytest.fixture
    def closed(self, begun: Shop) -> Path:
        file = begun.folder / "closed.json"
        file.write_text("{}")
        file.chmod(0)
        return file

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("AO910", "apply FILE"),
            ("AO907", "plan --evidence FILE"),
            ("AO910", "access import-signers FILE"),
            ("AO910", "manager set ApiProxy/a/b spec.c=d --as mert --reason e --sign-key FILE"),
        ],
    )
    def test_one_without_permission_is_named(
        self, begun: Shop, closed: Path, code: str, words: str
    ) -> None:
        filled = words.replace("FILE", str(closed)).split()
        done = child(*filled, cwd=begun.repository, before=mortal)
        refused(done, 64, code, str(closed))

    @pytest.mark.parametrize(
        "words",
        [
            "plan --evidence FILE",
            "manager set ApiProxy/a/b spec.c=d --as mert --reason e --sign-key FILE",
        ],
    )
    def test_one_that_never_ends_is_not_read_to_its_end(self, begun: Shop, words: str) -> None:
        done = begun.run(*words.replace("FILE", "/dev/zero").split())
        refused(done, 64, "AO907", "/dev/zero", "larger than")

    def test_what_is_no_plan_is_refused(self, begun: Shop) -> None:
        plan = begun.folder / "plan.json"
        change(begun)
        assert 0 == begun.run("plan", "--out", plan, "-q").code
        genuine = plan.read_bytes()
        before = everything(begun)
        for content, code in {
            b"": "AO623",
            b"\xff": "AO623",
            b"[" * 5000: "AO623",
            b'{"plan": null}': "AO623",
            genuine.replace(b'"1.0"', b'"2.0"', 1): "AO623",
            genuine.replace(b": 90", b": 91"): "AO624",
            genuine.replace(b'"action": "update"', b'"action": "delete"', 1): "AO624",
        }.items():
            plan.write_bytes(content)
            refused(begun.run("apply", plan, "-q"), 5, code)
        assert before == everything(begun)

    def test_a_sops_rule_without_permission_is_named(self, begun: Shop) -> None:
        rules = begun.repository / ".sops.yaml"
        rules.write_text("creation_rules: []\n")
        rules.chmod(0)
        (begun.repository / "x.yaml").write_text("a: b\n")
        done = child("secrets", "encrypt", "x.yaml", cwd=begun.repository, before=mortal)
        refused(done, 6, "AO415", ".sops.yaml")


class TestText:
    """What is no text: bytes in arguments and variables, escapes of what is no character."""

    @pytest.mark.parametrize(
        "words",
        [
            "plan --ref BAD",
            "audit list --principal BAD",
            "plan --manager sqlite:///BAD.db",
            "manager set ApiProxy/BAD/orders spec.a=b --as mert --sign-key k --reason r",
        ],
    )
    def test_bytes_that_are_none_are_refused(self, begun: Shop, words: str) -> None:
        refused(begun.run(*words.replace("BAD", "\udcff").split()), 64, "AO910", "not UTF-8 text")

    def test_neither_are_they_taken_from_a_variable(self, begun: Shop) -> None:
        begun.variables["APIOPS_PULL_REQUEST"] = "\udcff"
        refused(begun.run("plan"), 64, "AO910", "APIOPS_PULL_REQUEST")

    @pytest.mark.parametrize(
        "value", [r'"a\u0000b"', r'"\ud800"', r'{"a": ["\udfff"]}', r'{"\u0000": 1}']
    )
    def test_an_escape_of_no_character_is_no_value(self, begun: Shop, value: str) -> None:
        before = everything(begun)
        words = ("manager", "set", "ApiProxy/payments/orders", f"spec.description={value}")
        who = ("--as", "mert", "--sign-key", begun.person_key(MERT), "--reason", "why")
        refused(begun.run(*words, *who), 64, "AO905", "no character")
        assert before == everything(begun)

    def test_a_backslash_is_a_character(self, begun: Shop) -> None:
        words = ("manager", "set", "ApiProxy/payments/orders", r'spec.description="a\\u0000b"')
        who = ("--as", "mert", "--sign-key", begun.person_key(MERT), "--reason", "why")
        assert 0 == begun.run(*words, *who).code
