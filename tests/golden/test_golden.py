"""What users see, story by story, in files that a reviewer can read."""

from pathlib import Path

import pytest

from apiops import render
from tests.golden.stories import STORIES

HERE = Path(__file__).parent
ENDINGS = {"text": "txt", "markdown": "md", "json": "json"}


@pytest.mark.parametrize("format", ENDINGS)
@pytest.mark.parametrize("story", STORIES)
def test_a_story_looks_as_it_did(story: str, format: str, update_golden: bool) -> None:
    path = HERE / story / f"shown.{ENDINGS[format]}"
    shown = render.render(STORIES[story](), format)
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == shown


def test_no_golden_file_is_left_without_its_story() -> None:
    assert set(STORIES) == {path.parent.name for path in HERE.glob("*/shown.*")}
