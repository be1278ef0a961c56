"""What a tag object says, to a reader that takes nothing on trust."""

from collections.abc import Callable
from pathlib import Path

import pytest

from apiops.git import tags
from apiops.git.openpgp import Certificates
from apiops.model.revision import SignatureStatus
from tests.people import GitStory, person

AYSE, BORA = person("ayse"), person("bora")
NONE = Certificates()


@pytest.fixture
def raw(tmp_path: Path) -> bytes:
    story = GitStory(tmp_path / "repo")
    story.commit(AYSE, {"a.yaml": "1\n"})
    return story.tag(BORA, "approved", "apiops-approve-plan: d")


def test_what_git_itself_makes_is_read_the_same(raw: bytes) -> None:
    tag = tags.read(raw, NONE)
    assert tag is not None
    assert ("approved", SignatureStatus.GOOD) == (tag.name, tag.signature.status)
    assert BORA.fingerprint == tag.signature.key


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda raw: raw.replace(b"plan: d", b"plan: e"), SignatureStatus.BAD),
        (lambda raw: raw.replace(b"tag approved", b"tag approve2"), SignatureStatus.BAD),
        (lambda raw: raw + raw[raw.index(b"-----BEGIN") :], SignatureStatus.SEVERAL),
        (lambda raw: raw[: raw.index(b"-----BEGIN")], SignatureStatus.UNSIGNED),
        (lambda raw: raw + b"apiops-approve-plan: e\n", SignatureStatus.MALFORMED),
        (lambda raw: raw + b"\xff\n", SignatureStatus.MALFORMED),
    ],
)
def test_a_tag_that_somebody_touched_proves_nothing(
    raw: bytes, change: Callable[[bytes], bytes], status: SignatureStatus
) -> None:
    tag = tags.read(change(raw), NONE)
    assert tag is not None
    assert status is tag.signature.status


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"type commit", b"type tree"),
        lambda raw: raw.replace(b"tagger", b"gpgsig-sha256 x\ntagger"),
        lambda raw: raw.replace(b"\ntype", b"\nobject " + b"0" * 40 + b"\ntype"),
        lambda raw: raw.replace(b"plan: d", b"plan: \0d"),
        lambda raw: raw + b"x" * tags.MAX_TAG,
        lambda raw: raw[:20],
        lambda raw: raw.replace(b"tag approved", b"tag \x1b[2Japproved"),
        lambda raw: b"",
    ],
)
def test_anything_else_is_no_tag_of_a_commit(raw: bytes, change: Callable[[bytes], bytes]) -> None:
    assert tags.read(change(raw), NONE) is None
