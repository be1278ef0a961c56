"""Small repositories that must load, and others that must be refused with exactly these words.

`valid/<name>` loads without a finding. `invalid/<code>-<name>` has an `expected.txt`: one line
for each finding, as a reader sees it, with the project that it stops (`*`: everything).
"""

from pathlib import Path

import pytest

from apiops.model import codes
from apiops.model.diagnostic import Diagnostic
from apiops.spec.load import load
from tests.snapshots import TEST, directory

HERE = Path(__file__).parent
VALID = sorted(path for path in (HERE / "valid").iterdir())
INVALID = sorted(path for path in (HERE / "invalid").iterdir())

ELSEWHERE = {
    *("AO110", "AO115"),  # too large to lie here: tests/unit/test_read.py
    "AO121",  # a submodule is no file: tests/unit/test_load.py
}
"""Codes of ours whose case is not a repository in this directory."""


def line(finding: Diagnostic) -> str:
    hint = f" [{finding.hint}]" if finding.hint else ""
    unit = "*" if finding.project is None else finding.project
    return f"{finding.location} {finding.severity} {finding.code} {finding.message}{hint} ({unit})"


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_a_valid_repository_loads_without_a_finding(case: Path) -> None:
    loaded = load(directory(case), TEST)

    assert [] == [line(finding) for finding in loaded.diagnostics]
    assert {} == loaded.desired.stopped
    assert loaded.desired.resources


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_an_invalid_repository_is_refused_in_exactly_these_words(case: Path) -> None:
    found = [line(finding) for finding in load(directory(case), TEST).diagnostics]

    assert (case / "expected.txt").read_text().splitlines() == found


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_an_invalid_repository_is_named_for_its_code(case: Path) -> None:
    assert f" {case.name.partition('-')[0]} " in (case / "expected.txt").read_text()


def test_every_code_of_reading_shapes_and_references_has_a_case() -> None:
    ours = {
        code
        for code in codes.ALL
        if code.startswith(("AO1", "AO2", "AO3")) or "AO430" <= code < "AO450"
    }
    cases = {case.name.partition("-")[0] for case in INVALID}

    assert set() == ours - cases - ELSEWHERE
    assert set() == cases - ours, "a case for a code that belongs to others, or to nobody"
