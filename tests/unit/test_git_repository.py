"""The real repository where the fake has nothing to say: faults, decoys, caps."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ConfigLevel
from pygit2.enums import FileMode as GitMode

from apiops.errors import Exit, SourceError, SourceUnavailable
from apiops.git import author, repository, tree
from apiops.model import codes, sharing
from apiops.model.resource import FileMode
from apiops.model.revision import Relation
from tests.people import GitStory, person

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can give a folder to another user"
)
AYSE, BORA = person("ayse"), person("bora")


@pytest.fixture
def story(tmp_path: Path) -> GitStory:
    made = GitStory(tmp_path / "repo")
    made.commit(AYSE, {"a.yaml": "1\n"}, "First")
    made.commit(BORA, {"a.yaml": "2\n"}, "Second")
    made.commit(AYSE, {"a.yaml": "3\n"}, "Third")
    return made


def fault(code: str, call, *args, **kwargs) -> SourceError:
    """The SourceError with that code, which must be documented and have a hint."""
    with pytest.raises(SourceError) as caught:
        call(*args, **kwargs)
    assert code == caught.value.code
    assert code in codes.ALL
    assert caught.value.hint
    return caught.value


def git(path: Path, *arguments: str) -> str:
    program = shutil.which("git")
    assert program, "these tests need the git program"
    done = subprocess.run(
        [program, "-c", "protocol.file.allow=always", *arguments],
        cwd=path,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def shallow_clone(story: GitStory, depth: int = 1) -> repository.GitRepository:
    clone = story.path.with_name("shallow")
    git(story.path, "clone", "-q", f"--depth={depth}", f"file://{story.path}", str(clone))
    return repository.open(clone)


# --- opening


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_path_without_repository_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    error = fault("AO801", repository.open, tmp_path / name)
    assert str(tmp_path / name) in error.message
    assert Exit.INVALID == error.exit_code


def test_a_folder_inside_of_the_work_tree_opens_its_repository(story: GitStory) -> None:
    (story.path / "deep" / "er").mkdir(parents=True)
    assert story.open().path == repository.open(story.path / "deep" / "er").path


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home directory whose .gitconfig libgit2 reads."""
    before = pygit2.settings.search_path[ConfigLevel.GLOBAL]
    (tmp_path / "home").mkdir()
    pygit2.settings.search_path[ConfigLevel.GLOBAL] = str(tmp_path / "home")
    yield tmp_path / "home"
    pygit2.settings.search_path[ConfigLevel.GLOBAL] = before


def give_away(path: Path) -> None:
    for folder, _, names in os.walk(path):
        for name in (".", *names):
            os.chown(Path(folder) / name, 65534, 65534)


@needs_root
def test_a_foreign_repository_is_refused_and_can_be_trusted_alone(story: GitStory) -> None:
    give_away(story.path)
    error = fault("AO802", repository.open, story.path)
    assert "safe.directory" in error.hint
    assert repository.open(story.path, trusted=True).resolve("HEAD").subject == "Third"
    fault("AO802", repository.open, story.path)


@needs_root
@pytest.mark.parametrize("bare", [True, False])
def test_the_hint_for_a_foreign_repository_works(tmp_path: Path, home: Path, *, bare: bool) -> None:
    story = GitStory(tmp_path / "repo", bare=bare)
    made = story.commit(AYSE, {"a": "1"})
    give_away(story.path)
    command = fault("AO802", repository.open, story.path).hint.split("`")[1]
    path = command.removeprefix("git config --global --add safe.directory ")
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {path}\n")
    assert repository.open(story.path).resolve("HEAD").commit == made


