"""`apiops secrets rotate` and `recipients`, as a person or a pipeline uses them."""

import re
from pathlib import Path

import pytest

from apiops.age import editing, holders, writing
from tests.process import child, limited
from tests.shop import Done, run
from tests.sops import ALICE, BOB, sops_decrypts, to

PLAIN = b"user: app\npassword: hunter2\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two encrypted files for Alice in folders, a plain one, a hidden one and a link."""
    for name in ("a.yaml", "deep/b.yaml", ".hidden/c.yaml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(writing.encrypt(name, PLAIN, to(ALICE.recipient)).content)
    (tmp_path / "plain.yaml").write_bytes(PLAIN)
    (tmp_path / "prose.md").write_text("a value looks like ENC[AES256_GCM,data:…]")
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    return tmp_path


def secrets(tree: Path, *arguments: str | Path, owner=ALICE) -> Done:
    return run("secrets", *arguments, cwd=tree, SOPS_AGE_KEY=owner.secret)


def rule(tree: Path, *recipients: str) -> None:
    text = f"creation_rules:\n  - age: {','.join(recipients)}\n"
    (tree / ".sops.yaml").write_text(text)


def who(file: Path) -> tuple[str, ...]:
    (group,) = holders.read(str(file), file.read_bytes()).groups
    return group


def opened(file: Path, owner=ALICE) -> bytes:
    return editing.decrypt(str(file), file.read_bytes(), owner.identities)


def test_a_folder_means_the_sops_files_in_it(tree: Path) -> None:
    before = {file: file.read_bytes() for file in tree.rglob("*.*") if file.is_file()}
    done = secrets(tree, "rotate", ".")
    changed = {file for file, content in before.items() if content != file.read_bytes()}

    assert Done(0, "", "rotated a.yaml\nrotated deep/b.yaml\n") == done
    assert {tree / "a.yaml", tree / "deep/b.yaml", tree / "link.yaml"} == changed
    assert (tree / "link.yaml").is_symlink()
    assert PLAIN == opened(tree / "a.yaml") == sops_decrypts(tree / "deep/b.yaml", ALICE)
    assert [] == [file.name for file in tree.iterdir() if file.name.startswith(".a.yaml")]


def test_nothing_changes_unless_all_files_can(tree: Path) -> None:
    (tree / "deep/b.yaml").write_bytes(writing.encrypt("b.yaml", PLAIN, to(BOB.recipient)).content)
    before = (tree / "a.yaml").read_bytes()
    done = secrets(tree, "rotate", ".")

    assert 6 == done.code
    assert "AO402" in done.err
    assert before == (tree / "a.yaml").read_bytes()


def test_a_disk_that_is_full_leaves_the_old_file(tree: Path) -> None:
    before = (tree / "a.yaml").read_bytes()
    done = child(
        "secrets", "rotate", "a.yaml", cwd=tree, before=limited(100), SOPS_AGE_KEY=ALICE.secret
    )

    assert 64 == done.code
    assert "AO907" in done.err
    assert before == (tree / "a.yaml").read_bytes()
    assert {"a.yaml"} == {file.name for file in tree.iterdir() if "a.yaml" in file.name}


def test_a_file_that_is_not_encrypted_is_refused_by_name(tree: Path) -> None:
    done = secrets(tree, "rotate", "plain.yaml")
    assert 6 == done.code
    assert "AO405" in done.err
    assert "hunter2" not in done.err


def test_a_folder_without_a_sops_file_is_an_error(tree: Path) -> None:
    (tree / "empty").mkdir()
    done = secrets(tree, "rotate", "empty")
    assert 64 == done.code
    assert "AO913" in done.err


def test_who_joins_can_open_and_every_token_stays(tree: Path) -> None:
    before = set(re.findall(rb"ENC\[.*?\]", (tree / "a.yaml").read_bytes()))
    done = secrets(tree, "recipients", "add", "--age", BOB.recipient, ".")

    assert Done(0, "", "changed a.yaml\nchanged deep/b.yaml\n") == done
    assert (ALICE.recipient, BOB.recipient) == who(tree / "a.yaml")
    assert PLAIN == opened(tree / "a.yaml", BOB) == sops_decrypts(tree / "deep/b.yaml", BOB)
    assert before == set(re.findall(rb"ENC\[.*?\]", (tree / "a.yaml").read_bytes()))
    assert (
        "nothing changed\n" == secrets(tree, "recipients", "add", "--age", BOB.recipient, ".").err
    )


def test_who_leaves_cannot_open_and_people_are_told_what_remains(tree: Path) -> None:
    secrets(tree, "recipients", "add", "--age", BOB.recipient, ".")
    done = secrets(tree, "recipients", "remove", "--age", BOB.recipient, ".")

    assert 0 == done.code
    assert "replace the secrets themselves" in done.err
    assert (ALICE.recipient,) == who(tree / "a.yaml")
    assert PLAIN == opened(tree / "a.yaml")


def test_the_last_recipient_cannot_leave(tree: Path) -> None:
    before = (tree / "a.yaml").read_bytes()
    done = secrets(tree, "recipients", "remove", "--age", ALICE.recipient, "a.yaml")
    assert 6 == done.code
    assert "AO411" in done.err
    assert before == (tree / "a.yaml").read_bytes()


def test_a_list_needs_no_key_and_shows_where_the_rule_says_otherwise(tree: Path) -> None:
    plain = run("secrets", "recipients", "list", "a.yaml", cwd=tree)
    rule(tree, ALICE.recipient, BOB.recipient)
    ruled = run("secrets", "recipients", "list", "a.yaml", cwd=tree)

    assert Done(0, f"a.yaml\n  {ALICE.recipient}\n", "") == plain
    assert f"{plain.out}  but .sops.yaml says:\n    {ALICE.recipient}\n    {BOB.recipient}\n" == (
        ruled.out
    )


def test_files_are_made_to_fit_the_rules_and_those_that_do_stay(tree: Path) -> None:
    rule(tree, ALICE.recipient, BOB.recipient)
    secrets(tree, "recipients", "add", "--age", BOB.recipient, "a.yaml")
    fitting = (tree / "a.yaml").read_bytes()
    check = run("secrets", "recipients", "sync", "--check", ".", cwd=tree)
    done = secrets(tree, "recipients", "sync", ".")

    assert (3, True) == (check.code, check.out.startswith("deep/b.yaml\n"))
    assert Done(0, "", "changed deep/b.yaml\n") == done
    assert fitting == (tree / "a.yaml").read_bytes()
    assert PLAIN == opened(tree / "deep/b.yaml", BOB)
    assert Done(0, "", "") == run("secrets", "recipients", "sync", "--check", ".", cwd=tree)


def test_without_a_rule_nothing_says_who_should(tree: Path) -> None:
    done = secrets(tree, "recipients", "sync", ".")
    assert 6 == done.code
    assert "AO453" in done.err


def test_a_file_with_key_groups_follows_its_rule_alone(tree: Path) -> None:
    groups = writing.Policy(((ALICE.recipient,), (BOB.recipient,)), threshold=2)
    (tree / "a.yaml").write_bytes(writing.encrypt("a.yaml", PLAIN, groups).content)
    done = secrets(tree, "recipients", "add", "--age", BOB.recipient, "a.yaml")
    shown = run("secrets", "recipients", "list", "a.yaml", cwd=tree)

    assert 64 == done.code
    assert "AO913" in done.err
    assert f"  group 1 of 2, 2 needed\n  {ALICE.recipient}\n" in shown.out


@pytest.mark.parametrize("words", [[], ["--age", ALICE.recipient]])
def test_what_to_encrypt_is_as_the_caller_says_whoever_it_is_for(
    tree: Path, words: list[str]
) -> None:
    """A flag that only counts with another one would leave a secret in the clear."""
    rule(tree, ALICE.recipient)
    done = secrets(tree, "encrypt", "plain.yaml", "--encrypted-regex", "^password$", *words)

    assert (0, "") == (done.code, done.err)
    assert "user: app" in done.out
    assert "password: ENC[" in done.out


@pytest.mark.parametrize("pattern", ["", "(((", "a{9999}", "(?=x)"])
def test_a_pattern_that_cannot_be_used_is_named(tree: Path, pattern: str) -> None:
    rule(tree, ALICE.recipient)
    done = secrets(tree, "encrypt", "-i", "plain.yaml", "--encrypted-regex", pattern)

    assert (64, "") == (done.code, done.out)
    assert "AO905" in done.err
    assert PLAIN == (tree / "plain.yaml").read_bytes()


@pytest.mark.parametrize("flags", [(), ("--post-quantum",)], ids=["x25519", "post-quantum"])
def test_a_new_key_opens_what_is_encrypted_for_it(tree: Path, flags: tuple[str, ...]) -> None:
    made = run("secrets", "keygen", *flags, "key.txt", cwd=tree)
    recipient = made.out.strip()
    secrets(tree, "recipients", "add", "--age", recipient, "a.yaml")
    done = run("secrets", "decrypt", "a.yaml", cwd=tree, SOPS_AGE_KEY_FILE=str(tree / "key.txt"))

    assert (0, "") == (made.code, made.err)
    assert recipient.startswith("age1pq1" if flags else "age1")
    assert Done(0, PLAIN.decode(), "") == done
    assert 0o600 == (tree / "key.txt").stat().st_mode & 0o777


def test_a_key_is_never_replaced(tree: Path) -> None:
    run("secrets", "keygen", "key.txt", cwd=tree)
    before = (tree / "key.txt").read_bytes()
    again = run("secrets", "keygen", "key.txt", cwd=tree)

    assert 64 == again.code
    assert "AO907" in again.err
    assert before == (tree / "key.txt").read_bytes()
