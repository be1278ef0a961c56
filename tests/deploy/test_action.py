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

from tests.shop import DENIZ, MERT, Shop, a_proxy

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")


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
def shop(tmp_path: Path) -> Shop:
    """The small bank, applied once, with a change that waits."""
    made = Shop(tmp_path / "bank")
    made.begin()
    made.commit(MERT, {"payments/orders.yaml": CHANGED}, "Wait longer")
    return made


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


def inputs(shop: Shop, **more: str) -> dict[str, str]:
    return {"path": str(shop.repository), "target": "dev", **more}


def test_a_pull_request_is_validated_and_planned_and_nothing_is_written(
    runner: Runner, shop: Shop
) -> None:
    assert 0 == runner.run(STEPS[1], inputs(shop)), runner.printed
    outputs = runner.outputs
    assert ("0", "2", "0", "1", "0") == tuple(
        outputs[name] for name in ("exit-code", "changes", "creates", "updates", "deletes")
    )
    assert outputs["digest"].startswith(shop.run("plan", "-o", "json").json["plan"]["digest"][:8])
    assert "readTimeout" in runner.summary
    assert Path(outputs["report-file"]).read_text() == runner.summary
    assert 0 == shop.run("apply", outputs["plan-file"]).code


def test_a_push_is_applied_with_the_pull_request_in_the_reason(runner: Runner, shop: Shop) -> None:
    runner.event = "push"
    assert 0 == runner.run(STEPS[1], inputs(shop)), runner.printed
    assert "No changes." in shop.run("plan").out
    entries = shop.run("audit", "list", "--action", "update", "-o", "json").json["entries"]
    assert "17" == entries[0]["reason"]["pull_request"]


def test_the_step_fails_on_changes_only_when_asked(runner: Runner, shop: Shop) -> None:
    assert 2 == runner.run(STEPS[1], inputs(shop, **{"fail-on": "changes"}))
    assert "0" == runner.outputs["exit-code"]


def test_a_denied_commit_fails_the_step_with_its_exit_code(runner: Runner, shop: Shop) -> None:
    shop.commit(DENIZ, {"payments/orders.yaml": CHANGED.replace("90", "91")}, "Not mine")
    assert 4 == runner.run(STEPS[1], inputs(shop))
    assert "4" == runner.outputs["exit-code"]
    assert "R-not-member" in runner.summary


def test_invalid_specifications_fail_before_any_plan(runner: Runner, shop: Shop) -> None:
    shop.commit(MERT, {"payments/orders.yaml": CHANGED.replace("readTimeout", "readTimeoutt")})
    assert 3 == runner.run(STEPS[1], inputs(shop))
    assert {"exit-code", "report-file"} == runner.outputs.keys()
    assert "AO203" in runner.summary


def test_a_nonsense_command_is_named(runner: Runner, shop: Shop) -> None:
    assert 64 == runner.run(STEPS[1], inputs(shop, command="destroy"))
    assert "::error" in runner.printed


def test_inputs_are_data_and_never_part_of_a_script(runner: Runner, shop: Shop) -> None:
    mark = runner.folder / "owned"
    runner.run(STEPS[1], inputs(shop, target=f"dev; touch {mark}", command=f"$(touch {mark})"))
    assert not mark.exists()