def test_a_sha256_repository_is_refused_with_the_reason(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "repo")
    assert "sha256" in fault("AO803", repository.open, tmp_path / "repo").message


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("HEAD", "garbage\n"),
        ("HEAD", "ref: refs/heads/../x\n"),
        ("HEAD", ""),
        ("refs/heads/main", "garbage\n"),
        ("refs/heads/main", f"{'1' * 40}\n"),
        ("refs/heads/main", "ref: refs/heads/main\n"),
        ("config", "[[[\n"),
        ("shallow", "zz\n"),
    ],
)
def test_a_damaged_git_directory_is_told_in_our_words(
    story: GitStory, file: str, content: str
) -> None:
    (story.path / ".git" / file).write_text(content)
    with pytest.raises(SourceError) as caught:
        story.open().resolve("HEAD")
    assert caught.value.code in {"AO803", "AO805", "AO809"}
    assert caught.value.message.count(str(story.path)) < 3


# --- resolving


def test_an_unborn_branch_is_told_from_an_unknown_one(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "repo")
    fault("AO804", story.open().resolve, "HEAD")
    story.commit(AYSE, {"a": "1"}, branch="other")
    fault("AO804", story.open().resolve, "HEAD")
    fault("AO805", story.open().resolve, "main")


def test_an_unknown_revision_names_what_looks_similar(story: GitStory) -> None:
    git(story.path, "update-ref", "refs/stash", "HEAD")
    assert "main" in fault("AO805", story.open().resolve, "mian").hint
    assert "git fetch" in fault("AO805", story.open().resolve, "something-else").hint


def test_a_branch_that_only_the_remote_has_is_suggested(story: GitStory) -> None:
    clone = story.path.with_name("clone")
    git(story.path, "clone", "-q", str(story.path), str(clone))
    git(clone, "checkout", "-q", "--detach")
    git(clone, "branch", "-D", "main")
    assert "origin/main" in fault("AO805", repository.open(clone).resolve, "main").hint


def test_a_head_that_names_no_branch_does_not_hide_the_lineage(story: GitStory) -> None:
    root = story.open().lineage
    git(story.path, "symbolic-ref", "HEAD", "refs/heads/master")
    fault("AO804", story.open().resolve, "HEAD")
    assert root == story.open().lineage


def test_an_endless_commit_is_refused_before_it_is_inflated(story: GitStory) -> None:
    made = story.commit(AYSE, {"a": "1"}, "Long\n\n" + "x" * repository.MAX_COMMIT)
    fault("AO810", story.open().resolve, made)


@pytest.mark.parametrize(
    "ref",
    ["", " ", "^", "a\0b", "abc", "-x", "@{1}", "main:a.yaml", "..", "HEAD~1", "0" * 40, "0" * 41],
)
def test_what_is_no_name_is_unknown(story: GitStory, ref: str) -> None:
    fault("AO805", story.open().resolve, ref)


def test_a_tag_is_peeled_to_its_commit(story: GitStory) -> None:
    git(story.path, "-c", "user.name=A", "-c", "user.email=a@b", "tag", "-am", "One", "v1")
    git(story.path, "tag", "v1-light")
    repo = story.open()
    head = repo.resolve("HEAD").commit
    assert [head, head, head] == [
        repo.resolve(r).commit for r in ("v1", "v1-light", "refs/tags/v1")
    ]


def test_a_remote_branch_and_a_detached_head_resolve(story: GitStory) -> None:
    clone = story.path.with_name("clone")
    git(story.path, "clone", "-q", str(story.path), str(clone))
    git(clone, "checkout", "-q", "--detach", "HEAD")
    repo = repository.open(clone)
    assert repo.resolve("HEAD").commit == repo.resolve("origin/main").commit
    assert story.open().lineage == repo.lineage


def test_a_name_that_is_tag_and_branch_is_ambiguous_unless_they_agree(story: GitStory) -> None:
    git(story.path, "tag", "main")
    assert "Third" == story.open().resolve("main").subject
    git(story.path, "tag", "-f", "main", "HEAD~1")
    error = fault("AO806", story.open().resolve, "main")
    assert "refs/tags/main" in error.message
    assert "Third" == story.open().resolve("refs/heads/main").subject


