"""What users see, story by story, in files that a reviewer can read."""

from pathlib import Path

import pytest

from apiops import render
from tests import sarif
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

HAS_NO_PAGE = {("warning", "SARIF2005")}
"""apiops names no address of its own, so its logs name none to read more about it."""

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


def test_the_keepers_of_sarif_find_nothing_wrong_with_any_log(tmp_path: Path) -> None:
    logs = sorted(HERE.glob("*/shown.sarif"))
    assert len(TOLD_TO_PIPELINES) == len(logs)
    assert HAS_NO_PAGE == sarif.remarks(tmp_path, *logs)


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("cards/l.yaml", "cards/l 2.yaml", "SARIF1002"),  # no URI
        ('"startLine": 1', '"startLine": 9, "endLine": 2', "SARIF1007"),
        ('"ruleIndex": 0', '"ruleIndex": 7', "SARIF1009"),  # no rule has that number
        ('"locations"', '"relatedLocations"', "GH1015"),  # refused by code scanning
    ],
)
def test_they_would_find_what_is_wrong(tmp_path: Path, right: str, wrong: str, rule: str) -> None:
    text = (HERE / "denied/shown.sarif").read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "broken.sarif"
    broken.write_text(text.replace(right, wrong))
    assert ("error", rule) in sarif.remarks(tmp_path, broken)
