"""The writer: what it makes, git itself finds in order."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apiops.errors import SourceError
from apiops.git import author
from tests.people import GitStory, person

AYSE, BORA = person("ayse"), person("bora")


@pytest.fixture
def story(tmp_path: Path) -> GitStory:
    return GitStory(tmp_path / "repo")


def git(path: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=path, check=True, capture_output=True, text=True)
    return done.stdout


def files(path: Path) -> dict[str, str]:
    found = (file for file in path.rglob("*") if file.is_file() and ".git" not in file.parts)
    return {file.relative_to(path).as_posix(): file.read_text() for file in found}


def test_git_finds_nothing_wrong_with_what_we_write(story: GitStory) -> None:
    first = story.commit(AYSE, {"a/b/c.yaml": "1\n", "d.yaml": "1\n"}, "First\n\nBody\n")
    side = story.commit(BORA, {"e.yaml": "1\n"}, branch="side", parents=[first])
    root = story.commit(BORA, {"f.yaml": "1\n"}, branch="orphan", parents=[])
    main = story.commit(AYSE, {"d.yaml": None})
    story.commit(AYSE, {"e.yaml": "1\n"}, "Octopus", parents=[main, side, root])
    assert git(story.path, "fsck", "--strict", "--no-dangling") == ""
    assert git(story.path, "log", "-1", "--format=%P").split() == [main, side, root]
    assert git(story.path, "log", "-1", "--format=%B", first) == "First\n\nBody\n\n"


def test_the_work_tree_follows_its_branch_and_no_other(story: GitStory) -> None:
    first = story.commit(AYSE, {"a.yaml": "1\n", "deep/b.yaml": "1\n"})
    story.commit(BORA, {"c.yaml": "1\n"}, branch="side", parents=[first])
    assert {"a.yaml": "1\n", "deep/b.yaml": "1\n"} == files(story.path)
    story.commit(AYSE, {"a.yaml": "2\n", "deep/b.yaml": None})
    assert {"a.yaml": "2\n"} == files(story.path)
    story.merge(AYSE, "side")
    assert {"a.yaml": "2\n", "c.yaml": "1\n"} == files(story.path)
    assert git(story.path, "status", "--short") == ""


def test_what_the_author_edits_elsewhere_is_left_alone(story: GitStory) -> None:
    story.commit(AYSE, {"a.yaml": "1\n", "b.yaml": "1\n"})
    (story.path / "b.yaml").write_text("mine\n")
    (story.path / "new.yaml").write_text("mine\n")
    story.commit(AYSE, {"a.yaml": "2\n"})
    assert {"a.yaml": "2\n", "b.yaml": "mine\n", "new.yaml": "mine\n"} == files(story.path)


def test_a_conflict_is_refused_unless_it_is_resolved(story: GitStory) -> None:
    first = story.commit(AYSE, {"a.yaml": "1\n"})
    story.commit(BORA, {"a.yaml": "2\n"}, branch="side", parents=[first])
    head = story.commit(AYSE, {"a.yaml": "3\n"})
    with pytest.raises(SourceError, match=r"a\.yaml was changed on both sides") as caught:
        story.merge(AYSE, "side")
    assert ("AO815", head) == (caught.value.code, story.open().resolve("main").commit)
    story.merge(AYSE, "side", files={"a.yaml": "4\n"})
    assert {"a.yaml": "4\n"} == files(story.path)


def test_an_evil_merge_can_be_written(story: GitStory) -> None:
    first = story.commit(AYSE, {"a.yaml": "1\n"})
    story.commit(BORA, {"b.yaml": "1\n"}, branch="side", parents=[first])
    story.merge(BORA, "side", files={"a.yaml": "evil\n"})
    assert {"a.yaml": "evil\n", "b.yaml": "1\n"} == files(story.path)


@pytest.mark.parametrize("parent", ["1" * 40, "nope", ""])
def test_a_parent_that_is_not_there_is_refused(story: GitStory, parent: str) -> None:
    with pytest.raises(SourceError) as caught:
        story.commit(AYSE, {"a.yaml": "1\n"}, parents=[parent])
    assert caught.value.code == "AO815"


def test_deleting_what_is_not_there_is_refused(story: GitStory) -> None:
    with pytest.raises(SourceError) as caught:
        story.commit(AYSE, {"a.yaml": None})
    assert caught.value.code == "AO815"


def test_the_same_commit_at_the_same_time_has_the_same_id(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "other"):
        author.init(tmp_path / name, bare=True)
        made = author.commit(
            tmp_path / name,
            {"a": b"1"},
            message="First",
            author=AYSE.author,
            key=AYSE.key,
            at=datetime(2026, 1, 5, tzinfo=UTC),
        )
        ids.add(made)
    assert 1 == len(ids)