def test_a_branch_called_head_does_not_hide_head(story: GitStory) -> None:
    git(story.path, "update-ref", "refs/heads/HEAD", "HEAD~1")
    assert "Third" == story.open().resolve("HEAD").subject


def test_a_short_id_that_fits_two_objects_is_ambiguous(story: GitStory) -> None:
    repo = pygit2.Repository(str(story.path))
    seen: dict[str, str] = {}
    for number in range(5000):
        id = str(repo.create_blob(b"%d" % number))
        if id[:4] in seen:
            fault("AO806", story.open().resolve, id[:4])
            return
        seen[id[:4]] = id
    pytest.fail("no two blobs share four digits")


def test_a_blob_or_tree_is_not_a_commit(story: GitStory) -> None:
    revision = story.open().resolve("HEAD")
    blob = story.open().snapshot(revision).files["a.yaml"].blob
    assert "blob" in fault("AO807", story.open().resolve, blob).message
    assert "tree" in fault("AO807", story.open().resolve, revision.tree).message


# --- local tricks that must not change what is read


def test_replacement_refs_and_grafts_are_ignored(story: GitStory) -> None:
    repo = story.open()
    third, second, first = (
        commit.id for commit in reversed(repo.commits(None, repo.resolve("HEAD").commit))
    )
    decoy = story.commit(BORA, {"a.yaml": "evil\n"}, branch="decoy", parents=[first])
    git(story.path, "replace", third, decoy)
    git(
        story.path,
        "replace",
        repo.snapshot(repo.resolve("HEAD")).files["a.yaml"].blob,
        git(story.path, "rev-parse", f"{decoy}:a.yaml"),
    )
    (story.path / ".git" / "info").mkdir(exist_ok=True)
    (story.path / ".git" / "info" / "grafts").write_text(f"{third}\n{second} {decoy}\n")
    again = story.open()
    snapshot = again.snapshot(again.resolve("main"))
    assert b"3\n" == snapshot.read(snapshot.files["a.yaml"].blob)
    assert [first, second, third] == [commit.id for commit in again.commits(None, third)]
    assert (second,) == again.commit(third).parents
    assert first == again.lineage
    assert Relation.FORWARD == again.relation(first, third)
    assert Relation.REWRITTEN == again.relation(decoy, third)


def test_the_work_tree_and_index_do_not_show(story: GitStory) -> None:
    (story.path / "a.yaml").write_text("dirty\n")
    (story.path / "new.yaml").write_text("new\n")
    git(story.path, "add", "new.yaml")
    snapshot = (repo := story.open()).snapshot(repo.resolve("HEAD"))
    assert ["a.yaml"] == list(snapshot.files)
    assert b"3\n" == snapshot.read(snapshot.files["a.yaml"].blob)


# --- shallow clones


def test_a_shallow_clone_gives_its_tip_but_asks_for_history(story: GitStory) -> None:
    first = story.open().lineage
    repo = shallow_clone(story)
    head = repo.resolve("HEAD").commit
    assert {"a.yaml"} == set(repo.snapshot(repo.resolve("HEAD")).files)
    assert Relation.SAME == repo.relation(head, head)
    calls = [
        lambda: repo.lineage,
        lambda: repo.relation(first, head),
        lambda: repo.commits(first, head),
        lambda: repo.commits(None, head),
        lambda: repo.resolve(first),
        lambda: repo.commit(first),
    ]
    for call in calls:
        assert "git fetch --unshallow" in fault("AO808", call).hint


def test_a_shallow_clone_that_has_the_base_is_enough(story: GitStory) -> None:
    second = git(story.path, "rev-parse", "HEAD~1")
    repo = shallow_clone(story, depth=2)
    head = repo.resolve("HEAD").commit
    assert Relation.FORWARD == repo.relation(second, head)
    assert ["Third"] == [commit.subject for commit in repo.commits(second, head)]
    git(repo.path, "fetch", "-q", "--unshallow")
    assert story.open().lineage == repository.open(repo.path).lineage


