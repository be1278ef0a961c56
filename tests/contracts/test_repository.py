"""What every Repository promises, held by the real one (bare or not, loose or packed) and the fake."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from apiops.errors import SourceError
from apiops.git import repository
from apiops.model.revision import Proofs, Relation, SignatureStatus
from apiops.ports import Repository
from tests.fakes import FakeRepository, FakeStory
from tests.people import GitStory, person

AYSE, BORA, CANAN = person("ayse"), person("bora"), person("canan")
Story = GitStory | FakeStory
Open = Callable[[Story], Repository]
Opened = Callable[[], Repository]


def _as_it_is(story: Story) -> Repository:
    return story.open()


def _packed(story: Story) -> Repository:
    assert isinstance(story, GitStory)
    git = shutil.which("git")
    assert git, "this suite packs repositories with the git program"
    subprocess.run([git, "-C", story.path, "gc", "-q"], check=True)
    assert not list((story.path / ".git" / "objects").glob("[0-9a-f][0-9a-f]"))
    return story.open()


def _linked_work_tree(story: Story) -> Repository:
    assert isinstance(story, GitStory)
    git = shutil.which("git")
    assert git, "this suite adds work trees with the git program"
    linked = story.path.with_name("linked")
    subprocess.run([git, "-C", story.path, "worktree", "add", "-q", "--detach", linked], check=True)
    assert (linked / ".git").is_file()
    return repository.open(linked)


@pytest.fixture(params=["work tree", "bare", "packed", "linked", "fake"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Story, Open]:
    """Something to write commits with, and how to open what was written."""
    if request.param == "fake":
        return FakeStory(), _as_it_is
    opened = {"packed": _packed, "linked": _linked_work_tree}.get(request.param, _as_it_is)
    return GitStory(tmp_path / "repo", bare=request.param == "bare"), opened


@pytest.fixture
def story(world: tuple[Story, Open]) -> Story:
    return world[0]


@pytest.fixture
def opened(world: tuple[Story, Open]) -> Callable[[], Repository]:
    story, how = world
    return lambda: how(story)


def test_a_branch_its_id_and_head_resolve_to_the_same_commit(story, opened) -> None:
    made = story.commit(AYSE, {"a.yaml": "1\n"}, "Add orders\n\nBecause.")
    repo = opened()
    for ref in ("main", "HEAD", "refs/heads/main", made, made[:12]):
        revision = repo.resolve(ref)
        assert (made, ref, "Add orders") == (revision.commit, ref, revision.subject)
        assert repo.commit(made).tree == revision.tree


def test_an_unknown_revision_is_an_error_with_a_code(story, opened) -> None:
    story.commit(AYSE, {"a.yaml": "1\n"})
    with pytest.raises(SourceError) as caught:
        opened().resolve("mian")
    assert caught.value.code == "AO805"


def test_a_snapshot_has_every_file_with_its_git_blob_id(story, opened) -> None:
    story.commit(AYSE, {"a.yaml": "1\n", "deep/er/b.yaml": b"\xff\x00"})
    snapshot = (repo := opened()).snapshot(repo.resolve("HEAD"))
    assert {"a.yaml", "deep/er/b.yaml"} == set(snapshot.files)
    assert snapshot.files["a.yaml"].blob == "d00491fd7e5bb6fa28c517a0bb32b8b506539d4d"
    assert snapshot.read(snapshot.files["deep/er/b.yaml"].blob) == b"\xff\x00"
    assert all(path == file.path for path, file in snapshot.files.items())


def test_a_snapshot_of_an_old_commit_shows_the_old_files(story, opened) -> None:
    old = story.commit(AYSE, {"a.yaml": "1\n", "b.yaml": "1\n"})
    story.commit(AYSE, {"a.yaml": "2\n", "b.yaml": None})
    repo = opened()
    before, after = (repo.snapshot(repo.resolve(ref)) for ref in (old, "HEAD"))
    assert [b"1\n", b"2\n"] == [s.read(s.files["a.yaml"].blob) for s in (before, after)]
    assert ["a.yaml"] == list(after.files)


def test_a_blob_that_does_not_exist_is_an_error_with_a_code(story, opened) -> None:
    story.commit(AYSE, {"a.yaml": "1\n"})
    snapshot = (repo := opened()).snapshot(repo.resolve("HEAD"))
    with pytest.raises(SourceError) as caught:
        snapshot.read("1" * 40)
    assert caught.value.code == "AO809"


def test_a_commit_that_does_not_exist_is_an_error_with_a_code(story, opened) -> None:
    story.commit(AYSE, {"a.yaml": "1\n"})
    with pytest.raises(SourceError) as caught:
        opened().commit("1" * 40)
    assert caught.value.code == "AO809"


def test_a_signed_commit_names_the_key_and_an_unsigned_one_nobody(story, opened) -> None:
    signed = story.commit(AYSE, {"a.yaml": "1\n"}, claims=BORA)
    unsigned = story.commit(AYSE, {"a.yaml": "2\n"}, signed=False)
    repo = opened()
    assert SignatureStatus.GOOD == repo.commit(signed).signature.status
    assert AYSE.fingerprint == repo.commit(signed).signature.key
    assert repo.commit(signed).author == "Bora <bora@bank.example>"
    assert SignatureStatus.UNSIGNED == repo.commit(unsigned).signature.status
    assert repo.commit(unsigned).signature.key == ""


def test_lineage_is_the_first_root_and_stays_when_foreign_history_is_merged(story, opened) -> None:
    root = story.commit(AYSE, {"a.yaml": "1\n"})
    story.commit(BORA, {"z.yaml": "1\n"}, branch="orphan", parents=[])
    story.merge(AYSE, "orphan")
    story.commit(AYSE, {"a.yaml": "2\n"})
    assert root == opened().lineage


def test_the_range_has_what_head_has_and_base_has_not_parents_first(story, opened) -> None:
    base = story.commit(AYSE, {"a.yaml": "1\n"}, "base")
    topic = story.commit(BORA, {"b.yaml": "1\n"}, "topic", branch="topic", parents=[base])
    main = story.commit(AYSE, {"a.yaml": "2\n"}, "main")
    head = story.merge(CANAN, "topic")
    repo = opened()
    found = [commit.id for commit in repo.commits(base, head)]
    assert {topic, main, head} == set(found)
    assert head == found[-1]
    assert {base, topic, main, head} == {commit.id for commit in repo.commits(None, head)}
    assert () == repo.commits(head, head)
    assert [topic, head] == [commit.id for commit in repo.commits(main, head)]
    assert () == repo.commits(head, main)


def test_a_merge_of_two_names_its_bases_and_other_commits_none(story, opened) -> None:
    base = story.commit(AYSE, {"a.yaml": "1\n"})
    left = story.commit(AYSE, {"a.yaml": "2\n"})
    right = story.commit(BORA, {"b.yaml": "1\n"}, branch="topic", parents=[base])
    merge = story.commit(AYSE, {}, "Merge", parents=[left, right])
    cross = story.commit(BORA, {}, "Cross", branch="topic", parents=[right, left])
    again = story.commit(AYSE, {"c.yaml": "1\n"}, "Criss-cross", parents=[merge, cross])
    octopus = story.commit(AYSE, {}, "Octopus", parents=[again, left, base])
    repo = opened()
    assert () == repo.commit(left).bases
    assert (base,) == repo.commit(merge).bases
    assert tuple(sorted((left, right))) == repo.commit(again).bases
    assert () == repo.commit(octopus).bases


def test_unrelated_histories_have_no_bases(story, opened) -> None:
    one = story.commit(AYSE, {"a.yaml": "1\n"})
    other = story.commit(BORA, {"b.yaml": "1\n"}, branch="orphan", parents=[])
    merge = story.commit(AYSE, {}, "Merge", parents=[one, other])
    assert () == (repo := opened()).commit(merge).bases
    assert (one, other) == repo.commit(merge).parents


def test_relation_tells_forward_from_rewritten_and_missing(story, opened) -> None:
    base = story.commit(AYSE, {"a.yaml": "1\n"})
    head = story.commit(AYSE, {"a.yaml": "2\n"})
    side = story.commit(BORA, {"a.yaml": "3\n"}, branch="side", parents=[base])
    repo = opened()
    assert Relation.SAME == repo.relation(head, head)
    assert Relation.FORWARD == repo.relation(base, head)
    assert Relation.REWRITTEN == repo.relation(head, base)
    assert Relation.REWRITTEN == repo.relation(side, head)
    assert Relation.BASE_MISSING == repo.relation("1" * 40, head)


def test_an_empty_repository_says_that_there_is_no_commit(tmp_path: Path) -> None:
    for repo in (GitStory(tmp_path / "empty").open(), FakeRepository()):
        with pytest.raises(SourceError) as caught:
            repo.resolve("HEAD")
        assert caught.value.code == "AO804"


def test_a_squash_is_a_merge_for_whoever_knows_its_head(story: Story, opened: Opened) -> None:
    first = story.commit(AYSE, {"a": "1"})
    head = story.commit(BORA, {"a": "2"}, branch="topic", parents=[first])
    made = story.commit(AYSE, {"a": "2"})
    repository = opened()
    assert (first,) == repository.commit(made).parents
    known = repository.knowing(Proofs(heads={made: ("0" * 40, head)}))
    assert ((first, head), (first,)) == (known.commit(made).parents, known.commit(made).bases)
    assert {head, made} == {commit.id for commit in known.commits(first, made)}
    assert made == known.commits(first, made)[-1].id
    assert (made,) == tuple(commit.id for commit in repository.commits(first, made))


def test_heads_that_would_make_a_circle_are_passed_over(story: Story, opened: Opened) -> None:
    root = story.commit(AYSE, {"a": "1"})
    one = story.commit(AYSE, {"a": "2"}, branch="one", parents=[root])
    two = story.commit(AYSE, {"a": "3"}, branch="two", parents=[root])
    after_one = story.commit(BORA, {"b": "1"}, branch="x", parents=[one])
    after_two = story.commit(BORA, {"b": "2"}, branch="y", parents=[two])
    head = story.commit(AYSE, {"c": "1"}, branch="main", parents=[after_one, after_two])
    proofs = Proofs(heads={one: (after_two,), two: (after_one,), root: (head,), head: (one,)})
    known = opened().knowing(proofs)
    assert ((root, after_two), (root,)) == (known.commit(one).parents, known.commit(two).parents)
    order = [commit.id for commit in known.commits(None, head)]
    assert {root, one, two, after_one, after_two, head} == set(order)
    assert order.index(after_two) < order.index(one)


def test_a_commit_has_the_annotated_tags_that_point_at_it(story, opened) -> None:
    first = story.commit(AYSE, {"a.yaml": "1\n"})
    second = story.commit(AYSE, {"a.yaml": "2\n"})
    story.tag(BORA, "approved", "apiops-approve-plan: d", first)
    story.tag(CANAN, "plain", "Not signed", first, signed=False)
    repo = opened()
    assert () == repo.tags(second)
    told = {tag.name: tag for tag in repo.tags(first)}
    assert {"approved", "plain"} == told.keys()
    signature = told["approved"].signature
    assert (SignatureStatus.GOOD, BORA.fingerprint) == (signature.status, signature.key)
    assert "apiops-approve-plan: d" == told["approved"].message.strip()
    assert SignatureStatus.UNSIGNED is told["plain"].signature.status
    assert told == {tag.name: tag for tag in repo.knowing(Proofs()).tags(first)}
