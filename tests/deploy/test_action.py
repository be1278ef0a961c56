"""action.yml: its own steps, run in a shell that keeps the runner's contract."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from apiops.wiring import stage

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]


@dataclass
class Runner:
    """What GitHub's runner gives to a step: a temporary folder, and files for its answers."""

    folder: Path
    event: str = "pull_request"

    def run(self, step: dict[str, Any], inputs: dict[str, str], **extra: str) -> int:
        values = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
        values |= inputs
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("APIOPS_", "SOPS_"))},
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_EVENT_NAME": self.event,
            **{name: self._filled(text, values) for name, text in step.get("env", {}).items()},
            **extra,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed = done.stdout + done.stderr
        return done.returncode

    @staticmethod
    def _filled(text: str, values: dict[str, str]) -> str:
        for name, value in values.items():
            text = text.replace("${{ inputs." + name + " }}", value)
        return text.replace("${{ github.event.pull_request.number }}", "17")

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    folder = tmp_path / "runner"
    bin_ = folder / "apiops" / "bin"
    bin_.mkdir(parents=True)
    for name in ("apiops", "python"):
        (bin_ / name).write_text(
            f'#!/bin/sh\nexec "{sys.executable}" {"-m apiops " if name == "apiops" else ""}"$@"\n'
        )
        (bin_ / name).chmod(0o755)
    return Runner(folder)


@pytest.fixture
def bank(tmp_path: Path) -> stage.Stage:
    """The example bank with its first commit, and a Manager of its own."""
    built = stage.build(tmp_path / "bank")
    built.first = built.commit("ayse", "Describe the bank's gateway", stage.contents())  # type: ignore[attr-defined]
    return built


def test_every_output_of_the_action_comes_from_its_step() -> None:
    for name, output in ACTION["outputs"].items():
        assert "${{ steps.run.outputs." + name + " }}" == output["value"]


def test_no_expression_stands_inside_a_script() -> None:
    assert all("${{" not in step["run"] for step in STEPS)


@pytest.mark.slow
def test_the_install_step_installs_what_the_lock_file_pins(tmp_path: Path) -> None:
    fresh = Runner(tmp_path)
    assert 0 == fresh.run(STEPS[0], {}), fresh.printed
    version = subprocess.run(
        [tmp_path / "apiops/bin/apiops", "version", "-o", "json"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert "pygit2" in json.loads(version.stdout)