def test_a_shallow_clone_cannot_say_rewritten_when_it_does_not_know(story: GitStory) -> None:
    repo = shallow_clone(story)
    side = author.commit(
        repo.path,
        {"b": b"1"},
        message="Side",
        author=AYSE.author,
        key=AYSE.key,
        branch="s",
        parents=[],
    )
    fault("AO808", repo.relation, side, repo.resolve("HEAD").commit)


# --- damage and hostile trees


def test_a_missing_blob_is_reported_when_it_is_read(story: GitStory) -> None:
    snapshot = (repo := story.open()).snapshot(repo.resolve("HEAD"))
    blob = snapshot.files["a.yaml"].blob
    (story.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    again = story.open()
    assert "missing" in fault("AO809", again.snapshot(again.resolve("HEAD")).read, blob).message


def content_of_a(repo: repository.GitRepository) -> bytes:
    snapshot = repo.snapshot(repo.resolve("HEAD"))
    return snapshot.read(snapshot.files["a.yaml"].blob)


def test_a_damaged_object_is_reported_wherever_it_is(story: GitStory) -> None:
    revision = story.open().resolve("HEAD")
    blob = story.open().snapshot(revision).files["a.yaml"].blob
    for id in (blob, revision.tree, revision.commit):
        file = story.path / ".git" / "objects" / id[:2] / id[2:]
        whole = file.read_bytes()
        file.chmod(0o644)
        file.write_bytes(whole[:-4] + b"\0\0\0\0")
        fault("AO809", content_of_a, story.open())
        file.write_bytes(whole)


def test_an_object_under_a_foreign_id_is_reported(story: GitStory) -> None:
    snapshot = (repo := story.open()).snapshot(repo.resolve("HEAD"))
    blob = snapshot.files["a.yaml"].blob
    other = str(pygit2.Repository(str(story.path)).create_blob(b"evil\n"))
    objects = story.path / ".git" / "objects"
    file = objects / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes((objects / other[:2] / other[2:]).read_bytes())
    fault("AO809", story.open().snapshot(repo.resolve("HEAD")).read, blob)


def test_a_file_above_the_cap_is_refused_before_it_is_inflated(story: GitStory) -> None:
    story.commit(
        AYSE, {"big.bin": bytes(repository.MAX_BLOB + 1), "fits.bin": bytes(repository.MAX_BLOB)}
    )
    snapshot = (repo := story.open()).snapshot(repo.resolve("HEAD"))
    fault("AO810", snapshot.read, snapshot.files["big.bin"].blob)
    assert repository.MAX_BLOB == len(snapshot.read(snapshot.files["fits.bin"].blob))


def raw_tree(path: Path, *entries: tuple[bytes, bytes, str]) -> str:
    """A tree object of these (mode, name, id), written without asking whether it is sane."""
    body = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(id) for mode, name, id in entries)
    return str(pygit2.Repository(str(path)).odb.write(pygit2.enums.ObjectType.TREE, body))


def commit_tree(path: Path, id: str) -> str:
    who = "A <a@b> 1767600000 +0000"
    raw = f"tree {id}\nauthor {who}\ncommitter {who}\n\nHostile\n"
    return author.write_commit(path, raw.encode())


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT", b"a/b", b"..\\x", b"\xff\xfe"])
def test_a_name_that_escapes_the_checkout_is_refused(story: GitStory, name: bytes) -> None:
    repo = story.open()
    blob = repo.snapshot(repo.resolve("HEAD")).files["a.yaml"].blob
    made = commit_tree(story.path, raw_tree(story.path, (b"100644", name, blob)))
    again = story.open()
    fault("AO811", again.snapshot, again.resolve(made))


