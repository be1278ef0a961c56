"""The work tree as a snapshot: what an author sees before committing."""

import os
import subprocess
from pathlib import Path

import pytest

from apiops.errors import SourceError
from apiops.git import repository, worktree
from apiops.model.resource import FileMode
from apiops.model.revision import Snapshot
from tests.people import GitStory, person

AYSE = person("ayse")


@pytest.fixture
def story(tmp_path: Path) -> GitStory:
    made = GitStory(tmp_path / "repo")
    made.commit(AYSE, {"a.yaml": "1\n", "deep/b.yaml": "2\n", ".gitignore": "*.tmp\nout/\n"})
    return made


def content(snapshot: Snapshot, path: str) -> bytes:
    return snapshot.read(snapshot.files[path].blob)


def test_a_clean_work_tree_is_the_commit_with_no_commit_id(story: GitStory) -> None:
    found = worktree.snapshot(story.path)
    repo = story.open()
    assert dict(repo.snapshot(repo.resolve("HEAD")).files) == dict(found.files)
    assert ("", "worktree", "worktree") == (
        found.revision.commit,
        found.revision.ref,
        found.revision.short,
    )


def test_edits_and_new_files_show_and_ignored_ones_do_not(story: GitStory) -> None:
    (story.path / "a.yaml").write_text("edited\n")
    (story.path / "new.yaml").write_text("new\n")
    (story.path / "x.tmp").write_text("no\n")
    (story.path / "out").mkdir()
    (story.path / "out" / "c.yaml").write_text("no\n")
    (story.path / "deep" / "b.yaml").unlink()
    found = worktree.snapshot(story.path)
    assert [".gitignore", "a.yaml", "new.yaml"] == list(found.files)
    assert b"edited\n" == content(found, "a.yaml")


def test_a_tracked_file_shows_even_if_a_rule_ignores_it(story: GitStory) -> None:
    story.commit(AYSE, {"out/kept.yaml": "1\n", "kept.tmp": "1\n"})
    (story.path / "out" / "other.yaml").write_text("no\n")
    found = worktree.snapshot(story.path)
    assert {"out/kept.yaml", "kept.tmp"} <= set(found.files)
    assert "out/other.yaml" not in found.files


def test_links_modules_and_odd_files_are_never_followed(story: GitStory, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("no\n")
    (story.path / "link.yaml").symlink_to(outside / "secret.yaml")
    (story.path / "folder").symlink_to(outside)
    os.mkfifo(story.path / "pipe.yaml")
    GitStory(story.path / "module")
    found = worktree.snapshot(story.path)
    modes = {path: file.mode for path, file in found.files.items() if file.mode != FileMode.FILE}
    assert {
        "link.yaml": FileMode.SYMLINK,
        "folder": FileMode.SYMLINK,
        "module": FileMode.SUBMODULE,
    } == modes
    assert "pipe.yaml" not in found.files
    assert os.fsencode(outside / "secret.yaml") == content(found, "link.yaml")


def test_blob_ids_are_those_of_git(story: GitStory) -> None:
    (story.path / "new.yaml").write_bytes(b"\xff\r\n")
    expected = subprocess.run(
        ["git", "hash-object", "--no-filters", "new.yaml"],
        cwd=story.path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert expected.stdout.strip() == worktree.snapshot(story.path).files["new.yaml"].blob


def test_a_file_that_changes_after_listing_is_an_error(story: GitStory) -> None:
    found = worktree.snapshot(story.path)
    (story.path / "a.yaml").write_text("changed\n")
    with pytest.raises(SourceError, match="changed while") as caught:
        content(found, "a.yaml")
    assert caught.value.code == "AO817"
    (story.path / "a.yaml").unlink()
    with pytest.raises(SourceError):
        content(found, "a.yaml")


def test_a_file_above_the_cap_is_refused(story: GitStory) -> None:
    with (story.path / "big.yaml").open("wb") as file:
        file.truncate(repository.MAX_BLOB + 1)
    found = worktree.snapshot(story.path)
    with pytest.raises(SourceError) as caught:
        content(found, "big.yaml")
    assert caught.value.code == "AO810"


def test_a_name_that_is_not_utf8_is_refused(story: GitStory) -> None:
    Path(os.fsdecode(os.fsencode(story.path) + b"/\xff.yaml")).write_text("x")
    with pytest.raises(SourceError) as caught:
        worktree.snapshot(story.path)
    assert caught.value.code == "AO811"


def test_a_bare_repository_has_no_work_tree(tmp_path: Path) -> None:
    GitStory(tmp_path / "bare", bare=True)
    with pytest.raises(SourceError) as caught:
        worktree.snapshot(tmp_path / "bare")
    assert caught.value.code == "AO814"


def test_an_unborn_branch_has_a_work_tree_all_the_same(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "repo")
    (story.path / "a.yaml").write_text("1\n")
    assert ["a.yaml"] == list(worktree.snapshot(story.path / ".").files)


def test_an_unknown_blob_is_an_error_with_a_code(story: GitStory) -> None:
    with pytest.raises(SourceError) as caught:
        worktree.snapshot(story.path).read("1" * 40)
    assert caught.value.code == "AO809"
