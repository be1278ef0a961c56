"""What users see, story by story, in files that a reviewer can read."""

from pathlib import Path

import pytest

from apiops import render
from tests.golden.stories import STORIES

HERE = Path(__file__).parent
PEOPLE = {"text": "txt", "markdown": "md", "json": "json"}
PIPELINES = {"github": "github", "gitlab": "gitlab.json", "junit": "xml", "sarif": "sarif"}
TOLD_TO_PIPELINES = {
    "create",
    "rotation",
    "guarded",
    "waiting",
    "denied",
    "drift",
    "no-changes",
    "invalid",
    "partial",
    "error",
}
"""The stories of values that have remarks."""

SHOWN = [(story, format) for story in STORIES for format in PEOPLE] + [
    (story, format) for story in sorted(TOLD_TO_PIPELINES) for format in PIPELINES
]


@pytest.mark.parametrize(("story", "format"), SHOWN)
def test_a_story_looks_as_it_did(story: str, format: str, update_golden: bool) -> None:
    path = HERE / story / f"shown.{(PEOPLE | PIPELINES)[format]}"
    shown = render.render(STORIES[story](), format)
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == shown


def test_no_golden_file_is_left_without_its_story() -> None:
    assert set(STORIES) == {path.parent.name for path in HERE.glob("*/shown.*")}