@pytest.mark.parametrize(
    ("files", "width", "depth", "word"),
    [(1, 1, tree.MAX_DEPTH + 1, "deep"), (100, 10, 8, "files"), (0, 10, 8, "folders")],
)
def test_a_tree_bomb_is_refused(
    story: GitStory, files: int, width: int, depth: int, word: str
) -> None:
    repo = story.open()
    blob = repo.snapshot(repo.resolve("HEAD")).files["a.yaml"].blob
    level = raw_tree(story.path, *((b"100644", b"f%02d" % n, blob) for n in range(files)))
    for _ in range(depth):
        level = raw_tree(story.path, *((b"40000", b"d%d" % n, level) for n in range(width)))
    made = commit_tree(story.path, level)
    error = fault("AO810", story.open().snapshot, story.open().resolve(made))
    assert word in error.message


def test_symlinks_and_submodules_are_named_as_such(story: GitStory) -> None:
    repo = story.open()
    revision = repo.resolve("HEAD")
    blob = repo.snapshot(revision).files["a.yaml"].blob
    made = commit_tree(
        story.path,
        raw_tree(
            story.path,
            (b"120000", b"link", blob),
            (b"160000", b"module", revision.commit),
            (b"100755", b"run", blob),
        ),
    )
    files = repo.snapshot(repo.resolve(made)).files
    expected = {"link": FileMode.SYMLINK, "module": FileMode.SUBMODULE, "run": FileMode.FILE}
    assert expected == {path: file.mode for path, file in files.items()}
    assert GitMode.LINK == 0o120000


def test_neighbouring_snapshots_share_the_folders_that_did_not_change(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "repo")
    story.commit(AYSE, {f"p{n}/{m}.yaml": "1\n" for n in range(5) for m in range(5)})
    story.commit(AYSE, {"p0/0.yaml": "2\n"})
    repo = story.open()
    first, second = (
        repo.snapshot(repo.resolve(c.id)).files
        for c in repo.commits(None, repo.resolve("HEAD").commit)
    )
    shared = [path for path in first if first[path] is second[path]]
    assert 24 == len(shared)
    assert {"p0/0.yaml"} == sharing.differing(first, second)
    assert first.keys() == second.keys()
    assert first["p0/0.yaml"] != second["p0/0.yaml"]


# --- fetching


def test_a_fetch_brings_new_commits(story: GitStory) -> None:
    clone = story.path.with_name("clone")
    git(story.path, "clone", "-q", str(story.path), str(clone))
    repo = repository.open(clone)
    new = story.commit(AYSE, {"a.yaml": "4\n"}, "Fourth")
    repo.fetch("origin")
    assert new == repo.resolve("origin/main").commit


def test_a_remote_that_is_gone_is_worth_a_retry(story: GitStory) -> None:
    git(story.path, "remote", "add", "gone", f"file://{story.path}-gone")
    with pytest.raises(SourceUnavailable) as caught:
        story.open().fetch("gone")
    assert ("AO812", Exit.UNAVAILABLE, True) == (
        caught.value.code,
        caught.value.exit_code,
        caught.value.retryable,
    )


def test_a_password_in_the_address_is_not_shown(story: GitStory) -> None:
    git(story.path, "remote", "add", "closed", "https://robot:hunter2@127.0.0.1:1/x.git")
    error = fault("AO812", story.open().fetch, "closed")
    assert "hunter2" not in f"{error.message}{error.hint}{error.__cause__}"


@pytest.mark.parametrize(
    "url", ["http://git.example/x", "git://git.example/x", "HTTP://x/y", "ext::sh -c id"]
)
def test_a_remote_nobody_can_trust_is_refused(story: GitStory, url: str) -> None:
    git(story.path, "config", "remote.weak.url", url)
    with pytest.raises(SourceError) as caught:
        story.open().fetch("weak")
    assert caught.value.code in {"AO812", "AO813"}


def test_an_unknown_remote_names_the_known_ones(story: GitStory) -> None:
    git(story.path, "remote", "add", "origin", "https://git.example/x.git")
    assert "origin" in fault("AO813", story.open().fetch, "upstream").hint
