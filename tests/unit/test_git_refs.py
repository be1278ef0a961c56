"""References read from their files: what libgit2 says, or nothing."""

from pathlib import Path

import pygit2
import pytest

from apiops.git import refs, repository
from tests.people import GitStory, person

AYSE = person("ayse")


@pytest.fixture
def story(tmp_path: Path) -> GitStory:
    made = GitStory(tmp_path / "repo")
    made.commit(AYSE, {"a.yaml": "1\n"}, "First")
    made.commit(AYSE, {"a.yaml": "2\n"}, "Second")
    return made


def git(story: GitStory) -> pygit2.Repository:
    return pygit2.Repository(str(story.path))


def said(story: GitStory, ref: str) -> tuple[str, str] | None:
    folder = refs.directory(story.path)
    return None if folder is None else refs.targets(folder, ref)


def head(story: GitStory) -> str:
    return repository.open(story.path).resolve("HEAD").commit


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
@pytest.mark.parametrize(
    "ref", ["HEAD", "main", "heads/main", "refs/heads/main", "v1", "refs/tags/v1", "team/x"]
)
def test_names_stand_for_what_libgit2_says(story: GitStory, ref: str, packed: bool) -> None:
    first = str(git(story).revparse_single("HEAD~1").id)
    git(story).references.create("refs/tags/v1", first)
    git(story).references.create("refs/heads/team/x", first)
    if packed:
        git(story).compress_references()
    assert (head(story), repository.open(story.path).resolve(ref).commit) == said(story, ref)


def test_it_is_found_from_a_folder_below_and_in_a_bare_repository(story: GitStory) -> None:
    below = story.path / "deep" / "er"
    below.mkdir(parents=True)
    bare = story.path.parent / "bare.git"
    pygit2.clone_repository(str(story.path), str(bare), bare=True)
    assert story.path / ".git" == refs.directory(below)
    assert bare == refs.directory(bare)


def ambiguous(story: GitStory) -> str:
    git(story).references.create("refs/tags/main", str(git(story).revparse_single("HEAD~1").id))
    return "main"


def an_id(story: GitStory) -> str:
    return head(story)


def a_short_id(story: GitStory) -> str:
    return head(story)[:8]


def unknown(_: GitStory) -> str:
    return "nobody"


def upwards(_: GitStory) -> str:
    return "refs/../HEAD"


def shallow(story: GitStory) -> str:
    (story.path / ".git" / "shallow").write_text(head(story) + "\n")
    return "main"


def another_format(story: GitStory) -> str:
    config = story.path / ".git" / "config"
    config.write_text(config.read_text() + "[extensions]\n\trefStorage = reftable\n")
    return "main"


def unborn(story: GitStory) -> str:
    git(story).set_head("refs/heads/to-come")
    return "HEAD"


def a_loop(story: GitStory) -> str:
    (story.path / ".git" / "refs" / "heads" / "a").write_text("ref: refs/heads/a\n")
    return "a"


@pytest.mark.parametrize(
    "unusual",
    [
        ambiguous,
        an_id,
        a_short_id,
        unknown,
        upwards,
        shallow,
        another_format,
        unborn,
        a_loop,
    ],
)
def test_whatever_is_unusual_is_left_to_libgit2(story: GitStory, unusual) -> None:
    assert None is said(story, unusual(story))


def test_a_linked_work_tree_is_left_to_libgit2(story: GitStory) -> None:
    git(story).add_worktree("other", str(story.path.parent / "other"))
    assert None is refs.directory(story.path.parent / "other")
